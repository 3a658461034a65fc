//! Where bytes can go, besides a file.

use capture::Failure;

use super::{MAX_JSON, unwritable};
use crate::console::Stream;
use crate::render::hex::{self, Hex};
use crate::render::read::{GapReport, PartReport};

/// Takes bytes in rising order; each call answers whether more is wanted.
pub(super) trait Sink {
    /// Bytes, their address, and where they are in the file.
    fn held(&mut self, address: u64, offset: u64, bytes: &[u8]) -> Result<bool, Failure>;

    /// Bytes that are not there.
    fn gap(&mut self, address: u64, gap: &GapReport) -> Result<bool, Failure> {
        let _ = (address, gap);
        Ok(true)
    }

    /// How many bytes it still takes; `None`: any number.
    fn room(&self) -> Option<u64> {
        None
    }
}

/// Lines on standard output.
pub(super) struct Lines {
    stream: Stream,
    hex: Hex,
}

/// Lines that are written at once, in bytes of memory that they show.
const AT_ONCE: usize = 4096;

impl Lines {
    pub(super) fn new() -> Self {
        Self { stream: Stream::new(), hex: Hex::default() }
    }

    /// Whether anybody still reads.
    pub(super) fn finish(mut self) -> std::io::Result<bool> {
        self.hex.end_line();
        Ok(self.stream.write(self.hex.take().as_bytes())? && self.stream.finish()?)
    }
}

impl Sink for Lines {
    fn held(&mut self, address: u64, _: u64, bytes: &[u8]) -> Result<bool, Failure> {
        let mut at = address;
        for part in bytes.chunks(AT_ONCE) {
            self.hex.push(at, part);
            at = at.wrapping_add(part.len() as u64);
            if !self.stream.write(self.hex.take().as_bytes()).map_err(unwritable)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn gap(&mut self, address: u64, gap: &GapReport) -> Result<bool, Failure> {
        self.hex.note(address, &gap.words());
        self.stream.write(self.hex.take().as_bytes()).map_err(unwritable)
    }
}

/// The bytes themselves on standard output.
pub(super) struct Raw(pub(super) Stream);

impl Sink for Raw {
    fn held(&mut self, _: u64, _: u64, bytes: &[u8]) -> Result<bool, Failure> {
        self.0.write(bytes).map_err(unwritable)
    }
}

/// Parts of a JSON answer.
#[derive(Default)]
pub(super) struct Json(pub(super) Vec<PartReport>, u64, Option<u64>);

impl Sink for Json {
    fn held(&mut self, address: u64, offset: u64, bytes: &[u8]) -> Result<bool, Failure> {
        let Self(parts, held, next) = self;
        if *next != Some(address) || parts.is_empty() {
            let address = format!("{address:016x}");
            parts.push(PartReport { address, file_offset: offset, hex: String::new() });
        }
        if let Some(part) = parts.last_mut() {
            hex::digits(&mut part.hex, bytes);
        }
        *held += bytes.len() as u64;
        *next = Some(address.wrapping_add(bytes.len() as u64));
        Ok(true)
    }

    fn room(&self) -> Option<u64> {
        Some(MAX_JSON.saturating_sub(self.1))
    }
}
