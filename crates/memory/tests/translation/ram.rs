//! Physical memory of a test: bytes by address, and nothing where nothing was put.

use std::collections::HashMap;

use memory::{PageFrame, PhysicalAddress, PhysicalMemory, ReadError};

/// Pages put there by the test, lent or copied out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ram {
    pages: HashMap<u64, Box<[u8; 4096]>>,
    /// Lend pages; otherwise every read copies.
    pub(crate) lends: bool,
}

impl Ram {
    pub(crate) fn byte(&mut self, address: u64, value: u8) {
        let page = self.pages.entry(address / 4096).or_insert_with(|| Box::new([0; 4096]));
        page[address as usize % 4096] = value;
    }

    pub(crate) fn put(&mut self, address: u64, bytes: &[u8]) {
        for (at, byte) in (address..).zip(bytes) {
            self.byte(at, *byte);
        }
    }

    pub(crate) fn put64(&mut self, address: u64, value: u64) {
        self.put(address, &value.to_le_bytes());
    }

    pub(crate) fn put32(&mut self, address: u64, value: u32) {
        self.put(address, &value.to_le_bytes());
    }

    pub(crate) fn forget(&mut self, address: u64) {
        self.pages.remove(&(address / 4096));
    }
}

impl PhysicalMemory for Ram {
    fn read_physical(&self, address: PhysicalAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        for (at, byte) in (address.0..).zip(buffer) {
            let page = self.pages.get(&(at / 4096));
            let address = PhysicalAddress(at);
            *byte = page.ok_or(ReadError::PhysicalAbsent { address })?[at as usize % 4096];
        }
        Ok(())
    }

    fn physical_page(&self, frame: PageFrame) -> Option<&[u8; 4096]> {
        self.pages.get(&frame.0).filter(|_| self.lends).map(|page| &**page)
    }
}
