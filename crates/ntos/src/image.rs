//! The headers of an image as they lie in memory.

use memory::VirtualAddress;
use symbols::pe::{Headers, Image};

use crate::reader::{Reader, at};

/// Reads the headers at an image's base; `None` when there is no image, or not
/// in the dump.
pub(crate) fn headers(reader: &Reader<'_>, base: VirtualAddress) -> Option<Headers> {
    if !reader.is_kernel(base) || base.page_offset() != 0 {
        return None;
    }
    let read = |rva: u32, buffer: &mut [u8]| reader.bytes(at(base, rva.into()), buffer).is_ok();
    Image::from_memory(read).ok().map(|image| image.headers().clone())
}
