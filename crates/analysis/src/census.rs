//! Every process and thread of a dump, by address.

use std::collections::HashMap;

use memory::VirtualAddress;
use ntos::list::ListEnd;
use ntos::{Kernel, Process, Thread};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Hex;

/// Threads that are kept at most, in some 40 MiB; that more were left out is said.
const MOST: usize = 1 << 17;

/// Processes and threads as their lists had them.
#[derive(Debug, Default)]
pub struct Census {
    /// In the order of the list.
    pub processes: Vec<Process>,
    /// Process by process.
    pub threads: Vec<Thread>,
    /// How far the lists could be walked.
    pub lists: Vec<ListReport>,
    by_address: HashMap<VirtualAddress, usize>,
    process_by_address: HashMap<VirtualAddress, usize>,
    owners: Vec<usize>,
    counts: Vec<u64>,
    /// Limit and base of each stack, by limit.
    stacks: Vec<(VirtualAddress, VirtualAddress, usize)>,
}

/// How far one list could be walked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListReport {
    /// Which list.
    pub list: String,
    /// How many entries were read.
    pub entries: u64,
    /// Whether it came back to its head.
    pub whole: bool,
    /// Why it ended, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Entries that the next one does not point back to; one in a dump of a
    /// running machine is a link in flight.
    pub blink_mismatches: u32,
}

/// A thread, as everything else names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub struct ThreadRef {
    /// Its id; `None` when that is not in the dump.
    pub tid: Option<u64>,
    /// Its process's id.
    pub pid: Option<u64>,
    /// Its process's image name.
    pub process: Option<String>,
    /// Where the thread lies.
    pub address: Hex,
}

impl Census {
    /// Walks the lists of a kernel.
    pub fn of(kernel: &Kernel<'_>) -> Self {
        let mut census = Self::default();
        census.walk(kernel);
        census.add_stored(kernel);
        census.index_stacks();
        census
    }

    fn walk(&mut self, kernel: &Kernel<'_>) {
        let census = self;
        let Some(processes) = kernel.processes() else { return };
        census.lists.push(ListReport::of(
            "processes",
            processes.processes.len(),
            processes.end,
            processes.blink_mismatches,
        ));
        let mut threads = ListReport::of("threads", 0, ListEnd::Head, 0);
        for process in processes.processes {
            let number = census.processes.len();
            census.counts.push(0);
            if let Some(list) = kernel.threads(&process) {
                threads.add(&list);
                census.threads.reserve(list.addresses.len());
                for thread in list.addresses {
                    census.add(kernel, thread, number);
                }
            }
            census.process_by_address.insert(process.address, number);
            census.processes.push(process);
        }
        if census.threads.len() == MOST {
            threads.cut(ListEnd::TooMany);
        }
        census.lists.push(threads);
    }

    /// Threads that lie in a triage dump, whichever lists it has.
    fn add_stored(&mut self, kernel: &Kernel<'_>) {
        let stored = kernel.stored_threads();
        if stored.is_cut {
            let mut list = ListReport::of("threads in blocks", 0, ListEnd::TooMany, 0);
            list.entries = stored.addresses.len() as u64;
            self.lists.push(list);
        }
        for thread in stored.addresses {
            let Some(owner) = kernel.owner_of(thread) else { continue };
            let process = self.process_by_address.get(&owner).copied().unwrap_or_else(|| {
                let number = self.processes.len();
                self.process_by_address.insert(owner, number);
                self.processes.push(kernel.process(owner));
                self.counts.push(0);
                number
            });
            self.add(kernel, thread, process);
        }
    }

    fn index_stacks(&mut self) {
        let bounds = |(number, thread): (usize, &Thread)| {
            Some((thread.stack_limit?, thread.stack_base?, number))
        };
        self.stacks = self.threads.iter().enumerate().filter_map(bounds).collect();
        self.stacks.sort();
    }

    fn add(&mut self, kernel: &Kernel<'_>, thread: VirtualAddress, process: usize) {
        let place = self.threads.len();
        // A list that a hostile file crosses with another counts once.
        if place < MOST && *self.by_address.entry(thread).or_insert(place) == place {
            self.threads.push(kernel.thread(thread));
            self.owners.push(process);
            if let Some(count) = self.counts.get_mut(process) {
                *count += 1;
            }
        }
    }

    /// The number of the thread at an address.
    pub fn find(&self, address: VirtualAddress) -> Option<usize> {
        self.by_address.get(&address).copied()
    }

    /// The process at an address.
    pub fn process(&self, address: VirtualAddress) -> Option<&Process> {
        self.processes.get(*self.process_by_address.get(&address)?)
    }

    /// The process of a thread, by the thread's number.
    pub fn owner(&self, thread: usize) -> Option<&Process> {
        self.processes.get(*self.owners.get(thread)?)
    }

    /// How many threads each process has, in the order of the processes.
    pub fn thread_counts(&self) -> &[u64] {
        &self.counts
    }

    /// How a thread is named.
    pub fn name(&self, thread: usize) -> Option<ThreadRef> {
        let found = self.threads.get(thread)?;
        let owner = self.owner(thread);
        Some(ThreadRef {
            tid: found.tid,
            pid: found.pid.or(owner.and_then(|process| process.pid)),
            process: owner.and_then(|process| process.name.clone()),
            address: Hex(found.address.0),
        })
    }

    /// The thread whose stack an address lies in.
    pub fn stack_owner(&self, address: VirtualAddress) -> Option<usize> {
        let after = self.stacks.partition_point(|(limit, ..)| *limit <= address);
        let (_, base, thread) = self.stacks.get(after.checked_sub(1)?)?;
        (address < *base).then_some(*thread)
    }
}

impl ListReport {
    pub(crate) fn of(list: &str, entries: usize, end: ListEnd, blink_mismatches: u32) -> Self {
        let whole = end == ListEnd::Head;
        Self {
            list: list.to_owned(),
            entries: entries as u64,
            whole,
            end: (!whole).then(|| end.to_string()),
            blink_mismatches,
        }
    }

    /// Lists of several files: those that ended alike are one.
    pub fn together(lists: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut found: Vec<(Self, usize)> = Vec::new();
        for list in lists {
            let alike = |(known, _): &&mut (Self, usize)| {
                (&known.list, known.whole, &known.end) == (&list.list, list.whole, &list.end)
            };
            match found.iter_mut().find(alike) {
                Some((known, files)) => {
                    known.entries += list.entries;
                    known.blink_mismatches += list.blink_mismatches;
                    *files += 1;
                }
                None => found.push((list, 1)),
            }
        }
        let of_files = |(list, files): (Self, usize)| Self {
            list: if files > 1 { format!("{} of {files} files", list.list) } else { list.list },
            ..list
        };
        found.into_iter().map(of_files).collect()
    }

    /// One more of many lists of the same kind: the first that ended early is told.
    fn add(&mut self, list: &ntos::Threads) {
        self.entries += list.addresses.len() as u64;
        self.blink_mismatches += list.blink_mismatches;
        if list.end != ListEnd::Head {
            self.cut(list.end);
        }
    }

    fn cut(&mut self, end: ListEnd) {
        self.whole = false;
        self.end.get_or_insert_with(|| end.to_string());
    }
}
