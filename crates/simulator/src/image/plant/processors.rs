//! Processors: their own stacks, and deferred calls.

use serde_json::json;

use crate::image::Image;
use crate::image::plant::locks::truth_hex;
use crate::nt::chains::{CORRAL, DRIVER_DPC};
use crate::nt::plan::Plan;
use crate::nt::stacks::USED;
use crate::random::Random;

/// KOBJECTS: DpcObject.
const DPC: u64 = 19;
const MEDIUM: u64 = 1;
/// Ticks that the call has run: 30 s.
const STORM_TICKS: u64 = 30 * 64;

impl Image {
    /// Who has work on stacks beside the thread's own; before any stack is laid.
    pub(crate) fn prepare_stacks(&mut self) {
        let Some(plan) = self.population.plan.clone() else { return };
        let mut number = 0;
        let mut stack = |image: &mut Self| {
            number += 1;
            image.other_stack(number)
        };
        let mut expanded: Vec<usize> = plan.expanded.iter().copied().collect();
        expanded.sort_unstable();
        for thread in expanded {
            let base = stack(self);
            if let Some(real) = &mut self.space.physical.stacks.real {
                real.expanded.insert(thread as u32, base);
            }
        }
        for thread in plan.callbacks.iter().map(|thread| *thread as u32) {
            let base = stack(self);
            if let Some(real) = &mut self.space.physical.stacks.real {
                real.expanded.insert(thread, base);
                real.callbacks.insert(thread);
            }
        }
        for (processor, thread) in self.current.clone().into_iter().enumerate() {
            let base = stack(self);
            let storm = plan.storm == Some(processor as u32);
            let Some(real) = &mut self.space.physical.stacks.real else { return };
            if self.population.threads[thread].pid == 0 {
                let above: &[&str] = if storm { &DRIVER_DPC } else { &CORRAL };
                real.processors.insert(thread as u32, (base, above));
                if storm {
                    real.interrupted.insert(thread as u32);
                }
            } else {
                real.processors_own.insert(thread as u32, base);
            }
        }
    }

    /// What lies on the processors' own stacks.
    pub(super) fn plant_processor_stacks(&mut self) {
        for (number, thread) in self.current.clone().into_iter().enumerate() {
            let Some(real) = &self.space.physical.stacks.real else { return };
            let of = real.processors.get(&(thread as u32)).map(|(base, _)| *base);
            let own = real.processors_own.get(&(thread as u32)).copied();
            let Some(base) = of.or(own) else { continue };
            self.set(self.prcbs[number], "_KPRCB", "DpcStack", base);
            if of.is_none() {
                continue;
            }
            let Some(layer) = self.space.physical.stacks.lay(thread) else { continue };
            if let Some(stack) = layer.stacks.get(1) {
                let from = base - USED as u64;
                self.space.write(from, stack.from(from));
            }
            self.set(self.prcbs[number], "_KPRCB", "DpcRoutineActive", 1);
        }
    }

    /// One processor's call does not end, and others wait in its queue.
    pub(super) fn plant_storm(&mut self, plan: &Plan) {
        let Some(processor) = plan.storm else { return };
        let prcb = self.prcbs[processor as usize];
        let mut random = Random::new(self.physical().seed, 10);
        let waiting = 100 + random.below(300);
        let active = self.deferred_call("DiskBusDpcRoutine");
        let data = prcb + self.offset_of("_KPRCB", "DpcData");
        let mut previous = data + self.offset_of("_KDPC_DATA", "DpcList");
        let mut last = previous;
        for _ in 0..waiting {
            let dpc = self.deferred_call("DiskBusDpcRoutine");
            last = dpc + self.offset_of("_KDPC", "DpcListEntry");
            self.space.write64(previous, last);
            self.set(dpc, "_KDPC", "DpcData", data);
            previous = last;
        }
        // Behind the first entry, the last: KDPC_LIST.
        self.space.write64(data + self.offset_of("_KDPC_DATA", "DpcList") + 8, last);
        self.set(data, "_KDPC_DATA", "DpcQueueDepth", waiting);
        self.set(data, "_KDPC_DATA", "DpcCount", 1_000_000);
        self.set(data, "_KDPC_DATA", "ActiveDpc", active);
        for (field, value) in [
            ("DpcTimeCount", STORM_TICKS),
            ("DpcTimeLimit", 64 * 120),
            ("DpcTime", 1_000_000),
            ("MaximumDpcQueueDepth", 4),
        ] {
            self.set(prcb, "_KPRCB", field, value);
        }
        let thread = self.population.threads[self.current[processor as usize]].tid;
        let storm = json!({
            "processor": processor,
            "thread": thread,
            "dpc": truth_hex(active),
            "routine": truth_hex(self.function_of("DiskBusDpcRoutine")),
            "module": "diskbus.sys",
            "ticks": STORM_TICKS,
            "queued": waiting,
        });
        if let Some(real) = &mut self.real {
            real.facts.storm = Some(storm);
        }
    }

    fn deferred_call(&mut self, routine: &str) -> u64 {
        let dpc = self.make("_KDPC");
        let routine = self.function_of(routine);
        for (field, value) in [("Type", DPC), ("Importance", MEDIUM), ("DeferredRoutine", routine)]
        {
            self.set(dpc, "_KDPC", field, value);
        }
        dpc
    }
}
