//! Addresses, and reading at them. Knows nothing of files.
//!
//! An address is a type of its own so that a physical one is never read as a
//! virtual one. All arithmetic is checked: addresses come out of files.
#![forbid(unsafe_code)]

mod address;
mod read;

pub use address::{PAGE_SIZE, PageFrame, PhysicalAddress, VirtualAddress};
pub use read::{PhysicalMemory, ReadError, VirtualMemory};
