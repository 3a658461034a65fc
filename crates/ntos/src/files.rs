//! Files of modules from symbol stores and folders, with what was tried for each.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use format::Dump;
use memory::VirtualAddress;
use symbols::layout::{Origin, Wanted};
use symbols::pe::{CodeView, Image};
use symbols::{ImageIdentity, KernelSymbols, Lookup, Store, SymbolTable, Tried};

use crate::agreement;
use crate::code::{Files, ImageFile};
use crate::kernel::FindTypes;
use crate::layout::{Types, WANTED};
use crate::module::{Module, Modules};
use crate::reader::{Reader, at};

/// What was tried for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The file's name.
    pub file: String,
    /// Where it was looked for and what came of it.
    pub tried: Vec<Tried>,
    /// Whether it was found.
    pub found: bool,
}

/// How a file of types was held to be that of the dump's kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// GUID and age are those that the kernel's image names.
    Identity,
    /// The image's names are not in the dump; the addresses of list heads in
    /// the header are where the file's symbols say, and nothing in the
    /// debugger block says otherwise.
    Addresses,
}

/// A file of types that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypesFile {
    /// Where it is.
    pub path: PathBuf,
    /// Why it was taken.
    pub matched: Match,
}

/// Symbols and images out of stores.
#[derive(Default)]
pub struct StoreFiles {
    symbols: Store,
    images: Store,
    profile: Option<PathBuf>,
    kernel: OnceLock<(VirtualAddress, Arc<SymbolTable>)>,
    types: OnceLock<TypesFile>,
    refused: OnceLock<String>,
    attempts: Mutex<HashMap<String, Attempt>>,
}

/// Enumerations that a layout profile keeps beside [`WANTED`].
pub const ENUMERATIONS: &[&str] = &["_KTHREAD_STATE", "_KWAIT_REASON", "_KOBJECTS"];
/// Symbols that a layout profile keeps, by which a dump is held against it.
pub const HEADS: &[&str] = &["PsLoadedModuleList", "PsActiveProcessHead"];
/// What kernels call their PDB.
const KERNEL_PDB: &str = "ntkrnlmp.pdb";

impl StoreFiles {
    /// Symbols out of one store; images out of another, then out of the first.
    /// A profile is a file of types (a PDB, a profile, an ISF) to be used
    /// whatever the store has.
    pub fn new(symbols: Store, images: Store, profile: Option<PathBuf>) -> Self {
        Self { symbols, images, profile, ..Self::default() }
    }

    /// The file whose types were taken.
    pub fn types_file(&self) -> Option<&TypesFile> {
        self.types.get()
    }

    /// Why the profile that was named was not taken.
    pub fn refused(&self) -> Option<&str> {
        self.refused.get().map(String::as_str)
    }

    /// What was tried so far, by the files' names.
    pub fn attempts(&self) -> Vec<Attempt> {
        let attempts = self.attempts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut all: Vec<_> = attempts.values().cloned().collect();
        all.sort_by(|a, b| a.file.cmp(&b.file));
        all
    }

    /// The file that was named, if it is this kernel's.
    fn named(
        &self,
        path: &Path,
        codeview: Option<&CodeView>,
        dump: &Dump<'_>,
        reader: &Reader<'_>,
        kernel: &Module,
        wanted: &Wanted<'_>,
    ) -> Option<(PathBuf, KernelSymbols, Match)> {
        let refuse = |why: String| {
            let _ = self.refused.set(why);
            None
        };
        let found = match KernelSymbols::open(path, wanted) {
            Ok(found) => found,
            Err(error) => return refuse(error.to_string()),
        };
        match (found.layouts.identity(), codeview) {
            (Some(own), Some(codeview)) if own != codeview.identity => {
                refuse(format!("it is of {own}; the dump's kernel has {}", codeview.identity))
            }
            (Some(_), Some(_)) => Some((path.to_owned(), found, Match::Identity)),
            _ if agreement::agree(dump, reader, kernel, &found) => {
                Some((path.to_owned(), found, Match::Addresses))
            }
            _ => refuse("its addresses and offsets are not those that the dump tells".into()),
        }
    }

