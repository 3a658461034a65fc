//! PE images, PDBs, type layouts by name, symbol stores. Knows nothing of dumps.
//!
//! What a reader of dumps asks, in this order:
//!
//! 1. Which image is this? [`pe::Image`], from a file or from the pages that a
//!    dump has: [`pe::Image::codeview`] names its PDB by GUID and age.
//! 2. Where is what belongs to it? [`Store`], from `_NT_SYMBOL_PATH` or a
//!    folder: every [`Lookup`] says where it looked and why a place did not do.
//! 3. Where is the field, what is the symbol? [`Layouts`] and [`SymbolTable`]:
//!    the same two from a PDB ([`Pdb`]), a layout profile of ours
//!    ([`Profile`]) and volatility3's ISF ([`Isf`]); [`KernelSymbols`] has
//!    both at once for a kernel.
//!
//! Files are hostile here: counts and sizes are checked against the file
//! before they are used, and what is held in memory is bounded by the file.

#![forbid(unsafe_code)]

mod bytes;
mod demangle;
mod guid;
mod identity;
mod isf;
mod kernel;
pub mod layout;
pub mod pdb;
pub mod pe;
mod profile;
pub mod store;
mod table;
mod xz;

pub use demangle::demangle;
pub use guid::{Guid, GuidError};
pub use identity::{ImageIdentity, PdbIdentity};
pub use isf::{Isf, IsfError};
pub use kernel::{KernelSymbols, OpenError};
pub use layout::{FieldAt, Layouts, Origin, Wanted};
pub use pdb::{Pdb, PdbError};
pub use profile::{Profile, ProfileError};
pub use store::{Lookup, Outcome, Store, SymbolPath, Tried};
pub use table::{Symbol, SymbolKind, SymbolTable};
pub use xz::XzError;
