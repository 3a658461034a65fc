//! The CodeView record: which PDB belongs to the image.

use object::LittleEndian as LE;
use object::pe::{IMAGE_DEBUG_TYPE_CODEVIEW, ImageDebugDirectory};

use super::headers::structure;
use super::{Directory, Headers, ImageBytes, PeError, read_part};
use crate::bytes::{array, u32_at};
use crate::{Guid, PdbIdentity};

/// Images have a handful of debug entries.
const MAX_ENTRIES: u32 = 64;
/// Signature, GUID and age, and a path of at most so much.
const MAX_RECORD: u32 = 24 + 4096;

/// An `RSDS` record. [Public descriptions of `CV_INFO_PDB70`: signature, GUID,
/// age, path in UTF-8 with a zero at its end.]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeView {
    /// Which PDB.
    pub identity: PdbIdentity,
    /// Where the linker wrote it, or only its name. It comes from the image:
    /// not a path to open.
    pub path: String,
}

impl CodeView {
    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        self.path.rsplit(['\\', '/']).next().unwrap_or_default()
    }

    /// From the bytes of a debug record. `None`: another kind of record.
    pub fn parse(record: &[u8]) -> Option<Self> {
        if record.get(..4)? != b"RSDS" {
            return None;
        }
        let identity =
            PdbIdentity { guid: Guid::from_bytes(array(record, 4)?), age: u32_at(record, 20)? };
        let path = record.get(24..)?;
        let length = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
        Some(Self { identity, path: String::from_utf8_lossy(&path[..length]).into_owned() })
    }
}

pub(super) fn read<B: ImageBytes>(
    headers: &Headers,
    bytes: &B,
) -> Result<Option<CodeView>, PeError> {
    let Some(directory) = headers.debug else { return Ok(None) };
    let each = size_of::<ImageDebugDirectory>() as u32;
    let mut failed = None;
    for number in 0..(directory.size / each).min(MAX_ENTRIES) {
        let at = directory.rva + number * each;
        let entry: ImageDebugDirectory = structure(bytes, "a debug directory entry", at)?;
        if entry.typ.get(LE) != IMAGE_DEBUG_TYPE_CODEVIEW {
            continue;
        }
        let size = entry.size_of_data.get(LE).min(MAX_RECORD);
        let record = Directory { rva: entry.address_of_raw_data.get(LE), size };
        match read_part(bytes, "the CodeView record", record) {
            Ok(record) => match CodeView::parse(&record) {
                None => {}
                found => return Ok(found),
            },
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(None), Err)
}
