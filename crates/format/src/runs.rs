//! Runs of physical pages: of a type 1 dump, and of the range dumps.

use std::ops::Range;

use memory::PAGE_SIZE;

use crate::blocks::Span;
use crate::raw::{DumpHeader32, DumpHeader64};
use crate::source::Source;
use crate::{Error, Width};

/// One run: `pages` physical pages from `base` on, stored back to back at `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number of the first page.
    pub base: u64,
    /// How many pages.
    pub pages: u64,
    /// File offset of the first page.
    pub offset: u64,
}

impl Span for Run {
    fn span(&self, _: u64) -> Range<u64> {
        self.base..self.base.saturating_add(self.pages)
    }
}

/// The runs of a type 1 dump, or the ranges of one of WinDbg's, in the order
/// of the file. Where two share a page, the one that comes first counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    /// The runs.
    pub list: Vec<Run>,
    /// How many pages the header says there are; `None` where it does not say.
    pub pages: Option<u64>,
    /// Where the first page begins.
    pub start: u64,
    /// Where the last page ends.
    pub end: u64,
}

/// Runs that a 64-bit header has room for: 42 in the SDK's layout, one more as QEMU writes it.
pub const MAX_RUNS: u32 = 43;

/// Runs that a 32-bit header has room for.
pub const MAX_RUNS_32: u32 = 86;

/// Pages that have a 52-bit address.
const MAX_PAGES: u64 = 1 << 40;

/// PhysicalMemoryBlock of either header.
struct Block {
    /// File offset of NumberOfRuns.
    offset: u64,
    /// File offset of the first run.
    first: u64,
    /// Bytes of a run.
    size: u64,
    most: u32,
    count: u32,
    pages: u64,
    runs: Vec<(u64, u64)>,
}

impl Block {
    fn read(source: &Source<'_>, width: Width) -> Result<Self, Error> {
        match width {
            Width::Bits64 => Ok(Self::of_64(&source.read("the 64-bit dump header", 0)?)),
            Width::Bits32 => Ok(Self::of_32(&source.read("the 32-bit dump header", 0)?)),
        }
    }

    fn of_64(raw: &DumpHeader64) -> Self {
        Self {
            offset: 0x88,
            first: 0x98,
            size: 16,
            most: MAX_RUNS,
            count: raw.number_of_runs.get(),
            pages: raw.number_of_pages.get(),
            runs: raw.runs.iter().map(|run| (run.base_page.get(), run.page_count.get())).collect(),
        }
    }

    /// NumberOfRuns, NumberOfPages, then runs of two dwords. (H)
    fn of_32(raw: &DumpHeader32) -> Self {
        let (words, _) = raw.physical_memory_block.as_chunks::<4>();
        let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let field = |at: usize| words.get(at).copied().unwrap_or_default();
        let (pairs, _) = words.get(2..).unwrap_or_default().as_chunks::<2>();
        Self {
            offset: 0x64,
            first: 0x6C,
            size: 8,
            most: MAX_RUNS_32,
            count: field(0),
            pages: field(1).into(),
            runs: pairs.iter().map(|[base, pages]| ((*base).into(), (*pages).into())).collect(),
        }
    }
}

impl Runs {
    pub(crate) fn open(source: Source<'_>, width: Width) -> Result<Self, Error> {
        let block = Block::read(&source, width)?;
        if !(1..=block.most).contains(&block.count) {
            return Err(Error::Value {
                what: "the number of runs",
                offset: block.offset,
                expected: format!("1 to {}", block.most),
                found: block.count.to_string(),
            });
        }
        let mut runs = Self::new(width.header_size(), Some(block.pages));
        for (index, (base, pages)) in block.runs.into_iter().take(block.count as usize).enumerate()
        {
            runs.push(base, pages, block.first + index as u64 * block.size)?;
        }
        Ok(runs)
    }

    /// What the header's PhysicalMemoryBlock tells, which in other kinds than
    /// type 1 is the memory that the machine had (R): how many pages, and the
    /// number behind the last. `None` when it is filler or contradicts itself.
    pub(crate) fn installed(source: &Source<'_>, width: Width) -> Option<(u64, u64)> {
        let block = Block::read(source, width).ok()?;
        let runs = || block.runs.iter().take(block.count as usize);
        let sum = runs().fold(0_u64, |sum, (_, pages)| sum.saturating_add(*pages));
        let end = runs().map(|(base, pages)| base.saturating_add(*pages)).max()?;
        let counted = (1..=block.most).contains(&block.count) && sum == block.pages;
        (counted && sum > 0 && end <= MAX_PAGES).then_some((sum, end))
    }

    pub(crate) fn new(start: u64, pages: Option<u64>) -> Self {
        Self { list: Vec::new(), pages, start, end: start }
    }

    /// Adds a run, which the file tells at `entry`.
    pub(crate) fn push(&mut self, base: u64, pages: u64, entry: u64) -> Result<(), Error> {
        let end = next(self.end, base, pages).ok_or_else(|| Error::Value {
            what: "a run of physical pages",
            offset: entry,
            expected: format!("pages below {MAX_PAGES:#x}"),
            found: format!("{pages:#x} pages from page {base:#x} on"),
        })?;
        self.list.push(Run { base, pages, offset: self.end });
        self.end = end;
        Ok(())
    }

    /// How many pages the runs have together; a page in two runs counts twice.
    pub fn total(&self) -> u64 {
        (self.end - self.start) / PAGE_SIZE
    }

    /// The first two runs that share a page, by their first pages.
    pub fn overlap(&self) -> Option<(Run, Run)> {
        let mut order: Vec<u32> = (0..self.list.len() as u32).collect();
        order.retain(|index| self.list[*index as usize].pages > 0);
        order.sort_unstable_by_key(|index| (self.list[*index as usize].base, *index));
        let mut furthest: Option<Run> = None;
        for run in order.into_iter().map(|index| self.list[index as usize]) {
            if let Some(before) = furthest.filter(|before| before.base + before.pages > run.base) {
                return Some((before, run));
            }
            furthest = Some(run);
        }
        None
    }
}

fn next(offset: u64, base: u64, pages: u64) -> Option<u64> {
    let last = base.checked_add(pages).filter(|end| *end <= MAX_PAGES);
    last.and(pages.checked_mul(PAGE_SIZE)?.checked_add(offset))
}
