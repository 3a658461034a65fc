//! What all finders of relations look at.

use std::collections::HashMap;

use memory::VirtualAddress;
use nt::thread::WaitReason;
use ntos::{Kernel, Wait};

use super::relation::{Evidence, Grade, Holder, Object, Relation};
use crate::{Census, Hex};

/// The threads of a dump and what they wait for.
pub(crate) struct Scene<'k, 'a> {
    pub(crate) kernel: &'k Kernel<'a>,
    pub(crate) census: &'k Census,
    /// By the thread's number; empty for one that does not wait.
    pub(crate) waits: Vec<Vec<Wait>>,
    by_object: HashMap<VirtualAddress, Vec<usize>>,
}

impl<'k, 'a> Scene<'k, 'a> {
    pub(crate) fn of(kernel: &'k Kernel<'a>, census: &'k Census) -> Self {
        let waits: Vec<Vec<Wait>> =
            census.threads.iter().map(|thread| kernel.waits(thread).unwrap_or_default()).collect();
        let mut by_object: HashMap<_, Vec<usize>> = HashMap::new();
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

    pub(crate) fn reason(&self, thread: usize) -> Option<WaitReason> {
        let thread = self.census.threads.get(thread)?;
        thread.wait_reason.filter(|_| thread.waits() == Some(true))
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
            None => (Holder::GoneThread { address: Hex(address.0) }, None),
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
