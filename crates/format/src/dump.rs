//! An open dump.

use map::Bytes;

use crate::source::Source;
use crate::triage::Triage;
use crate::{
    Attributes, Bitmap, Blob, Blobs, Build, DumpType, Error, Header, Identity, Pages, Runs, ranges,
};

/// A file with a dump header. Opening reads the header only; each part below
/// it is opened by its own method, so that a damaged part hides no other.
pub struct Dump<'a> {
    source: Source<'a>,
    header: Header,
}

impl<'a> Dump<'a> {
    /// Reads the header, or says what the file is instead.
    pub fn open(bytes: &'a dyn Bytes) -> Result<Self, Error> {
        let header = Header::read(&Source::new(bytes), Identity::of(bytes)?)?;
        Ok(Self { source: Source::new(bytes), header })
    }

    /// The decoded header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What kind of dump the header says it is.
    pub fn kind(&self) -> DumpType {
        self.header.dump_type
    }

    /// Length of the file in bytes.
    pub fn file_length(&self) -> u64 {
        self.source.len()
    }

    pub(crate) fn source(&self) -> &Source<'a> {
        &self.source
    }

    /// The page index of a bitmap dump (types 5, 6 and 7), or of an old
    /// summary dump (type 2), whose layout is UNCONFIRMED.
    pub fn bitmap(&self) -> Result<Bitmap<'a>, Error> {
        let summary = self.kind() == DumpType::Summary;
        self.expect(self.kind().is_bitmap() || summary)?;
        match summary {
            true => Bitmap::open_summary(self.source, self.header.width),
            false => Bitmap::open(self.source, self.header.width),
        }
    }

    /// The runs of a type 1 dump, or the ranges of a range dump (types 8, 9 and 0xA).
    pub fn runs(&self) -> Result<Runs, Error> {
        self.expect(self.kind() == DumpType::Full || self.kind().is_ranges())?;
        match self.kind() {
            DumpType::Full => Runs::open(self.source, self.header.width),
            kind => ranges::open(self.source, self.header.width, kind),
        }
    }

    /// The parts of a triage dump (type 4).
    pub fn triage(&self) -> Result<Triage<'a>, Error> {
        self.expect(self.kind() == DumpType::Triage)?;
        Triage::open(self.source, &self.header)
    }

    /// The physical memory in the dump. Nothing is mapped of an encrypted
    /// dump, nor of one whose bitmap names more pages than there is room for,
    /// unless its page tables show that what is there are pages.
    pub fn pages(&self) -> Result<Pages<'a>, Error> {
        match self.kind() {
            DumpType::Triage | DumpType::HeaderOnly => Err(Error::NoPages { kind: self.kind() }),
            DumpType::Full => self.runs().map(|runs| Pages::of_runs(self.source, runs)),
            kind if kind.is_ranges() => self.runs().map(|runs| Pages::of_runs(self.source, runs)),
            kind => {
                let pages = Pages::of_bitmap(&self.bitmap()?)?;
                let end = pages.end().unwrap_or(u64::MAX);
                let short = end > self.source.len();
                if short && (kind == DumpType::Summary || !self.shows_pages(&pages)) {
                    return Err(Error::PagesShort {
                        offset: pages.start(),
                        needed: end - pages.start(),
                        found: self.source.len().saturating_sub(pages.start()),
                    });
                }
                Ok(pages)
            }
        }
    }

    /// Where the dump proper ends and secondary data may begin.
    pub fn body_end(&self) -> Result<u64, Error> {
        match self.kind() {
            DumpType::HeaderOnly => Ok(self.header.width.header_size()),
            DumpType::Triage => self.triage().map(|triage| triage.size_of_dump()),
            kind if kind == DumpType::Full || kind.is_ranges() => self.runs().map(|runs| runs.end),
            _ => {
                let bitmap = self.bitmap()?;
                let pages = bitmap.count()?;
                bitmap.pages_end(pages).ok_or_else(|| Error::Cut {
                    what: "the stored pages",
                    offset: bitmap.first_page_offset(),
                    length: pages.saturating_mul(memory::PAGE_SIZE),
                    file: self.source.len(),
                })
            }
        }
    }

    /// The secondary data; `None` when there is none.
    pub fn blobs(&self) -> Result<Option<Blobs>, Error> {
        Blobs::read(&self.source, self.body_end()?)
    }

    /// The data of a blob.
    pub fn blob_bytes(&self, blob: &Blob) -> Result<Vec<u8>, Error> {
        self.source.vec("a blob's data", blob.offset, blob.size.into())
    }

    /// The bytes of ContextRecord, as many as the machine's CONTEXT has. After
    /// a crash it is the context of the fault, or of the call that stopped the
    /// machine; in a live dump that of the processor that took it. (H) (S)
    pub fn context(&self) -> Result<Option<Vec<u8>>, Error> {
        let Some((offset, length)) = self.header.context_place() else { return Ok(None) };
        self.source.vec("the context", offset, length).map(Some)
    }

    /// The bytes of the EXCEPTION_RECORD.
    pub fn exception(&self) -> Result<Vec<u8>, Error> {
        let (offset, length) = self.header.exception_place();
        self.source.vec("the exception record", offset, length)
    }

    /// The true build, from the secondary data.
    pub fn build(&self, blobs: &Blobs) -> Result<Option<Build>, Error> {
        blobs.build(&self.source)
    }

    /// Reads the data of a blob, or of any other part of the file.
    pub fn bytes(&self, what: &'static str, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        self.source.vec(what, offset, length)
    }

    fn expect(&self, understood: bool) -> Result<(), Error> {
        if self.header.has(Attributes::ENCRYPTED_DUMP_DATA) {
            return Err(Error::Encrypted);
        }
        let (width, kind) = (self.header.width, self.kind());
        if understood { Ok(()) } else { Err(Error::NotUnderstood { width, kind }) }
    }
}
