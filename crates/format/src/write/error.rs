//! Why a dump could not be planned or written.

use std::io;

use memory::{PageFrame, PhysicalAddress};

use crate::{DumpType, Machine};

/// Why a dump could not be planned or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source could not say what pages it has.
    #[error(transparent)]
    Source(#[from] crate::Error),
    /// The source has no pages of physical memory.
    #[error("{0} has no pages of physical memory to write")]
    NoPages(DumpType),
    /// A machine whose header is not known.
    #[error("a dump of {0} cannot be written")]
    Machine(Machine),
    /// The header's list has room for fewer runs.
    #[error(
        "a type 1 dump has room for {limit} runs of pages, and these pages are in {runs}: a bitmap dump has no such limit"
    )]
    TooManyRuns {
        /// How many there are.
        runs: u64,
        /// How many fit.
        limit: usize,
    },
    /// Frames are not in rising order, or too high for the kind of dump.
    #[error(
        "{pages:#x} pages from page {first} on: expected pages from {least} on and below {limit:#x}"
    )]
    Order {
        /// First page of the run in question.
        first: PageFrame,
        /// Its pages.
        pages: u64,
        /// First page that would be in order.
        least: PageFrame,
        /// First page number that cannot be stored.
        limit: u64,
    },
    /// The file would be larger than any file can be.
    #[error("the file would be larger than any file can be")]
    TooLarge,
    /// An overlay lies outside of what is written.
    #[error(
        "an overlay of {length} bytes lies outside of the header's {room} bytes, at {offset:#x}"
    )]
    OverlayOutside {
        /// Its offset in the header.
        offset: u64,
        /// Its length.
        length: usize,
        /// Bytes of the header.
        room: usize,
    },
    /// An overlay of memory lies on a page that the source does not have.
    #[error("an overlay lies at physical address {address}, which is not in the source")]
    OverlayAbsent {
        /// The first byte of it that has no page.
        address: PhysicalAddress,
    },
    /// A context record larger than the header's room for it.
    #[error("a context record of {length} bytes does not fit into {room} bytes")]
    ContextTooLarge {
        /// Its bytes.
        length: usize,
        /// The room's.
        room: usize,
    },
    /// The source has other pages than when the plan was made.
    #[error("the source changed while it was written: page {first} was not planned like this")]
    Changed {
        /// Where that was seen.
        first: PageFrame,
    },
    /// The source could not be read.
    #[error("reading {length} bytes of the source at its offset {offset:#x}: {source}")]
    Read {
        /// Offset in the source's bytes.
        offset: u64,
        /// Bytes wanted.
        length: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The output could not be written.
    #[error("writing {what} ({length} bytes at file offset {offset:#x}): {source}")]
    Write {
        /// What was being written.
        what: &'static str,
        /// File offset.
        offset: u64,
        /// Bytes.
        length: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The progress function said to stop.
    #[error("cancelled")]
    Cancelled,
}
