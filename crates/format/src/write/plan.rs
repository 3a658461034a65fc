//! Sizes and offsets, before the first byte is written.

use map::Bytes;
use memory::PAGE_SIZE;

use super::survey::{Patch, Survey};
use super::{Error, Head, Overlay, PageSource, memory_block, overlay, survey};
use crate::raw::BitmapHeader;
use crate::{DumpType, MAX_BITS, Width};

/// The kinds of dump that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Type 1: a list of runs in the header.
    Full,
    /// Type 5: a bitmap, `FDMP`.
    Bitmap,
    /// Type 6: the same on disk, but for `SDMP`; says that it has kernel pages.
    KernelBitmap,
}

impl Kind {
    /// The header's DumpType.
    pub fn dump_type(self) -> DumpType {
        match self {
            Self::Full => DumpType::Full,
            Self::Bitmap => DumpType::BitmapFull,
            Self::KernelBitmap => DumpType::BitmapKernel,
        }
    }

    /// What the bitmap header begins with; a type 1 dump has none.
    pub(super) fn signature(self) -> Option<[u8; 4]> {
        match self {
            Self::Full => None,
            Self::Bitmap => Some(*b"FDMP"),
            Self::KernelBitmap => Some(*b"SDMP"),
        }
    }

    /// First page number that cannot be stored.
    fn limit(self, width: Width) -> u64 {
        match (self, width) {
            (Self::Full, Width::Bits64) => 1 << 40,
            (Self::Full, Width::Bits32) => 1 << 32,
            _ => MAX_BITS,
        }
    }
}

/// Secondary data: `[offset, offset + length)` of `bytes`, which begins with `DumpBlob`.
#[derive(Clone, Copy)]
pub struct Secondary<'a> {
    /// What it is a part of.
    pub bytes: &'a dyn Bytes,
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

/// What is to be written, besides the pages.
pub struct Request<'a> {
    /// The kind of dump.
    pub kind: Kind,
    /// Its header.
    pub head: Head,
    /// What replaces bytes of the header or of the pages.
    pub overlays: Vec<Overlay>,
    /// What follows the pages.
    pub secondary: Option<Secondary<'a>>,
    /// DumpOptions of a bitmap dump. UNCONFIRMED: 1 kernel addresses valid, 2 user addresses valid.
    pub dump_options: u32,
}

impl Request<'_> {
    /// A header and pages, nothing else.
    pub fn new(kind: Kind, head: Head) -> Self {
        Self { kind, head, overlays: Vec::new(), secondary: None, dump_options: 0 }
    }
}

/// The file, as it is going to be: the same for the same source and request.
pub struct Plan<'a> {
    pub(super) kind: Kind,
    /// The header's final bytes.
    pub(super) header: Vec<u8>,
    pub(super) bitmap: Option<BitmapHeader>,
    pub(super) survey: Survey,
    pub(super) first_page: u64,
    pub(super) patches: Vec<Patch>,
    pub(super) secondary: Option<Secondary<'a>>,
    file_length: u64,
}

impl<'a> Plan<'a> {
    /// Goes once through the source's runs (not through its pages).
    pub fn new(source: &dyn PageSource, request: Request<'a>) -> Result<Self, Error> {
        let Request { kind, mut head, overlays, secondary, dump_options } = request;
        let width = head.width();
        let room = memory_block::room(width);
        let pieces = overlay::pieces(&overlays)?;
        let (survey, patches) = survey::survey(source, kind.limit(width), room, &pieces)?;
        if survey.pages == 0 {
            return Err(Error::NoPages(kind.dump_type()));
        }
        if kind == Kind::Full {
            if survey.runs > room as u64 {
                return Err(Error::TooManyRuns { runs: survey.runs, limit: room });
            }
            memory_block::set(&mut head, &survey.list, survey.pages)?;
        }
        let bits = survey.end.next_multiple_of(64);
        let first_page = first_page(kind, width, bits);
        let bitmap = kind.signature().map(|signature| BitmapHeader {
            signature,
            valid_dump: *b"DUMP",
            dump_options: dump_options.into(),
            unknown: [0; 0x14],
            header_size: first_page.into(),
            pages: survey.pages.into(),
            bitmap_size: bits.into(),
        });
        let file_length = file_length(first_page, survey.pages, secondary.as_ref())?;
        head.seal(kind, file_length);
        let mut header = head.bytes().to_vec();
        overlay::apply_to_header(&overlays, &mut header)?;
        Ok(Self { kind, header, bitmap, survey, first_page, patches, secondary, file_length })
    }

    /// The kind of dump.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many pages it will have.
    pub fn pages(&self) -> u64 {
        self.survey.pages
    }

    /// In how many runs they are; such as touch are one.
    pub fn runs(&self) -> u64 {
        self.survey.runs
    }

    /// File offset of the first page, a multiple of 4096.
    pub fn first_page_offset(&self) -> u64 {
        self.first_page
    }

    /// File offset behind the last page, where secondary data begins.
    pub fn pages_end(&self) -> u64 {
        self.first_page + self.survey.pages * PAGE_SIZE
    }

    /// Length of the file.
    pub fn file_length(&self) -> u64 {
        self.file_length
    }

    /// Bytes of the secondary data.
    pub fn secondary_length(&self) -> u64 {
        self.secondary.map_or(0, |secondary| secondary.length)
    }
}

/// Aligned, although readers must take any: LeechCore refuses another.
fn first_page(kind: Kind, width: Width, bits: u64) -> u64 {
    let header = width.header_size();
    match kind {
        Kind::Full => header,
        _ => (header + size_of::<BitmapHeader>() as u64 + bits / 8).next_multiple_of(PAGE_SIZE),
    }
}

fn file_length(first: u64, pages: u64, secondary: Option<&Secondary<'_>>) -> Result<u64, Error> {
    let length = pages
        .checked_mul(PAGE_SIZE)
        .and_then(|bytes| bytes.checked_add(first))
        .and_then(|end| end.checked_add(secondary.map_or(0, |secondary| secondary.length)));
    // Offsets are signed to every system.
    length.filter(|length| *length <= i64::MAX as u64).ok_or(Error::TooLarge)
}
