//! What ETHREADs and EPROCESSes have beyond their lists.

use crate::image::Image;
use crate::image::physical::PAGE;
use crate::image::stack::STACK_PAGES;
use crate::nt::plan::{Plan, TERMINATED};
use crate::nt::stacks::CONTROL;
use crate::population::RUNNING;

const THREAD_OBJECT: u8 = 6;
const PROCESS_OBJECT: u8 = 3;

impl Image {
    pub(super) fn plant_threads(&mut self, plan: &Plan) {
        for number in 0..self.threads.len() {
            self.plant_thread(number, plan);
        }
    }

    fn plant_thread(&mut self, number: usize, plan: &Plan) {
        let address = self.threads[number];
        let model = self.population.threads[number].clone();
        self.head("Thread", address);
        let signalled = u32::from(model.state == TERMINATED);
        self.dispatcher(address, THREAD_OBJECT, self.size_of("_KTHREAD"), signalled);
        let base = self.space.physical.stacks.seeds[number].base;
        let entries = address + self.offset_of("_ETHREAD", "LockEntries");
        let user = model.pid > 4;
        for (field, value) in [
            ("InitialStack", base - CONTROL),
            ("StackLimit", base - (STACK_PAGES * PAGE) as u64),
            ("KernelStackResident", u64::from(!plan.swapped.contains(&number))),
            ("EnableStackSwap", 1),
            ("ApcQueueable", 1),
            ("SystemThread", u64::from(!user)),
            ("Running", u64::from(model.state == RUNNING)),
            ("Priority", model.priority as u64),
            ("BasePriority", 8),
            ("PreviousMode", u64::from(user)),
            ("WaitMode", u64::from(user)),
            ("ContextSwitches", model.switches.into()),
            ("KernelTime", model.kernel_time / 156_250),
            ("UserTime", model.user_time / 156_250),
            ("LockEntries", entries),
        ] {
            self.set(address, "_KTHREAD", field, value);
        }
        for field in ["MutantListHead", "QueueListEntry"] {
            self.list(address + self.offset_of("_KTHREAD", field));
        }
        let irps = address + self.offset_of("_ETHREAD", "IrpList");
        self.list(irps);
        self.set(address, "_ETHREAD", "CreateTime", model.created);
        self.set(address, "_ETHREAD", "StartAddress", model.start_address);
        let exit = if model.state == TERMINATED { 0xC000_0005 } else { 0x103 };
        self.set(address, "_ETHREAD", "ExitStatus", exit);
        let worker = plan.activities[number].is_worker();
        self.set(address, "_ETHREAD", "ActiveExWorker", worker.into());
    }

    pub(super) fn plant_processes(&mut self) {
        for number in 0..self.processes.len() {
            let address = self.processes[number];
            let model = self.population.processes[number].clone();
            self.head("Process", address);
            self.dispatcher(address, PROCESS_OBJECT, self.size_of("_KPROCESS"), 0);
            let alive = self.population.threads[model.threads.clone()]
                .iter()
                .filter(|t| t.state != TERMINATED)
                .count();
            for (field, value) in [
                ("CreateTime", model.created),
                ("ActiveThreads", alive as u64),
                ("PriorityClass", 2),
                ("ExitStatus", 0x103),
                ("Protection", model.protection.into()),
            ] {
                self.set(address, "_EPROCESS", field, value);
            }
        }
        for (name, number) in [("PsIdleProcess", 0), ("PsInitialSystemProcess", 1)] {
            if let Some(at) = self.variable_of(name) {
                self.space.write64(at, self.processes[number]);
            }
        }
    }
}
