//! The debugger block: KDDEBUGGER_DATA64, on 32-bit machines too, with sign-extended addresses.
//!
//! Source: dump-formats specification, section 10.1.

use super::system::{Place, field};
use crate::bytes::{get64, put, put16, put32, put64};

/// Fields that hold the address of some variable; each gets 16 bytes of its own.
const VARIABLES: &[usize] = &[
    0x58, 0x60, 0x68, 0x70, 0x78, 0x80, 0x90, 0x98, 0xA0, 0xA8, 0xB0, 0xB8, 0xC8, 0xD0, 0xD8, 0xE0,
    0xE8, 0xF0, 0xF8, 0x100, 0x108, 0x110, 0x118, 0x1A8, 0x1C8, 0x1D0, 0x1D8, 0x240, 0x268, 0x270,
];

/// The block of a kernel.
pub(crate) fn block(place: &Place, size: usize, table_base: u64) -> Vec<u8> {
    let mut block = vec![0; size];
    let own = place.extended(place.debugger_block());
    put64(&mut block, 0, own);
    put64(&mut block, 8, own);
    put(&mut block, 0x10, b"KDBG");
    put32(&mut block, 0x14, size as u32);
    for (number, at) in VARIABLES.iter().enumerate() {
        put64(&mut block, *at, place.extended(place.variables()) + number as u64 * 0x10);
    }
    for (at, address) in [
        (0x18, place.kernel),
        (0x20, place.code()),
        (0x48, place.module_head()),
        (0x50, place.process_head()),
        (0x88, place.bugcheck_data()),
        (0xC0, place.page_frame_variable()),
        (0x208, place.build_string()),
        (0x218, place.processor_block()),
    ] {
        put64(&mut block, at, place.extended(address));
    }
    put16(&mut block, 0x36, u16::from(place.pae));
    put64(&mut block, 0x138, 0x1000);
    put_offsets(&mut block);
    if size > 0x368 {
        put64(&mut block, 0x360, table_base);
    }
    block
}

fn put_offsets(block: &mut [u8]) {
    for (at, offset) in [
        (0x29A, field::TEB),
        (0x29C, field::KERNEL_STACK),
        (0x29E, field::INITIAL_STACK),
        (0x2A0, field::APC_PROCESS),
        (0x2A2, field::STATE),
        (0x2A8, field::PROCESS_SIZE),
        (0x2AE, field::DIRECTORY_TABLE_BASE),
        (0x2B0, field::PRCB_SIZE),
        (0x2B4, field::CURRENT_THREAD),
        (0x2BE, field::NUMBER),
        (0x2C0, field::THREAD_SIZE),
        (0x2F2, field::SPECIAL_REGISTERS),
        (0x338, field::CONTEXT_POINTER),
    ] {
        put16(block, at, offset as u16);
    }
    if block.len() > 0x348 {
        put32(block, 0x340, field::STACK_LIMIT as u32);
        put32(block, 0x344, field::STACK_BASE as u32);
    }
}

/// The block as a live system keeps it, by keys that nobody is told.
pub(crate) fn encode(block: &mut [u8], flag: u64) {
    const NEVER: u64 = 0x51c0_83ad_7f02_e94b;
    const ALWAYS: u64 = 0x0f6a_22d9_b853_14c7;
    for at in (0..block.len()).step_by(8) {
        let value = (get64(block, at) ^ ALWAYS).swap_bytes() ^ flag;
        put64(block, at, value.rotate_right(NEVER as u32 & 0xFF) ^ NEVER);
    }
}
