//! `livedump read`.

use format::{Dump, DumpType, KernelMemory, Set};
use memory::{PhysicalAddress, VirtualAddress};

use super::file::{self, Input};
use super::place::{self, Question};
use super::{Outcome, bytes, members};
use crate::args::ReadArgs;

pub(super) fn run(typed: &ReadArgs) -> Outcome {
    bytes::check("read", &typed.bytes, typed.output.json)?;
    match file::input(&typed.file, &typed.open)? {
        Input::One(source) => one(typed, &source),
        Input::Set(set) => of_set(typed, &set),
    }
}

fn question(typed: &ReadArgs) -> Question {
    Question { command: "read", address: typed.address, length: typed.length }
}

fn one(typed: &ReadArgs, source: &map::File) -> Outcome {
    let unreadable = |error| file::unreadable(&typed.file, &error);
    let dump = Dump::open(source).map_err(unreadable)?;
    let header = dump.header();
    let (simulated, length) = (header.is_simulated(), typed.length);
    if typed.physical {
        place::refuse_physical(dump.kind() == DumpType::Triage)?;
        let pages = dump.pages().map_err(unreadable)?;
        let address = place::physical(&question(typed))?;
        return bytes::run(asked(typed, address, "physical", simulated), source, &mut |see| {
            dump.physical_extents(&pages, PhysicalAddress(address), length, see)
        });
    }
    match dump.kernel_memory().map_err(unreadable)? {
        KernelMemory::Triage(triage) => {
            place::refuse_tables(typed.dtb)?;
            let address = place::in_triage(&question(typed), header.width)?;
            bytes::run(asked(typed, address, "virtual", simulated), source, &mut |see| {
                Ok(triage.extents(VirtualAddress(address), length, see))
            })
        }
        KernelMemory::Pages(space) => {
            let bits = space.paging().address_bits();
            let address = place::linear(&question(typed), header.width, bits)?;
            let start = VirtualAddress(address);
            let asked = asked(typed, address, "virtual", simulated);
            bytes::run(asked, source, &mut |see| match typed.dtb {
                Some(base) => dump.virtual_extents(&space.at(base), start, length, see),
                None => dump.virtual_extents(&space, start, length, see),
            })
        }
    }
}

fn asked<'a>(
    typed: &'a ReadArgs,
    address: u64,
    space: &'static str,
    simulated: bool,
) -> bytes::Asked<'a> {
    bytes::Asked {
        schema: "livedump.read/1",
        path: &typed.file,
        bytes: &typed.bytes,
        json: typed.output.json,
        address,
        length: typed.length,
        space,
        simulated,
        file: None,
        notes: Vec::new(),
    }
}

/// The file that holds the most of it answers: bytes of two files were never in memory at one moment.
fn of_set(typed: &ReadArgs, set: &Set) -> Outcome {
    place::refuse_physical(typed.physical)?;
    place::refuse_tables(typed.dtb)?;
    let found = members::best(&typed.file, set, &question(typed))?;
    let mut asked = asked(typed, found.address, "virtual", found.simulated);
    asked.file = Some(found.name);
    asked.notes = found.notes;
    bytes::run(asked, found.source, &mut |see| {
        Ok(found.triage.extents(VirtualAddress(found.address), typed.length, see))
    })
}
