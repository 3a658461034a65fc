//! Secondary data, "DumpBlob".

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What the secondary data begins with. (S) (H names from WDK type data)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct BlobFileHeader {
    /// 0x00: `DumpBlob`.
    pub signature: [u8; 8],
    /// 0x08: 0x10.
    pub header_size: U32,
    /// 0x0C: NtBuildNumber with its flag: 0xF0004A61 is the free build 19041.
    pub build_number: U32,
}

/// What each blob begins with. The next one is at this header's end +
/// `pre_pad` + `data_size` + `post_pad`. There is no count. (S)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct BlobHeader {
    /// 0x00: 0x20. Anything else ends the list.
    pub header_size: U32,
    /// 0x04: a GUID in its Windows layout.
    pub tag: [u8; 16],
    /// 0x14: bytes of data. 0 and 8 occur.
    pub data_size: U32,
    /// 0x18: bytes between this header and the data.
    pub pre_pad: U32,
    /// 0x1C: bytes behind the data.
    pub post_pad: U32,
}

super::assert_layout!(BlobFileHeader, size 0x10, header_size = 0x8, build_number = 0xC);
super::assert_layout!(BlobHeader, size 0x20, tag = 0x4, data_size = 0x14, pre_pad = 0x18, post_pad = 0x1C);
