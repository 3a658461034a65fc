//! The header of an old summary dump (type 2).

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What follows the dump header in the kernel memory dump of Windows 2000 to 7.
/// UNCONFIRMED: no sample is known, and only Ghidra models it. Behind it an
/// RTL_BITMAP lies as it lay in memory: its number of bits (u32; padded to 8 in
/// a 64-bit dump), a pointer that means nothing in a file, and the bits.
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct SummaryHeader {
    /// 0x00: `SDMP`.
    pub signature: [u8; 4],
    /// 0x04: `DUMP`.
    pub valid_dump: [u8; 4],
    /// 0x08: 1 kernel addresses valid, 2 user addresses valid. (H)
    pub dump_options: U32,
    /// 0x0C: file offset of the first stored page.
    pub header_size: U32,
    /// 0x10: how many bits the bitmap has.
    pub bitmap_size: U32,
    /// 0x14: how many pages are stored.
    pub pages: U32,
    /// 0x18: SizeOfBitMap of the RTL_BITMAP.
    pub size_of_bit_map: U32,
}

super::assert_layout!(
    SummaryHeader, size 0x1C,
    header_size = 0xC, bitmap_size = 0x10, pages = 0x14, size_of_bit_map = 0x18,
);
