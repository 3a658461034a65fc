//! x64: page sizes, each level missing, boundaries, and entries of Windows' own.

use crate::ram::Ram;
use memory::{
    Absence, Access, EntryName, Meaning, PageFrame, Paging, PhysicalAddress, ReadError, Space,
    TranslateError, Trust, VirtualAddress, VirtualMemory,
};

/// PXE 0x1F0 -> PPE 3 -> PDE 5 -> PTE 7, by the numbers and no code of the crate.
const CODE: u64 = 0xFFFF_F800_C0A0_7000;
const ROOT: u64 = 0x1000;

fn machine() -> Ram {
    let mut ram = Ram::default();
    ram.put64(0x1000 + 0x1F0 * 8, 0x2003);
    ram.put64(0x2000 + 3 * 8, 0x3003);
    ram.put64(0x3000 + 5 * 8, 0x4003);
    ram.put64(0x4000 + 7 * 8, 0x8000_0000_0000_9003);
    ram.put64(0x9120, 0x1122_3344_5566_7788);
    ram
}

fn space(ram: &Ram) -> Space<&Ram> {
    Space::new(ram, Paging::X64, ROOT | 0x2)
}

fn failure(ram: &Ram, address: u64) -> TranslateError {
    let space = space(ram);
    let slow = space.translate(VirtualAddress(address)).unwrap_err();
    for _ in 0..2 {
        let fast = space.physical(VirtualAddress(address)).unwrap_err();
        assert_eq!(fast.to_string(), slow.to_string(), "the cache says the same");
    }
    slow
}

#[test]
fn a_small_page_is_found_with_every_level_shown() {
    let ram = machine();
    let walk = space(&ram).walk(VirtualAddress(CODE + 0x120));
    let found = walk.outcome.unwrap();
    assert_eq!(found.physical, PhysicalAddress(0x9120));
    assert_eq!((found.page_size, found.trust, found.guessed), (0x1000, Trust::Valid, false));
    let shown: Vec<_> = walk.levels.iter().map(|l| (l.name, l.table.0, l.index)).collect();
    let expected = [
        (EntryName::Pxe, 0x1000, 0x1F0),
        (EntryName::Ppe, 0x2000, 3),
        (EntryName::Pde, 0x3000, 5),
        (EntryName::Pte, 0x4000, 7),
    ];
    assert_eq!(shown, expected);
    assert_eq!(walk.levels[0].entry, 0x2003);
    assert_eq!(walk.levels[3].meaning, Meaning::Page { frame: PageFrame(9), size: 0x1000 });
    assert_eq!(space(&ram).read_u64(VirtualAddress(CODE + 0x120)).unwrap(), 0x1122_3344_5566_7788);
}

#[test]
fn rights_are_what_every_level_grants() {
    let mut ram = machine();
    let access = |ram: &Ram| space(ram).translate(VirtualAddress(CODE)).unwrap().access;
    let seen = Access { writable: true, user: false, executable: false };
    assert_eq!(access(&ram), Some(seen));
    ram.put64(0x4000 + 7 * 8, 0x9007);
    let seen = Access { writable: true, user: false, executable: true };
    assert_eq!(access(&ram), Some(seen), "one level without U is no user page");
    ram.put64(0x3000 + 5 * 8, 0x8000_0000_0000_4001);
    let seen = Access { writable: false, user: false, executable: false };
    assert_eq!(access(&ram), Some(seen));
}

#[test]
fn large_pages_ignore_the_pat_bit() {
    let mut ram = machine();
    ram.put64(0x3000 + 6 * 8, 0x0000_0000_4020_1083);
    ram.put64(0x2000 + 4 * 8, 0x0000_0001_8000_1083);
    let space = space(&ram);
    for (address, physical, size) in [
        (0xFFFF_F800_C0DF_FFFF, 0x403F_FFFF, 1 << 21),
        (0xFFFF_F801_0000_0000, 0x1_8000_0000, 1 << 30),
        (0xFFFF_F801_2345_6789, 0x1_A345_6789, 1 << 30),
    ] {
        let address = VirtualAddress(address);
        let found = space.translate(address).unwrap();
        assert_eq!((found.physical, found.page_size), (PhysicalAddress(physical), size));
        for _ in 0..2 {
            assert_eq!(space.physical(address).unwrap(), PhysicalAddress(physical));
        }
    }
}

