//! A file that is laid out, and its way to a disk.

use std::io::{self, Cursor, Seek, SeekFrom, Write};

use super::content::{Memory, PAGE, Page, Piece};
use super::truth::{Answer, Stored, Truth};
use crate::random::noise;

/// Pages made at a time.
const CHUNK: u64 = 64;

/// A bitmap, made while it is written.
#[derive(Debug, Clone)]
pub(crate) struct Bitmap {
    pub(crate) offset: u64,
    pub(crate) bits: u64,
    /// Sorted, below `bits`.
    pub(crate) runs: Vec<(u64, u64)>,
    /// Set what is left of the last byte.
    pub(crate) stray: bool,
}

/// A dump file, laid out and not yet written.
///
/// It holds the small kernel and the told extents, never the pages of those.
#[derive(Debug, Clone, Default)]
pub struct DumpFile {
    pub(crate) parts: Vec<(u64, Vec<u8>)>,
    pub(crate) bitmap: Option<Bitmap>,
    /// Offset and length of unreadable page data.
    pub(crate) unreadable: Option<(u64, u64)>,
    pub(crate) memory: Memory,
    pub(crate) length: u64,
    pub(crate) scrambled_from: Option<u64>,
    pub(crate) truth: Truth,
    pub(crate) index: Vec<Stored>,
}

impl DumpFile {
    /// To be called last: sorts out what can be found, and what is claimed in vain.
    pub(crate) fn finish(mut self, claims: Vec<super::system::Claim>) -> Self {
        self.index = self.truth.stored.iter().filter(|s| !s.repeated).copied().collect();
        self.index.sort_by_key(|stored| stored.first);
        let mut known = std::mem::take(&mut self.truth.known);
        for (claim, frames) in claims {
            let has = |frame: &u64| self.offset_of(*frame).is_some();
            let holds = match claim.answer {
                Answer::Bytes { .. } => frames.iter().all(has),
                Answer::PageNotInFile { .. } | Answer::TableNotInFile { .. } => {
                    !frames.iter().any(has)
                }
                Answer::NotMapped { .. } => true,
            };
            if holds && !self.index.is_empty() {
                known.push(claim);
            }
        }
        self.truth.known = known;
        self
    }

    /// Bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What it holds.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Where a page frame is stored, if it is.
    pub fn offset_of(&self, frame: u64) -> Option<u64> {
        let at = self.index.partition_point(|stored| stored.first + stored.count <= frame);
        let stored = self.index.get(at).filter(|stored| stored.first <= frame)?;
        Some(stored.offset + (frame - stored.first) * PAGE as u64)
    }

    /// The bytes of a stored page frame.
    pub fn page(&self, frame: u64) -> Option<Vec<u8>> {
        self.offset_of(frame)?;
        let mut page = vec![0; PAGE];
        self.memory.page(frame, &mut page).then_some(page)
    }

    /// Writes the file from `to`'s start on. Zero pages are passed over by
    /// seeking: `to` has to be empty.
    ///
    /// # Errors
    ///
    /// What `to` says.
    pub fn write_to<W: Write + Seek>(&self, to: &mut W) -> io::Result<()> {
        let mut out = Out { to, position: 0, scrambled_from: self.scrambled_from };
        out.to.seek(SeekFrom::Start(0))?;
        for (offset, bytes) in &self.parts {
            out.put(*offset, bytes)?;
        }
        if let Some(bitmap) = &self.bitmap {
            put_bitmap(&mut out, bitmap)?;
        }
        let mut buffer = vec![0; CHUNK as usize * PAGE];
        for stored in &self.truth.stored {
            self.put_pages(&mut out, stored, &mut buffer)?;
        }
        if let Some((offset, length)) = self.unreadable {
            put_unreadable(&mut out, offset, length)?;
        }
        out.end(self.length)
    }

    /// The whole file in memory: for small ones.
    pub fn bytes(&self) -> Vec<u8> {
        let mut to = Cursor::new(Vec::new());
        // Writing to a vector does not fail.
        let _ = self.write_to(&mut to);
        to.into_inner()
    }

