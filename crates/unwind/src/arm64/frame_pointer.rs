//! The chain of frame pointers: x29 points at the caller's x29 and the return address.

use memory::{VirtualAddress, VirtualMemory};

use super::{Arm64Registers, strip};
use crate::unwinder::Step;
use crate::{End, Found, Registers, Trust};

/// One step along the chain. Only the return address and the next link are
/// facts; the caller's stack pointer is the lowest it can be, behind the pair.
pub(crate) fn follow_frame_pointer(
    memory: &dyn VirtualMemory,
    from: &Arm64Registers,
    lowest: u64,
    address_bits: u32,
) -> Result<Step, End> {
    let fp = from.need(Arm64Registers::FP)?;
    let read = |address: u64| {
        let address = VirtualAddress(address);
        memory.read_u64(address).map_err(|_| End::NotResident { address })
    };
    if fp == 0 {
        return Err(End::ZeroReturn);
    }
    // The stack pointer is aligned to 16; where in a frame the pair lies is the compiler's choice.
    if fp % 8 != 0 {
        return Err(End::BadAlignment { stack_pointer: VirtualAddress(fp) });
    }
    if fp < lowest {
        return Err(End::Loop { stack_pointer: VirtualAddress(fp) });
    }
    let (next, raw) = (read(fp)?, read(fp.wrapping_add(8))?);
    let pc = strip(raw, address_bits);
    let behind = fp.wrapping_add(16);
    let registers = Arm64Registers::adrift(pc, behind).with(Arm64Registers::FP, next);
    Ok(Step {
        registers: Registers::Arm64(registers),
        raw_address: (raw != pc).then_some(VirtualAddress(raw)),
        found: Found::FramePointer,
        trust: Trust::Probable,
        exact: false,
        user: false,
        sp_known: false,
        floor: VirtualAddress(behind),
        notes: Vec::new(),
    })
}
