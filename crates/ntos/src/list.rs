//! Lists of the kernel: `LIST_ENTRY` rings.

use std::collections::HashSet;
use std::fmt;

use memory::VirtualAddress;
use serde::Serialize;

use crate::reader::{Reader, at};

/// Why a walk along a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
#[non_exhaustive]
pub enum ListEnd {
    /// At its head again: the list is whole.
    Head,
    /// An entry cannot be read.
    Unreadable {
        /// The entry.
        #[serde(serialize_with = "crate::hex")]
        entry: VirtualAddress,
    },
    /// A link leads back into the list, not to its head.
    Repeats {
        /// The entry met twice.
        #[serde(serialize_with = "crate::hex")]
        entry: VirtualAddress,
    },
    /// A link leads out of the kernel's memory.
    NotKernel {
        /// Where it leads.
        #[serde(serialize_with = "crate::hex")]
        entry: VirtualAddress,
    },
    /// So many entries, or so much text in them, that no more were read.
    TooMany,
}

impl fmt::Display for ListEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("back at its head"),
            Self::Unreadable { entry } => write!(f, "the entry at {entry} is not in the dump"),
            Self::Repeats { entry } => write!(f, "it leads back to the entry at {entry}"),
            Self::NotKernel { entry } => write!(f, "it leads out of the kernel, to {entry}"),
            Self::TooMany => f.write_str("it has too many entries"),
        }
    }
}

/// The entries of a list, as far as it could be walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Addresses of the entries' `LIST_ENTRY`, in order, the head not among them.
    pub entries: Vec<VirtualAddress>,
    /// Entries whose Blink does not point to the one before. One in a dump of
    /// a running machine is a link in flight, not damage.
    pub blink_mismatches: u32,
    /// Why the walk ended.
    pub end: ListEnd,
}

impl List {
    /// Whether the walk came back to the head.
    pub fn is_whole(&self) -> bool {
        self.end == ListEnd::Head
    }
}

/// Walks the ring from its head along the Flinks, `most` entries at most.
pub fn walk(reader: &Reader<'_>, head: VirtualAddress, most: usize) -> List {
    let mut list = List { entries: Vec::new(), blink_mismatches: 0, end: ListEnd::Head };
    let mut seen = HashSet::from([head]);
    let mut previous = head;
    list.end = loop {
        if !reader.step() {
            break ListEnd::TooMany;
        }
        let Ok(entry) = reader.pointer(previous) else {
            // The last entry taken is not readable after all: it is not one.
            list.entries.pop();
            break ListEnd::Unreadable { entry: previous };
        };
        match reader.pointer(at(entry, reader.pointer_size())) {
            Ok(back) if back != previous => list.blink_mismatches += 1,
            Err(_) if reader.is_kernel(entry) => break ListEnd::Unreadable { entry },
            _ => {}
        }
        if entry == head {
            break ListEnd::Head;
        }
        if !reader.is_kernel(entry) {
            break ListEnd::NotKernel { entry };
        }
        if !seen.insert(entry) {
            break ListEnd::Repeats { entry };
        }
        if list.entries.len() == most {
            break ListEnd::TooMany;
        }
        list.entries.push(entry);
        previous = entry;
    };
    if matches!(list.end, ListEnd::Unreadable { .. } | ListEnd::NotKernel { .. }) {
        let behind = backwards(reader, head, &seen, most - list.entries.len());
        list.entries.extend(behind);
    }
    list
}

/// What lies behind the gap of a list that could not be walked to its end:
/// from its head along the Blinks.
fn backwards(
    reader: &Reader<'_>,
    head: VirtualAddress,
    known: &HashSet<VirtualAddress>,
    most: usize,
) -> Vec<VirtualAddress> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut next = head;
    while found.len() < most {
        let Ok(entry) = reader.pointer(at(next, reader.pointer_size())) else { break };
        let new = reader.is_kernel(entry) && !known.contains(&entry) && seen.insert(entry);
        // An entry that does not lead on to where this walk came from is none.
        if !new || reader.pointer(entry).ok() != Some(next) {
            break;
        }
        found.push(entry);
        next = entry;
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use format::Width;

    use super::*;
    use crate::words::Words;

    const HEAD: u64 = 0xFFFF_8000_0000_0000;

    /// A ring of a head and so many entries, `0x100` apart.
    fn ring(entries: u64) -> Words {
        let place = |number: u64| HEAD + number % (entries + 1) * 0x100;
        let links = (0..=entries).flat_map(|number| {
            let (next, back) = (place(number + 1), place(number + entries));
            [(place(number), next), (place(number) + 8, back)]
        });
        Words(links.collect())
    }

    fn walked(words: &Words, most: usize) -> (Vec<u64>, List) {
        let list = walk(&Reader::new(words, Width::Bits64), VirtualAddress(HEAD), most);
        (list.entries.iter().map(|entry| (entry.0 - HEAD) / 0x100).collect(), list)
    }

    fn lose(words: &mut Words, number: u64) {
        words.0.remove(&(HEAD + number * 0x100));
        words.0.remove(&(HEAD + number * 0x100 + 8));
    }

    #[test]
    fn a_whole_ring_is_walked_in_order() {
        let (entries, list) = walked(&ring(5), 100);
        assert_eq!(entries, [1, 2, 3, 4, 5]);
        assert!(list.is_whole());
    }

    #[test]
    fn what_lies_behind_a_gap_is_found_from_the_other_end_and_the_gap_is_said() {
        let mut words = ring(6);
        lose(&mut words, 3);
        let (entries, list) = walked(&words, 100);
        assert_eq!(entries, [1, 2, 4, 5, 6]);
        assert_eq!(list.end, ListEnd::Unreadable { entry: VirtualAddress(HEAD + 0x300) });
    }

    #[test]
    fn from_the_other_end_only_entries_that_lead_back_are_taken() {
        let mut words = ring(6);
        lose(&mut words, 2);
        words.0.insert(HEAD + 0x400, HEAD + 0x600);
        assert_eq!(walked(&words, 100).0, [1, 5, 6]);
    }

    #[test]
    fn no_more_entries_are_taken_than_were_asked_for() {
        let mut words = ring(9);
        lose(&mut words, 3);
        assert_eq!(walked(&words, 4).0, [1, 2, 8, 9]);
        assert_eq!(walked(&ring(9), 4).1.end, ListEnd::TooMany);
    }
}
