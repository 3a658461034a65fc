//! Requests that drivers have not finished, and who waits for them.

use std::collections::HashSet;

use memory::VirtualAddress;
use nt::thread::WaitReason;
use ntos::{Irp, StackLocation, Wait};

use super::relation::{Evidence, Grade, Holder, Object, Relation};
use super::scene::Scene;
use crate::Hex;

/// Addresses that are kept in mind as no requests.
const MOST_KEPT: usize = 1 << 18;
/// Bytes before and behind an event in which its driver may keep the request.
const BESIDE: u64 = 0x40;
/// Bytes of an event, which is the smallest object that is waited for.
const EVENT: u64 = 0x18;

/// What led from a thread to a request.
enum Way {
    /// Its list: the thread.
    List(VirtualAddress),
    /// A word of its stack.
    Stack(VirtualAddress),
    /// A word beside the object that it waits for.
    Beside(VirtualAddress),
}

/// Waiting threads with requests that drivers have not finished.
pub(crate) fn requests(scene: &Scene<'_, '_>) -> Vec<Relation> {
    let mut relations = Vec::new();
    let mut none = HashSet::new();
    for (number, thread) in scene.census.threads.iter().enumerate() {
        if thread.waits() != Some(true) {
            continue;
        }
        let irps = scene.kernel.irps(thread.address).map(|list| list.irps).unwrap_or_default();
        for irp in irps.iter().filter(|irp| irp.thread.is_none_or(|by| by == thread.address)) {
            relations.extend(request(scene, number, &Way::List(thread.address), irp));
        }
        let listed: HashSet<VirtualAddress> = irps.iter().map(|irp| irp.address).collect();
        if scene.reason(number).is_some_and(may_be_for_a_request) {
            let found = reached(scene, number, &listed, &mut none);
            relations
                .extend(found.iter().filter_map(|(way, irp)| request(scene, number, way, irp)));
        }
    }
    relations
}

/// Reasons that drivers, and the kernel on their behalf, wait with; the others
/// are waits for something else that is known.
fn may_be_for_a_request(reason: WaitReason) -> bool {
    matches!(reason, WaitReason::Executive | WaitReason::WrExecutive | WaitReason::UserRequest)
}

/// Requests on no list of the thread that words of its stack, or beside the
/// object it waits for, point to. To point to one is not to wait for it: the
/// thread must have sent it, or wait for its event.
fn reached(
    scene: &Scene<'_, '_>,
    number: usize,
    listed: &HashSet<VirtualAddress>,
    none: &mut HashSet<VirtualAddress>,
) -> Vec<(Way, Irp)> {
    let Some(thread) = scene.census.threads.get(number) else { return Vec::new() };
    let mut words: Vec<(Way, VirtualAddress)> = Vec::new();
    for wait in scene.waits.get(number).into_iter().flatten() {
        let object = wait.object.0;
        let (from, to) = (object.saturating_sub(BESIDE), object.saturating_add(EVENT + BESIDE));
        let found = scene.kernel.pool_pointers(VirtualAddress(from), VirtualAddress(to));
        words.extend(found.into_iter().map(|(place, value)| (Way::Beside(place), value)));
    }
    if let Some((from, to)) = thread.kernel_stack.zip(thread.stack_base) {
        let found = scene.kernel.pool_pointers(from, to).into_iter();
        words.extend(found.map(|(place, value)| (Way::Stack(place), value)));
    }
    let mut seen = listed.clone();
    let mut found = Vec::new();
    for (way, value) in words {
        if none.contains(&value) || !seen.insert(value) {
            continue;
        }
        let Some(irp) = scene.kernel.proved_irp(value) else {
            if none.len() < MOST_KEPT {
                none.insert(value);
            }
            continue;
        };
        let own = irp.thread == Some(thread.address) && matches!(way, Way::Stack(_));
        if own || event_of(scene, number, &irp).is_some() {
            found.push((way, irp));
        }
    }
    found
}

/// How the object that a thread waits for belongs to a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    /// UserEvent, or the file's: the end of the request sets it.
    OfRequest,
    /// The routine that is called at the end is given it, and may set it.
    OfRoutine(VirtualAddress),
}

fn event_of<'s>(scene: &'s Scene<'_, '_>, number: usize, irp: &Irp) -> Option<(&'s Wait, Event)> {
    let waits_for = |event: VirtualAddress| scene.wait_for(number, event);
    let file = irp.stack.first().and_then(|location| location.file_event);
    let own = irp.user_event.and_then(waits_for).or_else(|| waits_for(file?));
    let given = |location: &StackLocation| {
        location.completion_routine?;
        Some((waits_for(location.context?)?, Event::OfRoutine(location.address)))
    };
    own.map(|wait| (wait, Event::OfRequest)).or_else(|| irp.stack.iter().find_map(given))
}

fn request(scene: &Scene<'_, '_>, number: usize, way: &Way, irp: &Irp) -> Option<Relation> {
    let thread = scene.census.threads.get(number)?.address;
    let own = irp.thread == Some(thread);
    let mut evidence = match way {
        Way::List(thread) => vec![
            Evidence::new(*thread, "its IrpList holds the request"),
            Evidence::new(irp.address, "the request"),
        ],
        Way::Stack(place) | Way::Beside(place) => {
            let what = match way {
                Way::Beside(_) => "beside the object that is waited for, points to the request",
                _ => "in the waiting thread's stack, points to the request",
            };
            let whose = match own {
                true => "the request, proved by its own members; its thread is the waiter",
                false => "the request, proved by its own members; the waiter is not its thread",
            };
            vec![Evidence::new(*place, what), Evidence::new(irp.address, whose)]
        }
    };
    let grade = match event_of(scene, number, irp) {
        Some((wait, Event::OfRequest)) => {
            evidence.push(Evidence::new(wait.object, "the event that ends the request"));
            let grade = scene.wait_evidence(wait).0;
            if own || matches!(way, Way::List(_)) { grade } else { grade.min(Grade::Consistent) }
        }
        Some((_, Event::OfRoutine(location))) => {
            let what = "its Context, which the completion routine is given, is the event";
            evidence.push(Evidence::new(location, what));
            Grade::Consistent
        }
        None if scene.reason(number) == Some(WaitReason::WrQueue) => return None,
        // Many requests of a thread are not what it waits for.
        None => Grade::Consistent,
    };
    let location = irp.stack.first();
    let holder = location.and_then(|location| {
        evidence.push(Evidence::new(location.address, "its current stack location"));
        let module = location.driver_start.and_then(|start| scene.kernel.modules().at(start));
        Some(Holder::Device {
            device: Hex(location.device?.0),
            driver: location.driver_name.clone(),
            module: module.and_then(|module| module.name.clone()),
        })
    });
    let object = Object::new(irp.address, "irp");
    scene.relation(number, object, holder.map(|holder| (holder, None)), grade, evidence)
}
