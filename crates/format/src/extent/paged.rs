//! Ranges of virtual memory, through page tables.

use std::borrow::Borrow;
use std::io;

use memory::{
    EntryName, PAGE_SIZE, PhysicalAddress, PhysicalMemory, ReadError, Space, TranslateError,
    VirtualAddress,
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
        let paging = self.space.paging();
        let Some(reason) = Missing::of(&error) else { return Err(unread(error)) };
        let bits = match &reason {
            Missing::NotCanonical { bits } => {
                let upper_half = u64::MAX << (bits - 1);
                return Ok((reason, upper_half.wrapping_sub(self.at)));
            }
            Missing::NotPresent { level, .. } | Missing::Reserved { level, .. } => {
                paging.entry_bits(*level)
            }
            Missing::TableNotInDump { level, .. } => paging.table_bits(*level),
            _ => paging.entry_bits(EntryName::Pte),
        };
        let to_end = (1 << bits) - (self.at & ((1 << bits) - 1));
        Ok((reason, to_end))
    }
}

fn unread(error: TranslateError) -> Error {
    let what = "an entry of a page table";
    let other = |error| Error::Io { what, offset: 0, length: 8, source: io::Error::other(error) };
    match error {
        TranslateError::Read { source, .. } => match *source {
            ReadError::Io { offset, source, .. } => Error::Io { what, offset, length: 8, source },
            error => other(error.to_string()),
        },
        error => other(error.to_string()),
    }
}
