//! The machine's code: images as the dump holds them, and as files where it does not.

use std::fmt;
use std::sync::{Arc, OnceLock};

use format::Dump;
use memory::VirtualAddress;
use symbols::pe::{self, CodeView, FileImage};
use symbols::{SymbolKind, SymbolTable};
use unwind::{Code, Exceptions, Image, Missing};

use crate::kernel::FindTypes;
use crate::layout::Types;
use crate::module::{Module, Modules};
use crate::reader::{Reader, at};

/// An image in a file that is of a module.
pub type ImageFile = Arc<pe::Image<FileImage>>;

/// Where files that belong to modules come from.
pub trait Files: Sync {
    /// The module's image, by its stamp and size.
    fn image(&self, module: &Module) -> Option<ImageFile>;
    /// The symbols of the module, whose image names this PDB when it is at hand.
    fn symbols(&self, module: &Module, pdb: Option<&CodeView>) -> Option<Arc<SymbolTable>>;
}

/// No files at all: what the dump holds is all there is.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn image(&self, _: &Module) -> Option<ImageFile> {
        None
    }

    fn symbols(&self, _: &Module, _: Option<&CodeView>) -> Option<Arc<SymbolTable>> {
        None
    }
}

impl FindTypes for NoFiles {
    fn types(&self, _: &Dump<'_>, _: &Reader<'_>, _: &Modules) -> Option<Box<dyn Types>> {
        None
    }
}

/// What is known of a module, found when it is first asked for.
#[derive(Default)]
struct Known {
    headers: OnceLock<Option<pe::Headers>>,
    file: OnceLock<Option<ImageFile>>,
    names: OnceLock<Option<Arc<SymbolTable>>>,
}

/// The code of all modules, and the names in it.
pub struct Images<'k> {
    reader: Reader<'k>,
    modules: &'k Modules,
    files: &'k dyn Files,
    /// Boxed: a hostile file names many modules, and few are ever asked for.
    known: Vec<OnceLock<Box<Known>>>,
}

/// A place in the machine's code, by the best name that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The module.
    pub module: String,
    /// The symbol at or before the place.
    pub symbol: Option<String>,
    /// Bytes from the symbol, or from the module's base where there is none.
    pub offset: u64,
    /// Where the symbol's name comes from.
    pub source: Option<NameSource>,
}

/// `module!symbol+0x1a`, or `module+0x1a2b`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.module)?;
        if let Some(symbol) = &self.symbol {
            write!(f, "!{symbol}")?;
        }
        match (self.offset, &self.symbol) {
            (0, Some(_)) => Ok(()),
            (offset, _) => write!(f, "+{offset:#x}"),
        }
    }
}

/// Where a name comes from, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameSource {
    /// A procedure of a PDB: its end is known.
    Procedure,
    /// The nearest public symbol before.
    Public,
    /// The nearest export before, with no other function between that the
    /// image's exception directory has.
    Export,
}

impl<'k> Images<'k> {
    /// The code of these modules, in memory and in files.
    pub fn new(reader: Reader<'k>, modules: &'k Modules, files: &'k dyn Files) -> Self {
        let known = modules.modules.iter().map(|_| OnceLock::new()).collect();
        Self { reader, modules, files, known }
    }

    fn module(&self, number: usize) -> Option<(&'k Module, &Known)> {
        let known = self.known.get(number)?.get_or_init(Box::default);
        Some((self.modules.modules.get(number)?, known))
    }

