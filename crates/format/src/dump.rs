//! An open dump.

use map::Bytes;

use crate::source::Source;
use crate::triage::Triage;
use crate::{Attributes, Bitmap, Blobs, Build, DumpType, Error, Header, Identity, Runs, Width};

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

    /// The page index of a bitmap dump (types 5, 6 and 7).
    pub fn bitmap(&self) -> Result<Bitmap<'a>, Error> {
        self.expect(self.kind().is_bitmap())?;
        Bitmap::open(self.source, self.header.width)
    }

    /// The runs of a type 1 dump.
    pub fn runs(&self) -> Result<Runs, Error> {
        self.expect(self.kind() == DumpType::Full)?;
        Runs::open(self.source, self.header.width)
    }

    /// The parts of a 64-bit triage dump (type 4).
    pub fn triage(&self) -> Result<Triage<'a>, Error> {
        self.expect(self.kind() == DumpType::Triage && self.header.width == Width::Bits64)?;
        Triage::open(self.source, self.header.kd_debugger_data_block)
    }

    /// Where the dump proper ends and secondary data may begin.
    pub fn body_end(&self) -> Result<u64, Error> {
        match self.kind() {
            DumpType::Triage => self.triage().map(|triage| triage.size_of_dump()),
            DumpType::Full => self.runs().map(|runs| runs.end),
            kind if kind.is_bitmap() => {
                let bitmap = self.bitmap()?;
                let pages = bitmap.count()?;
                bitmap.pages_end(pages).ok_or_else(|| Error::Cut {
                    what: "the stored pages",
                    offset: bitmap.first_page_offset(),
                    length: pages.saturating_mul(memory::PAGE_SIZE),
                    file: self.source.len(),
                })
            }
            kind => Err(Error::NotUnderstood { width: self.header.width, kind }),
        }
    }

    /// The secondary data; `None` when there is none.
    pub fn blobs(&self) -> Result<Option<Blobs>, Error> {
        Blobs::read(&self.source, self.body_end()?)
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
