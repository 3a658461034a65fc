//! Checked reading: every offset is held against the file's length first.

use map::Bytes;
use zerocopy::FromBytes;

use crate::Error;

/// A file whose every read says what it was for.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    bytes: &'a dyn Bytes,
    /// The file itself, where it lies in memory: the fast way.
    slice: Option<&'a [u8]>,
    length: u64,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a dyn Bytes) -> Self {
        Self { bytes, slice: bytes.as_slice(), length: bytes.len() }
    }

    /// `[offset, offset + length)` itself, where the file lies in memory and holds it.
    #[inline]
    pub(crate) fn slice(&self, offset: u64, length: usize) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        self.slice?.get(start..start.checked_add(length)?)
    }

    #[inline]
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Whether `[offset, offset + length)` lies inside the file.
    #[inline]
    pub(crate) fn holds(&self, offset: u64, length: u64) -> bool {
        offset.checked_add(length).is_some_and(|end| end <= self.length)
    }

    /// Fills `buffer`, or says what was cut.
    pub(crate) fn fill(
        &self,
        what: &'static str,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<(), Error> {
        let length = buffer.len() as u64;
        if let Some(bytes) = self.slice(offset, buffer.len()) {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        if !self.holds(offset, length) {
            return Err(Error::Cut { what, offset, length, file: self.length });
        }
        let read = self.bytes.read_exact_at(offset, buffer);
        read.map_err(|source| Error::Io { what, offset, length, source })
    }

    /// Reads one layout of [`crate::raw`].
    pub(crate) fn read<T>(&self, what: &'static str, offset: u64) -> Result<T, Error>
    where
        T: FromBytes + zerocopy::IntoBytes,
    {
        let mut value = T::new_zeroed();
        self.fill(what, offset, value.as_mut_bytes())?;
        Ok(value)
    }

    /// Reads `length` bytes, after checking that the file has them.
    pub(crate) fn vec(
        &self,
        what: &'static str,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, Error> {
        let cut = Error::Cut { what, offset, length, file: self.length };
        let Ok(size) = usize::try_from(length) else { return Err(cut) };
        if !self.holds(offset, length) {
            return Err(cut);
        }
        let mut buffer = vec![0; size];
        self.fill(what, offset, &mut buffer)?;
        Ok(buffer)
    }

    /// Walks `[offset, offset + length)` in windows of at most [`WINDOW`]
    /// bytes, until `see` answers false. What does not fit in memory at once
    /// is read this way, so that memory does not grow with the file.
    pub(crate) fn windows(
        &self,
        what: &'static str,
        offset: u64,
        length: u64,
        mut see: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), Error> {
        if !self.holds(offset, length) {
            return Err(Error::Cut { what, offset, length, file: self.length });
        }
        let mut buffer = Vec::new();
        let mut done = 0;
        while done < length {
            let size = (length - done).min(WINDOW) as usize;
            if let Some(bytes) = self.slice(offset + done, size) {
                if !see(done, bytes) {
                    break;
                }
                done += size as u64;
                continue;
            }
            buffer.resize(length.min(WINDOW) as usize, 0);
            self.fill(what, offset + done, &mut buffer[..size])?;
            if !see(done, &buffer[..size]) {
                break;
            }
            done += size as u64;
        }
        Ok(())
    }
}

/// Bytes read at once where a part of a file may be of any length. A multiple of 8.
pub(crate) const WINDOW: u64 = 256 * 1024;
