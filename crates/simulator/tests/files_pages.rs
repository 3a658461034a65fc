//! Files with pages: what is where, on every machine and with every hazard.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod files_support;

use std::io::{Seek, SeekFrom, Write};

use files_support::{Reader, WITH_KERNEL, WITH_PAGES, Walk, u32_at, u64_at};
use simulator::files::{Answer, FileSpec, Hazard, Kind, Machine, Page, Way, seeds};

/// Every claim of a file's truth, found by hand.
fn check(spec: &FileSpec, machine: Machine, name: &str) -> usize {
    let file = spec.build();
    let bytes = file.bytes();
    assert_eq!(bytes.len() as u64, file.length(), "{name}");
    let reader = Reader { file: &bytes, machine };
    for known in &file.truth().known {
        let (va, walk) = (known.virtual_address, reader.walk(known.virtual_address));
        let what = format!("{name}: {} at {va:x}: {walk:x?}", known.name);
        match &known.answer {
            Answer::Bytes { physical, bytes } if known.way == Way::Tables => {
                assert_eq!(walk, Walk::At(physical.unwrap()), "{what}");
                assert_eq!(reader.read(va, bytes.len()).as_ref(), Some(bytes), "{what}");
            }
            Answer::Bytes { physical, bytes } => {
                let Walk::Software(entry) = walk else { panic!("{what}") };
                let frame = match (known.way, entry & 0x800) {
                    (Way::Transition, 0x800) => entry & 0x0000_FFFF_FFFF_F000,
                    (Way::SwizzledTransition, 0x800) => {
                        assert_eq!(entry & 0x10, 0);
                        (entry ^ 0x0000_2000_0000_0000) & 0x0000_FFFF_FFFF_F000
                    }
                    (Way::Prototype, 0) => {
                        assert_ne!(entry & 0x400, 0);
                        let entry = reader.read((entry as i64 >> 16) as u64, 8).unwrap();
                        u64_at(&entry, 0) & 0x0000_FFFF_FFFF_F000
                    }
                    _ => panic!("{what}"),
                };
                assert_eq!(frame | va & 0xFFF, physical.unwrap(), "{what}");
                let at = reader.offset(frame >> 12).unwrap() + (va & 0xFFF) as usize;
                assert_eq!(&reader.file[at..at + bytes.len()], bytes, "{what}");
            }
            Answer::PageNotInFile { physical } => {
                assert_eq!(walk, Walk::At(*physical), "{what}");
                assert_eq!(reader.offset(physical >> 12), None, "{what}");
            }
            Answer::TableNotInFile { shift, frame } => {
                assert_eq!(walk, Walk::NoTable(*shift, *frame), "{what}");
            }
            Answer::NotMapped { shift } => assert_eq!(walk, Walk::NotMapped(*shift), "{what}"),
        }
    }
    file.truth().known.len()
}

#[test]
fn every_known_address_is_found_by_walking_the_tables_of_every_machine() {
    for machine in WITH_KERNEL {
        for kind in WITH_PAGES {
            let known = check(&FileSpec::new(kind, machine), machine, &format!("{kind:?}"));
            assert!(known >= 14, "{machine:?} {kind:?}: {known}");
        }
    }
}

#[test]
fn hazards_of_the_page_list_leave_every_known_address_where_it_was() {
    for (kind, hazard) in [
        (Kind::Full, Hazard::UnsortedRuns),
        (Kind::Full, Hazard::OverlappingRuns),
        (Kind::Full, Hazard::FullRunTable),
        (Kind::Full, Hazard::PaddingGarbage),
        (Kind::Full, Hazard::DirectoryBaseFlags),
        (Kind::Full, Hazard::LargePagesWithPat),
        (Kind::BitmapFull, Hazard::UnalignedPages),
        (Kind::BitmapFull, Hazard::StrayBits),
        (Kind::BitmapKernel, Hazard::BitmapBits(0x1403)),
        (Kind::CompleteRanges, Hazard::UnsortedRuns),
        (Kind::CompleteRanges, Hazard::TrailingRanges),
        (Kind::CompleteRanges, Hazard::FrameZero),
        (Kind::KernelRanges, Hazard::TrailingRanges),
        (Kind::KernelRanges, Hazard::OverlappingRuns),
    ] {
        for machine in WITH_KERNEL {
            let spec = FileSpec::new(kind, machine).with(hazard);
            check(&spec, machine, &format!("{machine:?} {kind:?} {hazard:?}"));
        }
    }
}

