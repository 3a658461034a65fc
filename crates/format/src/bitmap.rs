//! Bitmap dumps (types 5 and 6).

use memory::PAGE_SIZE;

use crate::raw::BitmapHeader;
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
    raw: BitmapHeader,
}

const WHAT: &str = "the bitmap header";

impl<'a> Bitmap<'a> {
    pub(crate) fn open(source: Source<'a>, width: Width) -> Result<Self, Error> {
        let offset = width.header_size();
        let raw: BitmapHeader = source.read(WHAT, offset)?;
        let known = matches!(&raw.signature, b"FDMP" | b"SDMP") && &raw.valid_dump == b"DUMP";
        if !known {
            let found = [raw.signature, raw.valid_dump].concat();
            return Err(Error::Value {
                what: WHAT,
                offset,
                expected: "SDMPDUMP or FDMPDUMP".into(),
                found: String::from_utf8_lossy(&found).escape_default().to_string(),
            });
        }
        let bitmap = Self { source, offset, raw };
        bitmap.check_size()?;
        Ok(bitmap)
    }

    fn check_size(&self) -> Result<(), Error> {
        if self.bits() > MAX_BITS {
            return Err(Error::Value {
                what: "the number of bits in the bitmap",
                offset: self.offset + 0x30,
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

    /// File offset of the bitmap header: 0x2000, or 0x1000 in a 32-bit dump.
    pub fn header_offset(&self) -> u64 {
        self.offset
    }

    /// `FDMP` or `SDMP`.
    pub fn signature(&self) -> [u8; 4] {
        self.raw.signature
    }

    /// HeaderSize: the file offset of the first stored page. Need not be aligned.
    pub fn first_page_offset(&self) -> u64 {
        self.raw.header_size.get()
    }

    /// Pages: how many the header says are stored.
    pub fn pages(&self) -> u64 {
        self.raw.pages.get()
    }

    /// BitmapSize: how many bits there are, at most [`MAX_BITS`].
    pub fn bits(&self) -> u64 {
        self.raw.bitmap_size.get()
    }

    /// File offset of the bitmap's first byte.
    pub fn bits_offset(&self) -> u64 {
        self.offset + size_of::<BitmapHeader>() as u64
    }

    /// Bytes of the bitmap.
    pub fn bits_length(&self) -> u64 {
        self.bits().div_ceil(8)
    }

    /// Counts the set bits, in one pass over the file.
    pub fn count(&self) -> Result<u64, Error> {
        let mut count = 0_u64;
        let last = self.bits_length().saturating_sub(1);
        self.source.windows(
            "the bitmap",
            self.bits_offset(),
            self.bits_length(),
            |start, window| {
                count += ones(window);
                let end = start + window.len() as u64;
                if end > last
                    && let Some(byte) = window.last()
                {
                    count -= u64::from((byte & !self.last_mask()).count_ones());
                }
                true
            },
        )?;
        Ok(count)
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

fn ones(window: &[u8]) -> u64 {
    let (words, rest) = window.as_chunks::<8>();
    let words: u64 = words.iter().map(|w| u64::from(u64::from_le_bytes(*w).count_ones())).sum();
    words + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}
