//! Queues in which work waits while nobody is left to take it.

use std::collections::BTreeMap;

use memory::VirtualAddress;
use ntos::Images;
use schemars::JsonSchema;
use serde::Serialize;

use super::relation::{Evidence, Grade};
use super::scene::Scene;
use crate::{Hex, ThreadRef};

/// Threads that are named.
const NAMED: usize = 64;

/// A queue with work, of whose threads none waits for work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StuckQueue {
    /// Where it lies.
    pub queue: Hex,
    /// `queue` or `priority-queue`: the kernel's own work items are in the latter.
    pub kind: String,
    /// How much work waits.
    pub pending: u64,
    /// Routines of the work that waits, with how often each.
    pub routines: Vec<Routine>,
    /// How many threads take work from it.
    pub workers: u64,
    /// Those that wait for something else, in the middle of their work.
    pub blocked: Vec<ThreadRef>,
    /// How sure that is.
    pub grade: Grade,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
}

/// What work waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Routine {
    /// Its address, with a name where there is one.
    pub routine: String,
    /// How many items.
    pub count: u64,
}

/// Every queue with work that nobody takes.
pub(crate) fn stuck(scene: &Scene<'_, '_>, images: &Images<'_>) -> Vec<StuckQueue> {
    let mut workers: BTreeMap<VirtualAddress, Vec<usize>> = BTreeMap::new();
    for (number, thread) in scene.census.threads.iter().enumerate() {
        if let Some(queue) = scene.kernel.queue_of(thread.address) {
            workers.entry(queue).or_default().push(number);
        }
    }
    workers.iter().filter_map(|(queue, threads)| of(scene, images, *queue, threads)).collect()
}

fn of(
    scene: &Scene<'_, '_>,
    images: &Images<'_>,
    address: VirtualAddress,
    threads: &[usize],
) -> Option<StuckQueue> {
    let queue = scene.kernel.queue(address).filter(|queue| queue.pending > 0)?;
    let idle = |thread: &&usize| scene.wait_for(**thread, address).is_some();
    let waits = |thread: &&usize| {
        scene.census.threads.get(**thread).is_some_and(|thread| thread.waits() == Some(true))
    };
    // With a thread that waits for work, or one that is working, the queue is
    // only busy.
    if threads.iter().any(|thread| idle(&thread) || !waits(&thread)) {
        return None;
    }
    let mut counts: BTreeMap<VirtualAddress, u64> = BTreeMap::new();
    for routine in &queue.routines {
        *counts.entry(*routine).or_default() += 1;
    }
    let named = |(routine, count): (&VirtualAddress, &u64)| Routine {
        routine: match images.name(*routine) {
            Some(name) => format!("{routine} {name}"),
            None => routine.to_string(),
        },
        count: *count,
    };
    Some(StuckQueue {
        queue: Hex(address.0),
        kind: queue.kind.to_string(),
        pending: queue.pending,
        routines: counts.iter().map(named).collect(),
        workers: threads.len() as u64,
        blocked: threads.iter().take(NAMED).filter_map(|one| scene.census.name(*one)).collect(),
        // Windows adds threads to its queues when these stall: that it has not
        // yet, or cannot, is not in the dump.
        grade: Grade::Consistent,
        evidence: vec![
            Evidence::new(address, "the queue: its SignalState counts the work that waits"),
            Evidence::new(address, "no thread of it waits on it"),
        ],
    })
}
