//! The headers of an image as they lie in memory.

use memory::VirtualAddress;

use crate::reader::{Reader, at};

/// What the headers of an image say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Headers {
    /// SizeOfImage in bytes.
    pub size: u32,
    /// TimeDateStamp.
    pub time_date_stamp: u32,
    /// AddressOfEntryPoint, relative to the base.
    pub entry_point: u32,
    /// CheckSum.
    pub check_sum: u32,
}

/// Reads the headers at an image's base; `None` when there is no image, or not
/// in the dump.
pub(crate) fn headers(reader: &Reader<'_>, base: VirtualAddress) -> Option<Headers> {
    if !reader.is_kernel(base) || base.page_offset() != 0 {
        return None;
    }
    let value = |offset: u64, size| reader.integer(at(base, offset), size).ok();
    let is_image = value(0, 2)? == u64::from(u16::from_le_bytes(*b"MZ"));
    let start = value(0x3C, 4).filter(|start| is_image && *start < 0x1000)?;
    let is_image = value(start, 4)? == u64::from(u32::from_le_bytes(*b"PE\0\0"));
    let field = |offset| value(start + offset, 4).map(|value| value as u32);
    is_image.then_some(Headers {
        size: field(0x50)?,
        time_date_stamp: field(8)?,
        entry_point: field(0x28)?,
        check_sum: field(0x58)?,
    })
}
