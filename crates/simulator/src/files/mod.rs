//! Dump files of every kind and machine, made to order.
//!
//! The second writer of dumps in the project, and the one that tests trust:
//! it has its own offsets (dump-formats specification, sections 1 to 8, 13
//! and 14) and shares nothing with the readers. What it makes is known to
//! the byte: a [`Truth`] says which address holds what, and what is missing.
//!
//! ```
//! use simulator::files::{FileSpec, Kind, Machine, Page};
//!
//! let file = FileSpec::new(Kind::BitmapFull, Machine::X64)
//!     .pages(0x10_0000, 8 << 20, Page::Zero) // 32 GiB, never allocated
//!     .build();
//! assert!(file.length() > 32 << 30);
//! assert_eq!(file.offset_of(0x10_0000).unwrap() % 4096, 0);
//! ```
//!
//! A [`FileSpec`] names the [`Kind`], the [`Machine`], pages beside those of a
//! small kernel (page tables of every page size, an image header, a debugger
//! block in clear, lists of one module and one process), and the [`Hazard`]s
//! that the file shall have. Every file says "simulated" in its comment.

mod blobs;
mod containers;
mod content;
mod debugger;
mod dump;
mod hazard;
mod header;
mod kind;
mod mappings;
mod pieces;
mod seeds;
mod space;
mod spec;
mod system;
mod triage;
mod truth;

pub use blobs::Blob;
pub use content::Page;
pub use dump::DumpFile;
pub use hazard::Hazard;
pub use kind::{Kind, Machine};
pub use seeds::{Seed, seeds};
pub use spec::FileSpec;
pub use truth::{Answer, BlobPlace, Block, Known, Stored, Truth, Way};