    fn in_memory(&self, base: VirtualAddress) -> impl Fn(u32, &mut [u8]) -> bool + 'k {
        let reader = self.reader;
        move |rva, buffer| reader.bytes(at(base, rva.into()), buffer).is_ok()
    }

    fn file(&self, number: usize) -> Option<&ImageFile> {
        let (module, known) = self.module(number)?;
        known.file.get_or_init(|| self.files.image(module)).as_ref()
    }

    fn headers(&self, number: usize) -> Option<&pe::Headers> {
        let (module, known) = self.module(number)?;
        let found = known.headers.get_or_init(|| {
            let image = pe::Image::from_memory(self.in_memory(module.base)).ok();
            image
                .map(|image| image.headers().clone())
                .or_else(|| Some(self.file(number)?.headers().clone()))
        });
        found.as_ref()
    }

    fn names(&self, number: usize) -> Option<&Arc<SymbolTable>> {
        let (module, known) = self.module(number)?;
        let found = known.names.get_or_init(|| self.find_names(number, module));
        found.as_ref()
    }

    /// The PDB's, else the exports in memory, else those of the file.
    fn find_names(&self, number: usize, module: &Module) -> Option<Arc<SymbolTable>> {
        let image = pe::Image::from_memory(self.in_memory(module.base)).ok();
        let codeview = image
            .as_ref()
            .and_then(|image| image.codeview().ok().flatten())
            .or_else(|| self.file(number)?.codeview().ok().flatten());
        if let Some(table) = self.files.symbols(module, codeview.as_ref()) {
            return Some(table);
        }
        let exports = image
            .and_then(|image| image.exports().ok())
            .or_else(|| self.file(number)?.exports().ok())?;
        Some(Arc::new(exports.symbols))
    }

    /// The name of a place. `None` outside of every module.
    pub fn name(&self, address: VirtualAddress) -> Option<Name> {
        let number = self.modules.index_at(address)?;
        let (module, _) = self.module(number)?;
        let rva = u32::try_from(address.0 - module.base.0).ok()?;
        let symbol = self.names(number).and_then(|table| table.at(rva)).filter(|symbol| {
            symbol.kind != SymbolKind::Export || !self.is_of_another(number, symbol.rva, rva)
        });
        let module = module.stem();
        Some(match symbol {
            Some(symbol) => Name {
                module,
                symbol: Some(
                    symbols::demangle(symbol.name).unwrap_or_else(|| symbol.name.to_owned()),
                ),
                offset: symbol.displacement.into(),
                source: Some(match symbol.kind {
                    SymbolKind::Export => NameSource::Export,
                    SymbolKind::Public => NameSource::Public,
                    SymbolKind::Procedure => NameSource::Procedure,
                }),
            },
            None => Name { module, symbol: None, offset: rva.into(), source: None },
        })
    }

    /// Whether another function begins between an export and a place in it, by
    /// the image's exception directory.
    fn is_of_another(&self, number: usize, export: u32, rva: u32) -> bool {
        let machine = self.headers(number).map(|headers| headers.machine);
        let Some((image, machine)) = self.image(number).zip(machine) else { return false };
        let begin = match machine {
            pe::Machine::X64 => {
                unwind::x64::find_function(self, &image, rva).ok().flatten().map(|one| one.begin)
            }
            pe::Machine::Arm64 => {
                unwind::arm64::find_function(self, &image, rva).ok().flatten().map(|one| one.begin)
            }
            _ => None,
        };
        begin.is_some_and(|begin| begin > export)
    }

    fn image(&self, key: usize) -> Option<Image> {
        let (module, _) = self.module(key)?;
        let exceptions = match self.headers(key) {
            None => Exceptions::Unknown,
            Some(headers) => match headers.exception {
                Some(table) => Exceptions::Table { rva: table.rva, size: table.size },
                None => Exceptions::Absent,
            },
        };
        Some(Image { base: module.base, size: module.size?, exceptions, key })
    }

    /// Whether an address lies in code that may be executed; `None` where the
    /// section headers are not at hand.
    pub fn is_code(&self, address: VirtualAddress) -> Option<bool> {
        let number = self.modules.index_at(address)?;
        let rva = u32::try_from(address.0 - self.modules.modules.get(number)?.base.0).ok()?;
        Some(self.headers(number)?.is_executable(rva))
    }
}

impl Code for Images<'_> {
    fn image_at(&self, address: VirtualAddress) -> Option<Image> {
        self.image(self.modules.index_at(address)?)
    }

    fn read(&self, image: &Image, rva: u32, buffer: &mut [u8]) -> Result<(), Missing> {
        if self.in_memory(image.base)(rva, buffer) {
            return Ok(());
        }
        let from_file = self.file(image.key).is_some_and(|file| file.read(rva, buffer));
        if from_file { Ok(()) } else { Err(Missing { rva }) }
    }

    fn is_executable(&self, image: &Image, rva: u32) -> Option<bool> {
        Some(self.headers(image.key)?.is_executable(rva))
    }
}
