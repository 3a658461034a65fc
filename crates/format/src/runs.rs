//! The physical runs of a type 1 dump.

use memory::PAGE_SIZE;

use crate::raw::DumpHeader64;
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

/// The runs of a type 1 dump, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    /// The runs.
    pub list: Vec<Run>,
    /// NumberOfPages of the header.
    pub pages: u64,
    /// Where the last page ends.
    pub end: u64,
}

/// Runs that a 64-bit header has room for: 42 in the SDK's layout, one more as QEMU writes it.
pub const MAX_RUNS: u32 = 43;

/// Where NumberOfRuns is in a 64-bit header.
const OFFSET: u64 = 0x88;

/// Pages that have a 52-bit address.
const MAX_PAGES: u64 = 1 << 40;

impl Runs {
    pub(crate) fn open(source: Source<'_>, width: Width) -> Result<Self, Error> {
        if width != Width::Bits64 {
            return Err(Error::NotUnderstood { width, kind: crate::DumpType::Full });
        }
        let raw: DumpHeader64 = source.read("the 64-bit dump header", 0)?;
        let count = raw.number_of_runs.get();
        if !(1..=MAX_RUNS).contains(&count) {
            return Err(Error::Value {
                what: "the number of runs",
                offset: OFFSET,
                expected: format!("1 to {MAX_RUNS}"),
                found: count.to_string(),
            });
        }
        let mut end = width.header_size();
        let mut list = Vec::with_capacity(count as usize);
        for (index, run) in raw.runs.iter().take(count as usize).enumerate() {
            let (base, pages) = (run.base_page.get(), run.page_count.get());
            list.push(Run { base, pages, offset: end });
            end = next(end, base, pages).ok_or_else(|| Error::Value {
                what: "a run of physical pages",
                offset: OFFSET + 0x10 + index as u64 * 0x10,
                expected: format!("pages below {MAX_PAGES:#x}"),
                found: format!("{pages:#x} pages from page {base:#x} on"),
            })?;
        }
        Ok(Self { list, pages: raw.number_of_pages.get(), end })
    }

    /// How many pages the runs have together.
    pub fn total(&self) -> u64 {
        self.list.iter().map(|run| run.pages).sum()
    }

    /// The first two runs that share a page.
    pub fn overlap(&self) -> Option<(Run, Run)> {
        let mut sorted = self.list.clone();
        sorted.sort_by_key(|run| run.base);
        sorted
            .windows(2)
            .find(|two| two[0].base + two[0].pages > two[1].base)
            .map(|two| (two[0], two[1]))
    }
}

fn next(offset: u64, base: u64, pages: u64) -> Option<u64> {
    let last = base.checked_add(pages).filter(|end| *end <= MAX_PAGES);
    last.and(pages.checked_mul(PAGE_SIZE)?.checked_add(offset))
}
