//! Mutants, resources, push locks, fast mutexes and the work queue.

use serde_json::json;

use crate::image::Image;
use crate::image::plant::truth::Grade;
use crate::image::plant::waits::kind;
use crate::nt::Build;
use crate::nt::chains::Activity;
use crate::nt::plan::{Mutant, Plan, Resource};

/// The low bits of an owner that was set as a pointer: documented for ExSetResourceOwnerPointer.
const MARK: u64 = 3;
/// ERESOURCE.Flag: owned exclusively (ResourceOwnedExclusive).
const OWNED_EXCLUSIVE: u64 = 0x80;
const OWNER_TABLE_SLOTS: usize = 8;

impl Image {
    pub(super) fn plant_mutants(&mut self, plan: &Plan) {
        for mutant in &plan.mutants {
            self.plant_mutant(mutant);
        }
    }

    fn plant_mutant(&mut self, of: &Mutant) {
        let address = self.object("Mutant", "_KMUTANT");
        let owner = self.threads[of.owner];
        self.dispatcher(address, kind::MUTANT, 0x38, 0);
        self.set(address, "_KMUTANT", "OwnerThread", owner);
        let head = owner + self.offset_of("_KTHREAD", "MutantListHead");
        let entry = address + self.offset_of("_KMUTANT", "MutantListEntry");
        self.insert(head, entry);
        self.tell_object(address, "mutant", json!({}));
        for waiter in &of.waiters {
            self.wait_for(*waiter, &[address], 0);
            self.tell_edge(*waiter, address, "mutant", Some(of.owner), Grade::Proved);
        }
    }

    pub(super) fn plant_resources(&mut self, plan: &Plan) {
        let Some(head) = self.variable_of("ExpSystemResourcesList") else { return };
        self.list(head);
        for resource in &plan.resources {
            let address = self.make("_ERESOURCE");
            self.insert(head, address);
            self.plant_resource(address, resource);
        }
    }

    fn plant_resource(&mut self, address: u64, of: &Resource) {
        let structure = "_ERESOURCE";
        let waits = |n: usize| u64::from(n > 0);
        let owners: Vec<u64> = of
            .owners
            .iter()
            .map(|o| self.threads[o.thread] | if o.marked { MARK } else { 0 })
            .collect();
        let exclusive = !of.shared && !owners.is_empty();
        for (field, value) in [
            ("ActiveCount", if exclusive { 1 } else { owners.len() as u64 }),
            ("ActiveEntries", owners.len() as u64),
            ("Flag", if exclusive { OWNED_EXCLUSIVE } else { 0 }),
            ("NumberOfSharedWaiters", of.shared_waiters.len() as u64),
            ("NumberOfExclusiveWaiters", of.exclusive_waiters.len() as u64),
            ("ContentionCount", (of.shared_waiters.len() + of.exclusive_waiters.len()) as u64),
        ] {
            self.set(address, structure, field, value);
        }
        if exclusive {
            let entry = address + self.offset_of(structure, "OwnerEntry");
            self.own(entry, owners[0]);
        } else if !owners.is_empty() {
            self.owner_table(address, &owners);
        }
        let told: Vec<_> =
            of.owners.iter().map(|o| self.population.threads[o.thread].tid).collect();
        self.tell_object(
            address,
            "resource",
            json!({
                "shared": of.shared,
                "owners": told,
                "waiters": waits(of.exclusive_waiters.len() + of.shared_waiters.len()),
            }),
        );
        self.resource_waiters(address, of);
        for waiter in of.exclusive_waiters.iter().chain(&of.shared_waiters) {
            for owner in &of.owners {
                // What a driver set as owner is a thread only if the driver meant one.
                let grade = if owner.marked { Grade::Consistent } else { Grade::Proved };
                self.tell_edge(*waiter, address, "resource", Some(owner.thread), grade);
            }
        }
    }

    fn own(&mut self, entry: u64, owner: u64) {
        self.set(entry, "_OWNER_ENTRY", "OwnerThread", owner);
        self.set(entry, "_OWNER_ENTRY", "OwnerCount", 1);
    }

