//! `kdmp-parser` finds the same pages in files that we call good.
//!
//! Where it is known to be wrong it is not asked: it ends the list of a type
//! 0xA dump at page 0 (dump-formats specification, section 6).

use std::collections::BTreeMap;
use std::io::Cursor;

use format::{Dump, DumpType, Level, Machine, Verdict, verify};
use kdmp_parser::gxa::{Gpa, Gxa};
use kdmp_parser::parse::KernelDumpParser;
use kdmp_parser::phys;
use memory::{PageFrame, PhysicalMemory};

use crate::folded::{force_type, unfold};

/// The judge holds a map entry for each page.
const MOST_PAGES: u64 = 0x1000;

/// A folded file; its type becomes one that the judge knows, its root and its
/// lists such that the judge reads nothing but pages.
pub fn target(data: &[u8]) {
    let mut file = unfold(data);
    if file.len() < 0x2000 || &file[4..8] != b"DU64" {
        return;
    }
    force_type(&mut file, &[6, 1, 5, 8, 9, 0xA]);
    file[0x10..0x18].copy_from_slice(&0x000F_FFFF_FFFF_F000_u64.to_le_bytes());
    file[0x30..0x34].copy_from_slice(&0x8664_u32.to_le_bytes());
    if verify(&file, Level::Structure).verdict == Verdict::Good {
        judge(&file);
    }
}

fn judge(file: &[u8]) {
    let dump = Dump::open(&file).unwrap();
    assert_eq!(dump.header().machine_image_type, Machine::X64);
    let pages = dump.pages().unwrap();
    let mut ours = BTreeMap::new();
    let small = pages.count() <= MOST_PAGES;
    let list = pages.runs(|run| {
        let places = (0..run.pages).map(|page| (run.base + page, run.offset + page * 4096));
        ours.extend(places);
        true
    });
    list.unwrap();
    let ends_early = dump.kind() == DumpType::CompleteRanges && ours.contains_key(&0);
    if !small || ends_early {
        return;
    }
    let Ok(parser) = KernelDumpParser::with_reader(Cursor::new(file.to_vec())) else { return };
    let theirs: BTreeMap<u64, u64> =
        parser.physmem().map(|(address, offset)| (address.u64() / 4096, offset)).collect();
    assert_eq!(theirs, ours);
    let reader = phys::Reader::new(&parser);
    for frame in ours.keys().take(16) {
        let (mut our, mut their) = ([0; 4096], [0; 4096]);
        reader.read_exact(Gpa::new(frame * 4096), &mut their).unwrap();
        pages.read_physical(PageFrame(*frame).address().unwrap(), &mut our).unwrap();
        assert!(our == their, "page {frame:#x}");
    }
}
