//! Who is stuck on whom.

mod busy;
mod graph;
mod locks;
mod objects;
mod queues;
mod relation;
mod requests;
mod scene;
mod together;
mod waiting;

use ntos::{Images, Kernel, Stacks};
use schemars::JsonSchema;
use serde::Serialize;

pub use busy::BusyProcessor;
pub use graph::{Chain, Cycle};
pub use queues::{Routine, StuckQueue};
pub use relation::{Evidence, Grade, Holder, Object, Relation};
pub use together::{Moment, together};
pub(crate) use waiting::LONGEST;
pub use waiting::{NotProvable, Waiting};

use crate::listing::{self, ProcessorReport};
use crate::stack_wait::{self, StackWait, StackWaits};
use crate::{Census, ListReport};
use scene::Scene;

/// What a dump tells of threads that wait for one another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Hang {
    /// How many processes were found.
    pub processes: u64,
    /// How many threads were found.
    pub threads: u64,
    /// How many of these wait; absent where the capture woke them all.
    pub waiting_threads: Option<u64>,
    /// How far the kernel's lists could be walked.
    pub lists: Vec<ListReport>,
    /// Who waits for what, and who has it.
    pub relations: Vec<Relation>,
    /// Threads in a ring, of which none can go on.
    pub cycles: Vec<Cycle>,
    /// Threads behind one another, by their root, the longest first.
    pub chains: Vec<Chain>,
    /// Queues in which work waits while none of their threads can take it.
    pub stuck_queues: Vec<StuckQueue>,
    /// Processors in a deferred call that does not end.
    pub busy_processors: Vec<BusyProcessor>,
    /// Every processor: its thread, its interrupt level, its stack.
    pub processors: Vec<ProcessorReport>,
    /// The threads that have waited longest, workers without work left out.
    pub longest: Vec<Waiting>,
    /// Of threads that the capture woke: the waits that their stacks tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits_by_stack: Vec<StackWaits>,
    /// Threads that wait for work: what they wait for is no sign of a hang.
    pub idle_workers: Option<u64>,
    /// Waits of kinds that no dump proves, by their reason.
    pub not_provable: Vec<NotProvable>,
    /// What was not looked at, and why.
    pub unasked: Vec<String>,
}

/// Asks a kernel who is stuck on whom.
pub fn hang(
    kernel: &Kernel<'_>,
    images: &Images<'_>,
    walker: &Stacks<'_, '_>,
    census: &Census,
) -> Hang {
    kernel.probe_objects(&census.processes, &census.threads);
    let scene = Scene::of(kernel, census);
    let mut lists = census.lists.clone();
    let mut unasked = Vec::new();
    let mut relations = relations(&scene, &mut lists, &mut unasked);
    let in_capture = kernel.is_of_threads_in_capture();
    if in_capture {
        unasked.push(
            "which objects threads waited for, and for how long: the capture woke them, and their \
             state and wait blocks are not those of the hang; their stacks tell the wait"
                .into(),
        );
        // Threads of one dump were photographed one after the other.
        for relation in &mut relations {
            relation.grade = relation.grade.min(Grade::Consistent);
        }
    }
    let (mut chains, cycles) = graph::chains_and_cycles(&relations);
    chains.iter_mut().for_each(|chain| chain.tell_root(&scene));
    let processors = listing::processors(kernel, images, walker, census).unwrap_or_default();
    let milliseconds = |ticks| kernel.clock().map(|clock| clock.milliseconds(ticks));
    let waiting = census.threads.iter().filter(|thread| thread.waits() == Some(true)).count();
    Hang {
        processes: census.processes.len() as u64,
        threads: census.threads.len() as u64,
        waiting_threads: (!in_capture).then_some(waiting as u64),
        lists,
        stuck_queues: queues::stuck(&scene, images),
        busy_processors: busy::busy(&processors, milliseconds),
        processors,
        longest: if in_capture { Vec::new() } else { waiting::longest(&scene) },
        waits_by_stack: if in_capture {
            by_stack(kernel, images, walker, census)
        } else {
            Vec::new()
        },
        idle_workers: (!in_capture).then(|| waiting::idle_workers(&scene)),
        not_provable: waiting::not_provable(&scene, &relations),
        relations,
        cycles,
        chains,
        unasked,
    }
}

/// Every finder's relations; lists that were walked for them, and what could not be asked.
fn relations(
    scene: &Scene<'_, '_>,
    lists: &mut Vec<ListReport>,
    unasked: &mut Vec<String>,
) -> Vec<Relation> {
    let mut relations = Vec::new();
    match scene.kernel.resources() {
        Some(resources) => {
            let total = resources.total;
            let (end, mismatches) = (resources.end, resources.blink_mismatches);
            lists.push(ListReport::of("resources", total, end, mismatches));
            relations.extend(locks::resources(scene, &resources));
        }
        None => unasked.push("owners of resources: the layout of ERESOURCE is not known".into()),
    }
    waiting::unasked(scene, unasked);
    relations.extend(locks::mutants(scene));
    relations.extend(locks::fast_mutexes(scene));
    relations.extend(locks::push_locks(scene));
    relations.extend(objects::ends(scene));
    relations.extend(requests::requests(scene));
    relations.extend(objects::calls(scene));
    relations
}

fn by_stack(
    kernel: &Kernel<'_>,
    images: &Images<'_>,
    walker: &Stacks<'_, '_>,
    census: &Census,
) -> Vec<StackWaits> {
    let all = crate::stacks::stacks(kernel, walker, images, census, |_| true);
    stack_wait::together(all.filter_map(|stack| {
        let wait: StackWait = stack.waits_in?;
        Some(StackWaits { wait, count: 1, threads: vec![stack.thread] })
    }))
}