#[test]
fn a_missing_table_is_named_by_level_and_frame() {
    let levels =
        [(1, EntryName::Pxe), (2, EntryName::Ppe), (3, EntryName::Pde), (4, EntryName::Pte)];
    for (page, name) in levels {
        let mut ram = machine();
        ram.forget(page * 0x1000);
        let TranslateError::NotInDump { level, frame, address } = failure(&ram, CODE) else {
            panic!("page {page}")
        };
        assert_eq!((level, frame, address), (name, PageFrame(page), VirtualAddress(CODE)));
    }
}

#[test]
fn an_entry_that_is_not_present_is_named_by_level_entry_and_kind() {
    let levels = [
        (0x1000 + 0x1F0 * 8, EntryName::Pxe),
        (0x2000 + 3 * 8, EntryName::Ppe),
        (0x3000 + 5 * 8, EntryName::Pde),
        (0x4000 + 7 * 8, EntryName::Pte),
    ];
    for (at, name) in levels {
        let mut ram = machine();
        ram.put64(at, 0x0000_0077_0000_1090);
        let TranslateError::NotPresent { level, entry, kind, .. } = failure(&ram, CODE) else {
            panic!("{name}")
        };
        assert_eq!((level, entry), (name, 0x0000_0077_0000_1090));
        assert_eq!(kind, Absence::PageFile { number: 1, offset: 0x77 });
        ram.put64(at, 0);
        let TranslateError::NotPresent { kind, .. } = failure(&ram, CODE) else { panic!("{name}") };
        assert_eq!(kind, Absence::Zero);
    }
}

#[test]
fn a_table_in_transition_is_told_and_not_followed() {
    let mut ram = machine();
    ram.put64(0x3000 + 5 * 8, 0x4890);
    let TranslateError::NotPresent { level, kind, .. } = failure(&ram, CODE) else { panic!() };
    assert_eq!(level, EntryName::Pde);
    assert_eq!(kind, Absence::Transition { frame: PageFrame(4) });
}

#[test]
fn addresses_outside_both_halves_are_refused() {
    let error = failure(&machine(), 0x0000_8000_0000_0000);
    assert!(matches!(error, TranslateError::NotCanonical { bits: 48, .. }));
}

#[test]
fn a_page_in_transition_is_read_and_says_so() {
    let mut ram = machine();
    ram.put64(0x4000 + 7 * 8, 0x9890);
    let space = space(&ram);
    let found = space.translate(VirtualAddress(CODE + 0x120)).unwrap();
    assert_eq!((found.physical.0, found.trust), (0x9120, Trust::Transition));
    assert_eq!((found.guessed, found.access), (false, None));
    assert_eq!(space.read_u32(VirtualAddress(CODE + 0x124)).unwrap(), 0x1122_3344);
}

#[test]
fn a_swizzled_frame_needs_the_mask_or_is_called_a_guess() {
    let mut ram = machine();
    ram.put64(0x4000 + 7 * 8, 0x0000_2000_0000_9880);
    let code = VirtualAddress(CODE);
    let told = space(&ram).with_invalid_pte_mask(0x0000_2000_0000_0000).translate(code).unwrap();
    assert_eq!((told.physical.0, told.guessed), (0x9000, false));
    let guess = space(&ram).with_highest_frame(PageFrame(0xFFFF)).translate(code).unwrap();
    assert_eq!((guess.physical.0, guess.guessed), (0x9000, true));
}

