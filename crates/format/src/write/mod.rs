//! Writing dumps: types 1, 5 and 6, of 64-bit and of 32-bit machines.
//!
//! ```text
//! PageSource ---\
//! Head ----------+--> Plan: every size and offset --> write(): holes, bitmap,
//! Overlay ------/                                     pages, secondary data,
//!                                                     flush, header, flush
//! ```
//!
//! A [`Plan`] is computed first and does not change: no offset in it can be
//! stale. [`write()`] then does what it says, in this order: the length; the
//! bitmap; the pages, in rising order; overlays; secondary data; a flush; the
//! header; a flush. So a file with a header is whole, and one that a full disk
//! or a power cut ended early begins with zeros and is no dump to anybody.
//! Whoever calls keeps it under another name until it is verified.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use format::write::{DumpPages, Kind, Plan, write};
//!
//! let bytes = format::File::open("in.dmp".as_ref())?;
//! let source = DumpPages::open(&bytes)?;
//! let plan = Plan::new(&source, source.request(Kind::Bitmap)?)?;
//! let mut out = std::fs::File::create_new("out.dmp.partial")?;
//! write(&plan, &source, &mut out, &mut |_| ControlFlow::Continue(()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same source and the same request make the same bytes: no clock, no
//! order of threads, no name goes into a file.
//!
//! # What is written, and why
//!
//! * `HeaderSize` of a bitmap dump is a multiple of 4096 and `BitmapSize` one
//!   of 64, although readers must take any: LeechCore refuses the first and
//!   drops the last bits of the second, kdmp-parser 0.7 and rizin drop a last
//!   partial byte. (R)
//! * `FDMP` for type 5 and `SDMP` for type 6, as Windows does.
//! * At most 42 runs in type 1 (86 in a 32-bit header): what has more is
//!   refused with [`Error::TooManyRuns`], and a bitmap dump has no such limit.
//! * `RequiredDumpSpace` is the file's length.
//! * `Mxcsr` of an x64 context is the same in both places that have it.
//! * `Attributes` say what is so: see [`Head::of`].
//!
//! A source that was cut, or that lies on a failing disk, is written through
//! [`Readable`], which leaves out and counts what cannot be read;
//! [`Head::set_writer_status`] then says in the header that pages are missing.

mod bitmap;
mod copy;
mod error;
mod head;
mod job;
mod memory_block;
mod output;
mod overlay;
mod plan;
mod readable;
mod source;
mod survey;

pub use error::Error;
pub use head::{Head, PARTIAL_COPY};
pub use job::{Progress, Written, measure, write};
pub use output::Output;
pub use overlay::Overlay;
pub use plan::{Kind, Plan, Request, Secondary};
pub use readable::Readable;
pub use source::{DumpPages, PageSource};
