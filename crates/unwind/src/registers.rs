//! The registers a walk carries from frame to frame.

use memory::VirtualAddress;

use crate::arm64::Arm64Registers;
use crate::x64::X64Registers;

/// The registers of one frame, of either machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registers {
    /// x64.
    X64(X64Registers),
    /// ARM64.
    Arm64(Arm64Registers),
}

impl Registers {
    /// The program counter.
    pub fn pc(&self) -> VirtualAddress {
        VirtualAddress(match self {
            Self::X64(registers) => registers.rip,
            Self::Arm64(registers) => registers.pc,
        })
    }

    /// The stack pointer: of a frame found by a frame pointer or a scan on
    /// ARM64 only the lowest it can be.
    pub fn sp(&self) -> VirtualAddress {
        VirtualAddress(match self {
            Self::X64(registers) => registers.value(X64Registers::RSP),
            Self::Arm64(registers) => registers.sp,
        })
    }

    /// Whether the stack pointer is known, not only how low it can be.
    pub(crate) fn sp_is_known(&self) -> bool {
        match self {
            Self::X64(_) => true,
            Self::Arm64(registers) => registers.sp_known,
        }
    }

    /// RBP or x29, when its value is known.
    pub fn fp(&self) -> Option<VirtualAddress> {
        match self {
            Self::X64(registers) => registers.get(X64Registers::RBP),
            Self::Arm64(registers) => registers.get(Arm64Registers::FP),
        }
        .map(VirtualAddress)
    }

    /// What every stack pointer is a multiple of.
    pub(crate) fn alignment(&self) -> u64 {
        match self {
            Self::X64(_) => 8,
            Self::Arm64(_) => 16,
        }
    }
}

impl From<X64Registers> for Registers {
    fn from(registers: X64Registers) -> Self {
        Self::X64(registers)
    }
}

impl From<Arm64Registers> for Registers {
    fn from(registers: Arm64Registers) -> Self {
        Self::Arm64(registers)
    }
}

/// A little-endian `u64` at an offset of a CONTEXT record.
pub(crate) fn qword(bytes: &[u8], offset: usize) -> Option<u64> {
    let field = bytes.get(offset..offset.checked_add(8)?)?;
    field.try_into().ok().map(u64::from_le_bytes)
}
