//! What holds for the physical memory in any dump.

use format::{Dump, DumpType, Pages, Run};
use memory::{PageFrame, PhysicalAddress, PhysicalMemory, ReadError};

use super::Tiling;

const PAGE: u64 = 4096;

/// Runs of which every page is not asked for beyond so many.
const LOOKED_AT: usize = 300;

pub(super) fn of(dump: &Dump<'_>, file: &[u8], good: bool) {
    let pages = match dump.pages() {
        Ok(pages) => pages,
        Err(error) => {
            let none = matches!(dump.kind(), DumpType::Triage | DumpType::HeaderOnly);
            assert!(none || !good, "good, and its pages cannot be read: {error}");
            return;
        }
    };
    let (mut next, mut sum, mut seen) = (0, 0_u64, 0);
    let all = pages.runs(|run| {
        assert!(run.pages > 0 && run.base >= next, "{run:?} is not in order");
        if run.base > next {
            absent(&pages, run.base - 1);
        }
        for number in [0, run.pages / 2, run.pages - 1] {
            page(&pages, file, &run, number, good);
        }
        next = run.base + run.pages;
        sum += run.pages;
        seen += 1;
        seen < LOOKED_AT
    });
    all.expect("the bytes are there");
    absent(&pages, u64::MAX / PAGE);
    if seen < LOOKED_AT {
        absent(&pages, next);
        assert_eq!(sum + pages.repeated(), pages.count());
        extents(dump, &pages, file, next);
    }
}

fn absent(pages: &Pages<'_>, frame: u64) {
    assert_eq!(pages.offset(PageFrame(frame)).unwrap(), None);
    let Some(address) = PageFrame(frame).address() else { return };
    let read = pages.read_physical(address, &mut [0]);
    assert!(matches!(read, Err(ReadError::PhysicalAbsent { address: a }) if a == address));
}

/// A page is read as it is in the file, or not at all.
fn page(pages: &Pages<'_>, file: &[u8], run: &Run, number: u64, good: bool) {
    let frame = PageFrame(run.base + number);
    let offset = run.offset.checked_add(number * PAGE);
    let held = offset.and_then(|at| file.get(at as usize..at.checked_add(PAGE)? as usize));
    assert!(held.is_some() || !good, "good, and page {frame} is not in the file");
    assert_eq!(pages.offset(frame).unwrap(), offset.filter(|_| held.is_some()));
    let mut read = [0; PAGE as usize];
    let address = frame.address().expect("a stored page has an address");
    let outcome = pages.read_physical(address, &mut read);
    assert_eq!(outcome.is_ok(), held.is_some(), "{outcome:?}");
    assert!(held.is_none_or(|held| held == read), "page {frame}");
    if let Some(lent) = pages.page(frame) {
        assert_eq!(held, Some(&lent[..]));
    }
    across(pages, address);
}

/// A read over the end of a page is the two pages' bytes.
fn across(pages: &Pages<'_>, address: PhysicalAddress) {
    let (mut both, mut first, mut second) = ([0; 9], [0; 5], [0; 4]);
    let start = PhysicalAddress(address.0 + PAGE - 5);
    let read = pages.read_physical(start, &mut both).is_ok();
    let here = pages.read_physical(start, &mut first).is_ok();
    let Some(behind) = address.checked_add(PAGE) else { return };
    let there = pages.read_physical(behind, &mut second).is_ok();
    assert_eq!(read, here && there);
    assert!(!read || both[..5] == first && both[5..] == second);
}

fn extents(dump: &Dump<'_>, pages: &Pages<'_>, file: &[u8], frames: u64) {
    let length = (frames + 1).saturating_mul(PAGE);
    let mut tiling = Tiling::new(file, 0, length);
    let told = dump.physical_extents(pages, PhysicalAddress(0), length, |extent| {
        tiling.see(&extent);
        true
    });
    tiling.finish(told.expect("the bytes are there"));
}
