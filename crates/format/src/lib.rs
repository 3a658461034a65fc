//! Windows kernel dump files: what they are, what is in them, whether they are whole.
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
pub mod raw;
mod runs;
mod source;
mod tags;
mod time;
mod triage;
mod verify;

pub use attributes::Attributes;
pub use bitmap::{Bitmap, MAX_BITS};
pub use blob::{Blob, BlobEnd, Blobs, Build, Guid, MAX_BLOBS};
pub use blocks::Block;
pub use debugger::DebuggerSizes;
pub use dump::Dump;
pub use error::Error;
pub use header::Header;
pub use identity::Identity;
pub use info::{BlobInfo, Info, info};
pub use kind::{DumpType, Machine, Width};
pub use map::{Bytes, File};
pub use runs::{MAX_RUNS, Run, Runs};
pub use time::FileTime;
pub use triage::{MAX_BLOCKS, Piece, Triage};
pub use verify::{Check, Level, Outcome, Verdict, Verification, verify};