#[test]
fn a_full_run_table_has_43_runs_and_86_with_a_32_bit_header() {
    let of = |machine| FileSpec::new(Kind::Full, machine).with(Hazard::FullRunTable).build();
    let (wide, narrow) = (of(Machine::X64).bytes(), of(Machine::X86).bytes());
    assert_eq!((u32_at(&wide, 0x88), u32_at(&narrow, 0x64)), (43, 86));
    assert_ne!(&wide[0x344..0x348], b"PAGE", "the last run reaches into the padding");
    let plain = FileSpec::new(Kind::Full, Machine::X64).build().bytes();
    assert_eq!((&plain[0x344..0x348], u32_at(&plain, 0x88) < 42), (&b"PAGE"[..], true));
    let mut many = FileSpec::new(Kind::Full, Machine::X64);
    for n in 0..60 {
        many = many.pages(0x4000 + n * 2, 1, Page::Zero);
    }
    assert_eq!(u32_at(&many.build().bytes(), 0x88), 42, "more runs than a writer may use");
}

#[test]
fn a_repeated_run_holds_other_bytes_the_second_time() {
    for kind in [Kind::Full, Kind::CompleteRanges, Kind::KernelRanges] {
        let file = FileSpec::new(kind, Machine::X64).with(Hazard::OverlappingRuns).build();
        let bytes = file.bytes();
        let second = file.truth().stored.iter().find(|stored| stored.repeated).unwrap();
        let first = file.offset_of(second.first).unwrap() as usize;
        assert_eq!(bytes[first], !bytes[second.offset as usize]);
        let runs = Reader { file: &bytes, machine: Machine::X64 }.runs();
        assert_eq!(runs.last().unwrap(), &(second.first, second.count, second.offset));
    }
}

#[test]
fn counts_signatures_and_offsets_are_wrong_only_on_request() {
    let of = |kind, hazard| FileSpec::new(kind, Machine::X64).with(hazard).build().bytes();
    let good = FileSpec::new(Kind::BitmapFull, Machine::X64).build().bytes();
    let odd = of(Kind::BitmapFull, Hazard::WrongPageCount(5));
    assert_eq!(u64_at(&odd, 0x2028), u64_at(&good, 0x2028) + 5);
    assert_eq!((&good[0x2000..0x2008], u64_at(&good, 0x2020) % 4096), (&b"FDMPDUMP"[..], 0));
    assert_eq!(u64_at(&good, 0x2030) % 64, 0);
    assert_eq!(&of(Kind::BitmapFull, Hazard::OtherSignature)[0x2000..0x2004], b"SDMP");
    let unaligned = of(Kind::BitmapFull, Hazard::UnalignedPages);
    assert_eq!(u64_at(&unaligned, 0x2020), 0x2038 + u64_at(&unaligned, 0x2030) / 8);
    let bits = of(Kind::BitmapKernel, Hazard::BitmapBits(0xA05));
    assert_eq!((u64_at(&bits, 0x2030), bits[0x2038 + 0xA00 / 8] & 0xE0), (0xA05, 0));
    let full = of(Kind::Full, Hazard::WrongPageCount(-1));
    let sum: u64 = Reader { file: &full, machine: Machine::X64 }.runs().iter().map(|r| r.1).sum();
    assert_eq!(u64_at(&full, 0x90), sum - 1);
    let beyond = of(Kind::Full, Hazard::RequiredSpaceBeyond(0x1000));
    assert_eq!(u64_at(&beyond, 0xFA0), beyond.len() as u64 + 0x1000);
    assert_eq!(u64_at(&good, 0xFA0), good.len() as u64);
}

#[test]
fn stray_bits_stand_behind_the_last_page() {
    let spec = FileSpec::new(Kind::BitmapFull, Machine::X64).with(Hazard::BitmapBits(0xA03));
    let bytes = spec.with(Hazard::StrayBits).build().bytes();
    assert_eq!(bytes[0x2038 + 0xA00 / 8], 0b1111_1001, "0xA00 is stored");
}

