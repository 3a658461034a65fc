//! Several triage dumps that are one capture, and the file that names them.

use std::io::Read;
use std::path::{Path, PathBuf};

use memory::{ReadError, VirtualAddress, VirtualMemory};
use serde::Deserialize;

use crate::{Dump, Error, File, MAX_BLOCKS, Triage};

/// What the description names itself.
const SCHEMA: &str = "livedump.triage-set/1";

/// Bytes of a description that are read at most.
const MAX_DESCRIPTION: u64 = 4 << 20;

/// Files that a set has at most.
const MAX_FILES: usize = 4096;

/// Why a set could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// The system could not open or read a file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The description is none.
    #[error("{path} does not describe a set of triage dumps: {reason}")]
    NotASet {
        /// The description.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the set could not be opened, which all of them have to be.
    #[error("{file}, a file of the set, is missing")]
    Missing {
        /// The file's name, as the description has it.
        file: String,
    },
    /// A file of the set cannot be read as a triage dump.
    #[error("{file}, a file of the set: {error}")]
    Dump {
        /// The file's name, as the description has it.
        file: String,
        /// What is wrong with it.
        error: Error,
    },
}

impl SetError {
    /// The same, without the name of the file.
    pub fn reason(&self) -> String {
        match self {
            Self::Io { source, .. } => source.to_string(),
            Self::NotASet { reason, .. } => reason.clone(),
            Self::Missing { .. } => "it is missing".to_owned(),
            Self::Dump { error, .. } => error.to_string(),
        }
    }
}

/// The description, `NAME.json`: what a capture writes that took several calls.
#[derive(Debug, Deserialize)]
struct Description {
    schema: String,
    simulated: Option<String>,
    #[serde(default)]
    files: Vec<Moment>,
}

/// One file of a set: what the description says of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Moment {
    /// File name, in the description's own folder.
    pub file: String,
    /// Bytes, when it was written.
    pub size: Option<u64>,
    /// When it was taken: ISO 8601, UTC.
    pub taken: Option<String>,
    /// Threads that were asked for in it.
    #[serde(default)]
    pub tids: Vec<u32>,
    /// SHA-256, when it was written.
    pub sha256: Option<String>,
}

/// The files of a triage capture, in the order in which they were taken. Each
/// is of a moment of its own: what one says need not hold in another.
#[derive(Debug)]
pub struct Set {
    /// The scenario, when the machine was a simulated one.
    pub simulated: Option<String>,
    moments: Vec<Moment>,
    files: Vec<Result<File, SetError>>,
}

impl Set {
    /// Opens a description and the files that it names, each in the way that `open` opens it.
    pub fn open(
        path: &Path,
        open: impl Fn(&Path) -> std::io::Result<File>,
    ) -> Result<Self, SetError> {
        let mut set = Self::open_present(path, open)?;
        match set.files.iter().position(Result::is_err).map(|gone| set.files.swap_remove(gone)) {
            Some(Err(error)) => Err(error),
            _ => Ok(set),
        }
    }

    /// The same; a file that cannot be opened is a [`Set::problem`] and no error.
    pub fn open_present(
        path: &Path,
        open: impl Fn(&Path) -> std::io::Result<File>,
    ) -> Result<Self, SetError> {
        let description = describe(path)?;
        let folder = path.parent().map(PathBuf::from).unwrap_or_default();
        let opened = |moment: &Moment| {
            let path = folder.join(&moment.file);
            open(&path).map_err(|source| io(&path, source))
        };
        let files = description.files.iter().map(opened).collect();
        Ok(Self { simulated: description.simulated, moments: description.files, files })
    }

    /// What the description says of each file.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// The bytes of a file, for [`Dump::open`] or [`crate::verify()`].
    pub fn file(&self, number: usize) -> Option<&File> {
        self.files.get(number)?.as_ref().ok()
    }

    /// Why a file could not be opened.
    pub fn problem(&self, number: usize) -> Option<&SetError> {
        self.files.get(number)?.as_ref().err()
    }

    /// The memory of all files together.
    pub fn memory(&self) -> Result<SetMemory<'_>, SetError> {
        let (mut triages, mut blocks) = (Vec::with_capacity(self.files.len()), 0);
        for (file, moment) in self.files.iter().zip(&self.moments) {
            let Ok(file) = file else {
                return Err(SetError::Missing { file: moment.file.clone() });
            };
            let triage = Dump::open(file).and_then(|dump| {
                let triage = dump.triage()?;
                blocks += triage.blocks().len() as u64;
                if blocks > MAX_BLOCKS.into() {
                    let offset = triage.header().data_blocks_offset.into();
                    let most = MAX_BLOCKS.into();
                    let what = "data blocks in one set";
                    return Err(Error::TooMany { what, offset, most, found: blocks });
                }
                Ok(triage)
            });
            let named = |error| SetError::Dump { file: moment.file.clone(), error };
            triages.push(triage.map_err(named)?);
        }
        Ok(SetMemory { triages })
    }
}

/// The virtual memory in the files of a set.
pub struct SetMemory<'a> {
    triages: Vec<Triage<'a>>,
}

impl<'a> SetMemory<'a> {
    /// The parts of each file, in order.
    pub fn triages(&self) -> &[Triage<'a>] {
        &self.triages
    }

    /// Reads from the first file that holds all that is asked for, and says
    /// which it was: bytes of two files were never in memory at one moment.
    pub fn read_from(
        &self,
        address: VirtualAddress,
        buffer: &mut [u8],
    ) -> Result<usize, ReadError> {
        let mut first = None;
        for (number, triage) in self.triages.iter().enumerate() {
            match triage.read_virtual(address, buffer) {
                Ok(()) => return Ok(number),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(ReadError::VirtualAbsent { address }))
    }
}

impl VirtualMemory for SetMemory<'_> {
    fn read_virtual(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.read_from(address, buffer).map(|_| ())
    }
}

fn io(path: &Path, source: std::io::Error) -> SetError {
    SetError::Io { path: path.display().to_string(), source }
}

fn describe(path: &Path) -> Result<Description, SetError> {
    let not = |reason: String| SetError::NotASet { path: path.display().to_string(), reason };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(|source| io(path, source))?;
    file.take(MAX_DESCRIPTION + 1).read_to_end(&mut text).map_err(|source| io(path, source))?;
    if text.len() as u64 > MAX_DESCRIPTION {
        return Err(not(format!("it has more than {MAX_DESCRIPTION} bytes")));
    }
    let found: Description = serde_json::from_slice(&text).map_err(|e| not(e.to_string()))?;
    if found.schema != SCHEMA {
        return Err(not(format!("its schema is not {SCHEMA}")));
    }
    if found.files.is_empty() || found.files.len() > MAX_FILES {
        return Err(not(format!("it names {} files, 1 to {MAX_FILES} can be", found.files.len())));
    }
    // A description may come from anywhere: it names files beside it, and no others.
    let outside = |moment: &&Moment| {
        let name = moment.file.as_str();
        name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', ':', '\0'])
    };
    match found.files.iter().find(outside) {
        Some(moment) => Err(not(format!("'{}' is no plain file name", moment.file.escape_debug()))),
        None => Ok(found),
    }
}