    /// Shared owners: the first slot of the table tells its size.
    fn owner_table(&mut self, resource: u64, owners: &[u64]) {
        let size = self.size_of("_OWNER_ENTRY");
        let table = self.allocate(size * OWNER_TABLE_SLOTS);
        self.set(table, "_OWNER_ENTRY", "TableSize", OWNER_TABLE_SLOTS as u64);
        for (number, owner) in owners.iter().enumerate() {
            self.own(table + ((number + 1) * size) as u64, *owner);
        }
        self.set(resource, "_ERESOURCE", "OwnerTable", table);
    }

    /// An event and a semaphore that all waiters share, or, in build b, an event on each one's
    /// stack, in a chain that begins in the resource.
    fn resource_waiters(&mut self, resource: u64, of: &Resource) {
        let chained = self.real.as_ref().is_some_and(|r| r.fixture.build == Build::B);
        for (field, kind, size, waiters) in [
            ("ExclusiveWaiters", kind::SYNCHRONIZATION_EVENT, 0x18, &of.exclusive_waiters),
            ("SharedWaiters", kind::SEMAPHORE, 0x20, &of.shared_waiters),
        ] {
            if waiters.is_empty() {
                continue;
            }
            if chained {
                self.waiter_chain(resource, field, waiters);
                continue;
            }
            let object = self.allocate(size);
            self.dispatcher(object, kind, size, 0);
            self.set(resource, "_ERESOURCE", field, object);
            for waiter in waiters {
                self.wait_for(*waiter, &[object], 0);
                self.keep_resource(*waiter, resource);
            }
        }
    }

    /// Each waiter's block: the next one, and the event that it waits for.
    fn waiter_chain(&mut self, resource: u64, field: &str, waiters: &[usize]) {
        const EVENT: u64 = 8;
        let mut previous = resource + self.offset_of("_ERESOURCE", field);
        for waiter in waiters {
            let block = self.allocate(0x20);
            self.space.write64(previous, block);
            self.dispatcher(block + EVENT, kind::SYNCHRONIZATION_EVENT, 0x18, 0);
            self.wait_for(*waiter, &[block + EVENT], 0);
            self.keep_resource(*waiter, resource);
            previous = block;
        }
    }

    fn keep_resource(&mut self, thread: usize, resource: u64) {
        for function in ["ExpWaitForResource", "VolFilterLockVolume", "VolFilterShareVolume"] {
            self.keep(thread, function, resource);
        }
    }

    /// A function on the thread's stack keeps a value.
    pub(super) fn keep(&mut self, thread: usize, function: &'static str, value: u64) {
        if let Some(real) = &mut self.space.physical.stacks.real {
            real.keeps.entry(thread as u32).or_default().push((function, value));
        }
    }

    /// Push locks and fast mutexes: only a lock entry of a thread tells who has a push lock.
    pub(super) fn plant_lock_entries(&mut self, plan: &Plan) {
        for of in &plan.push_locks {
            let lock = self.allocate(0x10);
            let gate = self.allocate(0x18);
            self.dispatcher(gate, kind::GATE, 0x18, 0);
            // Locked and waiting; the waiters' block is on the waiter's stack.
            self.space.write64(lock, gate & !0xF | 3);
            self.wait_for(of.waiter, &[gate], 0);
            self.keep(of.waiter, "ExfAcquirePushLockExclusiveEx", lock);
            self.lock_entry(of.owner, lock, true);
            self.lock_entry(of.waiter, lock, false);
            self.tell_object(lock, "push-lock", json!({}));
            self.tell_edge(of.waiter, lock, "push-lock", Some(of.owner), Grade::Consistent);
        }
        for of in &plan.fast_mutexes {
            let mutex = self.make("_FAST_MUTEX");
            let event = mutex + self.offset_of("_FAST_MUTEX", "Event");
            self.dispatcher(event, kind::SYNCHRONIZATION_EVENT, 0x18, 0);
            let owner = self.threads[of.owner];
            self.set(mutex, "_FAST_MUTEX", "Owner", owner);
            self.set(mutex, "_FAST_MUTEX", "Count", 0);
            self.set(mutex, "_FAST_MUTEX", "Contention", 1);
            self.wait_for(of.waiter, &[event], 0);
            self.keep(of.waiter, "ExpWaitForFastMutex", mutex);
            self.lock_entry(of.owner, mutex, true);
            self.tell_object(mutex, "fast-mutex", json!({ "event": truth_hex(event) }));
            self.tell_edge(of.waiter, mutex, "fast-mutex", Some(of.owner), Grade::Consistent);
        }
    }

