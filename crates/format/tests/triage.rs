//! Facts about triage dumps.

mod common;

use common::{KDBG_ADDRESS, PRCB_THREAD, PROCESS, STACK, check, small_triage, triage};
use format::{Dump, Outcome, Verdict, info};
use memory::{ReadError, VirtualAddress, VirtualMemory};

const A: u64 = 0xFFFF_8500_0000_1000;

#[test]
fn a_whole_triage_dump_is_good() {
    let found = small_triage().0.verify();
    assert_eq!(found.verdict, Verdict::Good, "{found:#?}");
}

#[test]
fn info_says_what_is_stored() {
    let info = info(&small_triage().0.0).unwrap();
    assert_eq!((info.blocks, info.bytes_stored), (Some(2), Some(0x140)));
    assert_eq!((info.drivers, info.unloaded_drivers), (Some(2), Some(0)));
}

#[test]
fn no_cut_is_ever_called_good() {
    let (whole, _) = small_triage();
    for length in (0..whole.0.len()).step_by(0x10) {
        let mut cut = whole.clone();
        cut.0.truncate(length);
        assert_ne!(cut.verify().verdict, Verdict::Good, "cut at {length:#x}");
    }
    let mut cut = whole.clone();
    assert_eq!(cut.cut(1).verify().missing_bytes, Some(1));
}

#[test]
fn a_missing_end_mark_is_damage_with_its_place() {
    let (mut image, places) = small_triage();
    let found = image.put(places.end_mark, b"TRIA").verify();
    assert_eq!(found.verdict, Verdict::Damaged);
    let check = check(&found, "triage.end_mark");
    assert_eq!((check.outcome, check.offset), (Outcome::Fail, Some(places.end_mark as u64)));
}

#[test]
fn blocks_that_lie_outside_the_dump_are_damage_and_are_not_read() {
    for (field, value) in [(8, u32::MAX), (8, 0x10), (12, u32::MAX)] {
        let (mut image, places) = small_triage();
        let found = image.u32(places.table + field, value).verify();
        assert_eq!(check(&found, "triage.blocks").outcome, Outcome::Fail, "{value:#x}");
        assert_eq!(check(&found, "triage.blocks").offset, Some(places.table as u64));
    }
    let (mut image, places) = small_triage();
    image.u64(places.table, u64::MAX - 8);
    assert_eq!(image.verify().verdict, Verdict::Damaged);
}

#[test]
fn a_table_larger_than_the_file_is_damage_and_costs_nothing() {
    for count in [3_000, 1 << 20, u32::MAX] {
        let (mut image, _) = small_triage();
        assert_eq!(image.u32(0x207C, count).verify().verdict, Verdict::Damaged, "{count}");
    }
    let (mut image, _) = small_triage();
    let found = image.u32(0x207C, (1 << 20) + 1).verify();
    assert!(found.summary.contains("too many data blocks"), "{}", found.summary);
}

#[test]
fn names_that_do_not_lie_among_the_strings_are_damage() {
    for (name, length) in [(0, 3), (0x7FFF_FFFF, 3), (1, 3)] {
        let (mut image, places) = small_triage();
        let name = if name == 1 { places.strings as u32 + 0x3E } else { name };
        let found = image.u32(places.drivers, name).u32(places.strings, length).verify();
        assert_eq!(check(&found, "triage.drivers").outcome, Outcome::Fail, "{name:#x}");
    }
    let (mut image, places) = small_triage();
    let found = image.u32(places.strings, u32::MAX).verify();
    assert_eq!(check(&found, "triage.drivers").outcome, Outcome::Fail);
    let (mut image, _) = small_triage();
    assert_eq!(image.u32(0x2034, u32::MAX).verify().verdict, Verdict::Damaged);
}

#[test]
fn parts_that_lie_outside_the_dump_are_damage() {
    for field in [0x2014, 0x201C, 0x2020, 0x2024, 0x2028, 0x2030, 0x2038, 0x2070] {
        let (mut image, _) = small_triage();
        let found = image.u32(field, u32::MAX - 0x10).verify();
        assert_eq!(found.verdict, Verdict::Damaged, "{field:#x}");
    }
    let (mut image, _) = small_triage();
    let unloaded = u32::from_le_bytes(image.0[0x2018..0x201C].try_into().unwrap());
    assert_eq!(image.u32(unloaded as usize, u32::MAX).verify().verdict, Verdict::Damaged);
}

