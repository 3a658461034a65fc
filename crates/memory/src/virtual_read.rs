//! Reading through an address space.

use crate::{
    PAGE_SIZE, PhysicalAddress, PhysicalMemory, ReadError, Space, TranslateError, VirtualAddress,
    VirtualMemory,
};

impl<P: PhysicalMemory> Space<P> {
    /// Fills as much of `buffer` as can be read without a gap. Answers how
    /// many bytes that was and, when not all, why it ended.
    pub fn read_up_to(
        &self,
        address: VirtualAddress,
        buffer: &mut [u8],
    ) -> (usize, Option<ReadError>) {
        let mut read = 0;
        while read < buffer.len() {
            match self.read_one_page(address, read, buffer) {
                Ok(count) => read += count,
                Err(error) => return (read, Some(error)),
            }
        }
        (read, None)
    }

    /// Reads on in the page that maps the next byte, whatever its size.
    fn read_one_page(
        &self,
        start: VirtualAddress,
        read: usize,
        buffer: &mut [u8],
    ) -> Result<usize, ReadError> {
        let bits = self.paging().address_bits();
        let next = start.checked_add(read as u64).ok_or(ReadError::Untranslated {
            address: VirtualAddress(u64::MAX),
            read,
            source: TranslateError::NotCanonical { address: start, bits },
        })?;
        let place = self.locate(next).map_err(|source| ReadError::Untranslated {
            address: next,
            read,
            source,
        })?;
        let rest = buffer.get_mut(read..).unwrap_or_default();
        let length = rest.len().min(usize::try_from(place.left).unwrap_or(usize::MAX));
        let mut done = 0;
        while let Some(part) = rest.get_mut(done..length).filter(|part| !part.is_empty()) {
            // A large page need not be in the dump as a whole.
            let physical = PhysicalAddress(place.physical.0 + done as u64);
            let count = part.len().min((PAGE_SIZE - physical.page_offset()) as usize);
            match self.read_held(physical, &mut part[..count]) {
                Ok(()) => done += count,
                Err(_) if done > 0 => break,
                Err(ReadError::PhysicalAbsent { .. }) => {
                    return Err(ReadError::PageAbsent { address: next, physical, read });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(done)
    }

    fn read_held(&self, at: PhysicalAddress, part: &mut [u8]) -> Result<(), ReadError> {
        let start = at.page_offset() as usize;
        let page = self.memory().physical_page(at.frame());
        match page.and_then(|page| page.get(start..start + part.len())) {
            Some(held) => part.copy_from_slice(held),
            None => self.memory().read_physical(at, part)?,
        }
        Ok(())
    }
}

/// On an error the bytes before the address that failed are right.
impl<P: PhysicalMemory> VirtualMemory for Space<P> {
    #[inline]
    fn read_virtual(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        // Inlined, so that a read of a size that is known is no call at all.
        if let Some(bytes) = self.lent(address, buffer.len()) {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        self.read_slowly(address, buffer)
    }
}

impl<P: PhysicalMemory> Space<P> {
    /// So many bytes that lie in one page, when they can be lent.
    #[inline]
    fn lent(&self, address: VirtualAddress, length: usize) -> Option<&[u8]> {
        let at = self.quick(address)?.physical;
        let start = at.page_offset() as usize;
        self.memory().physical_page(at.frame())?.get(start..start.checked_add(length)?)
    }

    #[inline(never)]
    fn read_slowly(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        match self.read_up_to(address, buffer) {
            (_, None) => Ok(()),
            (_, Some(error)) => Err(error),
        }
    }
}
