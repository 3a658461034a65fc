//! The drivers that a triage dump lists.

use memory::VirtualAddress;

use super::Triage;
use crate::raw::{TriageDriver32, TriageDriver64};
use crate::{Error, Width};

/// Characters of a name that are read: paths have at most so many.
const MAX_NAME: u32 = 0x7FFF;

/// Drivers, loaded or unloaded, that are listed at most.
pub(crate) const MAX_DRIVERS: u32 = 1 << 20;

/// A driver that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Driver {
    /// Its path in files the kernel wrote, its bare name in later-made ones
    /// (S); `None` when it does not lie among the dump's strings.
    pub name: Option<String>,
    /// DllBase.
    pub base: VirtualAddress,
    /// SizeOfImage; with the stamp the key of the file in a symbol store.
    pub size: u32,
    /// TimeDateStamp.
    pub time_date_stamp: u32,
    /// CheckSum.
    pub check_sum: u32,
    /// EntryPoint; 0 in files the kernel wrote. (S)
    pub entry_point: VirtualAddress,
    /// Flags.
    pub flags: u32,
}

/// A driver that was loaded once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnloadedDriver {
    /// The first 12 characters of its name, which is all there is. (S)
    pub name: String,
    /// Where it began.
    pub start: VirtualAddress,
    /// Where it ended.
    pub end: VirtualAddress,
}

impl Triage<'_> {
    /// Bytes of an entry of the driver list.
    pub(crate) fn driver_size(&self) -> u64 {
        match self.header.width {
            Width::Bits64 => size_of::<TriageDriver64>() as u64,
            Width::Bits32 => size_of::<TriageDriver32>() as u64,
        }
    }

    /// The loaded drivers, the kernel first, each read when it is asked for.
    pub fn drivers(&self) -> impl Iterator<Item = Result<Driver, Error>> + '_ {
        let start = u64::from(self.header.driver_list_offset);
        let count = if start == 0 { 0 } else { self.header.driver_count.min(MAX_DRIVERS) };
        let held = self.source.len().saturating_sub(start).div_ceil(self.driver_size());
        let count = held.min(count.into());
        (0..count).map(move |index| self.driver(start + index * self.driver_size()))
    }

    fn driver(&self, offset: u64) -> Result<Driver, Error> {
        const WHAT: &str = "a driver's entry";
        macro_rules! driver {
            ($raw:expr) => {{
                let raw = $raw;
                Ok(Driver {
                    name: self.string(raw.name_offset.get())?,
                    base: VirtualAddress(raw.dll_base.get().into()),
                    size: raw.size_of_image.get(),
                    time_date_stamp: raw.time_date_stamp.get(),
                    check_sum: raw.check_sum.get(),
                    entry_point: VirtualAddress(raw.entry_point.get().into()),
                    flags: raw.flags.get(),
                })
            }};
        }
        match self.header.width {
            Width::Bits64 => driver!(self.source.read::<TriageDriver64>(WHAT, offset)?),
            Width::Bits32 => driver!(self.source.read::<TriageDriver32>(WHAT, offset)?),
        }
    }

    /// Bytes of a string of the pool, and where they begin; `None` outside of it.
    pub(crate) fn string_place(&self, offset: u32) -> Result<Option<(u64, u64)>, Error> {
        let (start, size) = (self.header.string_pool_offset, self.header.string_pool_size);
        let end = (u64::from(start) + u64::from(size)).min(self.source.len());
        let at = u64::from(offset);
        if offset < start || at + 4 > end {
            return Ok(None);
        }
        let mut characters = [0; 4];
        self.source.fill("a string's length", at, &mut characters)?;
        let bytes = 2 * u64::from(u32::from_le_bytes(characters));
        Ok((at + 4 + bytes <= end).then_some((at + 4, bytes)))
    }

    fn string(&self, offset: u32) -> Result<Option<String>, Error> {
        let Some((at, bytes)) = self.string_place(offset)? else { return Ok(None) };
        let bytes = self.source.vec("a string", at, bytes.min(2 * u64::from(MAX_NAME)))?;
        Ok(Some(text(&bytes)))
    }

    /// How many unloaded drivers are listed.
    pub fn unloaded_count(&self) -> Result<Option<u32>, Error> {
        let offset = u64::from(self.header.unloaded_drivers_offset);
        if offset == 0 {
            return Ok(None);
        }
        let mut count = [0; 4];
        self.source.fill("the count of unloaded drivers", offset, &mut count)?;
        Ok(Some(u32::from_le_bytes(count)))
    }

    /// File offset of the first entry of the unloaded drivers, and bytes of one. (S)
    pub(crate) fn unloaded_place(&self) -> (u64, u64) {
        let offset = u64::from(self.header.unloaded_drivers_offset);
        match self.header.width {
            Width::Bits64 => (offset + 8, 0x38),
            Width::Bits32 => (offset + 4, 0x28),
        }
    }

    /// The unloaded drivers, the newest first. What lies behind the file's end is left out.
    pub fn unloaded_drivers(&self) -> Result<Vec<UnloadedDriver>, Error> {
        let Some(count) = self.unloaded_count()? else { return Ok(Vec::new()) };
        let (start, size) = self.unloaded_place();
        let held = self.source.len().saturating_sub(start) / size;
        // Windows keeps 50. (S)
        let count = held.min(count.into()).min(0x1000);
        (0..count).map(|index| self.unloaded_driver(start + index * size, size)).collect()
    }

    /// Length and MaximumLength, a buffer that is not here, 12 characters, start and end. (S)
    fn unloaded_driver(&self, offset: u64, size: u64) -> Result<UnloadedDriver, Error> {
        let bytes = self.source.vec("an unloaded driver", offset, size)?;
        let pointer = self.header.width.pointer_size();
        let name = pointer * 2;
        let length = bytes.first_chunk().map_or(0, |length| u16::from_le_bytes(*length));
        let name = bytes.get(name..name + 24).unwrap_or_default();
        let address = |from_end: usize| {
            let field = bytes.rchunks(pointer).nth(from_end).unwrap_or_default();
            VirtualAddress(little_endian(field))
        };
        Ok(UnloadedDriver {
            name: text(&name[..name.len().min(length.into())]),
            start: address(1),
            end: address(0),
        })
    }
}

/// A number of up to eight bytes.
pub(crate) fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// UTF-16 up to a 0, with bad surrogates replaced.
fn text(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
