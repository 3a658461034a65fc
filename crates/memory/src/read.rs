//! Reading memory, wherever it comes from.

use std::io;

use crate::{PAGE_SIZE, PageFrame, PhysicalAddress, TranslateError, VirtualAddress};

/// Why a read of memory failed. Every variant says where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The source does not hold this physical address.
    #[error("physical address {address} is not in the dump")]
    PhysicalAbsent {
        /// The first byte that is missing, which may lie after the first byte asked for.
        address: PhysicalAddress,
    },
    /// The source does not hold this virtual address.
    #[error("virtual address {address} is not in the dump")]
    VirtualAbsent {
        /// The first byte that is missing, which may lie after the first byte asked for.
        address: VirtualAddress,
    },
    /// The address is held, but the file could not be read there.
    #[error("reading address {address:016x} at file offset {offset:#x}: {source}")]
    Io {
        /// The address.
        address: u64,
        /// Where it lies in the file.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The page tables lead from a virtual address to no page in memory.
    #[error("after {read:#x} bytes: {source}")]
    Untranslated {
        /// The first byte that could not be read.
        address: VirtualAddress,
        /// How many bytes before it were read.
        read: usize,
        /// Which level failed, and how.
        source: TranslateError,
    },
    /// The page tables lead to a page that the source does not hold.
    #[error(
        "after {read:#x} bytes: virtual address {address} lies at physical address {physical}, \
         which is not in the dump"
    )]
    PageAbsent {
        /// The first byte that could not be read.
        address: VirtualAddress,
        /// Where it would lie.
        physical: PhysicalAddress,
        /// How many bytes before it were read.
        read: usize,
    },
}

/// Something that can be read by physical address.
pub trait PhysicalMemory {
    /// Fills the whole of `buffer`. On an error its content means nothing.
    fn read_physical(&self, address: PhysicalAddress, buffer: &mut [u8]) -> Result<(), ReadError>;

    /// A whole page as it lies in memory, when it can be lent without a copy:
    /// the fast way. `None` says nothing of whether the page is held.
    fn physical_page(&self, frame: PageFrame) -> Option<&[u8; PAGE_SIZE as usize]> {
        let _ = frame;
        None
    }
}

impl<P: PhysicalMemory + ?Sized> PhysicalMemory for &P {
    fn read_physical(&self, address: PhysicalAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        (**self).read_physical(address, buffer)
    }

    fn physical_page(&self, frame: PageFrame) -> Option<&[u8; PAGE_SIZE as usize]> {
        (**self).physical_page(frame)
    }
}

/// Something that can be read by virtual address.
pub trait VirtualMemory {
    /// Fills the whole of `buffer`. On an error its content means nothing.
    fn read_virtual(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError>;

    /// Reads a little-endian `u64`: a pointer of a 64-bit machine.
    fn read_u64(&self, address: VirtualAddress) -> Result<u64, ReadError> {
        let mut bytes = [0; 8];
        self.read_virtual(address, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads a little-endian `u32`.
    fn read_u32(&self, address: VirtualAddress) -> Result<u32, ReadError> {
        let mut bytes = [0; 4];
        self.read_virtual(address, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
}
