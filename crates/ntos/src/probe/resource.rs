//! Members of an executive resource, by the list of all of them.

use std::collections::BTreeSet;

use memory::VirtualAddress;
use nt::thread::WaitReason;

use super::only;
use crate::layout::{Member, OwnerLayout, ResourceLayout, Source};
use crate::objects::Evidence;
use crate::reader::{Reader, at};
use crate::resource::{CHAIN_ENTRY, OWNER_FLAGS};

/// Bytes of a resource that are looked at.
const RESOURCE: u64 = 0x80;
/// Resources that are looked at.
const SAMPLE: usize = 1 << 14;
/// Owners in a table that are believed.
const MOST_OWNERS: u64 = 1 << 12;
/// Waiters in a chain that are followed.
const MOST_WAITERS: usize = 64;

/// What a sample of resources and the threads prove.
struct Finder<'f> {
    reader: &'f Reader<'f>,
    resources: &'f [VirtualAddress],
    evidence: &'f Evidence,
    /// Objects that threads wait for whose reason is a resource.
    waited: BTreeSet<VirtualAddress>,
}

/// Finds the owner (a word that is nobody or a thread, whatever its two low
/// bits, in every resource and a thread in two), the table of owners that it
/// leads to, and the words that lead to what threads wait for.
pub(crate) fn find(
    reader: &Reader<'_>,
    resources: &[VirtualAddress],
    evidence: &Evidence,
) -> (ResourceLayout, OwnerLayout) {
    let resources = resources.get(..resources.len().min(SAMPLE)).unwrap_or_default();
    let for_resource = |reason| matches!(reason, WaitReason::WrResource | WaitReason::Executive);
    let of_resources = evidence.waiting.iter().filter(|one| one.reason.is_some_and(for_resource));
    let waited = of_resources.filter_map(|one| one.object).collect();
    Finder { reader, resources, evidence, waited }.find()
}

impl Finder<'_> {
    fn find(&self) -> (ResourceLayout, OwnerLayout) {
        let width = self.reader.pointer_size();
        let member = |offset, size| Some(Member::new(offset, size, Source::Probed));
        let words = || (2 * width..RESOURCE).step_by(width as usize);
        let Some(owner) = only(words().filter(|word| self.is_owner(*word))) else {
            return <_>::default();
        };
        let tables: Vec<_> = words().filter_map(|word| Some((word, self.table(word)?))).collect();
        let table = match tables.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        let waiters: Vec<_> = words().filter(|word| self.leads_to_waiters(*word)).collect();
        let waiters = |number| match waiters.as_slice() {
            // More than readers and writers cannot be told apart from chance.
            few @ ([_] | [_, _]) => few.get(number).and_then(|word| member(*word, width)),
            _ => None,
        };
        let layout = ResourceLayout {
            links: member(0, 2 * width),
            owner_entry: member(owner, 0),
            owner_table: table.and_then(|(word, _)| member(word, width)),
            shared_waiters: waiters(0),
            exclusive_waiters: waiters(1),
            ..ResourceLayout::default()
        };
        let owner = OwnerLayout {
            size: table.map(|(_, table)| table.stride),
            thread: member(0, width),
            table_size: table.and_then(|(_, table)| member(table.count, 4)),
            ..OwnerLayout::default()
        };
        (layout, owner)
    }

    fn pointers(&self, word: u64) -> impl Iterator<Item = VirtualAddress> {
        let read = move |start: &VirtualAddress| self.reader.kernel_pointer(at(*start, word));
        self.resources.iter().filter_map(move |start| read(start).ok().flatten())
    }

    /// Whether a word can be an owner: a thread, or, as its flags then say,
    /// whatever a driver gave in its place.
    fn can_own(&self, word: VirtualAddress) -> bool {
        self.owns(word) || word.0 & OWNER_FLAGS == OWNER_FLAGS
    }

    fn owns(&self, word: VirtualAddress) -> bool {
        self.evidence.threads.contains(&VirtualAddress(word.0 & !OWNER_FLAGS))
    }

    fn is_owner(&self, word: u64) -> bool {
        let owning = self.pointers(word).filter(|owner| self.owns(*owner)).take(2).count();
        owning == 2 && self.pointers(word).all(|owner| self.can_own(owner))
    }

    /// The table that a word leads to, if it does in every resource that has one.
    fn table(&self, word: u64) -> Option<Table> {
        let width = self.reader.pointer_size();
        let first = self.pointers(word).next()?;
        if self.evidence.threads.contains(&first) {
            return None;
        }
        // The smallest stride that fits: a multiple of it would pass over owners.
        let shapes = (2..=4).flat_map(|words| {
            let stride = words * width;
            (width..stride).step_by(4).map(move |count| Table { stride, count })
        });
        let holds = |table: &Table| {
            let owners = self.pointers(word).map(|start| self.owners_in(start, *table));
            owners.sum::<Option<u64>>().is_some_and(|owners| owners > 1)
        };
        shapes.into_iter().find(holds)
    }

    /// How many owners a table has; `None` for what is no table.
    fn owners_in(&self, start: VirtualAddress, table: Table) -> Option<u64> {
        let size = self.reader.integer(at(start, table.count), 4).ok()?;
        if !(2..=MOST_OWNERS).contains(&size) {
            return None;
        }
        let mut owners = 0;
        for number in 1..size {
            let entry = at(start, number * table.stride);
            match self.reader.pointer(entry).ok().filter(|_| self.reader.step())? {
                VirtualAddress(0) => {}
                owner if self.can_own(owner) => owners += 1,
                _ => return None,
            }
        }
        Some(owners)
    }

    /// Whether a word leads to an object that a thread waits for, or to a
    /// chain of such, and in no resource to a thread.
    fn leads_to_waiters(&self, word: u64) -> bool {
        let leads = |first: VirtualAddress| {
            let mut next = Some(first);
            for _ in 0..MOST_WAITERS {
                let Some(node) = next.filter(|_| self.reader.step()) else { return false };
                let end = at(node, CHAIN_ENTRY);
                if node < end && self.waited.range(node..end).next().is_some() {
                    return true;
                }
                next = self.reader.kernel_pointer(node).ok().flatten();
            }
            false
        };
        self.pointers(word).any(leads)
            && !self.pointers(word).any(|target| self.evidence.threads.contains(&target))
    }
}

/// A way in which a table of owners could be laid out.
#[derive(Debug, Clone, Copy)]
struct Table {
    /// Bytes of an entry.
    stride: u64,
    /// Where in the first entry their number stands.
    count: u64,
}
