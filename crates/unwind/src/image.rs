//! What the unwinder needs to know of code: which image holds an address, and its bytes.

use memory::VirtualAddress;

/// Where an image keeps its unwind data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceptions {
    /// The image's headers are not at hand, so nobody knows.
    Unknown,
    /// The headers say that there is none: the image has only leaf functions.
    Absent,
    /// The exception directory, as the headers give it.
    Table {
        /// Where it begins, relative to the image's base.
        rva: u32,
        /// Its size in bytes. It may be padded behind its last entry.
        size: u32,
    },
}

/// An image as it was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Its first address.
    pub base: VirtualAddress,
    /// SizeOfImage in bytes.
    pub size: u32,
    /// Its unwind data.
    pub exceptions: Exceptions,
    /// Whatever its [`Code`] needs to find it again.
    pub key: usize,
}

impl Image {
    /// The place of an address in the image; `None` outside of it.
    pub fn rva(&self, address: VirtualAddress) -> Option<u32> {
        let offset = address.checked_offset_from(self.base)?;
        u32::try_from(offset).ok().filter(|rva| *rva < self.size)
    }
}

/// Bytes of an image that are not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("image bytes at relative address {rva:#x} are missing")]
pub struct Missing {
    /// Where the read began, relative to the image's base.
    pub rva: u32,
}

/// All code of the machine, as far as it is known.
pub trait Code {
    /// The image that holds an address.
    fn image_at(&self, address: VirtualAddress) -> Option<Image>;

    /// Fills the whole buffer with the image's bytes as loaded.
    fn read(&self, image: &Image, rva: u32, buffer: &mut [u8]) -> Result<(), Missing>;

    /// Whether an address lies in a section that may be executed; `None` when
    /// the section headers are not at hand.
    fn is_executable(&self, image: &Image, rva: u32) -> Option<bool>;
}

/// Reads `N` bytes of an image.
pub(crate) fn bytes<const N: usize>(
    code: &dyn Code,
    image: &Image,
    rva: u32,
) -> Result<[u8; N], Missing> {
    let mut buffer = [0; N];
    let end = u64::from(rva) + N as u64;
    if end > u64::from(image.size) {
        return Err(Missing { rva });
    }
    code.read(image, rva, &mut buffer)?;
    Ok(buffer)
}

/// Reads a `u32` of an image.
pub(crate) fn dword(code: &dyn Code, image: &Image, rva: u32) -> Result<u32, Missing> {
    bytes(code, image, rva).map(u32::from_le_bytes)
}
