//! Layouts and symbols of a kernel at once, from whichever file has them.

use std::path::Path;
use std::sync::Arc;

use crate::layout::{Layouts, Origin, Wanted};
use crate::xz::{self, XzError};
use crate::{Isf, IsfError, Pdb, PdbError, PdbIdentity, Profile, ProfileError, SymbolTable};

/// Why a file gives no layouts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It cannot be opened.
    #[error("{0}")]
    Io(String),
    /// As a PDB.
    #[error("as a PDB: {0}")]
    Pdb(#[from] PdbError),
    /// As a profile.
    #[error("as a layout profile: {0}")]
    Profile(#[from] ProfileError),
    /// As an ISF.
    #[error("as an ISF: {0}")]
    Isf(#[from] IsfError),
}

/// What is known of a kernel from its PDB, a profile or an ISF.
#[derive(Debug, Clone)]
pub struct KernelSymbols {
    /// Layouts of what was wanted; they say which kind of file it was.
    pub layouts: Layouts,
    /// Its symbols: all of a PDB or ISF, the few of a profile.
    pub symbols: SymbolTable,
}

impl KernelSymbols {
    /// Opens a file of any of the three kinds, told by what is in it.
    pub fn open(path: &Path, wanted: &Wanted<'_>) -> Result<Self, OpenError> {
        Self::read(open(path)?, wanted)
    }

    /// The same from bytes.
    pub fn read(bytes: Arc<dyn map::Bytes>, wanted: &Wanted<'_>) -> Result<Self, OpenError> {
        match kind(&*bytes)? {
            (Origin::Pdb, _) => {
                let pdb = Pdb::open(bytes)?;
                // A PDB may have types and no addresses, or the other way round.
                let symbols = pdb.symbols().unwrap_or_default();
                Ok(Self { layouts: pdb.layouts(wanted)?, symbols })
            }
            (Origin::Profile, text) => {
                let profile = Profile::parse(&text)?;
                drop(text);
                let (layouts, symbols) = profile.into_parts(wanted);
                Ok(Self { layouts, symbols })
            }
            (Origin::Isf, text) => {
                let isf = Isf::parse(&text, wanted)?;
                Ok(Self { layouts: isf.layouts, symbols: isf.symbols })
            }
        }
    }

    /// Which PDB a file of any of the three kinds is, or is of.
    pub(crate) fn identity_of(path: &Path) -> Result<Option<PdbIdentity>, OpenError> {
        let bytes = open(path)?;
        Ok(match kind(&*bytes)? {
            (Origin::Pdb, _) => Some(Pdb::open(bytes)?.identity()),
            (Origin::Profile, text) => Some(Profile::parse(&text)?.identity()?),
            (Origin::Isf, text) => Isf::identity_of(&text)?,
        })
    }
}

/// A symbol file is read to the end anyway, and may lie on a share: by position.
pub(crate) fn open(path: &Path) -> Result<Arc<dyn map::Bytes>, OpenError> {
    let file = map::File::open_suited(path).map_err(|error| OpenError::Io(error.to_string()))?;
    Ok(Arc::new(file))
}

/// What a file is, with its text where it is one.
fn kind(bytes: &dyn map::Bytes) -> Result<(Origin, Vec<u8>), OpenError> {
    let io = |error: std::io::Error| OpenError::Io(error.to_string());
    let mut first = [0; 16];
    let read = bytes.read_at(0, &mut first).map_err(io)?;
    if first[..read].starts_with(b"Microsoft C/C++ ") {
        return Ok((Origin::Pdb, Vec::new()));
    }
    let length = usize::try_from(bytes.len()).map_err(|error| OpenError::Io(error.to_string()))?;
    // What is not text is not read to its end to find that out.
    if first[..read].starts_with(xz::MAGIC) && bytes.len() > xz::MOST_PACKED {
        return Err(IsfError::Xz(XzError::TooLargePacked).into());
    }
    let packed = first[..read].starts_with(xz::MAGIC);
    let mark = first[..read].iter().find(|byte| !byte.is_ascii_whitespace());
    if mark != Some(&b'{') && !packed {
        let rest = first[..read].to_vec();
        return Ok((Origin::Isf, rest));
    }
    let mut text = vec![0; length];
    bytes.read_exact_at(0, &mut text).map_err(io)?;
    Ok((if Profile::is_profile(&text) { Origin::Profile } else { Origin::Isf }, text))
}
