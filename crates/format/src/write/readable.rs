//! What can be read of a source that was cut, or that lies on a failing disk.

use std::ops::{ControlFlow, Range};

use map::Bytes;
use memory::PAGE_SIZE;

use super::{Error, PageSource};
use crate::Run;

/// Bytes that are read at once to find out whether they can be.
const PIECE: u64 = 1 << 20;

/// Stretches of unreadable pages that are kept: a disk with more is dead.
const MOST: usize = 65_536;

/// The pages of a source that can be read. Those that lie behind the end of
/// its bytes, wholly or in part, are left out and counted; so are those that
/// [`Readable::look`] found the system unable to read. A page that is left out
/// is not in the dump: it does not become zeros.
pub struct Readable<'a> {
    source: &'a dyn PageSource,
    /// File offsets, in rising order.
    unreadable: Vec<Range<u64>>,
    behind_the_end: u64,
    failed: u64,
}

impl<'a> Readable<'a> {
    /// Goes once through the source's runs, and reads no page.
    pub fn new(source: &'a dyn PageSource) -> Result<Self, Error> {
        let length = source.bytes().len();
        let mut behind = 0_u64;
        source.runs(&mut |run| {
            behind = behind.saturating_add(run.pages - held(&run, length));
            true
        })?;
        Ok(Self { source, unreadable: Vec::new(), behind_the_end: behind, failed: 0 })
    }

    /// Pages that lie behind the end of the source's bytes.
    pub fn behind_the_end(&self) -> u64 {
        self.behind_the_end
    }

    /// Pages that the system could not read.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// All pages that are left out.
    pub fn lost(&self) -> u64 {
        self.behind_the_end.saturating_add(self.failed)
    }

    /// Reads every page once, to find those that cannot be: for when writing
    /// has met one. `goes_on` is asked now and then.
    pub fn look(&mut self, goes_on: &mut dyn FnMut() -> ControlFlow<()>) -> Result<(), Error> {
        let mut look = Look { bytes: self.source.bytes(), unreadable: Vec::new(), failed: 0 };
        let mut outcome = Ok(());
        self.source.runs(&mut |run| {
            let pages = held(&run, look.bytes.len());
            outcome = look.run(run.offset, pages * PAGE_SIZE, goes_on);
            outcome.is_ok()
        })?;
        outcome?;
        (self.unreadable, self.failed) = (look.unreadable, look.failed);
        self.unreadable.sort_by_key(|range| range.start);
        Ok(())
    }
}

/// How many whole pages of a run lie before the end of the bytes.
fn held(run: &Run, length: u64) -> u64 {
    run.pages.min(length.saturating_sub(run.offset) / PAGE_SIZE)
}

impl PageSource for Readable<'_> {
    fn runs(&self, see: &mut dyn FnMut(Run) -> bool) -> Result<(), crate::Error> {
        let length = self.source.bytes().len();
        self.source.runs(&mut |run| {
            let whole = Run { pages: held(&run, length), ..run };
            parts(whole, &self.unreadable).all(&mut *see)
        })
    }

    fn bytes(&self) -> &dyn Bytes {
        self.source.bytes()
    }
}

/// What is left of a run without the unreadable stretches, in rising order.
fn parts(run: Run, unreadable: &[Range<u64>]) -> impl Iterator<Item = Run> {
    let end = run.offset + run.pages * PAGE_SIZE;
    let first = unreadable.partition_point(|range| range.end <= run.offset);
    let inside = unreadable[first..].iter().take_while(move |range| range.start < end);
    let stops = inside.cloned().chain(std::iter::once(end..end));
    let mut at = run.offset;
    stops.filter_map(move |stop| {
        let (start, stop_at) = (at, stop.start.max(at));
        at = stop.end.max(at);
        let base = run.base + (start - run.offset) / PAGE_SIZE;
        let pages = (stop_at - start) / PAGE_SIZE;
        (pages > 0).then_some(Run { base, pages, offset: start })
    })
}

struct Look<'a> {
    bytes: &'a dyn Bytes,
    unreadable: Vec<Range<u64>>,
    failed: u64,
}

impl Look<'_> {
    fn run(
        &mut self,
        offset: u64,
        length: u64,
        goes_on: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut buffer = vec![0; PIECE.min(length) as usize];
        let mut done = 0;
        while done < length {
            let (at, piece) = (offset + done, PIECE.min(length - done));
            if self.bytes.read_exact_at(at, &mut buffer[..piece as usize]).is_err() {
                self.pages(at, piece)?;
            }
            done += piece;
            if goes_on().is_break() {
                return Err(Error::Cancelled);
            }
        }
        Ok(())
    }

    /// Each page of a piece that could not be read as a whole.
    fn pages(&mut self, offset: u64, length: u64) -> Result<(), Error> {
        let mut page = [0; PAGE_SIZE as usize];
        for at in (offset..offset + length).step_by(PAGE_SIZE as usize) {
            let Err(source) = self.bytes.read_exact_at(at, &mut page) else { continue };
            self.failed += 1;
            let stretches = self.unreadable.len();
            match self.unreadable.last_mut() {
                Some(last) if last.end == at => last.end = at + PAGE_SIZE,
                _ if stretches == MOST => {
                    return Err(Error::Read { offset: at, length: PAGE_SIZE, source });
                }
                _ => self.unreadable.push(at..at + PAGE_SIZE),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_what_is_left_of_it() {
        let run = Run { base: 100, pages: 10, offset: 0x2000 };
        let page = |number: u64| 0x2000 + number * PAGE_SIZE;
        let left = |unreadable: &[Range<u64>]| -> Vec<(u64, u64, u64)> {
            parts(run, unreadable).map(|run| (run.base, run.pages, run.offset)).collect()
        };
        assert_eq!(left(&[]), [(100, 10, page(0))]);
        assert_eq!(left(&[0..0x2000, page(10)..page(11)]), [(100, 10, page(0))]);
        assert_eq!(left(std::slice::from_ref(&(page(0)..page(10)))), []);
        assert_eq!(
            left(&[0..page(2), page(4)..page(5), page(9)..page(12)]),
            [(102, 2, page(2)), (105, 4, page(5))]
        );
    }
}
