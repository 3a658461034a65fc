//! The one place where a file is mapped.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

/// A file mapped read-only. An empty file has no map: nothing can be mapped of it.
#[derive(Debug)]
pub(crate) struct Mapped(Option<memmap2::Mmap>);

impl Mapped {
    /// Maps the whole of `file`.
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self(None));
        }
        // SAFETY: the map is read-only and lives as long as its owner. That
        // others may write to or cut the file is not in our hands: the bytes
        // may change under us, so nothing above believes a byte twice, and a
        // cut file ends the process, which is why `File::open` is the other
        // way, and the one that `File::open_suited` takes on doubt.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self(Some(map)))
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}
