//! Threads that wait, whoever has what they wait for.

use std::collections::{BTreeMap, HashSet};

use nt::thread::WaitReason;
use ntos::ObjectKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::relation::{Object, Relation};
use super::scene::Scene;
use crate::ThreadRef;

/// How many threads are told of those that wait longest.
pub(crate) const LONGEST: usize = 20;
/// How many threads are named of those whose wait is not provable.
const NAMED: usize = 20;

/// A thread that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waiting {
    /// The thread.
    pub thread: ThreadRef,
    /// Its wait reason.
    pub reason: Option<String>,
    /// For how long, in milliseconds.
    pub milliseconds: Option<u64>,
    /// For what.
    pub objects: Vec<Object>,
}

/// Waits of a kind of which no dump tells who ends them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotProvable {
    /// The wait reason.
    pub reason: String,
    /// How many threads wait so.
    pub count: u64,
    /// The first of them.
    pub threads: Vec<ThreadRef>,
    /// Why it cannot be told.
    pub why: String,
}

/// Why a wait of this kind leads nowhere in any dump.
fn why(reason: WaitReason) -> Option<&'static str> {
    Some(match reason {
        WaitReason::WrAlertByThreadId => {
            "a wait on an address: who shall change the value there is known to the program alone"
        }
        WaitReason::WrKeyedEvent => "a keyed event: no structure names who shall release it",
        WaitReason::WrPushLock => "a push lock, and no lock entry names who has it",
        WaitReason::WrResource => "a resource that could not be read, or whose owner is not told",
        WaitReason::WrFastMutex | WaitReason::WrGuardedMutex => "a mutex whose owner is not told",
        _ => return None,
    })
}

pub(crate) fn not_provable(scene: &Scene<'_, '_>, relations: &[Relation]) -> Vec<NotProvable> {
    let told: HashSet<usize> =
        relations.iter().filter(|one| one.holder.is_some()).map(|one| one.ends.0).collect();
    let mut found: BTreeMap<u32, NotProvable> = BTreeMap::new();
    for thread in (0..scene.census.threads.len()).filter(|thread| !told.contains(thread)) {
        let Some(reason) = scene.reason(thread) else { continue };
        let (Some(why), Some(name)) = (why(reason), scene.census.name(thread)) else { continue };
        let entry = found.entry(reason.value()).or_insert_with(|| NotProvable {
            reason: reason.to_string(),
            count: 0,
            threads: Vec::new(),
            why: why.to_owned(),
        });
        entry.count += 1;
        if entry.threads.len() < NAMED {
            entry.threads.push(name);
        }
    }
    found.into_values().collect()
}

/// Whether a thread waits for work to come, which is what idle threads do.
fn waits_for_work(scene: &Scene<'_, '_>, thread: usize) -> bool {
    let queue = |kind| matches!(kind, Some(ObjectKind::Queue | ObjectKind::PriorityQueue));
    scene.reason(thread) == Some(WaitReason::WrQueue)
        || scene.waits.get(thread).is_some_and(|all| all.iter().any(|wait| queue(wait.kind)))
}

pub(crate) fn idle_workers(scene: &Scene<'_, '_>) -> u64 {
    let all = 0..scene.census.threads.len();
    all.filter(|thread| waits_for_work(scene, *thread)).count() as u64
}

pub(crate) fn longest(scene: &Scene<'_, '_>) -> Vec<Waiting> {
    if scene.kernel.clock().is_none() {
        return Vec::new();
    }
    let mut waiting: Vec<(u32, usize)> = scene
        .census
        .threads
        .iter()
        .enumerate()
        .filter(|(number, thread)| thread.waits() == Some(true) && !waits_for_work(scene, *number))
        .filter_map(|(number, thread)| Some((thread.wait_ticks?, number)))
        .collect();
    waiting.sort_by_key(|(ticks, number)| (std::cmp::Reverse(*ticks), *number));
    let longest = waiting.into_iter().take(LONGEST);
    longest.filter_map(|(_, number)| of(scene, number)).collect()
}

/// What a thread waits for, if it waits.
pub(crate) fn of(scene: &Scene<'_, '_>, number: usize) -> Option<Waiting> {
    let reason = scene.reason(number)?;
    let ticks = scene.census.threads.get(number)?.wait_ticks;
    let objects = scene.waits.get(number)?.iter().map(|wait| {
        let kind = wait.kind.map_or_else(|| "object".to_owned(), |kind| kind.to_string());
        Object::new(wait.object, kind)
    });
    Some(Waiting {
        thread: scene.census.name(number)?,
        reason: Some(reason.to_string()),
        milliseconds: scene
            .kernel
            .clock()
            .zip(ticks)
            .map(|(clock, t)| clock.milliseconds(t.into())),
        objects: objects.collect(),
    })
}

/// What the layout that is known leaves unasked.
pub(crate) fn unasked(scene: &Scene<'_, '_>, unasked: &mut Vec<String>) {
    let (kernel, layout) = (scene.kernel, scene.kernel.layout());
    let every_object = layout.dispatcher.kind.is_some() && layout.wait_block.size.is_some();
    let mut waits = scene.waits.iter().flatten();
    let no_mutant = every_object && waits.all(|wait| wait.kind != Some(ObjectKind::Mutant));
    let mut missing = |known: bool, what: &str| {
        if !known {
            unasked.push(what.to_owned());
        }
    };
    missing(
        layout.kernel_thread.wait_block_list.is_some(),
        "what threads wait for: where a thread keeps its wait blocks is not known",
    );
    missing(
        layout.mutant.owner.is_some() || no_mutant,
        "owners of mutants: the layout of KMUTANT is not known",
    );
    missing(
        layout.irp.thread_list_entry.is_some(),
        "requests of threads: the layout of IRP is not known",
    );
    missing(
        layout.alpc_message.waiting_thread.is_some(),
        "calls to other processes: the layout of the ALPC message is not known",
    );
    missing(
        layout.lock_entry.lock.is_some(),
        "owners of push locks: the layout of KLOCK_ENTRY is not known",
    );
    missing(
        layout.kernel_thread.queue.is_some() && layout.dispatcher.signal_state.is_some(),
        "queues in which work waits: where a thread names its queue is not known",
    );
    missing(
        layout.processor.dpc_data.is_some(),
        "how long processors run a DPC, and how many wait: the layout of KPRCB is not known",
    );
    missing(
        kernel.clock().is_some(),
        "how long threads wait: the shared page with the clock is not in the dump",
    );
}
