//! Wait blocks, and the objects of ordinary waits.

use std::collections::HashMap;

use crate::image::Image;
use crate::nt::chains::Activity;
use crate::nt::plan::Plan;
use crate::population::WAITING;

/// KOBJECTS.
pub(super) mod kind {
    pub(crate) const NOTIFICATION_EVENT: u8 = 0;
    pub(crate) const SYNCHRONIZATION_EVENT: u8 = 1;
    pub(crate) const MUTANT: u8 = 2;
    pub(crate) const QUEUE: u8 = 4;
    pub(crate) const SEMAPHORE: u8 = 5;
    pub(crate) const GATE: u8 = 7;
    pub(crate) const NOTIFICATION_TIMER: u8 = 8;
    pub(crate) const PRI_QUEUE: u8 = 21;
}

/// WaitAny; WaitBlockActive.
const WAIT_ANY: u64 = 1;
const ACTIVE: u64 = 4;
const TIMER_BLOCK: u64 = 3;

impl Image {
    pub(super) fn event(&mut self, kind: u8) -> u64 {
        let address = self.object("Event", "_KEVENT");
        self.dispatcher(address, kind, 0x18, 0);
        address
    }

    /// The thread's wait blocks name these objects.
    pub(super) fn wait_for(&mut self, thread: usize, objects: &[u64], first_block: u64) {
        let address = self.threads[thread];
        let size = self.size_of("_KWAIT_BLOCK") as u64;
        let blocks = address + self.offset_of("_KTHREAD", "WaitBlock") + first_block * size;
        for (number, object) in objects.iter().enumerate() {
            let block = blocks + number as u64 * size;
            for (field, value) in [
                ("WaitType", WAIT_ANY),
                ("BlockState", ACTIVE),
                ("WaitKey", number as u64),
                ("Thread", address),
                ("Object", *object),
            ] {
                self.set(block, "_KWAIT_BLOCK", field, value);
            }
            let waiters = object + self.offset_of("_DISPATCHER_HEADER", "WaitListHead");
            self.insert(waiters, block + self.offset_of("_KWAIT_BLOCK", "WaitListEntry"));
        }
        self.set(address, "_KTHREAD", "WaitBlockList", blocks);
        self.set(address, "_KTHREAD", "WaitBlockCount", objects.len() as u64);
        if let Some(real) = &mut self.real {
            real.facts.waits.insert(thread, objects.to_vec());
        }
    }

    /// Every thread that waits, and for which nothing else was planted.
    pub(super) fn plant_waits(&mut self, plan: &Plan) {
        let mut queues: HashMap<u32, u64> = HashMap::new();
        for number in 0..self.threads.len() {
            let done = self.real.as_ref().is_some_and(|r| r.facts.waits.contains_key(&number));
            if done || self.population.threads[number].state != WAITING {
                continue;
            }
            let pid = self.population.threads[number].pid;
            match plan.activities[number] {
                Activity::WorkerFactory | Activity::Completion => {
                    let queue = match queues.get(&pid) {
                        Some(queue) => *queue,
                        None => self.queue(),
                    };
                    queues.insert(pid, queue);
                    self.wait_in_queue(number, queue, "_KQUEUE");
                }
                Activity::Worker => {
                    let queue = self.worker_queue();
                    self.wait_in_queue(number, queue, "_KPRIQUEUE");
                }
                Activity::Delay => self.wait_for_timer(number),
                Activity::AlertByThreadId => {}
                Activity::AlpcReceive => self.wait_for_alpc(number),
                Activity::WaitForObjects => {
                    let events = [
                        self.event(kind::NOTIFICATION_EVENT),
                        self.event(kind::SYNCHRONIZATION_EVENT),
                    ];
                    self.wait_for(number, &events, 0);
                }
                _ => {
                    let event = self.event(kind::SYNCHRONIZATION_EVENT);
                    self.wait_for(number, &[event], 0);
                }
            }
        }
    }

    fn queue(&mut self) -> u64 {
        let queue = self.object("IoCompletion", "_KQUEUE");
        self.dispatcher(queue, kind::QUEUE, 0x40, 0);
        for field in ["EntryListHead", "ThreadListHead"] {
            self.list(queue + self.offset_of("_KQUEUE", field));
        }
        self.set(queue, "_KQUEUE", "MaximumCount", 4);
        queue
    }

    fn wait_in_queue(&mut self, thread: usize, queue: u64, structure: &str) {
        self.join_queue(thread, queue, structure);
        self.wait_for(thread, &[queue], 0);
    }

    /// The thread takes its work from the queue.
    pub(super) fn join_queue(&mut self, thread: usize, queue: u64, structure: &str) {
        let address = self.threads[thread];
        self.set(address, "_KTHREAD", "Queue", queue);
        let entry = address + self.offset_of("_KTHREAD", "QueueListEntry");
        self.forget_list(entry);
        self.insert(queue + self.offset_of(structure, "ThreadListHead"), entry);
    }

    /// What was an empty list is an entry of one.
    fn forget_list(&mut self, head: u64) {
        let Some(real) = &mut self.real else { return };
        if let Some(number) = real.list_numbers.remove(&head) {
            // Linked first, and overwritten by the list that it belongs to.
            real.lists[number].1.clear();
        }
    }

    fn wait_for_timer(&mut self, thread: usize) {
        let timer = self.threads[thread] + self.offset_of("_KTHREAD", "Timer");
        self.dispatcher(timer, kind::NOTIFICATION_TIMER, 0x40, 0);
        self.wait_for(thread, &[timer], TIMER_BLOCK);
    }

    fn wait_for_alpc(&mut self, thread: usize) {
        let semaphore = self.alpc_semaphore(thread);
        self.wait_for(thread, &[semaphore], 0);
    }

    /// The thread's own semaphore, on which it waits for messages and replies.
    pub(super) fn alpc_semaphore(&mut self, thread: usize) -> u64 {
        let at = self.threads[thread] + self.offset_of("_ETHREAD", "AlpcWaitSemaphore");
        self.dispatcher(at, kind::SEMAPHORE, 0x20, 0);
        self.set(at, "_KSEMAPHORE", "Limit", 1);
        at
    }
}