    fn lock_entry(&mut self, thread: usize, lock: u64, acquired: bool) {
        let address = self.threads[thread];
        let entry = address + self.offset_of("_ETHREAD", "LockEntries");
        let state = entry + self.offset_of("_KLOCK_ENTRY", "LockState");
        self.set(state, "_KLOCK_ENTRY_LOCK_STATE", "LockState", lock);
        self.set(entry, "_KLOCK_ENTRY", "AcquiredBit", acquired.into());
        self.set(entry, "_KLOCK_ENTRY", "WaitingBit", (!acquired).into());
        // Bit 0 of the summary: the first entry is in use.
        self.set(address, "_KTHREAD", "AbEntrySummary", 0x3E);
        self.set(address, "_KTHREAD", "AbOwnedEntryCount", acquired.into());
    }

    /// PspSystemPartition leads to the queue that worker threads serve.
    pub(super) fn worker_queue(&mut self) -> u64 {
        if let Some(queue) = self.real.as_ref().and_then(|r| r.facts.work_queue) {
            return queue;
        }
        let Some(variable) = self.variable_of("PspSystemPartition") else { return 0 };
        let queue = self.make("_EX_WORK_QUEUE");
        self.dispatcher(queue, kind::PRI_QUEUE, 0x2B0, 0);
        let entries = queue + self.offset_of("_KPRIQUEUE", "EntryListHead");
        for number in 0..32 {
            self.list(entries + number * 16);
        }
        self.list(queue + self.offset_of("_KPRIQUEUE", "ThreadListHead"));
        let (partition, executive) = (self.make("_EPARTITION"), self.make("_EX_PARTITION"));
        let (nodes, queues) = (self.allocate(8), self.allocate(16));
        self.space.write64(variable, partition);
        self.set(partition, "_EPARTITION", "ExPartition", executive);
        self.set(partition, "_EPARTITION", "SystemProcess", self.processes[1]);
        self.set(executive, "_EX_PARTITION", "PartitionObject", partition);
        self.set(executive, "_EX_PARTITION", "WorkQueues", nodes);
        self.space.write64(nodes, queues);
        self.space.write64(queues, queue);
        self.set(queue, "_EX_WORK_QUEUE", "Partition", executive);
        self.set(queue, "_EX_WORK_QUEUE", "MaxThreads", 4096);
        self.set(queue, "_KPRIQUEUE", "MaximumCount", 4);
        if let Some(real) = &mut self.real {
            real.facts.work_queue = Some(queue);
        }
        queue
    }

    pub(super) fn plant_work_queue(&mut self, plan: &Plan) {
        let Some((workers, items)) = &plan.full_queue else { return };
        let queue = self.worker_queue();
        let event = self.event(kind::NOTIFICATION_EVENT);
        for worker in workers {
            self.join_queue(*worker, queue, "_KPRIQUEUE");
            self.wait_for(*worker, &[event], 0);
            self.keep(*worker, "DiskBusWaitForController", event);
            self.tell_edge(*worker, event, "event", None, Grade::NotProvable);
        }
        let routine = self.function_of("DiskBusResetWorker");
        // Priority 12: the critical queue's items.
        let head = queue + self.offset_of("_KPRIQUEUE", "EntryListHead") + 12 * 16;
        for _ in 0..*items {
            let item = self.make("_WORK_QUEUE_ITEM");
            self.set(item, "_WORK_QUEUE_ITEM", "WorkerRoutine", routine);
            self.set(item, "_WORK_QUEUE_ITEM", "Parameter", event);
            self.insert(head, item);
        }
        self.set(queue, "_DISPATCHER_HEADER", "SignalState", u64::from(*items));
        self.set(queue, "_EX_WORK_QUEUE", "ThreadCount", workers.len() as u64);
        let tids: Vec<_> = workers.iter().map(|w| self.population.threads[*w].tid).collect();
        self.tell_object(
            queue,
            "work-queue",
            json!({ "pending": items, "routine": truth_hex(routine), "blocked_workers": tids }),
        );
    }
}

impl Activity {
    pub(super) fn is_worker(self) -> bool {
        matches!(self, Self::Worker | Self::WorkItem)
    }
}

pub(super) fn truth_hex(value: u64) -> String {
    format!("{value:016x}")
}
