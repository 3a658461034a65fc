//! What the dumped kernel says of itself, where the dump has it.

use memory::{VirtualAddress, VirtualMemory};

use super::Info;
use crate::space::DEBUGGER_BLOCK;
use crate::{DebuggerSizes, Dump};

/// Characters of a build string that are read: known ones have under 60. (S)
const BUILD_LAB: u64 = 128;

impl Info {
    /// Reads through the debugger block, when it is in clear. What is not
    /// there is not told: many dumps leave it out, and none promises it.
    pub(super) fn set_kernel(&mut self, dump: &Dump<'_>) {
        let Some(address) = dump.header().kd_debugger_data_block else { return };
        let Ok(memory) = dump.kernel_memory() else { return };
        let mut block = [0; DEBUGGER_BLOCK];
        if memory.read_virtual(address, &mut block).is_err() {
            return;
        }
        let Some(sizes) = DebuggerSizes::of(&block) else { return };
        let width = dump.header().width;
        self.kernel_base = sizes.kernel_base.map(|base| width.address(base.0).to_string());
        let field = nt::kdbg::NT_BUILD_LAB;
        let pointer = block.get(field.offset.into()..field.end() as usize);
        let pointer = pointer.map(crate::triage::little_endian).filter(|pointer| *pointer != 0);
        self.build_lab = pointer.and_then(|at| text(&memory, VirtualAddress(at)));
    }
}

/// Printable ASCII up to a 0; `None` for anything else.
fn text(memory: &dyn VirtualMemory, at: VirtualAddress) -> Option<String> {
    let mut text = String::new();
    for offset in 0..BUILD_LAB {
        let mut byte = [0];
        memory.read_virtual(at.checked_add(offset)?, &mut byte).ok()?;
        match byte {
            [0] => return Some(text).filter(|text| !text.is_empty()),
            [b' '..=b'~'] => text.push(char::from(byte[0])),
            _ => return None,
        }
    }
    None
}