    /// A file of any identity in the store that agrees with all that the dump
    /// tells. Of several that differ none: nothing says which it is.
    fn candidate(
        &self,
        dump: &Dump<'_>,
        reader: &Reader<'_>,
        kernel: &Module,
        wanted: &Wanted<'_>,
    ) -> Option<(PathBuf, KernelSymbols, Match)> {
        let open = |path: PathBuf| Some((KernelSymbols::open(&path, wanted).ok()?, path));
        let candidates = self.symbols.candidates(KERNEL_PDB).into_iter();
        let mut agreeing = candidates
            .filter_map(|candidate| open(candidate.path))
            .filter(|(found, _)| agreement::agree(dump, reader, kernel, found));
        let (found, path) = agreeing.next()?;
        let identity = found.layouts.identity();
        if let Some((_, other)) = agreeing.find(|(other, _)| other.layouts.identity() != identity) {
            let (one, other) = (path.display(), other.display());
            let _ = self.refused.set(format!("{one} and {other} agree with the dump both"));
            return None;
        }
        Some((path, found, Match::Addresses))
    }

    fn note<T>(&self, file: &str, lookup: Lookup<T>) -> Option<T> {
        let mut attempts = self.attempts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let found = lookup.found.is_some();
        let attempt = Attempt { file: file.to_owned(), tried: lookup.tried, found };
        attempts.insert(file.to_owned(), attempt);
        lookup.found
    }
}

fn codeview_of(reader: &Reader<'_>, base: VirtualAddress) -> Option<CodeView> {
    let read = |rva: u32, buffer: &mut [u8]| reader.bytes(at(base, rva.into()), buffer).is_ok();
    Image::from_memory(read).ok()?.codeview().ok().flatten()
}

impl FindTypes for StoreFiles {
    fn types(
        &self,
        dump: &Dump<'_>,
        reader: &Reader<'_>,
        modules: &Modules,
    ) -> Option<Box<dyn Types>> {
        let names: Vec<&str> =
            WANTED.iter().map(|(name, _)| *name).chain(ENUMERATIONS.iter().copied()).collect();
        let wanted = Wanted::Named(&names);
        let kernel = modules.kernel()?;
        let codeview = OnceCell::new();
        let codeview = codeview.get_or_init(|| codeview_of(reader, kernel.base)).as_ref();
        let (path, found, matched) = match (&self.profile, codeview) {
            (Some(path), codeview) => self.named(path, codeview, dump, reader, kernel, &wanted)?,
            (None, Some(codeview)) => {
                let name = codeview.file_name();
                let lookup = self.symbols.kernel(name, &codeview.identity, &wanted);
                let (path, found) = self.note(name, lookup)?;
                (path, found, Match::Identity)
            }
            (None, None) => self.candidate(dump, reader, kernel, &wanted)?,
        };
        // Set once: a kernel is opened once with these files.
        // The few symbols of a profile would name every place by one of them.
        if found.layouts.source() != Origin::Profile {
            let _ = self.kernel.set((kernel.base, Arc::new(found.symbols)));
        }
        let _ = self.types.set(TypesFile { path, matched });
        Some(Box::new(found.layouts))
    }
}

impl Files for StoreFiles {
    fn image(&self, module: &Module) -> Option<ImageFile> {
        let name = module.name.as_deref()?;
        let identity =
            ImageIdentity { time_date_stamp: module.time_date_stamp?, size_of_image: module.size? };
        let mut lookup = self.images.image(name, &identity);
        if lookup.found.is_none() {
            let more = self.symbols.image(name, &identity);
            lookup.tried.extend(more.tried);
            lookup.found = more.found;
        }
        self.note(name, lookup).map(|(_, image)| Arc::new(image))
    }

    fn symbols(&self, module: &Module, pdb: Option<&CodeView>) -> Option<Arc<SymbolTable>> {
        if let Some((base, table)) = self.kernel.get()
            && *base == module.base
            && !table.is_empty()
        {
            return Some(table.clone());
        }
        let codeview = pdb?;
        let name = codeview.file_name();
        let (_, pdb) = self.note(name, self.symbols.pdb(name, &codeview.identity))?;
        pdb.symbols().ok().map(Arc::new)
    }
}
