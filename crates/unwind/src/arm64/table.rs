//! The exception directory: entries of 8 bytes, sorted.

use super::{FunctionRecord, PackedFunction};
use crate::image::bytes;
use crate::{Code, Exceptions, Image, Missing};

const ENTRY: u32 = 8;

/// An entry: where a function begins, and its unwind data or where that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionEntry {
    /// Its first byte, relative to the image.
    pub begin: u32,
    /// With its low two bits 0 where the full record is; else the packed data.
    pub data: u32,
}

/// What an entry's unwind data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    Packed(PackedFunction),
    Full(FunctionRecord),
}

impl FunctionEntry {
    fn read(code: &dyn Code, image: &Image, rva: u32) -> Result<Self, Missing> {
        let [a, b, c, d, e, f, g, h]: [u8; ENTRY as usize] = bytes(code, image, rva)?;
        let begin = u32::from_le_bytes([a, b, c, d]);
        Ok(Self { begin, data: u32::from_le_bytes([e, f, g, h]) })
    }
}

/// The entry that begins nearest before an address, whether or not it covers
/// it; `None` where there is none.
pub fn find_function(
    code: &dyn Code,
    image: &Image,
    rva: u32,
) -> Result<Option<FunctionEntry>, Missing> {
    let (table, size) = match image.exceptions {
        Exceptions::Unknown => return Err(Missing { rva: 0 }),
        Exceptions::Absent => return Ok(None),
        Exceptions::Table { rva, size } => (rva, size),
    };
    let room = image.size.saturating_sub(table);
    let (mut low, mut high) = (0, size.min(room) / ENTRY);
    let mut best = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let entry = FunctionEntry::read(code, image, table + middle * ENTRY)?;
        // Linkers pad the table with zeros at its end.
        if entry.begin == 0 || entry.begin > rva {
            high = middle;
        } else {
            best = Some(entry);
            low = middle + 1;
        }
    }
    Ok(best)
}
