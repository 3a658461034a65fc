//! What of a range of addresses a dump holds, where, and why the rest is missing.
//!
//! A range is told as extents, in rising order and without holes between
//! them. Nothing is read but page tables, and nothing grows with the range:
//! a table that is missing is one gap, however much it would have mapped, and
//! gaps that are alike are one.

mod blocks;
mod paged;
mod physical;

use std::fmt;
use std::mem::discriminant;

use memory::{Absence, EntryName, PageFrame, TranslateError, VirtualAddress};

pub use blocks::{LISTED_PLACES, Part, Place};

/// A part of a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Its first address; without the extended sign of a 32-bit machine.
    pub address: u64,
    /// Bytes, at least one.
    pub length: u64,
    /// What is there.
    pub content: Content,
}

/// What is at an [`Extent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Its bytes stand one behind another in the file.
    Held {
        /// File offset of the first.
        offset: u64,
    },
    /// Nothing.
    Gap {
        /// Why; of several that are alike, the first.
        reason: Missing,
        /// How many entries, pages or stretches like the first there are.
        alike: u64,
    },
}

/// Why memory is not in a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The machine refuses such addresses.
    NotCanonical {
        /// How many bits its page tables translate.
        bits: u32,
    },
    /// An entry of the page tables is not valid, and names no page in memory.
    NotPresent {
        /// Which entry.
        level: EntryName,
        /// The entry itself.
        entry: u64,
        /// What it says instead.
        kind: Absence,
    },
    /// An entry is valid, but of a shape that its level does not have.
    Reserved {
        /// Which entry.
        level: EntryName,
        /// The entry itself.
        entry: u64,
    },
    /// The PTE names a prototype PTE that does not prove where the page is.
    Prototype {
        /// The PTE.
        entry: u64,
        /// Where the prototype would lie.
        prototype: VirtualAddress,
        /// What is wrong there.
        why: String,
    },
    /// The page of a page table is not in the dump.
    TableNotInDump {
        /// Which entry could not be read.
        level: EntryName,
        /// The page.
        frame: PageFrame,
    },
    /// The page itself is not in the dump.
    PageNotInDump {
        /// The page.
        frame: PageFrame,
    },
    /// The dump names the page, and the file ends before it.
    PageCut {
        /// The page.
        frame: PageFrame,
        /// File offset at which it would lie.
        offset: u64,
    },
    /// No block of a triage dump has it.
    NoBlock,
}

impl Missing {
    /// Why a translation led nowhere; `None` when the file could not be read.
    pub fn of(error: &TranslateError) -> Option<Self> {
        Some(match error {
            TranslateError::NotCanonical { bits, .. } => Self::NotCanonical { bits: *bits },
            TranslateError::NotPresent { level, entry, kind, .. } => {
                Self::NotPresent { level: *level, entry: *entry, kind: *kind }
            }
            TranslateError::Reserved { level, entry, .. } => {
                Self::Reserved { level: *level, entry: *entry }
            }
            TranslateError::NotInDump { level, frame, .. } => {
                Self::TableNotInDump { level: *level, frame: *frame }
            }
            TranslateError::Prototype { entry, prototype, source, .. } => Self::Prototype {
                entry: *entry,
                prototype: *prototype,
                why: Self::of(source)?.to_string(),
            },
            _ => return None,
        })
    }

    /// Whether the two differ in nothing that matters to a person.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::NotPresent { level, kind, .. },
                Self::NotPresent { level: level2, kind: kind2, .. },
            ) => level == level2 && discriminant(kind) == discriminant(kind2),
            (Self::Reserved { level, .. }, Self::Reserved { level: other, .. })
            | (Self::TableNotInDump { level, .. }, Self::TableNotInDump { level: other, .. }) => {
                level == other
            }
            _ => discriminant(self) == discriminant(other),
        }
    }

    /// The level of the page tables that failed.
    pub fn level(&self) -> Option<EntryName> {
        match self {
            Self::NotPresent { level, .. }
            | Self::Reserved { level, .. }
            | Self::TableNotInDump { level, .. } => Some(*level),
            Self::Prototype { .. } => Some(EntryName::Pte),
            _ => None,
        }
    }

    /// The entry that failed.
    pub fn entry(&self) -> Option<u64> {
        match self {
            Self::NotPresent { entry, .. }
            | Self::Reserved { entry, .. }
            | Self::Prototype { entry, .. } => Some(*entry),
            _ => None,
        }
    }

    /// The page that is not in the dump.
    pub fn frame(&self) -> Option<PageFrame> {
        match self {
            Self::TableNotInDump { frame, .. }
            | Self::PageNotInDump { frame }
            | Self::PageCut { frame, .. } => Some(*frame),
            _ => None,
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCanonical { bits } => {
                write!(f, "not canonical: the machine's addresses have {bits} bits")
            }
            Self::NotPresent { level, entry, kind } => {
                write!(f, "{level} {entry:016x} is not present: {kind}")
            }
            Self::Reserved { level, entry } => {
                write!(f, "{level} {entry:016x} has reserved bits in use")
            }
            Self::Prototype { entry, prototype, why } => {
                write!(f, "PTE {entry:016x} names a prototype at {prototype}: {why}")
            }
            Self::TableNotInDump { level, frame } => {
                write!(f, "its {level} lies in page {frame}, which is not in the dump")
            }
            Self::PageNotInDump { frame } => write!(f, "page {frame} is not in the dump"),
            Self::PageCut { frame, offset } => {
                write!(f, "page {frame} would lie at file offset {offset:#x}, behind the end")
            }
            Self::NoBlock => f.write_str("no block of the dump has it"),
        }
    }
}

/// Steps through gaps that are taken at most: page tables can be made to map
/// the same missing pages over and over.
const STEPS: u64 = 1 << 22;

/// Puts together what belongs together, and hands it on.
struct Teller<'s> {
    see: &'s mut dyn FnMut(Extent) -> bool,
    pending: Option<Extent>,
    steps: u64,
    open: bool,
}

impl<'s> Teller<'s> {
    fn new(see: &'s mut dyn FnMut(Extent) -> bool) -> Self {
        Self { see, pending: None, steps: 0, open: true }
    }

    /// Whether more is wanted, and there was no end of gaps.
    fn goes_on(&self) -> bool {
        self.open && self.steps < STEPS
    }

    fn held(&mut self, address: u64, length: u64, offset: u64) {
        if let Some(Extent { length: before, content: Content::Held { offset: start }, .. }) =
            &mut self.pending
            && start.checked_add(*before) == Some(offset)
        {
            *before += length;
            return;
        }
        self.next(Extent { address, length, content: Content::Held { offset } });
    }

    fn gap(&mut self, address: u64, length: u64, reason: Missing) {
        if length == 0 {
            return;
        }
        self.steps += 1;
        if let Some(Extent {
            length: before, content: Content::Gap { reason: first, alike }, ..
        }) = &mut self.pending
            && first.is_like(&reason)
        {
            *before += length;
            *alike += 1;
            return;
        }
        self.next(Extent { address, length, content: Content::Gap { reason, alike: 1 } });
    }

    fn next(&mut self, extent: Extent) {
        self.flush();
        self.pending = Some(extent);
    }

    fn flush(&mut self) {
        if let Some(extent) = self.pending.take().filter(|_| self.open) {
            self.open = (self.see)(extent);
        }
    }

    /// All was told up to `at`: where it ended, unless that is the end of the range.
    fn finish(mut self, at: u64, left: u64) -> Option<u64> {
        self.flush();
        (left > 0 && self.open).then_some(at)
    }
}
