//! What fuzzing found, each as the smallest file that shows it.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

mod common;
mod write_support;

use common::{full, header64};
use format::write::{Kind, Request};
use format::{Machine, Run, Verdict};
use write_support::{Given, filled, head, read, written};

#[test]
fn a_list_of_runs_without_a_page_is_damage() {
    let empty = full(&[(1, 0), (9, 0)]);
    assert_eq!(empty.verify().verdict, Verdict::Damaged, "{}", empty.verify().summary);
    let mut ranges = header64(9);
    ranges.put(0x2000, b"\x40\0\0\0RDMPDUMP\0\0\0\0").u64(0x2010, 0x20).u64(0x2018, 0x2040);
    ranges.u64(0x2020, 1).u64(0x2028, 0).u64(0x2030, 5).u64(0x2038, 0);
    assert_eq!(ranges.verify().verdict, Verdict::Damaged, "{}", ranges.verify().summary);
}

#[test]
fn a_run_of_no_pages_behind_the_last_is_no_change_of_the_source() {
    let pages = filled([3, 4]);
    let mut given = Given::of(&pages);
    given.runs.push(Run { base: 1000, pages: 0, offset: 0 });
    let dump = written(&given, Request::new(Kind::Bitmap, head(Machine::X64))).unwrap();
    assert!(read(&dump) == pages);
}