#[test]
fn a_read_crosses_blocks_that_touch_and_stops_at_a_hole() {
    let (image, _) = triage(&[(A, &[1; 0x10]), (A + 0x10, &[2; 0x10]), (A + 0x30, &[3; 0x10])]);
    let dump = Dump::open(&image.0).unwrap();
    let triage = dump.triage().unwrap();
    let mut buffer = [0; 4];
    triage.read_virtual(VirtualAddress(A + 0xE), &mut buffer).unwrap();
    assert_eq!(buffer, [1, 1, 2, 2]);
    let error = triage.read_virtual(VirtualAddress(A + 0x1E), &mut buffer).unwrap_err();
    let ReadError::VirtualAbsent { address } = error else { panic!("{error}") };
    assert_eq!(address, VirtualAddress(A + 0x20));
}

#[test]
fn the_first_of_two_blocks_is_read_and_the_overlap_is_noted() {
    let (image, _) = triage(&[(A + 8, &[1; 0x10]), (A, &[2; 0x10])]);
    let dump = Dump::open(&image.0).unwrap();
    let mut buffer = [0; 3];
    dump.triage().unwrap().read_virtual(VirtualAddress(A + 6), &mut buffer).unwrap();
    assert_eq!(buffer, [2, 2, 1]);
    let found = image.verify();
    assert_eq!(check(&found, "triage.overlap").outcome, Outcome::Note);
    assert_eq!(found.verdict, Verdict::Good);
}

#[test]
fn coverage_says_how_much_of_a_stack_is_stored() {
    let (image, _) = triage(&[(A + 0x800, &[1; 0x100]), (A + 0xF00, &[2; 0x100])]);
    let dump = Dump::open(&image.0).unwrap();
    let triage = dump.triage().unwrap();
    assert_eq!(triage.covered(VirtualAddress(A), 0x1000), 0x200);
    assert_eq!(triage.covered(VirtualAddress(A + 0x880), 0x700), 0x100);
    assert_eq!(triage.covered(VirtualAddress(u64::MAX - 1), u64::MAX), 0);
}

#[test]
fn copies_are_read_at_the_addresses_they_belong_to() {
    let (image, _) = small_triage();
    let dump = Dump::open(&image.0).unwrap();
    let triage = dump.triage().unwrap();
    let mut byte = [0; 1];
    for (address, expected) in [(STACK + 0x1FF, 0x44), (PRCB_THREAD, 0x33), (PROCESS + 0x5F, 0x22)]
    {
        triage.read_virtual(VirtualAddress(address), &mut byte).unwrap();
        assert_eq!(byte, [expected], "{address:#x}");
    }
    assert_eq!(
        &triage.read_u32(VirtualAddress(KDBG_ADDRESS + 0x10)).unwrap().to_le_bytes(),
        b"KDBG"
    );
    assert!(triage.read_virtual(VirtualAddress(STACK + 0x200), &mut byte).is_err());
}

#[test]
fn block_bytes_are_those_of_the_table() {
    let (image, _) = small_triage();
    let dump = Dump::open(&image.0).unwrap();
    let triage = dump.triage().unwrap();
    assert_eq!(triage.blocks().len(), 2);
    assert_eq!(triage.block_bytes(1).unwrap(), [2; 0x40]);
    assert!(triage.block_bytes(2).unwrap().is_empty());
}

#[test]
fn a_read_that_runs_off_the_end_of_the_address_space_ends() {
    let (image, _) = triage(&[(u64::MAX - 0x1F, &[1; 0x40])]);
    let dump = Dump::open(&image.0).unwrap();
    let triage = dump.triage().unwrap();
    assert!(triage.read_virtual(VirtualAddress(u64::MAX - 3), &mut [0; 16]).is_err());
    assert!(triage.read_virtual(VirtualAddress(u64::MAX), &mut [0; 1]).is_err());
}
