//! The short form of the header's context and exception.

use super::Info;
use crate::filler::FILLER;
use crate::{Dump, Machine, Width};

/// A field that was never filled: the filler's dword, or as many as it takes.
const UNFILLED: u64 = (FILLER as u64) << 32 | FILLER as u64;

impl Info {
    pub(super) fn set_processor(&mut self, dump: &Dump<'_>) {
        if let Ok(Some(context)) = dump.context()
            && let Some((instruction, stack, size)) = registers(dump.header().machine_image_type)
        {
            self.instruction_pointer = address(&context, instruction, size);
            self.stack_pointer = address(&context, stack, size);
        }
        if let Ok(record) = dump.exception() {
            let (at, size) = match dump.header().width {
                Width::Bits64 => (0x10, 8),
                Width::Bits32 => (0xC, 4),
            };
            let code = number(&record, 0, 4).filter(|code| *code != 0);
            self.exception_code = code.and_then(|code| u32::try_from(code).ok());
            self.exception_address = code.and_then(|_| address(&record, at, size));
        }
    }
}

/// Where a CONTEXT has its instruction and stack pointers, and their size. (H) (S)
fn registers(machine: Machine) -> Option<(usize, usize, usize)> {
    match machine {
        Machine::X64 => Some((0xF8, 0x98, 8)),
        Machine::Arm64 => Some((0x108, 0x100, 8)),
        Machine::X86 => Some((0xB8, 0xC4, 4)),
        _ => None,
    }
}

fn address(bytes: &[u8], at: usize, size: usize) -> Option<String> {
    let value = number(bytes, at, size).filter(|value| *value != 0);
    value.map(|value| format!("{value:016x}"))
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let value = crate::triage::little_endian(bytes.get(at..at + size)?);
    let unfilled = if size == 4 { UNFILLED >> 32 } else { UNFILLED };
    Some(value).filter(|value| *value != unfilled)
}
