//! What a translation answers.

use std::fmt;

use crate::absence::Absence;
use crate::entry::Access;
use crate::paging::EntryName;
use crate::{PageFrame, PhysicalAddress, ReadError, VirtualAddress};

/// How the last entry vouches for its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trust {
    /// The entry is valid: the processor would have used it.
    Valid,
    /// The page was trimmed and its entry is in transition: the content is
    /// what it was, as long as the page had no other use.
    Transition,
    /// The entry names a prototype PTE, and that one is valid.
    Prototype,
    /// The entry names a prototype PTE, and that one is in transition.
    PrototypeTransition,
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Transition => "transition",
            Self::Prototype => "prototype",
            Self::PrototypeTransition => "prototype in transition",
        })
    }
}

/// Where a virtual address lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Translation {
    /// The physical address. It need not be in the dump.
    pub physical: PhysicalAddress,
    /// Bytes in the page that maps it: 4 KiB, 2 MiB, 4 MiB or 1 GiB.
    pub page_size: u64,
    /// How it is known.
    pub trust: Trust,
    /// The frame, or the prototype's address, may have been masked by the
    /// kernel against L1TF with a value that nobody told, and was taken as
    /// the likeliest.
    pub guessed: bool,
    /// What is allowed there; `None` unless every entry is valid.
    pub access: Option<Access>,
}

/// One entry that a translation went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Level {
    /// Which entry.
    pub name: EntryName,
    /// Where its table begins; for a prototype PTE, the page it lies in.
    pub table: PhysicalAddress,
    /// Which of the table's entries, from 0.
    pub index: u32,
    /// The entry itself.
    pub entry: u64,
    /// What it says.
    pub meaning: Meaning,
}

/// What one entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The next table is this page.
    Table {
        /// The page.
        frame: PageFrame,
    },
    /// A page is mapped.
    Page {
        /// Its first 4 KiB page.
        frame: PageFrame,
        /// Its size in bytes.
        size: u64,
    },
    /// Not valid to the processor; what Windows keeps there instead.
    NotPresent(Absence),
    /// Valid, but of a shape that this level does not have.
    Reserved,
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { frame } => write!(f, "table at frame {frame}"),
            Self::Page { frame, size } => write!(f, "page of {size:#x} bytes at frame {frame}"),
            Self::NotPresent(kind) => kind.fmt(f),
            Self::Reserved => f.write_str("reserved bits in use"),
        }
    }
}

/// A translation with every level shown, also when it failed.
#[derive(Debug)]
pub struct Walk {
    /// The address asked for.
    pub address: VirtualAddress,
    /// The entries read, from the root down: five at most, and a prototype PTE.
    pub levels: Vec<Level>,
    /// Where it ended.
    pub outcome: Result<Translation, TranslateError>,
}

/// Why a virtual address has no physical one. Every variant says where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranslateError {
    /// The machine would refuse the address itself.
    #[error("virtual address {address} is not canonical for {bits}-bit addresses")]
    NotCanonical {
        /// The address.
        address: VirtualAddress,
        /// How many bits the page tables translate.
        bits: u32,
    },
    /// An entry is not valid, and names no page in memory.
    #[error("virtual address {address}: its {level} {entry:016x} is not present: {kind}")]
    NotPresent {
        /// The address.
        address: VirtualAddress,
        /// Which entry.
        level: EntryName,
        /// The entry itself.
        entry: u64,
        /// What it says instead.
        kind: Absence,
    },
    /// An entry is valid, but of a shape that its level does not have.
    #[error("virtual address {address}: its {level} {entry:016x} has reserved bits in use")]
    Reserved {
        /// The address.
        address: VirtualAddress,
        /// Which entry.
        level: EntryName,
        /// The entry itself.
        entry: u64,
    },
    /// The page that holds an entry is not in the dump.
    #[error(
        "virtual address {address}: its {level} lies in page {frame}, which is not in the dump"
    )]
    NotInDump {
        /// The address.
        address: VirtualAddress,
        /// Which entry could not be read.
        level: EntryName,
        /// The page it lies in.
        frame: PageFrame,
    },
    /// The entry names a prototype PTE that does not prove where the page is.
    #[error(
        "virtual address {address}: its PTE {entry:016x} names a prototype at {prototype}: {source}"
    )]
    Prototype {
        /// The address.
        address: VirtualAddress,
        /// The entry.
        entry: u64,
        /// Where the prototype PTE would lie.
        prototype: VirtualAddress,
        /// What went wrong there.
        source: Box<TranslateError>,
    },
    /// An entry's page is held, but could not be read.
    #[error("virtual address {address}: reading its {level}: {source}")]
    Read {
        /// The address.
        address: VirtualAddress,
        /// Which entry.
        level: EntryName,
        /// What went wrong.
        source: Box<ReadError>,
    },
}
