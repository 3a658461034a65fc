//! Facts about what of a range a dump holds, against what the simulator put into its files.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use format::{Content, Dump, Error, Extent, KernelMemory, Missing, Part};
use memory::{PhysicalAddress, VirtualAddress};
use simulator::files::{Answer, FileSpec, Kind, Known, Machine, Page};

/// The extents of a range of virtual memory, and where they gave up.
fn told(dump: &Dump<'_>, start: u64, length: u64) -> (Vec<Extent>, Option<u64>) {
    let mut list = Vec::new();
    let see = |extent| {
        list.push(extent);
        true
    };
    let end = match dump.kernel_memory().unwrap() {
        KernelMemory::Pages(space) => {
            dump.virtual_extents(&space, VirtualAddress(start), length, see).unwrap()
        }
        KernelMemory::Triage(triage) => triage.extents(VirtualAddress(start), length, see),
    };
    (list, end)
}

/// They follow each other, and are as long as what was asked for.
fn assert_whole(list: &[Extent], start: u64, length: u64) {
    let mut at = start;
    for extent in list {
        assert_eq!(extent.address, at);
        assert!(extent.length > 0);
        at = at.wrapping_add(extent.length);
    }
    assert_eq!(at, start.wrapping_add(length));
}

fn bytes_of(file: &[u8], list: &[Extent]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for extent in list {
        let Content::Held { offset } = extent.content else { panic!("{extent:?}") };
        bytes.extend_from_slice(&file[offset as usize..][..extent.length as usize]);
    }
    bytes
}

fn reason(list: &[Extent]) -> &Missing {
    match &list[0].content {
        Content::Gap { reason, .. } => reason,
        Content::Held { .. } => panic!("{list:?}"),
    }
}

fn check(file: &[u8], dump: &Dump<'_>, known: &Known) {
    let start = known.virtual_address;
    match &known.answer {
        Answer::Bytes { bytes, .. } => {
            let (list, end) = told(dump, start, bytes.len() as u64);
            assert_eq!(end, None);
            assert_whole(&list, start, bytes.len() as u64);
            assert_eq!(&bytes_of(file, &list), bytes);
        }
        Answer::PageNotInFile { physical } => {
            let frame = PhysicalAddress(*physical).frame();
            assert_eq!(reason(&told(dump, start, 1).0), &Missing::PageNotInDump { frame });
        }
        Answer::TableNotInFile { shift, frame } => {
            let (list, _) = told(dump, start, 1 << 40);
            assert_eq!(reason(&list).frame().unwrap().0, *frame);
            assert!(list[0].length >= 1 << (shift + 8), "{list:?}");
        }
        Answer::NotMapped { shift } => {
            let (list, _) = told(dump, start, 1 << shift);
            assert!(matches!(reason(&list), Missing::NotPresent { .. }), "{list:?}");
            assert_eq!(list[0].length, 1 << shift, "the whole of what the entry would map");
        }
    }
}

#[test]
fn every_known_address_of_every_kind_and_machine_is_told_as_it_is() {
    let mut seen = 0;
    for kind in Kind::ALL {
        for machine in Machine::ALL.into_iter().filter(|machine| machine.has_system()) {
            let made = FileSpec::new(kind, machine).build();
            let file = made.bytes();
            let dump = Dump::open(&file).unwrap();
            if matches!(dump.kernel_memory(), Err(Error::NoPages { .. })) {
                continue;
            }
            for known in &made.truth().known {
                check(&file, &dump, known);
                seen += 1;
            }
        }
    }
    assert!(seen > 300, "{seen}");
}

#[test]
fn the_whole_address_space_is_told_in_few_extents_whatever_the_machine() {
    for machine in Machine::ALL.into_iter().filter(|machine| machine.has_system()) {
        let file = FileSpec::new(Kind::BitmapFull, machine).build().bytes();
        let dump = Dump::open(&file).unwrap();
        let bits = if matches!(machine, Machine::X86 | Machine::X86Pae) { 32 } else { 64 };
        let length = if bits == 32 { 1 << 32 } else { u64::MAX };
        let (list, end) = told(&dump, 0, length);
        assert_eq!(end, None, "{machine:?}");
        assert_whole(&list, 0, length);
        assert!(list.len() < 3000, "{machine:?}: {}", list.len());
        let hole = list.iter().any(|extent| {
            matches!(extent.content, Content::Gap { reason: Missing::NotCanonical { .. }, .. })
        });
        assert_eq!(hole, bits == 64);
    }
}

#[test]
fn tables_that_map_the_same_missing_pages_over_and_over_are_given_up_on() {
    // One table, at every level its own: all it maps is itself and one page that is not there.
    let mut table = Vec::new();
    for index in 0..512_u64 {
        let frame: u64 = if index % 2 == 0 { 1 } else { 0x5555 };
        table.extend_from_slice(&(frame << 12 | 3).to_le_bytes());
    }
    let mut image = common::full(&[(1, 1)]);
    image.put(0x2000, &table).u64(0x10, 0x1000);
    let dump = Dump::open(&image.0).unwrap();
    let space = dump.space().unwrap();
    let mut count = 0_u64;
    let end = dump.virtual_extents(&space, VirtualAddress(0), 1 << 46, |_| {
        count += 1;
        true
    });
    let end = end.unwrap().expect("there is no end of it");
    assert!(end < 1 << 46 && count > 1000, "{end:#x} {count}");
    let mut first = 0;
    let stopped = dump.virtual_extents(&space, VirtualAddress(0), 1 << 46, |_| {
        first += 1;
        first < 10
    });
    assert_eq!((stopped.unwrap(), first), (None, 10), "and whoever has enough is heard");
}

