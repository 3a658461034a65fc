//! What holds for any triage dump.

use format::{Block, Content, Dump, Triage, Width};
use memory::{VirtualAddress, VirtualMemory};

use super::Tiling;

/// Blocks that are looked at: a file may have a million.
const LOOKED_AT: usize = 100;
const PART: usize = 0x1100;

pub(super) fn of(dump: &Dump<'_>, file: &[u8], good: bool) {
    let Ok(triage) = dump.triage() else { return };
    let drivers = triage.drivers().take(LOOKED_AT).filter(Result::is_ok).count();
    assert!(drivers as u64 * 0x4C <= file.len() as u64);
    let _ = (triage.unloaded_drivers(), triage.debugger_sizes(), triage.data_page());
    triage.conflicts().expect("the bytes are there");
    if let Some((_, bytes)) = triage.debugger_block() {
        let at = triage.header().debugger_data_offset as usize;
        assert_eq!(bytes, &file[at..at + bytes.len()]);
    }
    for (number, block) in triage.blocks().enumerate().take(LOOKED_AT) {
        one(&triage, file, number, block, good);
    }
    for piece in [triage.prcb(), triage.thread(), triage.process()].into_iter().flatten() {
        if let Some(address) = piece.address {
            near(&triage, file, address);
        }
    }
    near(&triage, file, triage.header().top_of_stack);
    let _ = triage.read_virtual(VirtualAddress(u64::MAX - 3), &mut [0; 8]);
}

fn one(triage: &Triage<'_>, file: &[u8], number: usize, block: Block, good: bool) {
    let bytes = triage.block_bytes(number).expect("as many as the file has");
    let start = (block.offset as usize).min(file.len());
    let end = start.saturating_add(block.size as usize).min(file.len());
    assert!(bytes == file[start..end]);
    let size = u64::from(block.size);
    let covered = triage.covered(block.address, size);
    assert!(covered <= size);
    if good {
        assert!(covered == size && bytes.len() as u64 == size, "good, and {block:?} is not there");
        let mut read = vec![0; bytes.len().min(PART)];
        triage.read_virtual(block.address, &mut read).expect("a block of a good dump is read");
    }
    near(triage, file, block.address);
}

/// Extents tile the addresses; what is read comes from one of the file's parts that say so.
fn near(triage: &Triage<'_>, file: &[u8], address: VirtualAddress) {
    let start = VirtualAddress(address.0.saturating_sub(0x10));
    let length = 0x100_u64.min(u64::MAX - start.0);
    if triage.header().width == Width::Bits32 && start.0 + length > 1 << 32 {
        return; // No 32-bit machine has such an address.
    }
    let mut tiling = Tiling::new(file, start.0, length);
    let gave_up = triage.extents(start, length, |extent| {
        tiling.see(&extent);
        let mut read = vec![0; extent.length as usize];
        let read_it = triage.read_virtual(VirtualAddress(extent.address), &mut read).is_ok();
        if let Content::Held { offset } = extent.content {
            let at = offset as usize;
            assert!(read_it && read == file[at..at + read.len()]);
        } else {
            assert!(!read_it);
        }
        true
    });
    tiling.finish(gave_up);
    let read = triage.places(address).iter().filter(|place| place.is_read).count();
    assert!(read <= 1);
}
