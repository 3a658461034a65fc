//! The header of a bitmap dump (types 5 and 6).

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What follows the dump header in types 5 and 6, before the bitmap's own
/// bytes; the same for 32 and 64 bits. (R: volatility3, rekall, LeechCore, kdmp-parser, rizin)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct BitmapHeader {
    /// 0x00: `FDMP` or `SDMP`; both occur with both types.
    pub signature: [u8; 4],
    /// 0x04: `DUMP`.
    pub valid_dump: [u8; 4],
    /// 0x08: UNCONFIRMED: 1 kernel addresses valid, 2 user addresses valid.
    pub dump_options: U32,
    /// 0x0C: understood by no reader.
    pub unknown: [u8; 0x14],
    /// 0x20: file offset of the first stored page. Need not be aligned.
    pub header_size: U64,
    /// 0x28: how many pages are stored, which is how many bits are set.
    pub pages: U64,
    /// 0x30: how many bits the bitmap has, one for each physical page from 0 on.
    pub bitmap_size: U64,
}

super::assert_layout!(BitmapHeader, size 0x38, header_size = 0x20, pages = 0x28, bitmap_size = 0x30);
