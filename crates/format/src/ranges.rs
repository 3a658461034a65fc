//! Range dumps (types 8, 9 and 0xA), as WinDbg writes them. (R kdmp-parser)

use zerocopy::FromBytes;

use crate::raw::{PhysicalMemoryRun, RangesHeader};
use crate::source::Source;
use crate::{DumpType, Error, Runs, Width};

/// Ranges that are read at most.
pub const MAX_RANGES: u64 = 1 << 20;

const WHAT: &str = "the range header";
const ENTRY: u64 = size_of::<PhysicalMemoryRun>() as u64;
/// Offset of the first range, from the end of the dump header on.
const LIST: u64 = size_of::<RangesHeader>() as u64;

/// Reads the ranges. That 32-bit range dumps look the same behind their
/// smaller header is UNCONFIRMED.
pub(crate) fn open(source: Source<'_>, width: Width, kind: DumpType) -> Result<Runs, Error> {
    let offset = width.header_size();
    let raw: RangesHeader = source.read(WHAT, offset)?;
    check(&raw, offset)?;
    let first_page = raw.first_page_offset.get();
    let room = (first_page - offset - LIST) / ENTRY;
    let list = List { source, offset: offset + LIST, room };
    match kind {
        DumpType::CompleteRanges => list.complete(&raw, first_page),
        _ => list.until_page_zero(first_page),
    }
}

fn check(raw: &RangesHeader, offset: u64) -> Result<(), Error> {
    if &raw.signature != b"RDMP" || &raw.valid_dump != b"DUMP" {
        let found = [raw.signature, raw.valid_dump].concat();
        return Err(Error::Value {
            what: WHAT,
            offset: offset + 4,
            expected: "RDMPDUMP".into(),
            found: found.escape_ascii().to_string(),
        });
    }
    let (metadata, first) = (raw.metadata_size.get(), raw.first_page_offset.get());
    let expected = metadata.checked_add(offset + 0x20);
    if expected != Some(first) || first < offset + LIST || metadata % ENTRY != 0 {
        return Err(Error::Value {
            what: "where the pages begin",
            offset: offset + 0x18,
            expected: format!(
                "MetadataSize ({metadata:#x}), a multiple of 16, + {:#x}",
                offset + 0x20
            ),
            found: format!("{first:#x}"),
        });
    }
    Ok(())
}

struct List<'a> {
    source: Source<'a>,
    offset: u64,
    /// How many entries there is room for before the pages.
    room: u64,
}

impl List<'_> {
    /// Types 8 and 9: a range from page 0 on ends the list.
    fn until_page_zero(&self, first_page: u64) -> Result<Runs, Error> {
        let mut runs = self.runs(first_page, None);
        self.walk(|base, pages, entry| {
            if base == 0 {
                return Ok(false);
            }
            if runs.list.len() as u64 == MAX_RANGES {
                return Err(self.too_many(entry, MAX_RANGES + 1));
            }
            runs.push(base, pages, entry).map(|()| true)
        })?;
        self.not_empty(runs)
    }

    /// Type 0xA: the list ends where the ranges have TotalNumberOfPages pages.
    fn complete(&self, raw: &RangesHeader, first_page: u64) -> Result<Runs, Error> {
        let total = raw.total_number_of_pages.get();
        let declared = u64::from(raw.number_of_ranges.get());
        if declared > MAX_RANGES {
            return Err(self.too_many(self.offset - 0x10, declared));
        }
        let mut runs = self.runs(first_page, Some(total));
        self.walk(|base, pages, entry| {
            if runs.total() >= total {
                return Ok(false);
            }
            if runs.list.len() as u64 == MAX_RANGES {
                return Err(self.too_many(entry, MAX_RANGES + 1));
            }
            // Behind the list there are zeros up to the first page.
            if base == 0 && pages == 0 {
                return Ok(false);
            }
            runs.push(base, pages, entry).map(|()| true)
        })?;
        self.not_empty(runs)
    }

    /// Room is taken once: a list that grows is held twice while it is copied.
    fn runs(&self, first_page: u64, pages: Option<u64>) -> Runs {
        let most = self.room.min(MAX_RANGES).min(self.source.len() / ENTRY);
        let mut runs = Runs::new(first_page, pages);
        runs.list.reserve_exact(most as usize);
        runs
    }

    fn walk(&self, mut see: impl FnMut(u64, u64, u64) -> Result<bool, Error>) -> Result<(), Error> {
        // No list of a readable length is longer: more is not even looked at.
        let length = self.room.min(MAX_RANGES + 2) * ENTRY;
        let mut ended = Ok(true);
        let seen = self.source.windows("the list of ranges", self.offset, length, |at, window| {
            for (index, entry) in window.chunks_exact(ENTRY as usize).enumerate() {
                let Ok(run) = PhysicalMemoryRun::read_from_bytes(entry) else { return false };
                let place = self.offset + at + index as u64 * ENTRY;
                ended = see(run.base_page.get(), run.page_count.get(), place);
                if !matches!(ended, Ok(true)) {
                    return false;
                }
            }
            true
        });
        seen?;
        ended.map(|_| ())
    }

    fn too_many(&self, offset: u64, found: u64) -> Error {
        Error::TooMany { what: "ranges of pages", offset, most: MAX_RANGES, found }
    }

    fn not_empty(&self, runs: Runs) -> Result<Runs, Error> {
        if !runs.list.is_empty() {
            return Ok(runs);
        }
        Err(Error::Value {
            what: "the list of ranges",
            offset: self.offset,
            expected: "at least one range".into(),
            found: "none".into(),
        })
    }
}
