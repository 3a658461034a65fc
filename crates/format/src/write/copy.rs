//! Copying bytes from a source to the file: in large pieces, leaving holes.

use map::Bytes;

use super::Error;
use super::job::Sink;

/// Bytes that are read or written at once, at most.
const PIECE: usize = 1 << 20;

/// From so many bytes on, what lies in memory is written from where it lies.
const DIRECT: usize = 128 << 10;

/// Zeros that are not worth a hole are shorter than this.
const BLOCK: usize = 64 << 10;

/// Copies what follows itself in the file. Pieces that are small or far apart
/// in the source are gathered, so that the file is written in large ones.
pub(super) struct Copy<'a> {
    bytes: &'a dyn Bytes,
    buffer: Vec<u8>,
    /// File offset of the next byte; the buffer is before it.
    at: u64,
}

impl<'a> Copy<'a> {
    pub(super) fn new(bytes: &'a dyn Bytes, at: u64) -> Self {
        Self { bytes, buffer: Vec::new(), at }
    }

    /// Copies `[offset, offset + length)` of the source.
    pub(super) fn copy(
        &mut self,
        offset: u64,
        length: u64,
        out: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < length {
            let (from, left) = (offset.saturating_add(done), length - done);
            done += match self.hole(from, left) {
                0 => self.piece(from, left.min(PIECE as u64) as usize, out)?,
                hole => {
                    self.flush(out)?;
                    self.at += hole;
                    out.skipped(hole)?;
                    hole
                }
            };
        }
        Ok(())
    }

    /// Writes what is gathered.
    pub(super) fn flush(&mut self, out: &mut Sink<'_>) -> Result<(), Error> {
        let start = self.at - self.buffer.len() as u64;
        put(start, &self.buffer, out)?;
        self.buffer.clear();
        Ok(())
    }

    /// Asked for each large piece only, which is next to nothing.
    fn hole(&self, offset: u64, left: u64) -> u64 {
        let hole = if left < BLOCK as u64 { 0 } else { self.bytes.hole_at(offset).min(left) };
        if hole < BLOCK as u64 { 0 } else { hole }
    }

    fn piece(&mut self, offset: u64, length: usize, out: &mut Sink<'_>) -> Result<u64, Error> {
        let start = usize::try_from(offset).ok();
        let lent =
            start.and_then(|start| self.bytes.as_slice()?.get(start..start.checked_add(length)?));
        match lent {
            Some(lent) if length >= DIRECT => {
                self.flush(out)?;
                put(self.at, lent, out)?;
            }
            lent => {
                if self.buffer.len() + length > PIECE {
                    self.flush(out)?;
                }
                self.gather(offset, length, lent)?;
            }
        }
        self.at += length as u64;
        Ok(length as u64)
    }

    fn gather(&mut self, offset: u64, length: usize, lent: Option<&[u8]>) -> Result<(), Error> {
        if let Some(lent) = lent {
            self.buffer.extend_from_slice(lent);
            return Ok(());
        }
        let start = self.buffer.len();
        self.buffer.resize(start + length, 0);
        let read = self.bytes.read_exact_at(offset, &mut self.buffer[start..]);
        read.map_err(|source| Error::Read { offset, length: length as u64, source })
    }
}

/// Writes all but the blocks of zeros.
fn put(at: u64, bytes: &[u8], out: &mut Sink<'_>) -> Result<(), Error> {
    let mut written = 0;
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        if is_zero(block) {
            let start = index * BLOCK;
            out.data(at + written as u64, &bytes[written..start])?;
            out.skipped(block.len() as u64)?;
            written = start + block.len();
        }
    }
    out.data(at + written as u64, &bytes[written..])
}

/// Nearly every block that is not zeros shows it in its first bytes.
fn is_zero(block: &[u8]) -> bool {
    let (words, rest) = block.as_chunks::<64>();
    words.iter().all(|word| *word == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}
