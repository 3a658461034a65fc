//! Secondary data: tagged blobs after the pages, or after a triage dump.

use std::fmt;

use crate::Error;
use crate::raw::{BlobFileHeader, BlobHeader};
use crate::source::Source;
use crate::tags::meaning;

/// Blobs that are walked at most; beyond, the file is damaged.
pub const MAX_BLOBS: u64 = 1 << 20;

/// Blobs that are listed; those behind them are counted only. Real files have under 50. (S)
pub const LISTED_BLOBS: usize = 65_536;

const SIGNATURE: &[u8; 8] = b"DumpBlob";

/// A GUID, shown as Windows shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guid(pub [u8; 16]);

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q] = self.0;
        let first = u32::from_le_bytes([a, b, c, d]);
        let (second, third) = (u16::from_le_bytes([e, g]), u16::from_le_bytes([h, i]));
        write!(f, "{first:08x}-{second:04x}-{third:04x}-{j:02x}{k:02x}-")?;
        write!(f, "{l:02x}{m:02x}{n:02x}{o:02x}{p:02x}{q:02x}")
    }
}

impl std::str::FromStr for Guid {
    type Err = NotAGuid;

    /// Takes the digits as Windows shows them, with or without braces.
    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        let text = text.trim_start_matches('{').trim_end_matches('}');
        let groups: Vec<_> = text.split('-').map(str::len).collect();
        let digits: String = text.split('-').collect();
        let number = u128::from_str_radix(&digits, 16).map_err(|_| NotAGuid)?;
        if groups != [8, 4, 4, 4, 12] || digits.starts_with('+') {
            return Err(NotAGuid);
        }
        Ok(crate::tags::guid(number))
    }
}

/// A text that is no GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tag looks like 2b88b710-1c93-4f7c-b06c-655ecc50decc")]
pub struct NotAGuid;

/// One blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// What it is, in principle.
    pub tag: Guid,
    /// File offset of its data.
    pub offset: u64,
    /// Bytes of data.
    pub size: u32,
}

impl Blob {
    /// What the tag is known to mean.
    pub fn meaning(&self) -> Option<&'static str> {
        meaning(&self.tag)
    }
}

/// How the list of blobs ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobEnd {
    /// Exactly at the end of the file.
    EndOfFile,
    /// At a header of zeros; what follows is slack.
    Slack {
        /// Where.
        offset: u64,
    },
    /// At something that is no blob header.
    NoHeader {
        /// Where.
        offset: u64,
        /// What stands where its size should.
        found: u32,
    },
    /// The file ends inside a blob or its header.
    Cut {
        /// Where the blob's header is.
        offset: u64,
        /// How many bytes are missing.
        missing: u64,
    },
    /// After [`MAX_BLOBS`]; there may be more.
    TooMany,
}

/// The secondary data. The file says neither how many blobs there are nor
/// where they end, so a cut exactly between two cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blobs {
    /// File offset of `DumpBlob`.
    pub offset: u64,
    /// NtBuildNumber as the list's header has it: often an older one, see [`Build`].
    pub build_number: u32,
    /// In the order of the file, the first [`LISTED_BLOBS`].
    pub list: Vec<Blob>,
    /// How many there are.
    pub count: u64,
    /// How the list ended.
    pub end: BlobEnd,
}

impl Blobs {
    /// Walks the blobs at `offset`; `None` when `DumpBlob` is not there.
    pub(crate) fn read(source: &Source<'_>, offset: u64) -> Result<Option<Self>, Error> {
        let header_length = size_of::<BlobFileHeader>() as u64;
        if !source.holds(offset, header_length) {
            return Self::cut(source, offset, header_length);
        }
        let header: BlobFileHeader = source.read("the secondary data's header", offset)?;
        if &header.signature != SIGNATURE {
            return Ok(None);
        }
        let (mut list, mut count) = (Vec::new(), 0);
        let first = u64::from(header.header_size.get()).max(header_length);
        let end = match offset.checked_add(first) {
            Some(next) => walk(source, next, &mut list, &mut count)?,
            None => BlobEnd::Cut { offset, missing: first },
        };
        let build_number = header.build_number.get();
        Ok(Some(Self { offset, build_number, list, count, end }))
    }

