//! The exception directory: a sorted table of `RUNTIME_FUNCTION`.

use crate::image::bytes;
use crate::{Code, Exceptions, Image, Missing};

const ENTRY: u32 = 12;

/// One entry: a function, or a part of one. All addresses are relative to the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeFunction {
    /// Its first byte.
    pub begin: u32,
    /// The first byte behind it.
    pub end: u32,
    /// Where its `UNWIND_INFO` lies; with the low bit set, another entry that
    /// stands for this one.
    pub unwind: u32,
}

impl RuntimeFunction {
    /// Whether it covers an address.
    pub fn holds(&self, rva: u32) -> bool {
        (self.begin..self.end).contains(&rva)
    }

    pub(crate) fn read(code: &dyn Code, image: &Image, rva: u32) -> Result<Self, Missing> {
        let entry: [u8; ENTRY as usize] = bytes(code, image, rva)?;
        Ok(Self::from_bytes(&entry))
    }

    pub(crate) fn from_bytes(entry: &[u8; ENTRY as usize]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *entry;
        let begin = u32::from_le_bytes([a, b, c, d]);
        let end = u32::from_le_bytes([e, f, g, h]);
        Self { begin, end, unwind: u32::from_le_bytes([i, j, k, l]) }
    }

    /// The entry that an indirect one refers to.
    pub(crate) fn indirect(&self) -> Option<u32> {
        (self.unwind & 1 == 1).then_some(self.unwind & !1)
    }
}

/// The entry that covers an address; `None` for a leaf function. Asks for
/// no more than about 30 entries of a table of any size.
pub fn find_function(
    code: &dyn Code,
    image: &Image,
    rva: u32,
) -> Result<Option<RuntimeFunction>, Missing> {
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
        let entry = RuntimeFunction::read(code, image, table + middle * ENTRY)?;
        // Linkers pad the table with zeros at its end.
        if entry.begin == 0 || entry.begin > rva {
            high = middle;
        } else {
            best = Some(entry);
            low = middle + 1;
        }
    }
    Ok(best.filter(|entry| entry.holds(rva)))
}
