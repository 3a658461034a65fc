//! CONTEXT records of x64 and ARM64.
//!
//! Source: dump-formats specification, section 2.3.

use crate::bytes::{put16, put32, put64};

pub(crate) const CONTEXT_SIZE: usize = 0x4D0;

/// Registers of a processor that is stopped in the kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registers {
    pub(crate) pc: u64,
    pub(crate) sp: u64,
    pub(crate) frame: u64,
}

pub(crate) fn context(arm: bool, registers: &Registers) -> Vec<u8> {
    let mut bytes = vec![0; CONTEXT_SIZE];
    if arm {
        put32(&mut bytes, 0x00, 0x0040_0007);
        put32(&mut bytes, 0x04, 0x6000_0344);
        put64(&mut bytes, 0xF0, registers.frame);
        put64(&mut bytes, 0xF8, registers.pc);
        put64(&mut bytes, 0x100, registers.sp);
        put64(&mut bytes, 0x108, registers.pc);
        return bytes;
    }
    put32(&mut bytes, 0x30, 0x0010_001F);
    put32(&mut bytes, 0x34, 0x1F80);
    for (at, selector) in
        [(0x38, 0x10), (0x3A, 0x2B), (0x3C, 0x2B), (0x3E, 0x53), (0x40, 0x2B), (0x42, 0x18)]
    {
        put16(&mut bytes, at, selector);
    }
    put32(&mut bytes, 0x44, 0x46);
    put64(&mut bytes, 0x98, registers.sp);
    put64(&mut bytes, 0xA0, registers.frame);
    put64(&mut bytes, 0xF8, registers.pc);
    put16(&mut bytes, 0x100, 0x27F);
    put32(&mut bytes, 0x118, 0x1F80);
    put32(&mut bytes, 0x11C, 0xFFFF);
    bytes
}

/// The same with all general registers, by the processor's own numbers.
pub(crate) fn real_context(arm: bool, pc: u64, sp: u64, registers: &[u64; 32]) -> Vec<u8> {
    const X64_FIRST: usize = 0x78;
    const X64_STACK_POINTER: usize = 4;
    const ARM64_FIRST: usize = 8;
    let frame = if arm { registers[29] } else { registers[5] };
    let mut bytes = context(arm, &Registers { pc, sp, frame });
    if arm {
        for (number, value) in registers[..31].iter().enumerate() {
            put64(&mut bytes, ARM64_FIRST + number * 8, *value);
        }
        return bytes;
    }
    for (number, value) in registers[..16].iter().enumerate() {
        if number != X64_STACK_POINTER {
            put64(&mut bytes, X64_FIRST + number * 8, *value);
        }
    }
    bytes
}
