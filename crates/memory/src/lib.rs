//! Addresses, and reading at them. Knows nothing of files.
//!
//! An address is a type of its own so that a physical one is never read as a
//! virtual one. All arithmetic is checked: addresses come out of files.
#![forbid(unsafe_code)]

mod absence;
mod address;
mod cache;
mod entry;
mod paging;
mod read;
mod space;
mod translation;
mod virtual_read;

pub use absence::Absence;
pub use address::{PAGE_SIZE, PageFrame, PhysicalAddress, VirtualAddress};
pub use entry::Access;
pub use paging::{EntryName, Paging};
pub use read::{PhysicalMemory, ReadError, VirtualMemory};
pub use space::Space;
pub use translation::{Level, Meaning, TranslateError, Translation, Trust, Walk};
