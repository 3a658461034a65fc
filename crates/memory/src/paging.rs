//! The shapes of the page tables: which levels there are and what indexes them.

use std::fmt;

use crate::{PhysicalAddress, VirtualAddress};

/// How a machine's page tables are built. Not told by a dump's header alone:
/// 5-level paging and PAE are found in the processor's state or by trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Paging {
    /// x64, four levels, 48 bits of address (Intel SDM volume 3, 4.5).
    X64,
    /// x64 with LA57: five levels, 57 bits of address.
    X64FiveLevel,
    /// x86 without PAE: two levels of 4-byte entries.
    X86,
    /// x86 with PAE: a table of four entries, then two levels of 8-byte entries.
    X86Pae,
    /// ARM64 with 4 KiB granule and 48 bits of address, as Windows uses it:
    /// one root for both halves of the address space.
    Arm64,
}

/// The entry of one level of the page tables, by the names Windows' debugger
/// uses on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryName {
    /// The fifth level's, above the PXE; only with LA57.
    Pml5e,
    /// Page directory pointer parent: bits 39 to 47 of the address (ARM64 level 0).
    Pxe,
    /// Page directory pointer: bits 30 to 38 (ARM64 level 1).
    Ppe,
    /// Page directory: bits 21 to 29, or 22 to 31 on x86 without PAE (ARM64 level 2).
    Pde,
    /// Page table: bits 12 to 20, or 12 to 21 on x86 without PAE (ARM64 level 3).
    Pte,
    /// A prototype PTE, which lies in paged pool and not in a page table.
    PrototypePte,
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pml5e => "PML5E",
            Self::Pxe => "PXE",
            Self::Ppe => "PPE",
            Self::Pde => "PDE",
            Self::Pte => "PTE",
            Self::PrototypePte => "prototype PTE",
        })
    }
}

/// One level: its entry's name and the bits of the address that index it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: EntryName,
    pub(crate) shift: u32,
    pub(crate) bits: u32,
}

impl Step {
    #[inline]
    pub(crate) fn index(&self, address: u64) -> u64 {
        (address >> self.shift) & ((1 << self.bits) - 1)
    }

    /// Bytes that one entry of this level covers: its large page's size.
    #[inline]
    pub(crate) fn span(&self) -> u64 {
        1 << self.shift
    }
}

/// Bits of an address within the smallest page, on every machine.
const PAGE_BITS: u32 = 12;

const fn step(name: EntryName, shift: u32, bits: u32) -> Step {
    Step { name, shift, bits }
}

const LONG: [Step; 5] = [
    step(EntryName::Pml5e, 48, 9),
    step(EntryName::Pxe, 39, 9),
    step(EntryName::Ppe, 30, 9),
    step(EntryName::Pde, 21, 9),
    step(EntryName::Pte, 12, 9),
];
const PAE: [Step; 3] =
    [step(EntryName::Ppe, 30, 2), step(EntryName::Pde, 21, 9), step(EntryName::Pte, 12, 9)];
const SHORT: [Step; 2] = [step(EntryName::Pde, 22, 10), step(EntryName::Pte, 12, 10)];

impl Paging {
    pub(crate) fn steps(self) -> &'static [Step] {
        match self {
            Self::X64FiveLevel => &LONG,
            Self::X64 | Self::Arm64 => LONG.split_at(1).1,
            Self::X86Pae => &PAE,
            Self::X86 => &SHORT,
        }
    }

    /// The numbers that a translation through the cache needs.
    #[inline]
    pub(crate) fn shape(self) -> &'static Shape {
        match self {
            Self::X64 => &X64,
            Self::X64FiveLevel => &FIVE,
            Self::X86 => &X86,
            Self::X86Pae => &X86_PAE,
            Self::Arm64 => &ARM64,
        }
    }

    /// The last level's step: the page table's.
    pub(crate) fn leaf(self) -> Step {
        match self {
            Self::X86 => SHORT[1],
            _ => LONG[4],
        }
    }

    /// How many bits of an address are translated: 32, 48 or 57.
    pub fn address_bits(self) -> u32 {
        self.shape().address_bits
    }

    /// Bytes in an entry: 8, or 4 on x86 without PAE.
    pub fn entry_size(self) -> u64 {
        self.shape().entry_size
    }

    /// How many low bits of an address one entry covers: what a missing entry takes away.
    pub fn entry_bits(self, level: EntryName) -> u32 {
        self.step(level).map_or(PAGE_BITS, |step| step.shift)
    }

    /// How many low bits of an address a table of such entries covers; of the
    /// root's, as far as the half of a 64-bit address space reaches.
    pub fn table_bits(self, level: EntryName) -> u32 {
        let Some(step) = self.step(level) else { return PAGE_BITS };
        match self.address_bits() {
            32 => step.shift + step.bits,
            bits => (step.shift + step.bits).min(bits - 1),
        }
    }

    /// `None` of a level that this way of paging does not have.
    fn step(self, level: EntryName) -> Option<&'static Step> {
        self.steps().iter().find(|step| step.name == level)
    }

    /// Where the first table lies, given a `DirectoryTableBase` (CR3, or a
    /// translation table base register), whose other bits are flags and
    /// process context numbers.
    pub fn root(self, directory_table_base: u64) -> PhysicalAddress {
        PhysicalAddress(
            directory_table_base
                & match self {
                    Self::X64 | Self::X64FiveLevel => 0x000F_FFFF_FFFF_F000,
                    Self::X86 => 0xFFFF_F000,
                    Self::X86Pae => 0xFFFF_FFE0,
                    Self::Arm64 => 0x0000_FFFF_FFFF_F000,
                },
        )
    }
}

