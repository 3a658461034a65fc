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

/// Of so many owners one may be a thread that has ended, and is in no list.
const STRANGERS: usize = 16;

/// What a sample of resources and the threads prove.
struct Finder<'f> {
    reader: &'f Reader<'f>,
    resources: &'f [VirtualAddress],
    evidence: &'f Evidence,
    /// Objects that threads wait for whose reason is a resource.
    waited: BTreeSet<VirtualAddress>,
}

/// Finds the owner (a word that is nobody or a thread, whatever its two low
/// bits, in nearly every resource and a thread in two), the table of owners that it
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
        let owning = self.pointers(word).filter(|owner| self.owns(*owner)).count();
        let strangers = self.pointers(word).filter(|owner| !self.can_own(*owner)).count();
        owning > 1 && strangers * STRANGERS <= owning
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

#[cfg(test)]
mod tests {
    use format::Width;

    use super::*;
    use crate::objects::Waiting;
    use crate::words::Words;

    const BASE: u64 = 0xFFFF_8000_0000_0000;
    const THREADS: [u64; 4] = [BASE + 0x1000, BASE + 0x2000, BASE + 0x3000, BASE + 0x4000];
    const EVENT: u64 = BASE + 0x5008;
    const TABLE: u64 = BASE + 0x6000;

    fn place(number: u64) -> u64 {
        BASE + 0x1_0000 + number * 0x100
    }

    /// Four resources: of a thread, of a thread by a driver's word, of two
    /// threads in a table, of nobody. For the first a thread waits.
    fn machine() -> Words {
        let mut words = Words::default();
        for number in 0..4 {
            words.put(place(number), &[0; 16]);
        }
        words.put(place(0) + 0x30, &[THREADS[0]]);
        words.put(place(1) + 0x30, &[THREADS[1] | 3]);
        words.put(place(2) + 0x10, &[TABLE]);
        words.put(TABLE, &[0, 4, THREADS[2], 1, 0, 0, THREADS[3], 1]);
        words.put(place(0) + 0x28, &[EVENT - 8]);
        words.put(EVENT - 8, &[0; 4]);
        words
    }

    fn found(words: &Words) -> (ResourceLayout, OwnerLayout) {
        let waiting = Waiting {
            thread: VirtualAddress(THREADS[3]),
            reason: Some(WaitReason::WrResource),
            client: None,
            object: Some(VirtualAddress(EVENT)),
        };
        let evidence = Evidence {
            processes: <_>::default(),
            threads: THREADS.map(VirtualAddress).into(),
            waiting: vec![waiting],
            objects: [VirtualAddress(EVENT)].into(),
        };
        let resources: Vec<_> = (0..4).map(|number| VirtualAddress(place(number))).collect();
        find(&Reader::new(words, Width::Bits64), &resources, &evidence)
    }

    fn offset(member: Option<Member>) -> Option<u64> {
        member.map(|member| member.offset)
    }

    #[test]
    fn owners_their_table_and_the_waiters_are_found_where_they_are() {
        let (resource, owner) = found(&machine());
        assert_eq!(offset(resource.owner_entry), Some(0x30));
        assert_eq!(offset(resource.owner_table), Some(0x10));
        assert_eq!((owner.size, offset(owner.table_size)), (Some(0x10), Some(8)));
        assert_eq!(offset(resource.shared_waiters), Some(0x28));
        assert_eq!(resource.exclusive_waiters, None);
    }

    #[test]
    fn where_two_words_could_be_the_owner_neither_is_believed() {
        let mut words = machine();
        words.put(place(0) + 0x48, &[THREADS[2]]);
        words.put(place(3) + 0x48, &[THREADS[2]]);
        assert_eq!(found(&words).0, ResourceLayout::default());
    }

    #[test]
    fn one_owned_resource_proves_nothing() {
        let mut words = machine();
        words.put(place(1) + 0x30, &[0]);
        assert_eq!(found(&words).0, ResourceLayout::default());
    }

    #[test]
    fn a_word_that_is_no_owner_in_one_resource_is_none_in_any() {
        let mut words = machine();
        words.put(place(3) + 0x30, &[EVENT]);
        assert_eq!(found(&words).0, ResourceLayout::default());
    }

    #[test]
    fn a_table_that_claims_too_much_is_no_table() {
        for size in [0, 1, 1 << 20, 5] {
            let mut words = machine();
            words.put(TABLE + 8, &[size]);
            assert_eq!(found(&words).0.owner_table, None, "{size}");
        }
    }
}
