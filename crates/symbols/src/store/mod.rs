//! Symbol stores: where the PDB, the profile or the image of a module is.
//!
//! A [`Store`] goes through a [`SymbolPath`] from left to right. A file is
//! only found if it is the one that was asked for: it is opened, and its GUID
//! and age, or its stamp and size, are compared. What was tried, and why it did
//! not do, comes back with every answer. The network is asked only where
//! [`Store::with_download`] said so.
//!
//! Microsoft, "Using SymStore", "Advanced SymSrv Use" and "SSQP key
//! conventions": `ROOT/NAME/KEY/NAME`, in two-tier stores (`index2.txt` at the
//! root) `ROOT/NA/NAME/KEY/NAME`; a compressed file's name ends in `_`;
//! `file.ptr` says that the file lies elsewhere.

mod download;
mod folder;
mod names;
mod path;
mod search;
mod tried;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use names::{NameError, safe_name};
pub use path::{Element, Place, SymbolPath};
pub use tried::{Lookup, Outcome, Tried};

use crate::layout::Wanted;
use crate::pe::{FileImage, Image};
use crate::{ImageIdentity, KernelSymbols, Pdb, PdbIdentity, kernel};

/// How much a symbol server may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The longest that one file may take, from the name's resolution to the
    /// last byte.
    pub timeout: Duration,
    /// The longest file.
    pub max_bytes: u64,
    /// Where files go for which the symbol path names no folder.
    pub folder: Option<PathBuf>,
}

impl Default for Download {
    /// Two minutes and 1 GiB a file, no folder.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(120), max_bytes: 1 << 30, folder: None }
    }
}

/// A symbol path that is searched.
#[derive(Debug, Clone, Default)]
pub struct Store {
    path: SymbolPath,
    download: Option<Download>,
}

/// A file that may belong to a kernel whose identity is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// Which PDB it is, or was made from.
    pub identity: PdbIdentity,
}

impl Store {
    /// A store that stays on this computer.
    pub fn new(path: SymbolPath) -> Self {
        Self { path, download: None }
    }

    /// Lets it ask the servers that the path names.
    #[must_use]
    pub fn with_download(mut self, download: Download) -> Self {
        self.download = Some(download);
        self
    }

    /// Where it searches.
    pub fn path(&self) -> &SymbolPath {
        &self.path
    }

    /// The PDB of this name and identity, opened.
    pub fn pdb(&self, name: &str, identity: &PdbIdentity) -> Lookup<(PathBuf, Pdb)> {
        let accept = |path: &Path| {
            let pdb =
                Pdb::open(open(path)?).map_err(|error| Outcome::Unreadable(error.to_string()))?;
            same(&pdb.identity(), identity)?;
            Ok((path.to_owned(), pdb))
        };
        search::file(self, name, &identity.key(), &accept)
    }

    /// The image of this name and identity, opened.
    pub fn image(
        &self,
        name: &str,
        identity: &ImageIdentity,
    ) -> Lookup<(PathBuf, Image<FileImage>)> {
        let accept = |path: &Path| {
            let image = Image::from_file(open(path)?);
            let image = image.map_err(|error| Outcome::Unreadable(error.to_string()))?;
            same(&image.identity(), identity)?;
            Ok((path.to_owned(), image))
        };
        search::file(self, name, &identity.key(), &accept)
    }

    /// Layouts and symbols of the kernel with this PDB: from the PDB, else
    /// from a profile or ISF of the same GUID and age.
    pub fn kernel(
        &self,
        pdb_name: &str,
        identity: &PdbIdentity,
        wanted: &Wanted<'_>,
    ) -> Lookup<(PathBuf, KernelSymbols)> {
        let load = |path: &Path| {
            let found = KernelSymbols::identity_of(path).map_err(unreadable)?;
            match found {
                Some(found) => same(&found, identity)?,
                None => {
                    return Err(Outcome::Unreadable(
                        "it does not say which PDB it is of".to_owned(),
                    ));
                }
            }
            let loaded = KernelSymbols::open(path, wanted).map_err(unreadable)?;
            Ok((path.to_owned(), loaded))
        };
        let here = Self::new(self.path.clone());
        let mut lookup = search::file(&here, pdb_name, &identity.key(), &load);
        if lookup.found.is_none() {
            lookup = lookup.or(search::described(self, pdb_name, &identity.guid, &load));
        }
        // The network last: a profile that is here already does as well.
        if lookup.found.is_none() && self.download.is_some() {
            lookup.tried.retain(|tried| tried.outcome != Outcome::NotAsked);
            lookup = lookup.or(search::servers(self, pdb_name, &identity.key(), &load));
        }
        lookup
    }

    /// PDBs, profiles and ISFs on this computer whose name begins like this
    /// PDB's, of whatever identity: for a dump that does not say which PDB its
    /// kernel has. Which of them it is must be proved against the dump.
    pub fn candidates(&self, pdb_name: &str) -> Vec<Candidate> {
        search::candidates(self, pdb_name)
    }
}

fn open(path: &Path) -> Result<std::sync::Arc<dyn map::Bytes>, Outcome> {
    kernel::open(path).map_err(unreadable)
}

fn unreadable(error: impl ToString) -> Outcome {
    Outcome::Unreadable(error.to_string())
}

/// Whether a file is the one that was asked for.
fn same<T: PartialEq + ToString>(found: &T, expected: &T) -> Result<(), Outcome> {
    match found == expected {
        true => Ok(()),
        false => Err(Outcome::Other { found: found.to_string(), expected: expected.to_string() }),
    }
}

#[cfg(test)]
mod tests;