#[test]
fn range_dumps_keep_the_rule_between_metadata_and_first_page() {
    for kind in [Kind::KernelRanges, Kind::KernelAndUserRanges, Kind::CompleteRanges] {
        let bytes = FileSpec::new(kind, Machine::X64).build().bytes();
        assert_eq!((u32_at(&bytes, 0x2000), &bytes[0x2004..0x200C]), (0x40, &b"RDMPDUMP"[..]));
        let (metadata, first) = (u64_at(&bytes, 0x2010), u64_at(&bytes, 0x2018));
        assert_eq!((metadata - 0x20, metadata % 16), (first - 0x2040, 0));
    }
}

#[test]
fn encrypted_and_shortened_files_claim_nothing_that_cannot_be_read() {
    for hazard in [Hazard::Encrypted, Hazard::ShortPages] {
        for kind in [Kind::Full, Kind::BitmapFull, Kind::BitmapKernel, Kind::CompleteRanges] {
            let file = FileSpec::new(kind, Machine::X64).with(hazard).build();
            assert!(file.truth().known.is_empty() && file.truth().stored.is_empty());
            assert_eq!(file.offset_of(0x11), None);
        }
    }
    let encrypted = FileSpec::new(Kind::BitmapFull, Machine::X64).with(Hazard::Encrypted).build();
    let bytes = encrypted.bytes();
    assert_eq!(u32_at(&bytes, 0x1050) & 0x100, 0x100);
    assert_ne!(&bytes[0x2000..0x2004], b"FDMP");
    let short = FileSpec::new(Kind::BitmapKernel, Machine::X64).with(Hazard::ShortPages).build();
    let bytes = short.bytes();
    assert!(u64_at(&bytes, 0x2020) + u64_at(&bytes, 0x2028) * 4096 > bytes.len() as u64);
}

#[test]
fn the_debugger_block_is_where_the_header_says_and_crosses_a_page() {
    for machine in WITH_KERNEL {
        let file = FileSpec::new(Kind::Full, machine).build();
        let (bytes, truth) = (file.bytes(), file.truth());
        let reader = Reader { file: &bytes, machine };
        let narrow = reader.narrow();
        let address = reader.pointer(if narrow { 0x60 } else { 0x80 });
        let size = if narrow { 0x340 } else { 0x380 };
        assert_eq!(address, truth.debugger_block);
        assert_ne!(address >> 12, (address + size) >> 12);
        let block = reader.read(address, size as usize).unwrap();
        assert_eq!((&block[0x10..0x14], u32_at(&block, 0x14)), (&b"KDBG"[..], size as u32));
        let base = u64_at(&block, 0x18);
        assert_eq!(if narrow { base - 0xFFFF_FFFF_0000_0000 } else { base }, truth.kernel_base);
        assert_eq!(&reader.read(truth.kernel_base, 2).unwrap(), b"MZ");
        let heads = reader.read(truth.kernel_base + 0x1000, 0x20).unwrap();
        let listed = reader.pointer(if narrow { 0x18 } else { 0x20 });
        assert_eq!(listed, truth.kernel_base + 0x1000, "PsLoadedModuleList");
        assert_ne!(heads, vec![0; 0x20]);
    }
}

#[test]
fn an_encoded_debugger_block_shows_no_tag_and_a_missing_one_is_zero() {
    let of = |hazard| FileSpec::new(Kind::Full, Machine::X64).with(hazard).build();
    let file = of(Hazard::EncodedDebuggerBlock);
    let bytes = file.bytes();
    let reader = Reader { file: &bytes, machine: Machine::X64 };
    assert_ne!(&reader.read(file.truth().debugger_block + 0x10, 4).unwrap(), b"KDBG");
    assert_eq!(u64_at(&of(Hazard::NoDebuggerBlock).bytes(), 0x80), 0);
}

