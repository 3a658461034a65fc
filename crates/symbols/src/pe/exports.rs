//! The export table: names of addresses that every image of the kernel has.

use object::LittleEndian as LE;
use object::read::pe::ExportTable;

use super::{Headers, ImageBytes, PeError, read_part};
use crate::{SymbolKind, SymbolTable};

/// ntoskrnl's is about 100 KiB.
const MAX_SIZE: u32 = 16 << 20;

/// What an image exports by name. Exports by number alone are left out.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// Those that lie in the image.
    pub symbols: SymbolTable,
    /// Those that mean another image's.
    pub forwarders: Vec<Forwarder>,
}

/// An export that another image has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarder {
    /// Its name here.
    pub name: String,
    /// `MODULE.Name` or `MODULE.#number`.
    pub target: String,
}

pub(super) fn read<B: ImageBytes>(headers: &Headers, bytes: &B) -> Result<Exports, PeError> {
    let Some(part) = headers.export else { return Ok(Exports::default()) };
    let rva = part.rva;
    if part.size > MAX_SIZE {
        let what = "the export table's size";
        return Err(PeError::Damaged { what, rva, found: u64::from(part.size) });
    }
    let data = read_part(bytes, "the export table", part)?;
    let damaged = |what, found: usize| PeError::Damaged { what, rva, found: found as u64 };
    let table =
        ExportTable::parse(&data, rva).map_err(|_| damaged("the export table", data.len()))?;
    let mut exports = Exports::default();
    let mut symbols = SymbolTable::builder();
    let forwards = |&(_, ordinal): &(u32, u16)| {
        let address = table.addresses().get(usize::from(ordinal));
        address.is_some_and(|address| table.is_forward(address.get(LE)))
    };
    let forwarders = table.name_iter().filter(forwards).count();
    exports.forwarders.reserve_exact(forwarders);
    symbols.reserve(table.name_pointers().len() - forwarders, 0);
    for section in &headers.sections {
        symbols.section(section.rva, section.size);
    }
    // Names do not overlap in a table that a linker made: together with their
    // pointers and numbers they are no longer than it. Without that, every
    // entry could name all the rest.
    let mut room = data.len();
    for (pointer, ordinal) in table.name_iter() {
        let Ok(name) = table.name_from_pointer(pointer) else { continue };
        let Some(address) = table.addresses().get(usize::from(ordinal)) else { continue };
        let forward = table.forward_string(address.get(LE)).ok().flatten();
        let used = 6 + name.len() + 1 + forward.map_or(0, <[u8]>::len);
        room = room
            .checked_sub(used)
            .ok_or_else(|| damaged("export names that overlap", data.len()))?;
        match (address.get(LE), forward) {
            (0, _) => {}
            (_, Some(target)) => exports.forwarders.push(Forwarder {
                name: String::from_utf8_lossy(name).into_owned(),
                target: String::from_utf8_lossy(target).into_owned(),
            }),
            (address, None) => symbols.add(SymbolKind::Export, address, 0, name),
        }
    }
    exports.symbols = symbols.build();
    Ok(exports)
}
