//! `PhysicalMemoryBlock` of a type 1 dump: its list of runs.

use super::{Error, Head};
use crate::filler::FILLER;
use crate::raw::{DumpHeader32, DumpHeader64, PhysicalMemoryRun};
use crate::{Run, Width};

/// Runs inside the SDK's 700 bytes. Readers take a 43rd in the padding behind
/// a 64-bit list; nobody has to.
pub(super) fn room(width: Width) -> usize {
    match width {
        Width::Bits64 => 42,
        Width::Bits32 => 86,
    }
}

/// Puts the list into the header. There must be no more than [`room`] of them.
pub(super) fn set(head: &mut Head, runs: &[Run], pages: u64) -> Result<(), Error> {
    match head {
        Head::Bits64(raw) => set64(raw, runs, pages),
        Head::Bits32(raw) => set32(raw, runs, pages)?,
    }
    Ok(())
}

fn set64(raw: &mut DumpHeader64, runs: &[Run], pages: u64) {
    let filler = u64::from(FILLER) << 32 | u64::from(FILLER);
    raw.number_of_runs = (runs.len() as u32).into();
    raw.padding_1 = 0.into();
    raw.number_of_pages = pages.into();
    raw.runs.fill(PhysicalMemoryRun { base_page: filler.into(), page_count: filler.into() });
    for (place, run) in raw.runs.iter_mut().zip(runs) {
        *place = PhysicalMemoryRun { base_page: run.base.into(), page_count: run.pages.into() };
    }
}

/// NumberOfRuns, NumberOfPages, then {BasePage, PageCount}, all of 32 bits. (S)
fn set32(raw: &mut DumpHeader32, runs: &[Run], pages: u64) -> Result<(), Error> {
    let mut list = vec![runs.len() as u64, pages];
    list.extend(runs.iter().flat_map(|run| [run.base, run.pages]));
    raw.physical_memory_block = [0; 700];
    for (place, value) in raw.physical_memory_block.chunks_exact_mut(4).zip(list) {
        let value = u32::try_from(value).map_err(|_| Error::TooLarge)?;
        place.copy_from_slice(&value.to_le_bytes());
    }
    Ok(())
}
