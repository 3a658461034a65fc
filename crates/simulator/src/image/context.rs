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
