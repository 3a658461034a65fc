//! What holds for the kernel's address space in any dump.

use format::{Content, Dump, Extent, Pages};
use memory::{Space, VirtualAddress, VirtualMemory};

use super::Tiling;

const LENGTH: u64 = 0x5000;

pub(super) fn of(dump: &Dump<'_>, file: &[u8]) {
    let Ok(space) = dump.space() else { return };
    let header = dump.header();
    let named = [header.kd_debugger_data_block, header.ps_loaded_module_list];
    for address in named.into_iter().flatten() {
        near(dump, &space, file, VirtualAddress(address.0.saturating_sub(0xFF8)));
    }
    near(dump, &space, file, VirtualAddress(0));
    let _ = space.read_virtual(VirtualAddress(u64::MAX - 3), &mut [0; 8]);
}

/// What is called held is read, and what is read is what the file has there.
fn near(dump: &Dump<'_>, space: &Space<Pages<'_>>, file: &[u8], start: VirtualAddress) {
    let start = VirtualAddress(dump.header().width.address(start.0).0);
    let walk = space.walk(start);
    assert!(walk.levels.len() <= 6);
    assert_eq!(walk.outcome.ok(), space.translate(start).ok());
    let Some(_) = start.checked_add(LENGTH) else { return };
    let mut tiling = Tiling::new(file, start.0, LENGTH);
    let told = dump.virtual_extents(space, start, LENGTH, |extent| {
        tiling.see(&extent);
        holds(space, file, &extent);
        true
    });
    tiling.finish(told.expect("the bytes are there"));
}

fn holds(space: &Space<Pages<'_>>, file: &[u8], extent: &Extent) {
    let mut read = vec![0; extent.length as usize];
    let address = VirtualAddress(extent.address);
    match extent.content {
        Content::Held { offset } => {
            space.read_virtual(address, &mut read).expect("what is held is read");
            let at = offset as usize;
            assert!(file[at..at + read.len()] == read);
        }
        Content::Gap { .. } => {
            let read = space.read_virtual(address, &mut read[..1]);
            assert!(read.is_err(), "a gap at {address} is read");
        }
    }
}
