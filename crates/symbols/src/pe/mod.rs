//! PE images: from a file, or from what a dump has of one in memory.
//!
//! The format is Microsoft's "PE Format" page; the structures are those of the
//! `object` crate. [`Image`] reads by RVA through [`ImageBytes`], so that it is
//! the same whether the bytes lie in a file ([`FileImage`]), or come page by
//! page from a dump in which some are missing.

mod codeview;
mod exports;
mod file;
mod headers;

use std::sync::Arc;

pub use codeview::CodeView;
pub use exports::{Exports, Forwarder};
pub use file::FileImage;
pub use headers::{Directory, Headers, Machine, Section};

use crate::ImageIdentity;

/// An image's bytes by RVA.
pub trait ImageBytes {
    /// Fills the whole of `buffer` from `rva` on, or says `false`: not there.
    fn read(&self, rva: u32, buffer: &mut [u8]) -> bool;

    /// How many bytes there really are, where that is known: no table of the
    /// image can be longer.
    fn stored(&self) -> Option<u64> {
        None
    }
}

impl<F: Fn(u32, &mut [u8]) -> bool> ImageBytes for F {
    fn read(&self, rva: u32, buffer: &mut [u8]) -> bool {
        self(rva, buffer)
    }
}

/// Why an image, or a part of it, cannot be read. Addresses are RVAs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeError {
    /// The bytes are not there: the file ends, or the dump does not have the page.
    #[error("{what} at RVA {rva:#x}: {size:#x} bytes are not there")]
    NotThere {
        /// What was being read.
        what: &'static str,
        /// Where it starts.
        rva: u32,
        /// How long it is.
        size: u32,
    },
    /// A value that no image has.
    #[error("{what} at RVA {rva:#x}: {found:#x} cannot be")]
    Damaged {
        /// What was being read.
        what: &'static str,
        /// Where it is.
        rva: u32,
        /// What was found.
        found: u64,
    },
}

/// An image whose headers were read.
#[derive(Debug, Clone)]
pub struct Image<B> {
    headers: Headers,
    bytes: B,
}

impl Image<FileImage> {
    /// An image in a file.
    pub fn from_file(bytes: Arc<dyn map::Bytes>) -> Result<Self, PeError> {
        let headers = Headers::read(&|rva: u32, buffer: &mut [u8]| {
            bytes.read_exact_at(u64::from(rva), buffer).is_ok()
        })?;
        Ok(Self { bytes: FileImage::new(bytes, &headers), headers })
    }
}

impl<B: ImageBytes> Image<B> {
    /// An image as it lies in memory.
    pub fn from_memory(bytes: B) -> Result<Self, PeError> {
        Ok(Self { headers: Headers::read(&bytes)?, bytes })
    }

    /// Its headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// What the loader's list and the symbol stores know it by.
    pub fn identity(&self) -> ImageIdentity {
        ImageIdentity {
            time_date_stamp: self.headers.time_date_stamp,
            size_of_image: self.headers.size_of_image,
        }
    }

    /// Fills `buffer` from `rva` on, or says `false`.
    pub fn read(&self, rva: u32, buffer: &mut [u8]) -> bool {
        self.bytes.read(rva, buffer)
    }

    /// Which PDB belongs to it. `None`: it names none, or in a form older than
    /// `RSDS`.
    pub fn codeview(&self) -> Result<Option<CodeView>, PeError> {
        codeview::read(&self.headers, &self.bytes)
    }

    /// What it exports.
    pub fn exports(&self) -> Result<Exports, PeError> {
        exports::read(&self.headers, &self.bytes)
    }
}

/// Reads a part of an image that may be as long as the image says. Memory is
/// taken only for what can be there.
fn read_part<B: ImageBytes + ?Sized>(
    bytes: &B,
    what: &'static str,
    part: Directory,
) -> Result<Vec<u8>, PeError> {
    let Directory { rva, size } = part;
    let not_there = PeError::NotThere { what, rva, size };
    if bytes.stored().is_some_and(|stored| u64::from(size) > stored) {
        return Err(not_there);
    }
    // Page by page: the first that is missing ends it.
    let mut read = Vec::new();
    while read.len() < size as usize {
        let done = read.len();
        let length = (size as usize - done).min(0x1_0000);
        if read.capacity() < done + length {
            read.reserve_exact((done + length).max(done * 2).min(size as usize) - done);
        }
        read.resize(done + length, 0);
        let at = rva.checked_add(done as u32).ok_or_else(|| not_there.clone())?;
        if !bytes.read(at, &mut read[done..]) {
            return Err(not_there);
        }
    }
    Ok(read)
}