/// The numbers of a way of paging that a translation through the cache needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// How many bits of an address are translated.
    pub(crate) address_bits: u32,
    /// How many low bits of an address one page table covers.
    pub(crate) region_bits: u32,
    /// Bytes in an entry.
    pub(crate) entry_size: u64,
    /// The bits that are set in a page table's entry that names a page.
    pub(crate) valid: u64,
    /// The bits that name the page.
    pub(crate) frame: u64,
    /// Below this an address need not be sign-extended.
    unextended: u64,
    /// The bits of an address that the tables see.
    seen: u64,
}

const X64: Shape = Shape {
    address_bits: 48,
    region_bits: 21,
    entry_size: 8,
    valid: 1,
    frame: 0x000F_FFFF_FFFF_F000,
    unextended: 0,
    seen: u64::MAX,
};
const FIVE: Shape = Shape { address_bits: 57, ..X64 };
const ARM64: Shape = Shape { valid: 3, frame: 0x0003_FFFF_FFFF_F000, ..X64 };
const X86_PAE: Shape = Shape { address_bits: 32, unextended: 1 << 32, seen: 0xFFFF_FFFF, ..X64 };
const X86: Shape = Shape { region_bits: 22, entry_size: 4, frame: 0xFFFF_F000, ..X86_PAE };

impl Shape {
    /// The bits of the address that the tables see; `None` when the machine
    /// would refuse it. A 32-bit address may come sign-extended, as the
    /// debugger block stores it.
    #[inline]
    pub(crate) fn plain(&self, address: VirtualAddress) -> Option<u64> {
        let fits = address.is_canonical_at(self.address_bits) || address.0 < self.unextended;
        fits.then_some(address.0 & self.seen)
    }

    /// Where in its page table an address has its entry.
    #[inline]
    pub(crate) fn entry_offset(&self, plain: u64) -> usize {
        // A page table fills a page, so what runs over belongs to the levels above.
        ((plain >> 12).wrapping_mul(self.entry_size) & 0xFFF) as usize
    }

    /// The page that a page table's entry names; `None` unless the processor takes it.
    #[inline]
    pub(crate) fn page(&self, entry: u64) -> Option<PhysicalAddress> {
        (entry & self.valid == self.valid).then_some(PhysicalAddress(entry & self.frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_loses_flags_and_process_context_numbers() {
        assert_eq!(Paging::X64.root(0x8000_0000_001A_D002), PhysicalAddress(0x1AD000));
        assert_eq!(Paging::X86Pae.root(0x0018_5FE7), PhysicalAddress(0x0018_5FE0));
        assert_eq!(Paging::X86.root(0x0018_5FE7), PhysicalAddress(0x0018_5000));
        assert_eq!(Paging::Arm64.root(0x0004_0000_8100_0001), PhysicalAddress(0x8100_0000));
    }

    #[test]
    fn a_32_bit_address_may_be_sign_extended() {
        let kernel = VirtualAddress(0xFFFF_FFFF_8280_1000);
        assert_eq!(Paging::X86Pae.shape().plain(kernel), Some(0x8280_1000));
        assert_eq!(Paging::X86.shape().plain(VirtualAddress(0x8280_1000)), Some(0x8280_1000));
        assert_eq!(Paging::X86.shape().plain(VirtualAddress(0x1_0000_0000)), None);
        assert_eq!(Paging::X86.shape().plain(VirtualAddress(0xFFFF_FFFF_0000_0000)), None);
    }
    #[test]
    fn a_table_covers_what_its_entries_do_and_a_root_no_more_than_its_half() {
        use EntryName::{Pde, Pml5e, Ppe, PrototypePte, Pte, Pxe};
        let facts = [
            (Paging::X64, Pte, 12, 21),
            (Paging::X64, Pxe, 39, 47),
            (Paging::X64FiveLevel, Pxe, 39, 48),
            (Paging::X64FiveLevel, Pml5e, 48, 56),
            (Paging::X86, Pde, 22, 32),
            (Paging::X86, Pte, 12, 22),
            (Paging::X86Pae, Ppe, 30, 32),
            (Paging::X86Pae, Pde, 21, 30),
            (Paging::Arm64, Ppe, 30, 39),
            (Paging::Arm64, PrototypePte, 12, 12),
        ];
        for (paging, level, entry, table) in facts {
            let found = (paging.entry_bits(level), paging.table_bits(level));
            assert_eq!(found, (entry, table), "{paging:?} {level}");
        }
    }
}
