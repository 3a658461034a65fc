//! The kernel's objects as found in a dump, one file each: kernel, module,
//! process, thread, processor, wait, ...
//!
//! Everything begins with [`Kernel::open`]. A member of an object that is not
//! known, or not in the dump, is `None`; a list says why it ended; where a
//! member's offset came from is kept ([`layout::Source`]). Nothing here prints.
#![forbid(unsafe_code)]

use format::FileTime;
use memory::VirtualAddress;
use serde::Serializer;

mod agreement;
mod alpc;
mod callback;
mod code;
pub mod debugger_block;
pub mod encoded;
mod files;
mod image;
mod irp;
mod kernel;
pub mod layout;
pub mod list;
mod lock;
mod module;
mod objects;
mod probe;
mod process;
mod processor;
mod queue;
mod reader;
mod resource;
mod segments;
mod shared;
mod stack;
mod stored;
mod switch_frame;
mod thread;
mod trap_frame;
mod types;
mod unloaded;
mod wait;
#[cfg(test)]
mod words;

pub use alpc::AlpcMessage;
pub use code::{Files, ImageFile, Images, Name, NameSource, NoFiles};
pub use debugger_block::{DebuggerBlock, NoBlock};
pub use files::{Attempt, ENUMERATIONS, HEADS, Match, StoreFiles, TypesFile};
pub use irp::{Irp, Irps, StackLocation};
pub use kernel::{FindTypes, Kernel};
pub use lock::LockEntry;
pub use module::{Module, Modules, ModulesFrom};
pub use process::{Process, Processes};
pub use processor::{Processor, Processors};
pub use queue::Queue;
pub use reader::Reader;
pub use resource::{CHAIN_ENTRY, Resource, ResourceOwner, Resources};
pub use shared::Clock;
pub use stack::{NoStack, Stacks, Start, ThreadStack};
pub use stored::StoredThreads;
pub use switch_frame::SwitchFrame;
pub use thread::{Thread, Threads};
pub use unloaded::Unloaded;
pub use wait::{MutantOwner, ObjectKind, Wait};

/// What a walk of a stack answers.
pub mod walk {
    pub use unwind::{End, Found, Frame, Note, StackKind, Trust, Walk};
}

/// An address in JSON: 16 hex digits, as in text.
pub(crate) fn hex<S: Serializer>(
    address: &VirtualAddress,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(address)
}

pub(crate) fn hex_option<S: Serializer, T: Copy + Into<u64>>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(&VirtualAddress((*value).into())),
        None => serializer.serialize_none(),
    }
}

pub(crate) fn shown_option<S: Serializer, T: std::fmt::Display>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

pub(crate) fn time_option<S: Serializer>(
    value: &Option<FileTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    shown_option(value, serializer)
}
