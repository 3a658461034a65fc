//! KDDEBUGGER_DATA64, by itself and as a triage dump's copy of it.

use std::sync::LazyLock;

use format::{DebuggerSizes, Dump};
use simulator::files::{FileSpec, Kind, Machine};

static TRIAGE: LazyLock<Vec<u8>> =
    LazyLock::new(|| FileSpec::new(Kind::TriageLater, Machine::X64).build().bytes());

/// A block. (Its fields' offsets: wdbgexts.h of the Windows SDK.)
pub fn target(data: &[u8]) {
    let short = data.len() < 0x2C2;
    let sizes = DebuggerSizes::of(data);
    if short || &data[0x10..0x14] != b"KDBG" {
        assert!(sizes.is_none());
    }
    if let Some(sizes) = sizes {
        let half = |at: usize| u16::from_le_bytes(data[at..at + 2].try_into().unwrap());
        let address = |at: usize| {
            Some(u64::from_le_bytes(data[at..at + 8].try_into().unwrap()))
                .filter(|value| *value != 0)
        };
        assert_eq!((sizes.size_eprocess, sizes.size_ethread), (half(0x2A8), half(0x2C0)));
        assert_eq!(sizes.size_prcb, half(0x2B0));
        assert_eq!(sizes.kernel_base.map(u64::from), address(0x18));
        assert_eq!(sizes.ps_loaded_module_list.map(u64::from), address(0x48));
        assert_eq!(sizes.ps_active_process_head.map(u64::from), address(0x50));
    }
    // In place of the copy that the dump has.
    let mut file = TRIAGE.clone();
    let header = Dump::open(&file).unwrap().triage().unwrap().header().clone();
    let (start, size) = (header.debugger_data_offset as usize, header.debugger_data_size as usize);
    let length = data.len().min(size);
    file[start..start + length].copy_from_slice(&data[..length]);
    crate::facts::of(&file);
}
