//! What can be wrong with a file, and where.

use std::io;

use crate::{DumpType, Identity, Machine, Width};

/// Why a file could not be read as a dump. Every variant locates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system could not read the file.
    #[error("reading {what} ({length} bytes at file offset {offset:#x}): {source}")]
    Io {
        /// What was being read.
        what: &'static str,
        /// File offset.
        offset: u64,
        /// Bytes wanted.
        length: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Something lies, wholly or in part, behind the end of the file.
    #[error(
        "the file ends too early for {what}: {length} bytes at file offset {offset:#x} are needed, the file has {file} bytes"
    )]
    Cut {
        /// What was being read.
        what: &'static str,
        /// File offset.
        offset: u64,
        /// Bytes wanted.
        length: u64,
        /// Bytes in the file.
        file: u64,
    },
    /// The file is no Windows kernel dump.
    #[error("not a Windows kernel dump: {0}")]
    NotADump(Identity),
    /// A value that cannot be.
    #[error("{what} at file offset {offset:#x}: expected {expected}, found {found}")]
    Value {
        /// What was being read.
        what: &'static str,
        /// File offset.
        offset: u64,
        /// What would be right.
        expected: String,
        /// What is there.
        found: String,
    },
    /// More entries than any real file has, and than are read.
    #[error("too many {what}: {found} at file offset {offset:#x}, at most {most} are read")]
    TooMany {
        /// Entries of what.
        what: &'static str,
        /// File offset of the count, or of the first entry that is not read.
        offset: u64,
        /// The limit.
        most: u64,
        /// How many there are; at least so many where nothing counts them.
        found: u64,
    },
    /// A dump of this kind stores no physical pages.
    #[error("a {kind} stores no physical pages")]
    NoPages {
        /// What it is.
        kind: DumpType,
    },
    /// Page tables of such a machine are not understood.
    #[error("virtual addresses of an {machine} machine are not understood: only the header is")]
    NoTranslation {
        /// Of what machine the dump is.
        machine: Machine,
    },
    /// The room for the pages is too small, and it is not proved that what is
    /// there are pages: nothing was mapped.
    #[error(
        "the page data is cut or compressed, which is not understood: {needed} bytes are needed from file offset {offset:#x} on, the file has {found}"
    )]
    PagesShort {
        /// File offset of the first page.
        offset: u64,
        /// Bytes that the pages take.
        needed: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// A dump of this kind is not understood below its header.
    #[error("a {width} {kind} is not understood below its header by this version")]
    NotUnderstood {
        /// Of which Windows.
        width: Width,
        /// What it is.
        kind: DumpType,
    },
    /// The data is encrypted.
    #[error("the dump is encrypted: nothing below its header can be read")]
    Encrypted,
}
