//! Page tables of every machine, out of a few pages that the input fills.

use memory::{
    PageFrame, Paging, PhysicalAddress, PhysicalMemory, ReadError, Space, Trust, VirtualAddress,
    VirtualMemory, Walk,
};

use crate::input::Input;

const WAYS: [Paging; 5] =
    [Paging::X64, Paging::X64FiveLevel, Paging::X86, Paging::X86Pae, Paging::Arm64];

/// Pages 0 to 15 but 11, which is never there.
pub(super) struct Ram(Vec<[u8; 4096]>);

const PAGES: u64 = 16;
const ABSENT: u64 = 11;

impl PhysicalMemory for Ram {
    fn read_physical(&self, address: PhysicalAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        for (index, byte) in buffer.iter_mut().enumerate() {
            let at = address.0.checked_add(index as u64).map(PhysicalAddress);
            let at = at.ok_or(ReadError::PhysicalAbsent { address })?;
            let page = self.page(at.frame().0).ok_or(ReadError::PhysicalAbsent { address: at })?;
            *byte = page[at.page_offset() as usize];
        }
        Ok(())
    }
}

impl Ram {
    /// Entries, each of eight bytes' room: where, and a value that may be bent
    /// so that it names one of the pages.
    pub(super) fn of(input: &mut Input<'_>) -> Self {
        let mut pages = vec![[0; 4096]; PAGES as usize];
        for _ in 0..input.u8() {
            let (place, bend, raw) = (input.u16(), input.u8(), input.u64());
            let value = match bend & 3 {
                0 => raw,
                1 => raw & 0xFFF | u64::from(bend >> 4) << 12 | 1,
                2 => raw & !0x000F_FFFF_FFFF_F000 | u64::from(bend >> 4) << 12 | 1,
                _ => raw & !0x000F_FFFF_FFFF_F001 | u64::from(bend >> 4) << 12,
            };
            let at = usize::from(place & 0x1FF) * 8;
            let page = &mut pages[usize::from(place >> 9) % PAGES as usize];
            page[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        Self(pages)
    }

    pub(super) fn page(&self, frame: u64) -> Option<&[u8; 4096]> {
        self.0.get(usize::try_from(frame).ok()?).filter(|_| frame != ABSENT)
    }

    fn byte(&self, at: PhysicalAddress) -> Option<u8> {
        Some(self.page(at.frame().0)?[at.page_offset() as usize])
    }
}

/// The machine, its root, what is known of it, the entries, then addresses.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let paging = input.pick(&WAYS);
    let (root, hints, known) = (input.u16(), input.u8(), input.u64());
    let ram = Ram::of(&mut input);
    let mut space = Space::new(&ram, paging, u64::from(root));
    if hints & 1 != 0 {
        space = space.with_highest_frame(PageFrame(u64::from(hints >> 4)));
    }
    if hints & 2 != 0 {
        space = space.with_invalid_pte_mask(known);
    }
    for _ in 0..16 {
        let address = VirtualAddress(input.u64());
        one(&space, &ram, address);
        bytes(&space, &ram, VirtualAddress(address.0 | 0xFFC));
        if input.is_empty() {
            break;
        }
    }
}

fn one(space: &Space<&Ram>, ram: &Ram, address: VirtualAddress) {
    let walk = space.walk(address);
    let told = format!("{:?}", walk.outcome);
    assert_eq!(told, format!("{:?}", space.translate(address)));
    // From the root, and out of what is remembered.
    for _ in 0..2 {
        let fast = space.physical(address);
        match (&walk.outcome, &fast) {
            (Ok(slow), Ok(fast)) => assert_eq!(slow.physical, *fast),
            (Err(slow), Err(fast)) => assert_eq!(slow.to_string(), fast.to_string()),
            _ => panic!("{told}, but {fast:?}"),
        }
    }
    levels(space.paging(), &walk, ram);
    let Ok(found) = &walk.outcome else { return };
    let within = found.page_size - 1;
    assert!(found.page_size.is_power_of_two() && found.page_size >= 4096);
    assert_eq!(found.physical.0 & within, address.0 & within);
    assert_eq!(found.access.is_some(), found.trust == Trust::Valid);
    let elsewhere = space.at(space.root().0);
    assert_eq!(elsewhere.translate(address).unwrap(), *found);
}

/// Every entry that is shown stands where it is said to.
fn levels(paging: Paging, walk: &Walk, ram: &Ram) {
    assert!(walk.levels.len() <= 6);
    let size = paging.entry_size();
    for level in &walk.levels {
        let at = level.table.0 + u64::from(level.index) * size;
        let bytes = (0..size).map(|byte| ram.byte(PhysicalAddress(at + byte)));
        let bytes: Option<Vec<u8>> = bytes.collect();
        let bytes = bytes.expect("an entry that is shown was read");
        let entry = bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        assert_eq!(entry, level.entry);
    }
}

/// What is read over a page's end is what is there byte by byte, up to the first that is not.
fn bytes(space: &Space<&Ram>, ram: &Ram, start: VirtualAddress) {
    let mut found = [0; 12];
    let (read, error) = space.read_up_to(start, &mut found);
    assert_eq!(error.is_none(), read == found.len());
    for (index, byte) in found.iter().enumerate().take(read + 1) {
        let there = start
            .checked_add(index as u64)
            .and_then(|at| space.translate(at).ok().and_then(|found| ram.byte(found.physical)));
        let expected = if index < read { Some(*byte) } else { None };
        assert_eq!(there, expected.filter(|_| index < read), "byte {index} from {start} on");
    }
    assert_eq!(space.read_virtual(start, &mut [0; 12]).is_ok(), read == 12);
}
