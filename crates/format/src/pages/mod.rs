//! The stored pages of a dump, by their numbers.

mod rank;
#[cfg(test)]
mod tests;

use std::io;

use memory::{PAGE_SIZE, PageFrame, PhysicalAddress, PhysicalMemory, ReadError};

use crate::blocks::Index;
use crate::source::Source;
use crate::{Bitmap, Error, Run, Runs};
use rank::Ranked;

/// The physical memory in a dump: every stored page can be read by its
/// address. What is held in memory grows with the runs, or with the bitmap (a
/// quarter of it), and never with the pages: a 1-TiB machine's takes 8 MiB, no
/// machine's more than 32 MiB.
///
/// A page that two runs have is read from the run that the file names first.
pub struct Pages<'a> {
    source: Source<'a>,
    places: Places<'a>,
    /// What follows the index in the file, where it lies in memory: the fast way.
    lent: &'a [[u8; PAGE_SIZE as usize]],
    start: u64,
    count: u64,
    frames: u64,
}

enum Places<'a> {
    /// Of each run, what makes the number of a page its place among the file's pages, wrapping:
    /// a third of a run's size, for a million of them.
    Runs {
        ahead: Vec<u64>,
        index: Index,
    },
    Bitmap(Ranked<'a>),
}

impl<'a> Pages<'a> {
    pub(crate) fn of_runs(source: Source<'a>, runs: Runs) -> Self {
        let index = Index::new(&runs.list, source.len());
        let count = runs.total();
        let frames = runs.list.iter().map(|run| run.base + run.pages).max().unwrap_or(0);
        let place = |run: &Run| ((run.offset - runs.start) / PAGE_SIZE).wrapping_sub(run.base);
        let places = Places::Runs { ahead: runs.list.iter().map(place).collect(), index };
        let lent = lent(source, runs.start);
        Self { source, places, lent, start: runs.start, count, frames }
    }

    pub(crate) fn of_bitmap(bitmap: &Bitmap<'a>) -> Result<Self, Error> {
        let ranked = Ranked::new(bitmap)?;
        let (start, count) = (bitmap.first_page_offset(), ranked.count());
        let (source, frames) = (bitmap.source(), bitmap.bits());
        let lent = lent(source, start);
        Ok(Self { source, places: Places::Bitmap(ranked), lent, start, count, frames })
    }

    /// How many pages the index names; one in two runs counts twice.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The number behind the last page that the index can name: of a bitmap
    /// its bits, which reach to the end of the machine's memory.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// File offset of the first page.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Where the last page ends; `None` where no file can reach.
    pub fn end(&self) -> Option<u64> {
        self.count.checked_mul(PAGE_SIZE)?.checked_add(self.start)
    }

    /// How many pages are in more than one run.
    pub fn repeated(&self) -> u64 {
        match &self.places {
            Places::Runs { index, .. } => index.overlap,
            Places::Bitmap(_) => 0,
        }
    }

    /// Where a page is stored: `None` when the dump does not have it, or when
    /// the file ends before it. Fails only where the bitmap is read by position.
    pub fn offset(&self, frame: PageFrame) -> io::Result<Option<u64>> {
        let number = match &self.places {
            Places::Bitmap(ranked) => ranked.rank(frame.0)?,
            Places::Runs { ahead, index } => number_in(ahead, index, frame.0),
        };
        let offset = number
            .and_then(|number| number.checked_mul(PAGE_SIZE)?.checked_add(self.start))
            .filter(|offset| self.source.holds(*offset, PAGE_SIZE));
        Ok(offset)
    }

    /// A page itself, where the file lies in memory and has it.
    #[inline]
    pub fn page(&self, frame: PageFrame) -> Option<&'a [u8; PAGE_SIZE as usize]> {
        let number = match &self.places {
            Places::Bitmap(ranked) => match ranked.quick(frame.0) {
                None => return self.page_slowly(frame),
                Some(number) => number,
            },
            Places::Runs { ahead, index } => number_in(ahead, index, frame.0)?,
        };
        self.lent.get(usize::try_from(number).ok()?)
    }

    #[cold]
    fn page_slowly(&self, frame: PageFrame) -> Option<&'a [u8; PAGE_SIZE as usize]> {
        if self.lent.is_empty() {
            return None;
        }
        let offset = self.offset(frame).ok()??;
        self.source.slice(offset, PAGE_SIZE as usize)?.try_into().ok()
    }

    /// Shows the stored pages as runs in rising order, each page once, until
    /// `see` answers false. Pages behind the file's end are among them.
    pub fn runs(&self, mut see: impl FnMut(Run) -> bool) -> Result<(), Error> {
        match &self.places {
            Places::Bitmap(ranked) => ranked.runs(|base, pages, rank| {
                see(Run { base, pages, offset: self.start.saturating_add(rank * PAGE_SIZE) })
            }),
            Places::Runs { ahead, index } => {
                for (run, frames) in index.segments() {
                    let number = frames.start.wrapping_add(ahead[run as usize]);
                    let offset = self.start + number * PAGE_SIZE;
                    let pages = frames.end - frames.start;
                    if !see(Run { base: frames.start, pages, offset }) {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Reads over the ends of pages, and what is not mapped.
    #[inline(never)]
    fn read_by_parts(&self, address: PhysicalAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut at = address;
        let mut rest = buffer;
        while !rest.is_empty() {
            let size = at.left_in_page().min(rest.len() as u64);
            let (part, behind) = rest.split_at_mut(size as usize);
            self.part(at, part)?;
            rest = behind;
            if !rest.is_empty() {
                at = at.checked_add(size).ok_or(ReadError::PhysicalAbsent { address: at })?;
            }
        }
        Ok(())
    }

    /// Reads within one page.
    fn part(&self, address: PhysicalAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        let io = |offset, source| ReadError::Io { address: address.0, offset, source };
        let place = self.offset(address.frame()).map_err(|error| io(self.start, error))?;
        let Some(page) = place else { return Err(ReadError::PhysicalAbsent { address }) };
        let offset = page + address.page_offset();
        let read = self.source.fill("a page", offset, buffer);
        read.map_err(|error| io(offset, io::Error::other(error)))
    }
}

/// The file from `start` on, in whole pages; empty where it does not lie in memory.
fn lent(source: Source<'_>, start: u64) -> &[[u8; PAGE_SIZE as usize]] {
    let length = source.len().saturating_sub(start);
    let bytes = usize::try_from(length).ok().and_then(|length| source.slice(start, length));
    bytes.unwrap_or_default().as_chunks().0
}

/// The how manieth of the file's pages it is; the runs lie back to back from `start` on.
fn number_in(ahead: &[u64], index: &Index, frame: u64) -> Option<u64> {
    let (run, _) = index.find(frame)?;
    Some(frame.wrapping_add(*ahead.get(run as usize)?))
}

impl PhysicalMemory for Pages<'_> {
    #[inline]
    fn physical_page(&self, frame: PageFrame) -> Option<&[u8; PAGE_SIZE as usize]> {
        self.page(frame)
    }

    #[inline]
    fn read_physical(&self, address: PhysicalAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        let start = address.page_offset() as usize;
        // Inlined, so that a read of a size that is known is no call at all.
        if let Some(page) = self.page(address.frame())
            && let Some(held) = page.get(start..start + buffer.len())
        {
            buffer.copy_from_slice(held);
            return Ok(());
        }
        self.read_by_parts(address, buffer)
    }
}
