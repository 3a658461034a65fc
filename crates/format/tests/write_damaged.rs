//! What is written of sources that were cut or cannot be read.

#![allow(clippy::unwrap_used)]

mod write_support;

use std::io;
use std::ops::ControlFlow;

use format::write::{
    DumpPages, Error, Kind, PARTIAL_COPY, PageSource, Plan, Readable, Request, measure,
};
use format::{Bytes, Dump, Level, Machine, Verdict, verify};
use write_support::*;

/// Bytes of which the system fails to read some.
struct Failing {
    bytes: Vec<u8>,
    bad: Vec<std::ops::Range<u64>>,
}

impl Bytes for Failing {
    fn len(&self) -> u64 {
        Bytes::len(&self.bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let end = offset + buffer.len() as u64;
        if self.bad.iter().any(|bad| bad.start < end && offset < bad.end) {
            return Err(io::Error::other("the disk fails"));
        }
        Bytes::read_at(&self.bytes, offset, buffer)
    }
}

fn goes_on() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A type 1 dump: cut anywhere, what is there is pages. 40 of them, from frame 8 on.
fn full() -> Vec<u8> {
    dump_of(Kind::Full, &filled(8..48))
}

#[test]
fn pages_behind_the_end_of_a_cut_dump_are_left_out_and_counted() {
    for (cut, lost) in [(1, 1), (PAGE, 1), (PAGE + 1, 2), (39 * PAGE, 39), (40 * PAGE, 40)] {
        let mut dump = full();
        dump.truncate(dump.len() - cut);
        let source = DumpPages::open(&dump).unwrap();
        let readable = Readable::new(&source).unwrap();
        assert_eq!((readable.behind_the_end(), readable.failed()), (lost, 0), "{cut}");
        let request = source.request(Kind::Bitmap).unwrap();
        if lost == 40 {
            assert!(matches!(written(&readable, request), Err(Error::NoPages(_))));
            continue;
        }
        let made = written(&readable, request).unwrap();
        assert!(read(&made) == filled(8..48 - lost), "{cut}");
        assert_eq!(verify(&made, Level::Structure).verdict, Verdict::Good);
    }
}

#[test]
fn pages_that_the_system_cannot_read_are_left_out_and_do_not_become_zeros() {
    let page = |frame: u64| 0x2000 + (frame - 8) * PAGE as u64;
    let bad = vec![page(8) + 17..page(8) + 18, page(20) + 4000..page(22) + 1];
    let bytes = Failing { bytes: full(), bad };
    let source = DumpPages::open(&bytes).unwrap();
    let mut readable = Readable::new(&source).unwrap();
    let request = || source.request(Kind::Bitmap).unwrap();
    assert!(matches!(written(&readable, request()), Err(Error::Read { .. })));
    readable.look(&mut goes_on).unwrap();
    assert_eq!((readable.failed(), readable.lost()), (4, 4));
    let made = written(&readable, request()).unwrap();
    let left = (8..48).filter(|frame| ![8, 20, 21, 22].contains(frame));
    assert!(read(&made) == filled(left));
}

#[test]
fn looking_for_unreadable_pages_can_be_broken_off() {
    let bytes = full();
    let source = DumpPages::open(&bytes).unwrap();
    let mut readable = Readable::new(&source).unwrap();
    let stopped = readable.look(&mut || ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Cancelled)));
}

#[test]
fn a_dump_whose_header_says_that_pages_are_missing_is_partial() {
    let mut head = head(Machine::X64);
    head.set_writer_status(PARTIAL_COPY);
    assert_eq!(head.writer_status(), Some(PARTIAL_COPY));
    let made = written(&Given::of(&filled(1..9)), Request::new(Kind::KernelBitmap, head)).unwrap();
    assert_eq!(Dump::open(&made).unwrap().header().writer_status, Some(PARTIAL_COPY));
    assert_eq!(verify(&made, Level::Structure).verdict, Verdict::Partial);
}

#[test]
fn the_room_that_a_dump_takes_is_measured_without_its_holes() {
    let mut pages = filled(0..64);
    pages.extend((64..96).map(|frame| (frame, vec![0; PAGE])));
    let source = Given::of(&pages);
    let plan = Plan::new(&source, Request::new(Kind::Full, head(Machine::X64))).unwrap();
    let measured = measure(&plan, &source, &mut |_| goes_on()).unwrap();
    assert_eq!(measured, plan.file_length() - 32 * PAGE as u64);
    let mut out = Watched::default();
    run(&plan, &source, &mut out).unwrap();
    let wrote: usize =
        out.did.iter().map(|did| if let Did::Wrote(_, size) = did { *size } else { 0 }).sum();
    assert_eq!(wrote as u64, measured);
}

#[test]
fn what_follows_the_last_whole_blob_is_told_as_left_out() {
    let mut dump = full();
    assert_eq!(DumpPages::open(&dump).unwrap().left_out().unwrap(), 0);
    dump.extend_from_slice(&[7; 100]);
    assert_eq!(DumpPages::open(&dump).unwrap().left_out().unwrap(), 100);
    dump.truncate(PAGE * 3);
    let source = DumpPages::open(&dump).unwrap();
    assert_eq!(source.left_out().unwrap(), 0);
    let mut seen = 0;
    source
        .runs(&mut |run| {
            seen += run.pages;
            true
        })
        .unwrap();
    assert_eq!(seen, 40, "the dump's own runs are as its header has them");
}