/// The PTE of `CODE` names a prototype at 0x40 in the page at `CODE + 0x1000`.
fn with_prototype(prototype: u64) -> Ram {
    let mut ram = machine();
    ram.put64(0x4000 + 8 * 8, 0xA003);
    ram.put64(0x4000 + 7 * 8, ((CODE + 0x1040) << 16) | 0x490);
    ram.put64(0xA040, prototype);
    ram
}

#[test]
fn a_prototype_is_followed_once_to_a_page_that_is_valid_or_in_transition() {
    for (prototype, trust) in [(0x9003, Trust::Prototype), (0x9890, Trust::PrototypeTransition)] {
        let ram = with_prototype(prototype);
        let walk = space(&ram).walk(VirtualAddress(CODE + 0x120));
        let found = walk.outcome.unwrap();
        assert_eq!((found.physical.0, found.trust, found.guessed), (0x9120, trust, false));
        let last = walk.levels.last().unwrap();
        assert_eq!((last.name, last.table.0, last.index), (EntryName::PrototypePte, 0xA000, 8));
        assert_eq!(space(&ram).physical(VirtualAddress(CODE)).unwrap().0, 0x9000);
    }
}

#[test]
fn a_prototype_that_proves_nothing_says_why() {
    let text = |prototype: u64| failure(&with_prototype(prototype), CODE).to_string();
    assert!(text(0).ends_with("prototype PTE 0000000000000000 is not present: zero"));
    assert!(text(0x5_0000_0090).contains("in page file 0 at page 0x5"));
    let again = ((CODE + 0x1040) << 16) | 0x490;
    assert!(text(again).contains("is not present: prototype at"), "{}", text(again));
}

#[test]
fn a_prototype_that_names_itself_ends() {
    let mut ram = machine();
    ram.put64(0x4000 + 7 * 8, ((CODE + 0x38) << 16) | 0x490);
    let TranslateError::Prototype { source, .. } = failure(&ram, CODE) else { panic!() };
    assert!(matches!(*source, TranslateError::NotPresent { level: EntryName::Pte, .. }));
}

#[test]
fn five_levels_reach_what_four_refuse() {
    let mut ram = machine();
    ram.put64(0x8000 + 0x1F0 * 8, 0x1003);
    ram.put64(0x1000, 0x2003);
    let address = VirtualAddress(0xFFF0_0000_C0A0_7123);
    let five = Space::new(&ram, Paging::X64FiveLevel, 0x8000);
    let walk = five.walk(address);
    assert_eq!(walk.levels[0].name, EntryName::Pml5e);
    assert_eq!(walk.outcome.unwrap().physical, PhysicalAddress(0x9123));
    assert_eq!(five.physical(address).unwrap(), PhysicalAddress(0x9123));
    assert!(Space::new(&ram, Paging::X64, 0x1000).physical(address).is_err());
}

#[test]
fn the_self_map_shows_the_tables_as_memory() {
    let mut ram = machine();
    ram.put64(0x1000 + 0x1ED * 8, 0x1003);
    // PteBase for entry 0x1ED, plus eight bytes for each page below CODE.
    let pte = 0xFFFF_F680_0000_0000 + ((CODE & 0xFFFF_FFFF_FFFF) >> 12) * 8;
    let space = space(&ram);
    assert_eq!(space.physical(VirtualAddress(pte)).unwrap(), PhysicalAddress(0x4038));
    assert_eq!(space.read_u64(VirtualAddress(pte)).unwrap(), 0x8000_0000_0000_9003);
    let pxe = VirtualAddress(0xFFFF_F6FB_7DBE_D000 + 0x1ED * 8);
    assert_eq!(space.physical(pxe).unwrap(), PhysicalAddress(0x1000 + 0x1ED * 8));
}

