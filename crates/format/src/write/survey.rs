//! One pass over the runs of a source.

use memory::{PAGE_SIZE, PageFrame};

use super::overlay::Piece;
use super::{Error, PageSource};
use crate::Run;

/// What the runs of a source are, together.
pub(super) struct Survey {
    /// The first ones, those that touch joined: all of them, if they are few.
    pub(super) list: Vec<Run>,
    /// How many, joined.
    pub(super) runs: u64,
    pub(super) pages: u64,
    /// One more than the last page's number.
    pub(super) end: u64,
    /// First page number that was allowed.
    pub(super) limit: u64,
    pub(super) sum: Sum,
}

/// Bytes to replace, at an offset behind the first page's.
pub(super) struct Patch {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// Tells whether a second pass saw the same runs as the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum(u64);

impl Sum {
    pub(super) fn add(&mut self, run: &Run) {
        for value in [run.base, run.pages, run.offset] {
            self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517C_C1B7_2722_0A95);
        }
    }
}

/// Shows the runs of a source to `see`, once each was found to be behind the
/// one before and below `limit`.
pub(super) fn ordered(
    source: &dyn PageSource,
    limit: u64,
    mut see: impl FnMut(Run) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut next = 0;
    let mut outcome = Ok(());
    source.runs(&mut |run| {
        outcome = in_order(&run, next, limit).and_then(|end| {
            next = end;
            see(run)
        });
        outcome.is_ok()
    })?;
    outcome
}

/// The page behind the run.
fn in_order(run: &Run, least: u64, limit: u64) -> Result<u64, Error> {
    let end = run.base.checked_add(run.pages).filter(|end| *end <= limit && run.base >= least);
    end.ok_or(Error::Order {
        first: PageFrame(run.base),
        pages: run.pages,
        least: PageFrame(least),
        limit,
    })
}

/// Counts the runs, keeps the first `keep` of them, and finds out where the
/// pieces of overlays (sorted by page) lie.
pub(super) fn survey(
    source: &dyn PageSource,
    limit: u64,
    keep: usize,
    pieces: &[Piece<'_>],
) -> Result<(Survey, Vec<Patch>), Error> {
    let sum = Sum::default();
    let mut all = Survey { list: Vec::new(), runs: 0, pages: 0, end: 0, limit, sum };
    let mut placed = Placed { pieces, patches: Vec::with_capacity(pieces.len()) };
    ordered(source, limit, |run| {
        placed.see(&run, all.pages)?;
        all.see(&run, keep);
        Ok(())
    })?;
    match placed.pieces.first() {
        Some(absent) => Err(Error::OverlayAbsent { address: absent.address }),
        None => Ok((all, placed.patches)),
    }
}

impl Survey {
    fn see(&mut self, run: &Run, keep: usize) {
        self.sum.add(run);
        if run.pages == 0 {
            return;
        }
        let joins = self.runs > 0 && self.end == run.base;
        self.end = run.base + run.pages;
        self.pages += run.pages;
        if !joins {
            self.runs += 1;
            if self.list.len() < keep {
                self.list.push(*run);
            }
        } else if self.runs == self.list.len() as u64
            && let Some(last) = self.list.last_mut()
        {
            last.pages += run.pages;
        }
    }
}

struct Placed<'a, 'b> {
    /// Those that are behind the runs seen so far.
    pieces: &'b [Piece<'a>],
    patches: Vec<Patch>,
}

impl Placed<'_, '_> {
    fn see(&mut self, run: &Run, pages_before: u64) -> Result<(), Error> {
        while let Some((piece, behind)) = self.pieces.split_first()
            && piece.frame.0 < run.base + run.pages
        {
            let Some(into) = piece.frame.0.checked_sub(run.base) else {
                return Err(Error::OverlayAbsent { address: piece.address });
            };
            let offset = (pages_before + into) * PAGE_SIZE + piece.address.page_offset();
            self.patches.push(Patch { offset, bytes: piece.bytes.to_vec() });
            self.pieces = behind;
        }
        Ok(())
    }
}
