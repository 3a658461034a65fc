//! Resources, mutants, fast mutexes and push locks.

use std::collections::HashMap;

use memory::VirtualAddress;
use nt::thread::WaitReason;
use ntos::{CHAIN_ENTRY, LockEntry, ObjectKind, Resource, Resources};

use super::relation::{Evidence, Grade, Holder, Object, Relation};
use super::scene::Scene;

/// A thread that waits for a resource, and what shows it.
struct Waiter {
    thread: usize,
    grade: Grade,
    evidence: Vec<Evidence>,
}

/// Who waits for which resource, and who owns it.
pub(crate) fn resources(scene: &Scene<'_, '_>, resources: &Resources) -> Vec<Relation> {
    let mut relations = Vec::new();
    for resource in &resources.resources {
        for waiter in resource_waiters(scene, resource) {
            relations.extend(resource_relations(scene, resource, &waiter));
        }
    }
    relations
}

fn resource_relations(
    scene: &Scene<'_, '_>,
    resource: &Resource,
    waiter: &Waiter,
) -> Vec<Relation> {
    let object = || Object::new(resource.address, "resource");
    let others = resource
        .owners
        .iter()
        .filter(|owner| scene.census.find(owner.owner) != Some(waiter.thread));
    let mut relations = Vec::new();
    for owner in others {
        let known = scene.census.find(owner.owner).is_some();
        let mut evidence = waiter.evidence.clone();
        let grade = match (owner.flags, known) {
            (0, true) => waiter.grade,
            // A driver gave a pointer in place of a thread; that it is a
            // thread's address does not make the thread run.
            (_, true) => Grade::Consistent.min(waiter.grade),
            (0, false) => Grade::Consistent.min(waiter.grade),
            (_, false) => Grade::NotProvable,
        };
        let how = match owner.flags {
            0 => "owner entry: the thread",
            _ => "owner entry: an owner pointer set by a driver",
        };
        evidence.push(Evidence::new(owner.entry, how));
        let holder = (grade > Grade::NotProvable).then(|| scene.thread_at(owner.owner));
        relations.extend(scene.relation(waiter.thread, object(), holder, grade, evidence));
    }
    if relations.is_empty() {
        let evidence = waiter.evidence.clone();
        relations.extend(scene.relation(
            waiter.thread,
            object(),
            None,
            Grade::NotProvable,
            evidence,
        ));
    }
    relations
}

/// Where waiters are depends on the build: some wait for the object that the
/// resource points to; in others the resource points into the stack of the
/// first, and each to the next.
fn resource_waiters(scene: &Scene<'_, '_>, resource: &Resource) -> Vec<Waiter> {
    let mut found: Vec<Waiter> = Vec::new();
    for (place, count) in [
        (resource.exclusive_waiters, resource.exclusive_waiter_count),
        (resource.shared_waiters, resource.shared_waiter_count),
    ] {
        let Some(place) = place.filter(|_| count != Some(0)) else { continue };
        for thread in scene.waiters_of(place) {
            let Some(wait) = scene.wait_for(*thread, place) else { continue };
            let (grade, mut evidence) = scene.wait_evidence(wait);
            evidence
                .push(Evidence::new(resource.address, "the resource that points to the object"));
            add(&mut found, Waiter { thread: *thread, grade, evidence });
        }
        if scene.waiters_of(place).is_empty() {
            for node in scene.kernel.waiter_chain(place) {
                chained(scene, resource, node).into_iter().for_each(|one| add(&mut found, one));
            }
        }
    }
    found
}

/// An entry of a chain holds the object that its thread waits for, or lies in
/// the thread's stack.
fn chained(scene: &Scene<'_, '_>, resource: &Resource, node: VirtualAddress) -> Option<Waiter> {
    let held = scene.waited_in(node, CHAIN_ENTRY).and_then(|object| {
        let thread = *scene.waiters_of(object).first()?;
        Some((thread, scene.wait_evidence(scene.wait_for(thread, object)?)))
    });
    let (thread, (grade, mut evidence)) = match held {
        Some(held) => held,
        None => (scene.census.stack_owner(node)?, (Grade::Proved, Vec::new())),
    };
    // The chain says who queued; that the thread is still waiting for it, its reason.
    let grade = match scene.reason(thread)? {
        WaitReason::WrResource | WaitReason::Executive => grade,
        _ => Grade::Consistent.min(grade),
    };
    let whose = match evidence.is_empty() {
        true => "entry of that chain, in the waiting thread's stack",
        false => "entry of that chain, with the object that the thread waits for",
    };
    let from = "the resource whose chain of waiters begins here";
    evidence.push(Evidence::new(resource.address, from));
    evidence.push(Evidence::new(node, whose));
    Some(Waiter { thread, grade, evidence })
}

