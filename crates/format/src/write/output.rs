//! Where a dump goes.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// What a dump is written to: empty at first. What is never written reads as
/// zeros, as it does in any file, and takes no room where the file system can
/// do that.
pub trait Output {
    /// Sets the length.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
    /// Writes all of `bytes` at an offset.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything written so far outlives a power cut.
    fn flush(&mut self) -> io::Result<()>;
}

impl Output for File {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        Self::set_len(self, length)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// A file in memory.
impl Output for Vec<u8> {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.saturating_add(bytes.len());
        if self.len() < end {
            self.resize(end, 0);
        }
        self[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
