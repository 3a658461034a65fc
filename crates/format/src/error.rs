//! What can be wrong with a file, and where.

use std::io;

use crate::{DumpType, Identity, Width};

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