#[test]
fn physical_memory_is_told_with_its_gaps_in_order_whatever_the_order_of_the_runs() {
    for kind in [Kind::Full, Kind::BitmapFull, Kind::CompleteRanges] {
        let spec = FileSpec::new(kind, Machine::X64).bare();
        let made = spec.pages(3, 2, Page::Addresses).pages(9, 1, Page::Noise(1)).build();
        let file = made.bytes();
        let dump = Dump::open(&file).unwrap();
        let pages = dump.pages().unwrap();
        let mut list = Vec::new();
        let end = dump.physical_extents(&pages, PhysicalAddress(0x2800), u64::MAX - 0x2800, |e| {
            list.push(e);
            true
        });
        assert_eq!(end.unwrap(), None);
        assert_whole(&list, 0x2800, u64::MAX - 0x2800);
        let shape: Vec<_> = list
            .iter()
            .map(|extent| (extent.length, matches!(extent.content, Content::Held { .. })))
            .collect();
        let rest = u64::MAX - 0xA000;
        let expected =
            [(0x800, false), (0x2000, true), (0x4000, false), (0x1000, true), (rest, false)];
        assert_eq!(shape, expected, "{kind:?}");
        let offset = made.offset_of(9).unwrap();
        assert_eq!(list[3].content, Content::Held { offset });
    }
}

#[test]
fn a_page_behind_the_end_of_a_file_that_was_cut_is_told_as_cut() {
    let mut image = common::full(&[(1, 4)]);
    image.cut(0x1800);
    let dump = Dump::open(&image.0).unwrap();
    let mut list = Vec::new();
    let pages = dump.pages().unwrap();
    let start = PhysicalAddress(0x1000);
    dump.physical_extents(&pages, start, 0x4000, |extent| {
        list.push(extent);
        true
    })
    .unwrap();
    assert_whole(&list, 0x1000, 0x4000);
    assert_eq!(list[0].length, 0x2000);
    let Content::Gap { reason: Missing::PageCut { frame, offset }, .. } = &list[1].content else {
        panic!("{list:?}")
    };
    assert_eq!((frame.0, *offset), (3, 0x4000));
}

#[test]
fn a_triage_dump_names_every_part_that_has_an_address_and_the_one_that_is_read() {
    let (image, _) = common::small_triage();
    let dump = Dump::open(&image.0).unwrap();
    let triage = dump.triage().unwrap();
    let places = triage.places(VirtualAddress(0xFFFF_8500_0000_0F90));
    assert_eq!((places.len(), places[0].part, places[0].is_read), (1, Part::Block(1), true));
    let stack = triage.places(VirtualAddress(common::STACK + 0x10));
    assert_eq!((stack[0].part, stack[0].start.0), (Part::CallStack, common::STACK));
    let header = triage.header();
    assert_eq!(stack[0].offset, u64::from(header.call_stack_offset) + 0x10);
    assert_eq!(triage.places(VirtualAddress(0x1234)), []);
    let (list, _) = told(&dump, 0xFFFF_8500_0000_0F80, 0x100);
    assert_eq!(list.len(), 3, "{list:?}");
    assert_eq!(reason(&list[1..]), &Missing::NoBlock);
}

/// A generator of numbers that look random and are always the same.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn files_with_bytes_turned_are_told_without_an_end_of_memory_or_patience() {
    let mut state = 7;
    let mut answered = 0;
    for machine in [Machine::X64, Machine::X64FiveLevels, Machine::Arm64, Machine::X86Pae] {
        for kind in [Kind::Full, Kind::BitmapFull, Kind::CompleteRanges, Kind::Triage] {
            let whole = FileSpec::new(kind, machine).build().bytes();
            for _ in 0..40 {
                let mut file = whole.clone();
                for _ in 0..1 + next(&mut state) % 200 {
                    let at = (next(&mut state) % file.len() as u64) as usize;
                    file[at] = next(&mut state) as u8;
                }
                let Ok(dump) = Dump::open(&file) else { continue };
                let start = next(&mut state) << 33;
                let mut at = None;
                let mut seen = 0;
                let mut see = |extent: Extent| {
                    assert!(at.is_none_or(|at| at == extent.address), "{extent:?}");
                    at = extent.address.checked_add(extent.length);
                    if let Content::Held { offset } = extent.content {
                        assert!(offset + extent.length <= file.len() as u64, "{extent:?}");
                    }
                    seen += 1;
                    seen < 2000
                };
                let length = 1 << 62;
                match dump.kernel_memory() {
                    Ok(KernelMemory::Pages(space)) => {
                        let start = VirtualAddress(start);
                        drop(dump.virtual_extents(&space, start, length, &mut see));
                    }
                    Ok(KernelMemory::Triage(triage)) => {
                        triage.extents(VirtualAddress(start), length, &mut see);
                    }
                    Err(_) => continue,
                }
                answered += 1;
                if let Ok(pages) = dump.pages() {
                    let mut physical = 0_u64;
                    let all = dump.physical_extents(&pages, PhysicalAddress(0), u64::MAX, |e| {
                        physical = physical.wrapping_add(e.length);
                        true
                    });
                    assert!(all.is_err() || all.unwrap().is_some() || physical == u64::MAX);
                }
            }
        }
    }
    assert!(answered > 300, "{answered}");
}
