//! x86 with and without PAE, and ARM64.

use crate::ram::Ram;
use memory::{
    Access, EntryName, PageFrame, Paging, PhysicalAddress, Space, TranslateError, Trust,
    VirtualAddress, VirtualMemory,
};

#[test]
fn x86_has_two_levels_and_4_mib_pages() {
    let mut ram = Ram::default();
    // 80C02345: PDE 0x203, PTE 2. 81000000: PDE 0x204, large, bit 12 is PAT.
    ram.put32(0x1000 + 0x203 * 4, 0x2003);
    ram.put32(0x2000 + 2 * 4, 0x9003);
    ram.put32(0x2000 + 3 * 4, 0xA880);
    ram.put32(0x1000 + 0x204 * 4, 0x0140_1083);
    ram.put32(0x9FFE, 0x4433_2211);
    ram.put32(0xA000, 0x6655_4433);
    let space = Space::new(&ram, Paging::X86, 0x1000);
    for _ in 0..2 {
        assert_eq!(space.physical(VirtualAddress(0x80C0_2345)).unwrap().0, 0x9345);
        assert_eq!(space.physical(VirtualAddress(0xFFFF_FFFF_80C0_2345)).unwrap().0, 0x9345);
        assert_eq!(space.physical(VirtualAddress(0x813F_FFFF)).unwrap().0, 0x017F_FFFF);
        assert_eq!(space.read_u32(VirtualAddress(0x80C0_2FFE)).unwrap(), 0x4433_2211);
    }
    let large = space.translate(VirtualAddress(0x8100_0000)).unwrap();
    assert_eq!(large.page_size, 4 << 20);
    let trimmed = space.translate(VirtualAddress(0x80C0_3000)).unwrap();
    assert_eq!((trimmed.physical.0, trimmed.trust), (0xA000, Trust::Transition));
    assert!(matches!(
        space.physical(VirtualAddress(0x1_0000_0000)),
        Err(TranslateError::NotCanonical { bits: 32, .. })
    ));
}

#[test]
fn pae_begins_at_four_entries_that_need_no_page_of_their_own() {
    let mut ram = Ram::default();
    // 80A03123: PPE 2, PDE 5, PTE 3.
    ram.put64(0x1FE0 + 2 * 8, 0x3001);
    ram.put64(0x3000 + 5 * 8, 0x4003);
    ram.put64(0x4000 + 3 * 8, 0x8000_0001_2345_6003);
    ram.put64(0x3000 + 6 * 8, 0x1_0020_10E3);
    let space = Space::new(&ram, Paging::X86Pae, 0x1FE0 | 0x18);
    for _ in 0..2 {
        assert_eq!(space.physical(VirtualAddress(0x80A0_3123)).unwrap().0, 0x1_2345_6123);
        assert_eq!(space.physical(VirtualAddress(0x80DF_FFFF)).unwrap().0, 0x1_003F_FFFF);
    }
    let walk = space.walk(VirtualAddress(0x80A0_3123));
    assert_eq!(walk.levels[0].table, PhysicalAddress(0x1FE0));
    let seen = Access { writable: true, user: false, executable: false };
    assert_eq!(walk.outcome.unwrap().access, Some(seen), "a PPE carries no rights");
}

#[test]
fn arm64_has_one_root_for_both_halves_and_blocks() {
    let mut ram = Ram::default();
    // FFFFF800C0A07123 as on x64: 0x1F0, 3, 5, 7. And user 0000000000200000: 0, 0, 1.
    ram.put64(0x1000 + 0x1F0 * 8, 0x2003);
    ram.put64(0x2000 + 3 * 8, 0x3003);
    ram.put64(0x3000 + 5 * 8, 0x4003);
    ram.put64(0x4000 + 7 * 8, 0x0040_0000_0000_9783);
    ram.put64(0x4000 + 8 * 8, 0xA800);
    ram.put64(0x4000 + 9 * 8, 0xB001);
    ram.put64(0x2000 + 4 * 8, 0x1_8000_0701);
    ram.put64(0x1000, 0x5003);
    ram.put64(0x5000, 0x6003);
    ram.put64(0x6000 + 8, 0x0060_0000_4020_0741);
    let space = Space::new(&ram, Paging::Arm64, 0x0004_0000_0000_1001);
    for (address, physical, size) in [
        (0xFFFF_F800_C0A0_7123, 0x9123, 0x1000),
        (0xFFFF_F801_2345_6789, 0x1_A345_6789, 1 << 30),
        (0x0000_0000_0020_0010, 0x4020_0010, 1 << 21),
    ] {
        let found = space.translate(VirtualAddress(address)).unwrap();
        assert_eq!((found.physical.0, found.page_size), (physical, size));
        assert_eq!(space.physical(VirtualAddress(address)).unwrap().0, physical);
    }
    let access = |address| space.translate(VirtualAddress(address)).unwrap().access.unwrap();
    let kernel = Access { writable: false, user: false, executable: true };
    assert_eq!(access(0xFFFF_F800_C0A0_7000), kernel, "UXN does not bind the kernel");
    let user = Access { writable: true, user: true, executable: false };
    assert_eq!(access(0x0020_0000), user);
    let trimmed = space.translate(VirtualAddress(0xFFFF_F800_C0A0_8000)).unwrap();
    assert_eq!((trimmed.physical.frame(), trimmed.trust), (PageFrame(0xA), Trust::Transition));
    let error = space.translate(VirtualAddress(0xFFFF_F800_C0A0_9000)).unwrap_err();
    assert!(matches!(error, TranslateError::Reserved { level: EntryName::Pte, .. }));
}
