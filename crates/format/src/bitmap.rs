//! Bitmap dumps (types 5, 6 and 7), and the old summary dump (type 2).

use memory::PAGE_SIZE;

use crate::raw::{BitmapHeader, SummaryHeader};
use crate::source::Source;
use crate::{Error, Width};

/// Bits that a bitmap may claim: 256 TiB of physical address space, more than
/// any Windows addresses. It bounds the time that one pass over it can take.
pub const MAX_BITS: u64 = 1 << 36;

/// The page index of a bitmap dump: one bit for each physical page, and the
/// pages of the set bits in rising order from [`Bitmap::first_page_offset`].
/// The bits stay in the file: they are read in windows.
pub struct Bitmap<'a> {
    source: Source<'a>,
    offset: u64,
    signature: [u8; 4],
    first_page: u64,
    pages: u64,
    bits: u64,
    bits_offset: u64,
    /// File offsets of the page count and of the bit count.
    fields: (u64, u64),
}

const WHAT: &str = "the bitmap header";
const SUMMARY: &str = "the summary header";

impl<'a> Bitmap<'a> {
    pub(crate) fn open(source: Source<'a>, width: Width) -> Result<Self, Error> {
        let offset = width.header_size();
        let raw: BitmapHeader = source.read(WHAT, offset)?;
        check_signature(WHAT, offset, raw.signature, raw.valid_dump, &[*b"SDMP", *b"FDMP"])?;
        let bitmap = Self {
            source,
            offset,
            signature: raw.signature,
            first_page: raw.header_size.get(),
            pages: raw.pages.get(),
            bits: raw.bitmap_size.get(),
            bits_offset: offset + size_of::<BitmapHeader>() as u64,
            fields: (offset + 0x28, offset + 0x30),
        };
        bitmap.check_size()?;
        Ok(bitmap)
    }

    /// Opens a type 2 dump. Its layout is UNCONFIRMED, so everything that can
    /// contradict it must not: both bit counts, the room for the bits, and the
    /// pages against the file's length.
    pub(crate) fn open_summary(source: Source<'a>, width: Width) -> Result<Self, Error> {
        let offset = width.header_size();
        let raw: SummaryHeader = source.read(SUMMARY, offset)?;
        check_signature(SUMMARY, offset, raw.signature, raw.valid_dump, &[*b"SDMP"])?;
        // The count of an RTL_BITMAP and its pointer, as wide as the machine's.
        let rtl_bitmap = match width {
            Width::Bits32 => 8,
            Width::Bits64 => 16,
        };
        let bitmap = Self {
            source,
            offset,
            signature: raw.signature,
            first_page: raw.header_size.get().into(),
            pages: raw.pages.get().into(),
            bits: raw.bitmap_size.get().into(),
            bits_offset: offset + 0x18 + rtl_bitmap,
            fields: (offset + 0x14, offset + 0x10),
        };
        if raw.size_of_bit_map != raw.bitmap_size {
            return Err(Error::Value {
                what: "the number of bits in the bitmap",
                offset: offset + 0x18,
                expected: raw.bitmap_size.to_string(),
                found: raw.size_of_bit_map.to_string(),
            });
        }
        bitmap.check_size()?;
        Ok(bitmap)
    }

    fn check_size(&self) -> Result<(), Error> {
        if self.bits() > MAX_BITS {
            return Err(Error::Value {
                what: "the number of bits in the bitmap",
                offset: self.fields.1,
                expected: format!("at most {MAX_BITS:#x}"),
                found: format!("{:#x}", self.bits()),
            });
        }
        let (offset, length) = (self.bits_offset(), self.bits_length());
        if self.source.holds(offset, length) {
            return Ok(());
        }
        Err(Error::Cut { what: "the bitmap", offset, length, file: self.source.len() })
    }

    pub(crate) fn source(&self) -> Source<'a> {
        self.source
    }

    /// File offset of the page count.
    pub(crate) fn pages_field(&self) -> u64 {
        self.fields.0
    }

    /// File offset of the bitmap header: 0x2000, or 0x1000 in a 32-bit dump.
    pub fn header_offset(&self) -> u64 {
        self.offset
    }

    /// `FDMP` or `SDMP`.
    pub fn signature(&self) -> [u8; 4] {
        self.signature
    }

    /// HeaderSize: the file offset of the first stored page. Need not be aligned.
    pub fn first_page_offset(&self) -> u64 {
        self.first_page
    }

    /// Pages: how many the header says are stored.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// BitmapSize: how many bits there are, at most [`MAX_BITS`].
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// File offset of the bitmap's first byte.
    pub fn bits_offset(&self) -> u64 {
        self.bits_offset
    }

    /// Bytes of the bitmap.
    pub fn bits_length(&self) -> u64 {
        self.bits().div_ceil(8)
    }

    /// Counts the set bits, in one pass over the file.
    pub fn count(&self) -> Result<u64, Error> {
        let mut count = 0_u64;
        self.windows(|_, window| count += ones(window))?;
        Ok(count)
    }

    /// Shows all bytes of the bitmap in windows, with the offset into it.
    /// Bits past the last one are cleared.
    pub(crate) fn windows(&self, mut see: impl FnMut(u64, &[u8])) -> Result<(), Error> {
        let length = self.bits_length();
        let whole = if self.last_mask() == 0xFF { length } else { length - 1 };
        self.source.windows("the bitmap", self.bits_offset, whole, |start, window| {
            see(start, window);
            true
        })?;
        if whole < length {
            let mut last = [0];
            self.source.fill("the bitmap", self.bits_offset + whole, &mut last)?;
            see(whole, &[last[0] & self.last_mask()]);
        }
        Ok(())
    }

    /// Which bits of the last byte belong to the bitmap.
    fn last_mask(&self) -> u8 {
        match self.bits() % 8 {
            0 => 0xFF,
            used => (1 << used) - 1,
        }
    }

    /// Where the page data of `count` pages ends; `None` when no file can reach that far.
    pub fn pages_end(&self, count: u64) -> Option<u64> {
        count.checked_mul(PAGE_SIZE)?.checked_add(self.first_page_offset())
    }
}

fn check_signature(
    what: &'static str,
    offset: u64,
    signature: [u8; 4],
    valid_dump: [u8; 4],
    known: &[[u8; 4]],
) -> Result<(), Error> {
    if known.contains(&signature) && &valid_dump == b"DUMP" {
        return Ok(());
    }
    let expected = known.iter().map(|word| format!("{}DUMP", word.escape_ascii()));
    let found = [signature, valid_dump].concat();
    Err(Error::Value {
        what,
        offset,
        expected: expected.collect::<Vec<_>>().join(" or "),
        found: found.escape_ascii().to_string(),
    })
}

/// How many bits are set.
pub(crate) fn ones(window: &[u8]) -> u64 {
    let (words, rest) = window.as_chunks::<8>();
    let words: u64 = words.iter().map(|w| u64::from(u64::from_le_bytes(*w).count_ones())).sum();
    words + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}
