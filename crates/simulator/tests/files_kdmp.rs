//! `kdmp-parser` reads the files as they are meant.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::Cursor;

use kdmp_parser::gxa::{Gpa, Gva, Gxa};
use kdmp_parser::parse::KernelDumpParser;
use kdmp_parser::phys;
use kdmp_parser::virt;
use simulator::files::{Answer, DumpFile, FileSpec, Hazard, Kind, Machine, Way};

const KINDS: [Kind; 6] = [
    Kind::Full,
    Kind::BitmapFull,
    Kind::BitmapKernel,
    Kind::KernelRanges,
    Kind::KernelAndUserRanges,
    Kind::CompleteRanges,
];

fn open(file: &DumpFile) -> KernelDumpParser {
    KernelDumpParser::with_reader(Cursor::new(file.bytes())).unwrap()
}

/// It steps 4 KiB behind a large page: specification, section 11.1.
const BEYOND_IT: &str = "across two large pages";

#[test]
fn it_finds_every_page_and_every_known_address() {
    for kind in KINDS {
        let file = FileSpec::new(kind, Machine::X64).build();
        let parser = open(&file);
        let stored: u64 = file.truth().stored.iter().map(|stored| stored.count).sum();
        assert_eq!(parser.physmem().len() as u64, stored, "{kind:?}");
        for (address, offset) in parser.physmem() {
            let frame = address.u64() >> 12;
            assert_eq!(file.offset_of(frame), Some(offset), "{kind:?} {frame:x}");
            let mut page = [0; 4096];
            phys::Reader::new(&parser).read_exact(address, &mut page).unwrap();
            assert_eq!(file.page(frame).as_deref(), Some(&page[..]), "{kind:?} {frame:x}");
        }
        let reader = virt::Reader::new(&parser);
        for known in &file.truth().known {
            let address = Gva::new(known.virtual_address);
            match &known.answer {
                Answer::Bytes { physical, bytes } if known.way == Way::Tables => {
                    let there = reader.translate(address).unwrap();
                    assert_eq!(Some(there.gpa().u64()), *physical, "{}", known.name);
                    let mut read = vec![0; bytes.len()];
                    let whole = reader.read_exact(address, &mut read);
                    assert!(known.name == BEYOND_IT || (whole.is_ok() && read == *bytes));
                }
                Answer::Bytes { .. } => {}
                Answer::PageNotInFile { physical } => {
                    assert_eq!(reader.translate(address).unwrap().gpa(), Gpa::new(*physical));
                    assert!(reader.read_exact(address, &mut [0; 4]).is_err(), "{}", known.name);
                }
                _ => assert!(reader.translate(address).is_err(), "{}", known.name),
            }
        }
    }
}

#[test]
fn it_takes_the_pat_bit_of_a_large_page_for_a_part_of_the_address() {
    let file = FileSpec::new(Kind::Full, Machine::X64).with(Hazard::LargePagesWithPat).build();
    let known = file.truth().known.iter().find(|known| known.name == "large page").unwrap();
    let Answer::Bytes { physical: Some(right), .. } = known.answer else { panic!() };
    let parser = open(&file);
    let there = virt::Reader::new(&parser).translate(Gva::new(known.virtual_address)).unwrap();
    assert_eq!(there.gpa().u64(), right + 0x1000, "where it changes, the oracle has got better");
}

#[test]
fn it_lists_the_modules_and_reads_the_header() {
    for kind in KINDS {
        let file = FileSpec::new(kind, Machine::X64).bugcheck(0x9F, [3, 2, 1, 0]).build();
        let parser = open(&file);
        let mut modules: Vec<_> = parser.kernel_modules().collect();
        modules.sort_by_key(|(range, _)| range.start.u64());
        assert_eq!(modules.len(), 2);
        assert_eq!(modules[0].0.start.u64(), file.truth().kernel_base);
        assert_eq!(modules[0].1, r"\SystemRoot\system32\ntoskrnl.exe");
        assert_eq!(parser.headers().bug_check_code, 0x9F);
        assert_eq!(parser.headers().bug_check_code_parameters, [3, 2, 1, 0]);
        let context = parser.context_record();
        assert_eq!((context.mxcsr, context.mxcsr2), (0x1F80, 0x1F80));
        assert_eq!(context.rip, file.truth().kernel_base + 0x3010);
    }
}

#[test]
fn its_answer_is_the_same_for_hazards_that_are_no_damage() {
    for (kind, hazard) in [
        (Kind::Full, Hazard::PaddingGarbage),
        (Kind::Full, Hazard::UnsortedRuns),
        (Kind::Full, Hazard::FillerFields),
        (Kind::Full, Hazard::DirectoryBaseFlags),
        (Kind::BitmapFull, Hazard::UnalignedPages),
        (Kind::BitmapFull, Hazard::OtherSignature),
        (Kind::BitmapFull, Hazard::StrayBits),
        (Kind::BitmapKernel, Hazard::FillerMemoryBlock),
        (Kind::CompleteRanges, Hazard::UnsortedRuns),
        (Kind::CompleteRanges, Hazard::TrailingRanges),
        (Kind::KernelRanges, Hazard::TrailingRanges),
    ] {
        let file = FileSpec::new(kind, Machine::X64).with(hazard).build();
        let parser = open(&file);
        let stored: u64 = file.truth().stored.iter().map(|stored| stored.count).sum();
        assert_eq!(parser.physmem().len() as u64, stored, "{kind:?} {hazard:?}");
        let right = |(at, offset): (Gpa, u64)| file.offset_of(at.u64() >> 12) == Some(offset);
        assert!(parser.physmem().all(right), "{kind:?} {hazard:?}");
    }
}
