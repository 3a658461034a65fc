//! Public symbols, and the procedures of private PDBs.

use std::sync::Arc;

use pdb2::{AddressMap, FallibleIterator, PDB, StreamIndex, SymbolData, SymbolIter};

use super::source::Source;
use super::{PdbError, with_parser};
use crate::bytes::{u16_at, u32_at};
use crate::table::SymbolTableBuilder;
use crate::{SymbolKind, SymbolTable};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Publics,
    Procedures,
}

/// Kinds of record, `cvinfo.h` of microsoft-pdb: `S_PUB32`, then `S_LPROC32`
/// and `S_GPROC32`, and both again with types of another stream.
const PUBLIC: u16 = 0x110e;
const PROCEDURES: [u16; 4] = [0x110f, 0x1110, 0x1146, 0x1147];

/// Every module's stream is found by going through the directory: a bound for
/// both being as long as they can.
const MAX_MODULES: usize = 20_000;

pub(super) fn read(bytes: &Arc<dyn map::Bytes>, depth: Depth) -> Result<SymbolTable, PdbError> {
    let what = "the symbol records";
    let table = with_parser(bytes, what, |pdb| {
        if !has_section_headers(pdb)? {
            return Ok(None);
        }
        let map = pdb.address_map()?;
        let mut table = SymbolTable::builder();
        for section in pdb.sections()?.unwrap_or_default() {
            table.section(section.virtual_address, section.virtual_size);
        }
        let records = pdb.global_symbols()?;
        collect(records.iter(), &map, &mut table)?;
        if depth == Depth::Procedures {
            procedures(pdb, &map, &mut table)?;
        }
        Ok(Some(table))
    })?;
    Ok(table.ok_or(PdbError::Missing("section headers"))?.build())
}

/// Whether it knows where its image's sections are. `pdb2` makes sections up
/// where it does not, and talks about it on stderr.
///
/// LLVM, "The PDB DBI Stream": seven substreams follow a header of 64 bytes,
/// their sizes at 24 to 40, 52 and 48; the last is a list of streams, in which
/// number 5 has the section headers.
fn has_section_headers(pdb: &mut PDB<'_, Source>) -> pdb2::Result<bool> {
    let Some(stream) = pdb.raw_stream(StreamIndex(3))? else { return Ok(false) };
    let sizes = [24, 28, 32, 36, 40, 52].iter().map(|&at| u32_at(&stream, at));
    let before: Option<u64> = sizes.map(|size| size.map(u64::from)).sum();
    let at = before.and_then(|before| usize::try_from(64 + before + 2 * 5).ok());
    Ok(at.and_then(|at| u16_at(&stream, at)).is_some_and(|stream| stream != u16::MAX))
}

fn procedures(
    pdb: &mut PDB<'_, Source>,
    map: &AddressMap<'_>,
    table: &mut SymbolTableBuilder,
) -> pdb2::Result<()> {
    let debug = pdb.debug_information()?;
    let mut modules = debug.modules()?.take(MAX_MODULES);
    while let Some(module) = modules.next()? {
        // A module without symbols, or in a form older than C13, is passed over.
        let Ok(Some(info)) = pdb.module_info(&module) else { continue };
        if let Ok(symbols) = info.symbols() {
            collect(symbols, map, table)?;
        }
    }
    Ok(())
}

/// Takes what names code or data out of a list of records. A damaged record
/// ends the list: what was read before it stays.
fn collect(
    mut records: SymbolIter<'_>,
    map: &AddressMap<'_>,
    table: &mut SymbolTableBuilder,
) -> pdb2::Result<()> {
    while let Ok(Some(record)) = records.next() {
        let kind = record.raw_kind();
        if kind != PUBLIC && !PROCEDURES.contains(&kind) {
            continue;
        }
        match record.parse() {
            Ok(SymbolData::Public(public)) => {
                if let Some(rva) = public.offset.to_rva(map) {
                    table.add(SymbolKind::Public, rva.0, 0, public.name.as_bytes());
                }
            }
            Ok(SymbolData::Procedure(procedure)) => {
                if let Some(rva) = procedure.offset.to_rva(map) {
                    table.add(
                        SymbolKind::Procedure,
                        rva.0,
                        procedure.len,
                        procedure.name.as_bytes(),
                    );
                }
            }
            _ => {}
        }
    }
    Ok(())
}