fn add(found: &mut Vec<Waiter>, waiter: Waiter) {
    if !found.iter().any(|known| known.thread == waiter.thread) {
        found.push(waiter);
    }
}

/// Who waits for a mutant, and who owns it.
pub(crate) fn mutants(scene: &Scene<'_, '_>) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (thread, waits) in scene.waits.iter().enumerate() {
        for wait in waits.iter().filter(|wait| wait.kind == Some(ObjectKind::Mutant)) {
            let (grade, mut evidence) = scene.wait_evidence(wait);
            let owner = scene.kernel.mutant_owner(wait.object);
            let holder = owner.thread.map(|owner| scene.thread_at(owner));
            let grade = match &holder {
                None => Grade::NotProvable,
                Some((_, Some(_)) | (Holder::GoneThread { terminated: true, .. }, _)) => grade,
                Some((_, None)) => Grade::Consistent.min(grade),
            };
            if let Some(owner) = owner.thread {
                evidence.push(Evidence::new(wait.object, "its OwnerThread"));
                if let Some((Holder::GoneThread { terminated: true, .. }, _)) = &holder {
                    evidence.push(Evidence::new(owner, "that thread: its State is Terminated"));
                }
            }
            let object = Object::new(wait.object, "mutant");
            relations.extend(scene.relation(thread, object, holder, grade, evidence));
        }
    }
    relations
}

/// Fast and guarded mutexes: the event that is waited for lies in one.
pub(crate) fn fast_mutexes(scene: &Scene<'_, '_>) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (thread, waits) in scene.waits.iter().enumerate() {
        let reason = scene.reason(thread);
        if !matches!(reason, Some(WaitReason::WrFastMutex | WaitReason::WrGuardedMutex)) {
            continue;
        }
        for wait in waits {
            let Some((mutex, owner)) = scene.kernel.fast_mutex_of(wait.object) else { continue };
            if scene.census.find(owner).is_none() {
                continue;
            }
            let (_, mut evidence) = scene.wait_evidence(wait);
            evidence.push(Evidence::new(mutex, "its Owner"));
            let object = Object::new(mutex, "fast-mutex");
            let holder = Some(scene.thread_at(owner));
            let grade = Grade::Consistent;
            relations.extend(scene.relation(thread, object, holder, grade, evidence));
        }
    }
    relations
}

/// Push locks, where a thread's own table of locks names one.
pub(crate) fn push_locks(scene: &Scene<'_, '_>) -> Vec<Relation> {
    let mut owners: HashMap<VirtualAddress, Vec<(usize, LockEntry)>> = HashMap::new();
    let mut waiters = Vec::new();
    for (thread, found) in scene.census.threads.iter().enumerate() {
        for entry in scene.kernel.lock_entries(found.address) {
            let waits = entry.waiting && scene.reason(thread).is_some();
            if waits {
                waiters.push((thread, entry));
            } else if entry.acquired {
                owners.entry(entry.lock).or_default().push((thread, entry));
            }
        }
    }
    let mut relations = Vec::new();
    for (thread, entry) in waiters {
        for (owner, held) in owners.get(&entry.lock).into_iter().flatten() {
            let evidence = vec![
                Evidence::new(entry.entry, "lock entry of the waiting thread"),
                Evidence::new(held.entry, "lock entry of the other thread: acquired"),
            ];
            let holder = scene.census.threads.get(*owner).map(|one| scene.thread_at(one.address));
            let object = Object::new(entry.lock, "push-lock");
            relations.extend(scene.relation(thread, object, holder, Grade::Consistent, evidence));
        }
    }
    relations
}
