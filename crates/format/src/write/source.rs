//! Where pages come from.

use map::Bytes;

use super::plan::Secondary;
use super::{Error, Head, Kind, Request};
use crate::{BlobEnd, Blobs, Dump, DumpType, Machine, Pages, Run};

/// Pages of physical memory that a dump can be written from: another dump, a
/// guest's memory, an image. They are bytes, and runs that say which of them
/// are which pages.
pub trait PageSource {
    /// Shows the runs in rising order, no page twice, until `see` answers
    /// false: the same each time. [`Run::offset`] is where the run's first
    /// page begins in [`PageSource::bytes`].
    fn runs(&self, see: &mut dyn FnMut(Run) -> bool) -> Result<(), crate::Error>;

    /// The bytes that the pages are in. Those that lend them are copied from
    /// where they are; holes that they tell of are not read.
    fn bytes(&self) -> &dyn Bytes;
}

/// The pages of another dump, of any kind that has some.
pub struct DumpPages<'a> {
    bytes: &'a dyn Bytes,
    dump: Dump<'a>,
    pages: Pages<'a>,
}

impl<'a> DumpPages<'a> {
    /// Opens the dump and its page index.
    pub fn open(bytes: &'a dyn Bytes) -> Result<Self, crate::Error> {
        let dump = Dump::open(bytes)?;
        let pages = dump.pages()?;
        Ok(Self { bytes, dump, pages })
    }

    /// The dump.
    pub fn dump(&self) -> &Dump<'a> {
        &self.dump
    }

    /// What makes another kind of dump of the same pages: this header with
    /// `DumpIsGeneratedOffline` (see [`Head::of`]), and the secondary data
    /// unchanged. No page is added and none is left out, so that a kernel dump
    /// does not become complete, whatever its type says.
    ///
    /// Fails for machines whose pages are not known to have 4096 bytes: those
    /// of IA64 have 8192.
    pub fn request(&self, kind: Kind) -> Result<Request<'a>, Error> {
        match self.dump.header().machine_image_type {
            Machine::X86 | Machine::X64 | Machine::Arm32 | Machine::Arm64 => {}
            other => return Err(Error::Machine(other)),
        }
        let head = Head::of(self.bytes, self.dump.header().width)?;
        let mut request = Request::new(kind, head);
        request.secondary = self.dump.blobs()?.map(|blobs| self.secondary(&blobs));
        request.dump_options = self.dump_options()?;
        Ok(request)
    }

    /// How many bytes behind the pages and the last whole blob no conversion
    /// takes over: slack, a blob that was cut, or what nothing explains.
    pub fn left_out(&self) -> Result<u64, crate::Error> {
        let end = match self.dump.blobs()? {
            Some(blobs) => self.blobs_end(&blobs),
            None => self.dump.body_end()?,
        };
        Ok(self.bytes.len().saturating_sub(end))
    }

    /// Up to where the list of blobs is whole; slack behind it is left out.
    fn secondary(&self, blobs: &Blobs) -> Secondary<'a> {
        let length = self.blobs_end(blobs).saturating_sub(blobs.offset);
        Secondary { bytes: self.bytes, offset: blobs.offset, length }
    }

    fn blobs_end(&self, blobs: &Blobs) -> u64 {
        match blobs.end {
            BlobEnd::Slack { offset }
            | BlobEnd::NoHeader { offset, .. }
            | BlobEnd::Cut { offset, .. } => offset,
            _ => self.bytes.len(),
        }
    }

    /// DumpOptions of another bitmap dump: not understood, but known.
    fn dump_options(&self) -> Result<u32, crate::Error> {
        let kind = self.dump.kind();
        if !kind.is_bitmap() || kind == DumpType::Summary {
            return Ok(0);
        }
        let offset = self.dump.bitmap()?.header_offset() + 8;
        let bytes = self.dump.bytes("the bitmap's options", offset, 4)?;
        Ok(bytes.try_into().map_or(0, u32::from_le_bytes))
    }
}

impl PageSource for DumpPages<'_> {
    fn runs(&self, see: &mut dyn FnMut(Run) -> bool) -> Result<(), crate::Error> {
        self.pages.runs(see)
    }

    fn bytes(&self) -> &dyn Bytes {
        self.bytes
    }
}