    /// `buffer` has room for [`CHUNK`] pages.
    fn put_pages<W: Write + Seek>(
        &self,
        out: &mut Out<'_, W>,
        stored: &Stored,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        let mut done = 0;
        while done < stored.count {
            let frame = stored.first + done;
            let Some((piece, count)) = self.memory.piece(frame, stored.count - done) else {
                return Ok(());
            };
            let hole = matches!(piece, Piece::Told(Page::Zero, _))
                && !stored.repeated
                && self.scrambled_from.is_none();
            if hole {
                done += count;
                continue;
            }
            let count = count.min(CHUNK);
            let bytes = &mut buffer[..count as usize * PAGE];
            match piece {
                Piece::Own(own) => bytes.copy_from_slice(own),
                Piece::Told(page, first) => {
                    let frames = first..first + count;
                    bytes.chunks_exact_mut(PAGE).zip(frames).for_each(|(to, f)| page.make(f, to));
                }
            }
            if stored.repeated {
                bytes.iter_mut().for_each(|byte| *byte = !*byte);
            }
            out.put(stored.offset + done * PAGE as u64, bytes)?;
            done += count;
        }
        Ok(())
    }
}

fn put_bitmap<W: Write + Seek>(out: &mut Out<'_, W>, bitmap: &Bitmap) -> io::Result<()> {
    const WINDOW: u64 = 0x1_0000;
    let total = bitmap.bits.div_ceil(8);
    let mut runs = bitmap.runs.as_slice();
    for start in (0..total).step_by(WINDOW as usize) {
        let end = (start + WINDOW).min(total);
        let mut window = vec![0; (end - start) as usize];
        while let Some((first, count)) = runs.first() {
            let (from, to) = ((*first).max(start * 8), (first + count).min(end * 8));
            if from < to {
                set_bits(&mut window, from - start * 8, to - start * 8);
            }
            if first + count > end * 8 {
                break;
            }
            runs = &runs[1..];
        }
        if bitmap.stray && end == total {
            set_bits(&mut window, bitmap.bits - start * 8, (end - start) * 8);
        }
        if window.iter().any(|byte| *byte != 0) {
            out.put(bitmap.offset + start, &window)?;
        }
    }
    Ok(())
}

fn set_bits(to: &mut [u8], mut from: u64, end: u64) {
    while from < end {
        if from.is_multiple_of(8) && end - from >= 8 {
            let whole = (end - from) / 8;
            to[(from / 8) as usize..(from / 8 + whole) as usize].fill(0xFF);
            from += whole * 8;
        } else {
            to[(from / 8) as usize] |= 1 << (from % 8);
            from += 1;
        }
    }
}

fn put_unreadable<W: Write + Seek>(
    out: &mut Out<'_, W>,
    offset: u64,
    length: u64,
) -> io::Result<()> {
    let mut page = [0; PAGE];
    for at in (0..length).step_by(PAGE) {
        noise(!0, at, &mut page);
        out.put(offset + at, &page[..(length - at).min(PAGE as u64) as usize])?;
    }
    Ok(())
}

/// Writes at positions, and knows how far it has come.
struct Out<'a, W> {
    to: &'a mut W,
    position: u64,
    scrambled_from: Option<u64>,
}

impl<W: Write + Seek> Out<'_, W> {
    fn put(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if offset != self.position {
            self.to.seek(SeekFrom::Start(offset))?;
        }
        self.position = offset + bytes.len() as u64;
        match self.scrambled_from {
            Some(from) if offset >= from => self.to.write_all(&scrambled(offset, bytes)),
            _ => self.to.write_all(bytes),
        }
    }

    /// The file may end in a hole.
    fn end(&mut self, length: u64) -> io::Result<()> {
        let end = self.to.seek(SeekFrom::End(0))?;
        self.position = end;
        if end < length {
            self.put(length - 1, &[0])?;
        }
        self.to.flush()
    }
}

/// Not encryption: only as unreadable as if it were.
fn scrambled(offset: u64, bytes: &[u8]) -> Vec<u8> {
    let key = |at: u64| {
        let word = (at / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
        (word ^ word >> 29).to_le_bytes()[(at % 8) as usize]
    };
    bytes.iter().zip(offset..).map(|(byte, at)| byte ^ key(at)).collect()
}