#[test]
fn a_caller_s_pages_appear_with_their_content_and_the_kernel_s_stand_before_them() {
    let spec = FileSpec::new(Kind::BitmapFull, Machine::X64)
        .pages(0, 0x100, Page::Fill(0xEE))
        .pages(0x2000, 2, Page::Noise(3))
        .pages(0x2001, 4, Page::Addresses)
        .pages(0x3000, 1, Page::Bytes((*b"hello").into()))
        .pages(0x3001, 1, Page::Made(|frame, to| to[0] = frame as u8));
    check(&spec, Machine::X64, "with pages");
    let file = spec.build();
    let page = |frame| file.page(frame).unwrap();
    assert_eq!((page(5)[0], page(0x3000)[..6].to_vec()), (0xEE, b"hello\0".to_vec()));
    assert_ne!(u64_at(&page(0x2001), 8), 0x200_1008, "the lower start wins");
    assert_eq!(u64_at(&page(0x2002), 8), 0x200_2008);
    assert_eq!(page(0x3001)[..2], [1, 0]);
    let bytes = file.bytes();
    for frame in [0, 5, 0x11, 0x2000, 0x2004, 0x3001] {
        let at = Reader { file: &bytes, machine: Machine::X64 }.offset(frame).unwrap();
        assert_eq!(bytes[at..at + 4096], page(frame));
    }
    assert_eq!(file.page(0x2005), None);
}

/// Counts, and keeps nothing.
#[derive(Default)]
struct Counter {
    position: u64,
    end: u64,
    written: u64,
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.position += bytes.len() as u64;
        self.end = self.end.max(self.position);
        self.written += bytes.len() as u64;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Counter {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.end.saturating_add_signed(by),
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
        };
        Ok(self.position)
    }
}

#[test]
fn a_file_of_a_tebibyte_is_laid_out_and_written_as_holes() {
    const TIB: u64 = 1 << 40;
    for kind in [Kind::Full, Kind::BitmapFull, Kind::CompleteRanges] {
        let spec = FileSpec::new(kind, Machine::X64).pages(0x10_0000, TIB >> 12, Page::Zero);
        let file = spec.build();
        let mut counter = Counter::default();
        file.write_to(&mut counter).unwrap();
        assert!(file.length() > TIB, "{kind:?}");
        assert_eq!(counter.end, file.length(), "{kind:?}");
        assert!(counter.written < 40 << 20, "{kind:?}: a bitmap at most");
        let last = 0x10_0000 + (TIB >> 12) - 1;
        assert_eq!(file.offset_of(last).unwrap() - file.offset_of(0x10_0000).unwrap(), TIB - 4096);
    }
}

#[test]
fn the_bitmap_of_a_large_file_is_the_same_bit_for_bit() {
    let spec = FileSpec::new(Kind::BitmapFull, Machine::X64).bare();
    let spec = spec.pages(3, 1, Page::Zero).pages(0x7_FFF1, 0x1_0011, Page::Zero);
    let file = spec.pages(0x10_0007, 1, Page::Zero).blobs(Vec::new()).build();
    let bytes = file.bytes();
    let bits = u64_at(&bytes, 0x2030);
    assert_eq!(bits, 0x10_0040);
    for bit in 0..bits {
        let stored = bit == 3 || bit == 0x10_0007 || (0x7_FFF1..0x9_0002).contains(&bit);
        let set = bytes[0x2038 + (bit / 8) as usize] >> (bit % 8) & 1 == 1;
        assert_eq!(set, stored, "{bit:x}");
    }
    assert_eq!(u64_at(&bytes, 0x2028), 0x1_0013);
}

#[test]
fn seeds_are_many_small_named_apart_and_always_the_same() {
    let seeds = seeds();
    assert!(seeds.len() > 140);
    let mut names: Vec<&str> = seeds.iter().map(|seed| seed.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), seeds.len());
    for seed in &seeds {
        let bytes = seed.bytes();
        assert!((0x1000..=200 << 10).contains(&bytes.len()), "{}: {:x}", seed.name, bytes.len());
        assert!(bytes.windows(9).any(|w| w == b"simulated"), "{}", seed.name);
        assert!(bytes == seed.bytes(), "{}", seed.name);
        let tiny = seed.name.ends_with("-tiny");
        assert!(!tiny || bytes.len() < 0x9000, "{}: {:x}", seed.name, bytes.len());
    }
}
