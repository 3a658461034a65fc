//! Any pages, written by us, as our reader and kdmp-parser see them.

#![allow(clippy::unwrap_used, clippy::panic)]

mod write_support;

use std::io::Cursor;

use format::write::{Kind, Request};
use format::{Machine, Verdict, verify};
use kdmp_parser::gxa::Gpa;
use kdmp_parser::parse::KernelDumpParser;
use kdmp_parser::phys;
use proptest::prelude::*;
use write_support::*;

/// What kdmp-parser finds.
fn judged(dump: Vec<u8>) -> Pages {
    let parser = KernelDumpParser::with_reader(Cursor::new(dump)).unwrap();
    let reader = phys::Reader::new(&parser);
    let mut pages = Pages::new();
    for (address, _) in parser.physmem() {
        let mut page = vec![0; PAGE];
        reader.read_exact(address, &mut page).unwrap();
        let address: u64 = Gpa::into(address);
        pages.insert(address / PAGE as u64, page);
    }
    pages
}

/// Runs of pages, near and far, touching or not; pages of one byte each, which may be 0.
fn any_pages() -> impl Strategy<Value = Pages> {
    let near = (0_u64..0x300, 1_u64..24, any::<u8>());
    let far = (0_u64..0x20_0000, 1_u64..4, any::<u8>());
    prop::collection::vec(prop_oneof![near, far], 1..20).prop_map(|runs| {
        let mut pages = Pages::new();
        for (base, count, byte) in runs {
            for frame in base..base + count {
                let mut page = vec![byte; PAGE];
                page[8..16].copy_from_slice(&(frame * u64::from(byte)).to_le_bytes());
                pages.insert(frame, page);
            }
        }
        pages
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_written_is_what_both_readers_read(pages in any_pages()) {
        for kind in KINDS {
            let dump = written(&Given::of(&pages), Request::new(kind, head(Machine::X64))).unwrap();
            let found = verify(&dump, format::Level::Structure);
            prop_assert_eq!(found.verdict, Verdict::Good, "{:?}", kind);
            prop_assert!(read(&dump) == pages, "{:?}: ours", kind);
            prop_assert!(judged(dump) == pages, "{:?}: kdmp-parser", kind);
        }
    }
}

#[test]
fn the_largest_list_of_runs_is_read_by_both() {
    let pages = filled((0..42).map(|n| 1 + n * 3));
    let dump = dump_of(Kind::Full, &pages);
    assert_eq!(read(&dump), pages);
    assert!(judged(dump) == pages);
}
