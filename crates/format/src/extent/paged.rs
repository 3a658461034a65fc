//! Ranges of virtual memory, through page tables.

use std::borrow::Borrow;
use std::io;

use memory::{
    EntryName, PAGE_SIZE, Paging, PhysicalAddress, PhysicalMemory, ReadError, Space,
    TranslateError, VirtualAddress,
};

use super::{Extent, Missing, Teller};
use crate::{Dump, Error, Pages};

impl<'a> Dump<'a> {
    /// Tells what of `length` bytes from `start` on the dump holds, through
    /// the page tables of `space`, until `see` answers false. Answers where it
    /// gave up, when there was no end of gaps.
    pub fn virtual_extents<P>(
        &self,
        space: &Space<P>,
        start: VirtualAddress,
        length: u64,
        mut see: impl FnMut(Extent) -> bool,
    ) -> Result<Option<u64>, Error>
    where
        P: PhysicalMemory + Borrow<Pages<'a>>,
    {
        let at = self.header().width.address(start.0).0;
        let teller = Teller::new(&mut see);
        Paged { space, teller, at, left: length }.run()
    }
}

struct Paged<'w, P> {
    space: &'w Space<P>,
    teller: Teller<'w>,
    at: u64,
    left: u64,
}

impl<'a, P: PhysicalMemory + Borrow<Pages<'a>>> Paged<'_, P> {
    fn run(mut self) -> Result<Option<u64>, Error> {
        while self.left > 0 && self.teller.goes_on() {
            match self.space.translate(VirtualAddress(self.at)) {
                Ok(found) => {
                    let within = self.at & (found.page_size - 1);
                    self.mapped(found.physical, found.page_size - within)?;
                }
                Err(error) => {
                    let (reason, length) = self.missing(error)?;
                    self.skip(reason, length);
                }
            }
        }
        Ok(self.teller.finish(self.at, self.left))
    }

    /// A page of whatever size, which need not be in the dump as a whole.
    fn mapped(&mut self, physical: PhysicalAddress, length: u64) -> Result<(), Error> {
        let mut physical = physical;
        let mut rest = length.min(self.left);
        while rest > 0 && self.teller.goes_on() {
            let size = physical.left_in_page().min(rest);
            match self.offset(physical)? {
                Some(offset) => {
                    self.teller.held(self.at, size, offset);
                    self.advance(size);
                }
                None => self.skip(Missing::PageNotInDump { frame: physical.frame() }, size),
            }
            rest -= size;
            let next = physical.checked_add(size);
            let Some(next) = next else { break };
            physical = next;
        }
        Ok(())
    }

    fn offset(&self, physical: PhysicalAddress) -> Result<Option<u64>, Error> {
        let pages: &Pages<'a> = self.space.memory().borrow();
        let offset = pages.offset(physical.frame()).map_err(|source| Error::Io {
            what: "the index of the pages",
            offset: pages.start(),
            length: PAGE_SIZE,
            source,
        })?;
        Ok(offset.map(|offset| offset + physical.page_offset()))
    }

    fn skip(&mut self, reason: Missing, length: u64) {
        let length = length.min(self.left);
        self.teller.gap(self.at, length, reason);
        self.advance(length);
    }

    fn advance(&mut self, length: u64) {
        self.at = self.at.wrapping_add(length);
        self.left -= length;
    }

    /// Why there is nothing at the next address, and for how many bytes that holds.
    fn missing(&self, error: TranslateError) -> Result<(Missing, u64), Error> {
        let to_end_of = |bits: u32| (1 << bits) - (self.at & ((1 << bits) - 1));
        let paging = self.space.paging();
        Ok(match error {
            TranslateError::NotCanonical { bits, .. } => {
                let upper_half = u64::MAX << (bits - 1);
                (Missing::NotCanonical { bits }, upper_half.wrapping_sub(self.at))
            }
            TranslateError::NotPresent { level, entry, kind, .. } => {
                (Missing::NotPresent { level, entry, kind }, to_end_of(entry_bits(paging, level)))
            }
            TranslateError::Reserved { level, entry, .. } => {
                (Missing::Reserved { level, entry }, to_end_of(entry_bits(paging, level)))
            }
            TranslateError::NotInDump { level, frame, .. } => {
                (Missing::TableNotInDump { level, frame }, to_end_of(table_bits(paging, level)))
            }
            TranslateError::Prototype { entry, prototype, source, .. } => {
                let why = why(*source)?;
                (Missing::Prototype { entry, prototype, why }, to_end_of(12))
            }
            TranslateError::Read { source, .. } => return Err(unread(*source)),
            other => {
                let source = io::Error::other(other);
                return Err(Error::Io { what: "a page table", offset: 0, length: 8, source });
            }
        })
    }
}

/// What is wrong with a prototype. That the file cannot be read is no gap.
fn why(error: TranslateError) -> Result<String, Error> {
    match error {
        TranslateError::Read { source, .. } => Err(unread(*source)),
        TranslateError::NotPresent { level, entry, kind, .. } => {
            Ok(Missing::NotPresent { level, entry, kind }.to_string())
        }
        TranslateError::NotInDump { level, frame, .. } => {
            Ok(Missing::TableNotInDump { level, frame }.to_string())
        }
        TranslateError::Reserved { level, entry, .. } => {
            Ok(Missing::Reserved { level, entry }.to_string())
        }
        other => Ok(other.to_string()),
    }
}

fn unread(error: ReadError) -> Error {
    let what = "an entry of a page table";
    match error {
        ReadError::Io { offset, source, .. } => Error::Io { what, offset, length: 8, source },
        other => Error::Io { what, offset: 0, length: 8, source: io::Error::other(other) },
    }
}

/// How many low bits of an address one entry covers.
fn entry_bits(paging: Paging, level: EntryName) -> u32 {
    match level {
        EntryName::Pml5e => 48,
        EntryName::Pxe => 39,
        EntryName::Ppe => 30,
        EntryName::Pde if paging == Paging::X86 => 22,
        EntryName::Pde => 21,
        EntryName::Pte | EntryName::PrototypePte => 12,
    }
}

/// How many low bits of an address a table of such entries covers; of the
/// root's, as far as the half of the address space reaches.
fn table_bits(paging: Paging, level: EntryName) -> u32 {
    match (paging, level) {
        (_, EntryName::Pml5e) => 56,
        (Paging::X64FiveLevel, EntryName::Pxe) => 48,
        (_, EntryName::Pxe) => 47,
        (Paging::X86Pae, EntryName::Ppe) | (Paging::X86, EntryName::Pde) => 32,
        (_, EntryName::Ppe) => 39,
        (_, EntryName::Pde) => 30,
        (_, EntryName::Pte) => entry_bits(paging, EntryName::Pde),
        (_, EntryName::PrototypePte) => 12,
    }
}
