//! What all finders of relations look at.

use std::collections::BTreeMap;

use memory::VirtualAddress;
use nt::thread::{ThreadState, WaitReason};
use ntos::{Kernel, Wait};

use super::relation::{Evidence, Grade, Holder, Object, Relation};
use crate::{Census, Hex, ThreadRef};

/// The threads of a dump and what they wait for.
pub(crate) struct Scene<'k, 'a> {
    pub(crate) kernel: &'k Kernel<'a>,
    pub(crate) census: &'k Census,
    /// By the thread's number; empty for one that does not wait.
    pub(crate) waits: Vec<Vec<Wait>>,
    by_object: BTreeMap<VirtualAddress, Vec<usize>>,
}

impl<'k, 'a> Scene<'k, 'a> {
    pub(crate) fn of(kernel: &'k Kernel<'a>, census: &'k Census) -> Self {
        // Threads in the capture do not wait any more: their blocks are left over.
        let of = |thread| kernel.waits(thread).filter(|_| !kernel.is_of_threads_in_capture());
        let waits: Vec<Vec<Wait>> =
            census.threads.iter().map(|thread| of(thread).unwrap_or_default()).collect();
        let mut by_object: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (thread, waits) in waits.iter().enumerate() {
            for wait in waits {
                by_object.entry(wait.object).or_default().push(thread);
            }
        }
        Self { kernel, census, waits, by_object }
    }

    /// Threads that wait for the object at an address.
    pub(crate) fn waiters_of(&self, object: VirtualAddress) -> &[usize] {
        self.by_object.get(&object).map_or(&[], Vec::as_slice)
    }

    /// The first object from an address on that is waited for, within so many bytes.
    pub(crate) fn waited_in(&self, start: VirtualAddress, bytes: u64) -> Option<VirtualAddress> {
        let end = VirtualAddress(start.0.saturating_add(bytes));
        self.by_object.range(start..end).next().map(|(object, _)| *object)
    }

    pub(crate) fn reason(&self, thread: usize) -> Option<WaitReason> {
        let thread = self.census.threads.get(thread)?;
        let waits = thread.waits() == Some(true) && !self.kernel.is_of_threads_in_capture();
        thread.wait_reason.filter(|_| waits)
    }

    /// The thread's wait for an object.
    pub(crate) fn wait_for(&self, thread: usize, object: VirtualAddress) -> Option<&Wait> {
        self.waits.get(thread)?.iter().find(|wait| wait.object == object)
    }

    /// How a thread that an address names is shown: one of the lists, or gone.
    pub(crate) fn thread_at(&self, address: VirtualAddress) -> (Holder, Option<usize>) {
        let number = self.census.find(address);
        match number.and_then(|number| self.census.name(number)) {
            Some(name) => (Holder::Thread(name), number),
            None => (self.unlisted(address), None),
        }
    }

    /// A thread in no list: what is left of it may tell that it ended, and so
    /// do lists that are whole; a list that was cut does not.
    fn unlisted(&self, address: VirtualAddress) -> Holder {
        let owner = self.kernel.owner_of(address).and_then(|owner| self.census.process(owner));
        let left = owner.map(|owner| (self.kernel.thread(address), owner));
        let name = ThreadRef {
            tid: left.as_ref().and_then(|(thread, _)| thread.tid),
            pid: left.as_ref().and_then(|(_, owner)| owner.pid),
            process: left.as_ref().and_then(|(_, owner)| owner.name.clone()),
            address: Hex(address.0),
        };
        let state = left.as_ref().and_then(|(thread, _)| thread.state);
        let terminated = state == Some(ThreadState::Terminated);
        let lists_are_whole = self.census.lists.iter().all(|list| list.whole);
        match terminated || (lists_are_whole && left.is_none()) {
            true => Holder::GoneThread { thread: name, terminated },
            false => Holder::Thread(name),
        }
    }

    pub(crate) fn process_at(&self, address: VirtualAddress) -> Holder {
        let known = self.census.process(address);
        Holder::Process {
            pid: known.and_then(|process| process.pid),
            process: known.and_then(|process| process.name.clone()),
            address: Hex(address.0),
        }
    }

    pub(crate) fn relation(
        &self,
        waiter: usize,
        object: Object,
        holder: Option<(Holder, Option<usize>)>,
        grade: Grade,
        evidence: Vec<Evidence>,
    ) -> Option<Relation> {
        let (holder, number) = match holder {
            Some((holder, number)) => (Some(holder), number),
            None => (None, None),
        };
        Some(Relation {
            waiter: self.census.name(waiter)?,
            object,
            holder,
            grade,
            evidence,
            ends: (waiter, number),
        })
    }

    /// What speaks for a thread's wait: its block, listed by the object itself.
    pub(crate) fn wait_evidence(&self, wait: &Wait) -> (Grade, Vec<Evidence>) {
        let mut evidence = vec![Evidence::new(wait.block, "wait block of the waiting thread")];
        let grade = match wait.listed {
            Some(true) => {
                evidence.push(Evidence::new(wait.object, "its list of waiters holds the block"));
                Grade::Proved
            }
            _ => Grade::Consistent,
        };
        (grade, evidence)
    }
}