    /// Less than a header is left: secondary data when it begins as such.
    fn cut(source: &Source<'_>, offset: u64, needed: u64) -> Result<Option<Self>, Error> {
        let left = source.len().saturating_sub(offset);
        let rest = source.vec("the secondary data's header", offset.min(source.len()), left)?;
        let length = rest.len().min(SIGNATURE.len());
        if rest.is_empty() || rest[..length] != SIGNATURE[..length] {
            return Ok(None);
        }
        let end = BlobEnd::Cut { offset, missing: needed - left };
        Ok(Some(Self { offset, build_number: 0, list: Vec::new(), count: 0, end }))
    }

    /// The first blob with this tag.
    pub fn find(&self, tag: Guid) -> Option<&Blob> {
        self.list.iter().find(|blob| blob.tag == tag)
    }

    /// The true build, when the blob that has it is there.
    pub(crate) fn build(&self, source: &Source<'_>) -> Result<Option<Build>, Error> {
        let Some(blob) = self.list.iter().rfind(|blob| blob.tag == crate::tags::BUILD) else {
            return Ok(None);
        };
        if blob.size < 12 {
            return Ok(None);
        }
        let mut bytes = [0; 12];
        source.fill("the build's blob", blob.offset, &mut bytes)?;
        let [b'Z', b'b', _, _, b0, b1, b2, b3, m0, m1, m2, m3] = bytes else { return Ok(None) };
        let number = u32::from_le_bytes([b0, b1, b2, b3]);
        Ok(Some(Build { number, megahertz: u32::from_le_bytes([m0, m1, m2, m3]) }))
    }
}

/// What the `Zb` blob says: the last one in every Windows 10 and 11 sample. (S)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// NtBuildNumber with its flags: 0xF0004A65 is the free build 19045.
    pub number: u32,
    /// The processor's clock.
    pub megahertz: u32,
}

impl Build {
    /// The build without its flags.
    pub fn build(self) -> u32 {
        self.number & 0x0FFF_FFFF
    }
}

fn walk(
    source: &Source<'_>,
    mut offset: u64,
    list: &mut Vec<Blob>,
    count: &mut u64,
) -> Result<BlobEnd, Error> {
    let header_length = size_of::<BlobHeader>() as u64;
    while offset != source.len() {
        if *count == MAX_BLOBS {
            return Ok(BlobEnd::TooMany);
        }
        let cut = |end: Option<u64>| BlobEnd::Cut {
            offset,
            missing: end.unwrap_or(u64::MAX).saturating_sub(source.len()),
        };
        let header_end = offset.checked_add(header_length);
        if !source.holds(offset, header_length) {
            return tail(source, offset, cut(header_end));
        }
        let header: BlobHeader = source.read("a blob's header", offset)?;
        match header.header_size.get() {
            0x20 => {}
            0 => return Ok(BlobEnd::Slack { offset }),
            found => return Ok(BlobEnd::NoHeader { offset, found }),
        }
        let size = header.data_size.get();
        let data = offset + header_length + u64::from(header.pre_pad.get());
        let next = data.checked_add(u64::from(size) + u64::from(header.post_pad.get()));
        match next {
            Some(next) if next <= source.len() => {
                *count += 1;
                if list.len() < LISTED_BLOBS {
                    list.push(Blob { tag: Guid(header.tag), offset: data, size });
                }
                offset = next;
            }
            next => return Ok(cut(next)),
        }
    }
    Ok(BlobEnd::EndOfFile)
}

/// Less than a header is left: zeros are slack, anything else was cut.
fn tail(source: &Source<'_>, offset: u64, cut: BlobEnd) -> Result<BlobEnd, Error> {
    if offset > source.len() {
        return Ok(cut);
    }
    let rest = source.vec("the end of the secondary data", offset, source.len() - offset)?;
    Ok(if rest.iter().all(|byte| *byte == 0) { BlobEnd::Slack { offset } } else { cut })
}
