//! The header of a range dump (types 8, 9 and 0xA).

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What follows the dump header in a dump that WinDbg's `.dump /k`, `/ka` or
/// `/f` wrote. Ranges of [`super::PhysicalMemoryRun`] follow, and from
/// `first_page_offset` on their pages, in the order of the ranges, which need
/// not be sorted. In every file that is known,
/// `metadata_size` - 0x20 = `first_page_offset` - 0x2040. (R kdmp-parser)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct RangesHeader {
    /// 0x00: 0x40.
    pub marker: U32,
    /// 0x04: `RDMP`.
    pub signature: [u8; 4],
    /// 0x08: `DUMP`.
    pub valid_dump: [u8; 4],
    /// 0x0C: not used.
    pub unused: U32,
    /// 0x10: bytes of this header's rest and the ranges; a multiple of 16.
    pub metadata_size: U64,
    /// 0x18: file offset of the first page.
    pub first_page_offset: U64,
    /// 0x20: type 0xA: how many ranges. Types 8 and 9: not known.
    pub number_of_ranges: U32,
    /// 0x24: not known.
    pub unknown: U32,
    /// 0x28: type 0xA: TotalNumberOfPages: the list ends where the ranges have
    /// so many. Types 8 and 9: not known; their list ends at a range from page
    /// 0 on, or where the pages begin.
    pub total_number_of_pages: U64,
}

super::assert_layout!(
    RangesHeader, size 0x30,
    metadata_size = 0x10, first_page_offset = 0x18, number_of_ranges = 0x20,
    total_number_of_pages = 0x28,
);
