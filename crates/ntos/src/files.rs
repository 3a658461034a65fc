//! Files of modules from symbol stores and folders, with what was tried for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use symbols::layout::{Layouts, Wanted};
use symbols::{ImageIdentity, KernelSymbols, Lookup, PdbIdentity, Store, SymbolTable, Tried};

use crate::code::{Files, ImageFile};
use crate::layout::WANTED;
use crate::module::Module;

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

/// The kernel's own types and symbols, by the file they came from.
type OfKernel = (PdbIdentity, Arc<SymbolTable>);

/// Symbols and images out of stores.
#[derive(Default)]
pub struct StoreFiles {
    symbols: Store,
    images: Store,
    kernel: Option<OfKernel>,
    attempts: Mutex<HashMap<String, Attempt>>,
}

impl StoreFiles {
    /// Symbols out of one store; images out of another, then out of the first.
    pub fn new(symbols: Store, images: Store) -> Self {
        Self { symbols, images, kernel: None, attempts: Mutex::default() }
    }

    /// What was tried so far, by the files' names.
    pub fn attempts(&self) -> Vec<Attempt> {
        let attempts = self.attempts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut all: Vec<_> = attempts.values().cloned().collect();
        all.sort_by(|a, b| a.file.cmp(&b.file));
        all
    }

    /// The types of the kernel with this PDB. Its symbols are kept.
    pub fn kernel_types(&mut self, name: &str, pdb: &PdbIdentity) -> Option<Layouts> {
        let names = WANTED.iter().map(|(structure, _)| *structure);
        let wanted: Vec<&str> = names.chain(ENUMERATIONS.iter().copied()).collect();
        let lookup = self.symbols.kernel(name, pdb, &Wanted::Named(&wanted));
        let (_, found) = self.note(name, lookup)?;
        Some(self.take(*pdb, found))
    }

    /// Keeps symbols that were read elsewhere; answers their types.
    pub fn take(&mut self, pdb: PdbIdentity, found: KernelSymbols) -> Layouts {
        self.kernel = Some((pdb, Arc::new(found.symbols)));
        found.layouts
    }

    fn note<T>(&self, file: &str, lookup: Lookup<T>) -> Option<T> {
        let mut attempts = self.attempts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let found = lookup.found.is_some();
        let attempt = Attempt { file: file.to_owned(), tried: lookup.tried, found };
        attempts.insert(file.to_owned(), attempt);
        lookup.found
    }
}

/// Enumerations that a layout profile keeps beside [`WANTED`].
pub const ENUMERATIONS: &[&str] = &["_KTHREAD_STATE", "_KWAIT_REASON", "_KOBJECTS"];

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

    fn symbols(&self, _: &Module, pdb: &PdbIdentity, name: &str) -> Option<Arc<SymbolTable>> {
        if let Some((identity, table)) = &self.kernel
            && identity == pdb
        {
            return Some(table.clone());
        }
        let (_, pdb) = self.note(name, self.symbols.pdb(name, pdb))?;
        pdb.symbols().ok().map(Arc::new)
    }
}