#[test]
fn reads_cross_from_any_page_size_to_any_other() {
    let mut ram = machine();
    // 2 MiB page up to FFFFF80100000000, then 1 GiB, then small pages out of order.
    ram.put64(0x3000 + 511 * 8, 0x4000_0083);
    ram.put64(0x2000 + 4 * 8, 0x8000_0083);
    ram.put64(0x2000 + 5 * 8, 0x5003);
    ram.put64(0x5000, 0x6003);
    ram.put64(0x6000, 0xC003);
    ram.put64(0x6008, 0xB003);
    ram.put(0x401F_FFFC, b"two ");
    ram.put(0x8000_0000, b"giga");
    ram.put(0xBFFF_FFFC, b"tail");
    ram.put(0xC000, &[b's'; 4096]);
    ram.put(0xB000, b"next");
    for lends in [false, true] {
        ram.lends = lends;
        let space = space(&ram);
        let mut buffer = [0; 8];
        for _ in 0..2 {
            space.read_virtual(VirtualAddress(0xFFFF_F800_FFFF_FFFC), &mut buffer).unwrap();
            assert_eq!(&buffer, b"two giga");
            let mut long = [0; 4104];
            space.read_virtual(VirtualAddress(0xFFFF_F801_3FFF_FFFC), &mut long).unwrap();
            assert_eq!((&long[..5], &long[4099..]), (&b"tails"[..], &b"snext"[..]));
        }
    }
}

#[test]
fn a_read_that_ends_early_keeps_what_came_before() {
    let mut ram = machine();
    ram.put64(0x4000 + 8 * 8, 0xA003);
    let space = space(&ram);
    let mut buffer = [0xEE; 0x1100];
    let (read, error) = space.read_up_to(VirtualAddress(CODE + 0x120), &mut buffer);
    assert_eq!((read, buffer[0], buffer[read]), (0xEE0, 0x88, 0xEE));
    let Some(ReadError::PageAbsent { address, physical, read }) = error else { panic!() };
    assert_eq!((address.0, physical.0, read), (CODE + 0x1000, 0xA000, 0xEE0));

    let (read, error) = space.read_up_to(VirtualAddress(CODE + 0x2FFF), &mut buffer);
    assert!(matches!(error, Some(ReadError::Untranslated { read: 0, .. })));
    assert_eq!(read, 0);
}

#[test]
fn part_of_a_large_page_may_be_missing() {
    let mut ram = machine();
    ram.put64(0x3000 + 6 * 8, 0x4000_0083);
    ram.put(0x4000_0000, &[7; 4096]);
    let mut buffer = [0; 0x1800];
    let (read, error) = space(&ram).read_up_to(VirtualAddress(0xFFFF_F800_C0C0_0800), &mut buffer);
    assert_eq!(read, 0x800);
    let Some(ReadError::PageAbsent { physical, .. }) = error else { panic!() };
    assert_eq!(physical, PhysicalAddress(0x4000_1000));
}

#[test]
fn the_last_byte_of_the_address_space_is_read_and_none_after_it() {
    let mut ram = machine();
    ram.put64(0x1000 + 511 * 8, 0x5003);
    ram.put64(0x5000 + 511 * 8, 0x8000_0083);
    ram.put(0xBFFF_FFFE, b"ok");
    let space = space(&ram);
    let mut two = [0; 2];
    space.read_virtual(VirtualAddress(u64::MAX - 1), &mut two).unwrap();
    assert_eq!(&two, b"ok");
    let (read, error) = space.read_up_to(VirtualAddress(u64::MAX - 1), &mut [0; 4]);
    assert!(error.is_some());
    assert_eq!(read, 2);
}

#[test]
fn two_processes_share_memory_and_nothing_else() {
    let mut ram = machine();
    ram.put64(0x7000 + 0x1F0 * 8, 0x8003);
    ram.put64(0x8000 + 3 * 8, 0x4000_0083);
    let system = space(&ram);
    let code = VirtualAddress(CODE);
    assert_eq!(system.physical(code).unwrap().0, 0x9000);
    assert_eq!(system.at(0x7000).physical(code).unwrap().0, 0x40A0_7000);
    assert_eq!(system.physical(code).unwrap().0, 0x9000);
}
