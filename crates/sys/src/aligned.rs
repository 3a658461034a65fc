//! Any offset and length on a file that takes only whole sectors.
//!
//! An unbuffered handle wants offset, length and memory address in multiples
//! of the sector size. Headers and comments are smaller than that: they are
//! read, changed and written back, and the file's length stays what it was.

use std::io;

/// A file read and written in whole sectors, which may end within one.
pub(crate) trait Sectors {
    /// Reads at an aligned offset; short only at the end of the file.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes at an aligned offset; may be short.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<usize>;
    /// The file's length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Sets it.
    fn set_len(&self, length: u64) -> io::Result<()>;
}

/// How much is moved at once: a whole triage dump.
const BOUNCE: usize = 1024 * 1024;

/// Memory that is aligned to a sector, made when first needed.
pub(crate) struct Bounce {
    memory: Vec<u8>,
    sector: usize,
}

impl Bounce {
    /// `sector` is a power of two; anything else is taken as 4096.
    pub(crate) fn new(sector: u32) -> Self {
        let sector = usize::try_from(sector).unwrap_or(0);
        let fits = sector.is_power_of_two() && sector <= BOUNCE;
        Self { memory: Vec::new(), sector: if fits { sector.max(512) } else { 4096 } }
    }

    fn buffer(&mut self) -> &mut [u8] {
        if self.memory.is_empty() {
            self.memory = vec![0; BOUNCE + self.sector];
        }
        let start = self.memory.as_ptr().align_offset(self.sector).min(self.sector);
        &mut self.memory[start..start + BOUNCE]
    }

    /// The aligned start of `offset`'s sector, and how far into it `offset` is.
    fn split(&self, offset: u64) -> (u64, usize) {
        let within = offset % self.sector as u64;
        (offset - within, usize::try_from(within).unwrap_or(0))
    }

