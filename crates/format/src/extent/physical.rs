//! Ranges of physical memory.

use memory::{PAGE_SIZE, PageFrame, PhysicalAddress};

use super::{Extent, Missing, Teller};
use crate::{Dump, Error, Pages, Run};

impl Dump<'_> {
    /// Tells what of `length` bytes of physical memory from `start` on the
    /// dump holds, until `see` answers false. Answers where it gave up, when
    /// there was no end of gaps.
    pub fn physical_extents(
        &self,
        pages: &Pages<'_>,
        start: PhysicalAddress,
        length: u64,
        mut see: impl FnMut(Extent) -> bool,
    ) -> Result<Option<u64>, Error> {
        let teller = Teller::new(&mut see);
        let mut range = Physical { teller, at: start.0, left: length, file: self.file_length() };
        pages.runs(|run| {
            range.run(run);
            range.left > 0 && range.teller.goes_on()
        })?;
        if range.left > 0 && range.teller.goes_on() {
            range.gap(range.left);
        }
        Ok(range.teller.finish(range.at, range.left))
    }
}

struct Physical<'s> {
    teller: Teller<'s>,
    at: u64,
    left: u64,
    file: u64,
}

impl Physical<'_> {
    /// What lies before a run that ends behind the next address, and the run itself.
    fn run(&mut self, run: Run) {
        let start = run.base.saturating_mul(PAGE_SIZE);
        let bytes = run.pages.saturating_mul(PAGE_SIZE);
        if start.saturating_add(bytes) <= self.at {
            return;
        }
        self.gap(start.saturating_sub(self.at).min(self.left));
        if self.left == 0 {
            return;
        }
        let within = self.at - start;
        // A page that the file holds in part only is not held.
        let held = self.file.saturating_sub(run.offset) / PAGE_SIZE * PAGE_SIZE;
        let held = held.min(bytes).saturating_sub(within).min(self.left);
        if held > 0 {
            self.teller.held(self.at, held, run.offset + within);
            self.advance(held);
        }
        let offset = run.offset.saturating_add(within).saturating_add(held);
        let cut = (bytes - within - held).min(self.left);
        self.teller.gap(self.at, cut, Missing::PageCut { frame: self.frame(), offset });
        self.advance(cut);
    }

    fn gap(&mut self, length: u64) {
        self.teller.gap(self.at, length, Missing::PageNotInDump { frame: self.frame() });
        self.advance(length);
    }

    fn frame(&self) -> PageFrame {
        PhysicalAddress(self.at).frame()
    }

    fn advance(&mut self, length: u64) {
        self.at = self.at.wrapping_add(length);
        self.left -= length;
    }
}
