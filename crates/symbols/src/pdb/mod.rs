//! PDBs: identity, public symbols, procedures, types.
//!
//! The container and the symbols are read by `pdb2`, which was not made for
//! hostile files: it never sees one whose superblock and stream directory do
//! not agree with the file's size (`container`), asks for its bytes through
//! a source of ours that refuses more than the file has, reads only the kinds
//! of record that are wanted, and its panics are caught. Types are read here
//! (`records`): its reader of them recurses and allocates as the file says.
//!
//! Formats: LLVM's "The PDB File Format" and Microsoft's `microsoft-pdb`.

mod container;
mod primitives;
mod quiet;
mod records;
mod source;
mod symbols;
mod types;

use std::sync::Arc;

use pdb2::PDB;

pub(crate) use quiet::quietly;

use crate::layout::{Layouts, Wanted};
use crate::{Guid, PdbIdentity, SymbolTable};
use source::Source;

/// Why a PDB cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdbError {
    /// Another kind of file.
    #[error("it is not a PDB of the kind written since 2002 (MSF 7.00)")]
    NotPdb,
    /// The container does not agree with the file's size.
    #[error("file offset {offset:#x}: {what}: {found:#x} where the file has room for {room:#x}")]
    Container {
        /// Where in the file.
        offset: u64,
        /// What does not fit.
        what: &'static str,
        /// What the file says.
        found: u64,
        /// What there is room for.
        room: u64,
    },
    /// It cannot be read from the disk.
    #[error("reading it: {0}")]
    Io(String),
    /// A part that it must have is not there.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// What a stream says cannot be.
    #[error("{what}: {why}")]
    Damaged {
        /// What was being read.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Its types take more memory than a file of this size may ask for.
    #[error("its types would take more than {0} bytes: structures that share their fields")]
    TooLarge(usize),
}

impl PdbError {
    fn damaged(what: &'static str, why: impl ToString) -> Self {
        Self::Damaged { what, why: why.to_string() }
    }
}

/// A PDB whose container was checked.
#[derive(Clone)]
pub struct Pdb {
    bytes: Arc<dyn map::Bytes>,
    identity: PdbIdentity,
}

impl std::fmt::Debug for Pdb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pdb").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Pdb {
    /// Checks the container and reads which PDB it is.
    pub fn open(bytes: Arc<dyn map::Bytes>) -> Result<Self, PdbError> {
        container::check(&*bytes)?;
        let what = "the PDB information stream";
        let identity = with_parser(&bytes, what, |pdb| {
            let info = pdb.pdb_information()?;
            let (data1, data2, data3, data4) = info.guid.as_fields();
            let guid = Guid { data1, data2, data3, data4: *data4 };
            // A PDB that was written again counts in the debug information
            // stream, and that is what the image's record has.
            let age = pdb.debug_information().ok().and_then(|debug| debug.age());
            Ok(PdbIdentity { guid, age: age.unwrap_or(info.age) })
        })?;
        Ok(Self { bytes, identity })
    }

    /// Which PDB it is.
    pub fn identity(&self) -> PdbIdentity {
        self.identity
    }

    /// Its public symbols, by address in the image (the section map, and the
    /// OMAP of an image that was rearranged, are applied).
    pub fn symbols(&self) -> Result<SymbolTable, PdbError> {
        symbols::read(&self.bytes, symbols::Depth::Publics)
    }

    /// The same with the procedures of a private PDB, which have lengths: it
    /// reads every module's stream.
    pub fn symbols_with_procedures(&self) -> Result<SymbolTable, PdbError> {
        symbols::read(&self.bytes, symbols::Depth::Procedures)
    }

    /// Layouts of its structures. Only what is wanted is taken apart.
    pub fn layouts(&self, wanted: &Wanted<'_>) -> Result<Layouts, PdbError> {
        const TYPES: pdb2::StreamIndex = pdb2::StreamIndex(2);
        let room = usize::try_from(self.bytes.len()).unwrap_or(usize::MAX).saturating_mul(4);
        let what = "the type stream";
        let stream = with_parser(&self.bytes, what, |pdb| pdb.raw_stream(TYPES))?;
        let stream = stream.ok_or(PdbError::Missing("type stream"))?;
        types::read(&stream, self.identity, wanted, room)
    }
}

/// Runs `pdb2` over the file: its errors and panics become ours.
fn with_parser<'s, T>(
    bytes: &Arc<dyn map::Bytes>,
    what: &'static str,
    work: impl FnOnce(&mut PDB<'s, Source>) -> pdb2::Result<T>,
) -> Result<T, PdbError> {
    let source = Source::new(Arc::clone(bytes));
    match quietly(move || work(&mut PDB::open(source)?)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(PdbError::damaged(what, error)),
        Err(_) => Err(PdbError::damaged(what, "the reader stopped at it")),
    }
}