    /// Reads at any offset; short only at the end of the file.
    pub(crate) fn read_at(
        &mut self,
        file: &impl Sectors,
        offset: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            let (start, within) = self.split(offset + done as u64);
            let whole = (within + buffer.len() - done).next_multiple_of(self.sector).min(BOUNCE);
            let sector = self.sector;
            let block = &mut self.buffer()[..whole];
            let got = fill(file, sector, start, block)?;
            let Some(found) = block[..got].get(within..).filter(|found| !found.is_empty()) else {
                break;
            };
            let take = found.len().min(buffer.len() - done);
            buffer[done..done + take].copy_from_slice(&found[..take]);
            done += take;
            if got < whole {
                break;
            }
        }
        Ok(done)
    }

    /// Writes all of `bytes` at any offset.
    pub(crate) fn write_at(
        &mut self,
        file: &impl Sectors,
        offset: u64,
        bytes: &[u8],
    ) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let end = offset
            .checked_add(bytes.len() as u64)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let before = file.len()?;
        let mut done = 0;
        let mut reached = 0;
        while done < bytes.len() {
            let (start, within) = self.split(offset + done as u64);
            let take = (bytes.len() - done).min(BOUNCE - within);
            let whole = (within + take).next_multiple_of(self.sector);
            self.write_block(file, start, within, &bytes[done..done + take], whole)?;
            done += take;
            reached = start + whole as u64;
        }
        let wanted = before.max(end);
        if reached > wanted { file.set_len(wanted) } else { Ok(()) }
    }

    fn write_block(
        &mut self,
        file: &impl Sectors,
        start: u64,
        within: usize,
        bytes: &[u8],
        whole: usize,
    ) -> io::Result<()> {
        let sector = self.sector;
        let block = &mut self.buffer()[..whole];
        // Where nothing is read there was nothing: behind the end of the file.
        block[..sector].fill(0);
        block[whole - sector..].fill(0);
        if within != 0 {
            fill(file, sector, start, &mut block[..sector])?;
        }
        let tail = within + bytes.len();
        if tail != whole && (whole > sector || within == 0) {
            let last = whole - sector;
            fill(file, sector, start + last as u64, &mut block[last..])?;
        }
        block[within..tail].copy_from_slice(bytes);
        let mut done = 0;
        while done < whole {
            match file.write(start + done as u64, &block[done..])? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                wrote => done += wrote,
            }
        }
        Ok(())
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &impl Sectors, sector: usize, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read(offset + done as u64, &mut buffer[done..])? {
            0 => break,
            got => done += got,
        }
        // Only the end of the file lies within a sector.
        if !done.is_multiple_of(sector) {
            break;
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A file in memory that refuses what an unbuffered handle refuses.
    struct Strict {
        bytes: RefCell<Vec<u8>>,
        sector: usize,
    }

    impl Strict {
        fn new(sector: usize, bytes: &[u8]) -> Self {
            Self { bytes: RefCell::new(bytes.to_vec()), sector }
        }

        fn check(&self, offset: u64, buffer: &[u8]) {
            assert_eq!(offset % self.sector as u64, 0, "offset");
            assert_eq!(buffer.len() % self.sector, 0, "length");
            assert_eq!(buffer.as_ptr().addr() % self.sector, 0, "memory");
        }
    }

    impl Sectors for Strict {
        fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            self.check(offset, buffer);
            let bytes = self.bytes.borrow();
            let from = bytes.get(offset as usize..).unwrap_or_default();
            let count = from.len().min(buffer.len());
            buffer[..count].copy_from_slice(&from[..count]);
            Ok(count)
        }

        fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
            self.check(offset, bytes);
            let mut all = self.bytes.borrow_mut();
            let end = offset as usize + bytes.len();
            if all.len() < end {
                all.resize(end, 0);
            }
            all[offset as usize..end].copy_from_slice(bytes);
            Ok(bytes.len())
        }

        fn len(&self) -> io::Result<u64> {
            Ok(self.bytes.borrow().len() as u64)
        }

        fn set_len(&self, length: u64) -> io::Result<()> {
            self.bytes.borrow_mut().resize(length as usize, 0);
            Ok(())
        }
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn any_offset_and_length_can_be_read_in_whole_sectors() {
        let bytes = pattern(3 * BOUNCE + 777);
        for sector in [512, 4096] {
            let file = Strict::new(sector, &bytes);
            let mut bounce = Bounce::new(sector as u32);
            for (offset, length) in
                [(0, 8), (1, 1), (4095, 2), (5000, BOUNCE + 3), (100, 2 * BOUNCE), (0, bytes.len())]
            {
                let mut buffer = vec![0; length];
                assert_eq!(bounce.read_at(&file, offset as u64, &mut buffer).unwrap(), length);
                assert_eq!(buffer, bytes[offset..offset + length]);
            }
        }
    }

    #[test]
    fn a_read_is_short_only_at_the_end_of_the_file() {
        let file = Strict::new(512, &pattern(1000));
        let mut bounce = Bounce::new(512);
        let mut buffer = [0; 600];
        assert_eq!(bounce.read_at(&file, 900, &mut buffer).unwrap(), 100);
        assert_eq!(buffer[..100], pattern(1000)[900..]);
        assert_eq!(bounce.read_at(&file, 1000, &mut buffer).unwrap(), 0);
        assert_eq!(bounce.read_at(&file, 1 << 40, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn a_small_write_changes_nothing_around_it_and_keeps_the_length() {
        let mut expected = pattern(10_001);
        let file = Strict::new(4096, &expected);
        let mut bounce = Bounce::new(4096);
        for (offset, text) in [(4000, &b"0123456789"[..]), (3, b"PAGEDU64"), (9_999, b"ab")] {
            bounce.write_at(&file, offset as u64, text).unwrap();
            expected[offset..offset + text.len()].copy_from_slice(text);
            assert_eq!(*file.bytes.borrow(), expected);
        }
    }

    #[test]
    fn a_write_beyond_the_end_makes_the_file_exactly_as_long() {
        let file = Strict::new(4096, &pattern(10));
        let mut bounce = Bounce::new(4096);
        let text = pattern(2 * BOUNCE + 5);
        bounce.write_at(&file, 4099, &text).unwrap();
        assert_eq!(file.len().unwrap(), 4099 + text.len() as u64);
        assert_eq!(file.bytes.borrow()[4099..], text);
        assert_eq!(file.bytes.borrow()[..10], pattern(10));
    }
}
