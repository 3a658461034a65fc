//! Windows kernel dump files: what they are, what is in them, whether they are whole.
//!
//! [`Dump::open`] reads the header; [`Dump::bitmap`], [`Dump::runs`],
//! [`Dump::triage`] and [`Dump::blobs`] open the parts below it. [`verify()`]
//! says whether a file is good, with every check and its evidence; [`info()`]
//! says what a debugger shows on opening. All three take any bytes: nothing
//! from a file is used before it was held against the file's length.
//!
//! # The file
//!
//! All integers are little endian; a page has 4096 bytes. The marks say where
//! a fact comes from: **(S)** seen in real files, **(H)** public Microsoft
//! headers, **(R)** agreed on by open readers, **UNCONFIRMED** none of these.
//!
//! | at | what |
//! |---|---|
//! | 0x0 | the dump header: `PAGEDU64` and 0x2000 bytes ([`raw::DumpHeader64`]), or `PAGEDUMP` and 0x1000 bytes ([`raw::DumpHeader32`]) (H) (S) |
//! | behind it | by `DumpType` ([`DumpType`]), below |
//! | behind that | secondary data ([`raw::BlobFileHeader`]): tagged blobs; none in many files (S) |
//!
//! The header is written over a buffer of the dwords `PAGE`: a field that
//! still holds them was never filled, and is `None` in [`Header`]. (S) In a
//! live dump the header is reported to be written last, so a capture that
//! ended early leaves a file that begins with zeros.
//!
//! * **Type 1**: the header's run list (0x88) names runs of physical pages;
//!   their bytes follow from 0x2000 on, back to back: [`Runs`].
//! * **Types 5 and 6** (and 7): [`raw::BitmapHeader`], then one bit for each
//!   physical page; from its HeaderSize on the pages of the set bits, in
//!   rising order: [`Bitmap`]. (R)
//! * **Type 4**: [`raw::TriageHeader64`], then pieces that it gives the file
//!   offsets of, in no fixed order, and `TRGD` at the end: [`Triage`]. Blocks
//!   of virtual memory are in a table of [`raw::TriageBlock`]. (S)
//!
//! Not understood below the header by this version: types 2, 8, 9 and 0xA,
//! 32-bit triage and type 1 dumps. Never understood: encrypted dumps.
//!
//! # What verification cannot see
//!
//! Secondary data has neither a count nor an end: a file cut exactly between
//! two blobs, or exactly behind the pages, looks whole. `RequiredDumpSpace`
//! does not help: whole files of real machines want more than they have. (S)
#![forbid(unsafe_code)]

mod attributes;
mod bitmap;
mod blob;
mod blocks;
mod comment;
mod debugger;
mod dump;
mod error;
mod filler;
pub mod header;
mod identity;
mod info;
mod kind;
mod pages;
mod ranges;
pub mod raw;
mod runs;
mod set;
mod source;
mod space;
mod tags;
mod time;
mod triage;
mod verify;
pub mod write;

pub use attributes::Attributes;
pub use bitmap::{Bitmap, MAX_BITS};
pub use blob::{Blob, BlobEnd, Blobs, Build, Guid, LISTED_BLOBS, MAX_BLOBS, NotAGuid};
pub use blocks::Block;
pub use debugger::DebuggerSizes;
pub use dump::Dump;
pub use error::Error;
pub use header::Header;
pub use identity::Identity;
pub use info::{BlobInfo, Info, info};
pub use kind::{DumpType, Machine, Width};
pub use map::{Bytes, File};
pub use pages::Pages;
pub use ranges::MAX_RANGES;
pub use runs::{MAX_RUNS, MAX_RUNS_32, Run, Runs};
pub use set::{Moment, Set, SetError, SetMemory};
pub use space::KernelMemory;
pub use time::FileTime;
pub use triage::{
    Conflicts, Driver, MAX_BLOCKS, Origin, Piece, Triage, TriageHeader, UnloadedDriver,
};
pub use verify::{Check, Level, Outcome, Verdict, Verification, verify};
