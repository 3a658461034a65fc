//! Undoing a prologue.

use memory::{VirtualAddress, VirtualMemory};

use super::{Arm64Registers, RegisterKind, UnwindCode};
use crate::End;

/// `CONTEXT_UNWOUND_TO_CALL` of ContextFlags.
const UNWOUND_TO_CALL: u64 = 0x2000_0000;

/// How the codes said the program counter is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    /// By the link register.
    Link,
    /// It was set, and is exact or not.
    Interrupted { exact: bool },
}

/// The frame being unwound: registers that change as codes are undone.
pub(super) struct Machine<'a> {
    pub(super) memory: &'a dyn VirtualMemory,
    pub(super) registers: Arm64Registers,
    pub(super) address: VirtualAddress,
}

impl Machine<'_> {
    fn read(&self, address: u64) -> Result<u64, End> {
        let address = VirtualAddress(address);
        self.memory.read_u64(address).map_err(|_| End::NotResident { address })
    }

    fn bad(&self, what: &'static str) -> End {
        End::BadUnwindData { address: self.address, what }
    }

    /// Undoes codes up to `end`.
    pub(super) fn undo(&mut self, codes: &[UnwindCode]) -> Result<Return, End> {
        let mut nexts = 0;
        let mut way = Return::Link;
        for code in codes {
            match *code {
                UnwindCode::Save { kind, first, count, offset, before } => {
                    if nexts > 0 && count != 2 {
                        return Err(self.bad("save_next of no pair"));
                    }
                    let count = u32::from(count) + 2 * nexts;
                    self.restore(kind, first, count, offset, before)?;
                    nexts = 0;
                    continue;
                }
                UnwindCode::SaveNext => {
                    nexts += 1;
                    continue;
                }
                _ if nexts > 0 => return Err(self.bad("save_next of no pair")),
                UnwindCode::End => break,
                UnwindCode::Alloc { size } => {
                    let sp = self.registers.need_sp()?.wrapping_add(size.into());
                    self.registers.set_sp(sp);
                }
                UnwindCode::SaveWithLink { register, offset } => {
                    self.restore(RegisterKind::X, register, 1, offset, false)?;
                    self.restore(RegisterKind::X, 30, 1, offset + 8, false)?;
                }
                UnwindCode::SetFramePointer { offset } => {
                    let fp = self.registers.need(Arm64Registers::FP)?;
                    self.registers.set_sp(fp.wrapping_sub(offset.into()));
                }
                UnwindCode::AllocVectors { .. } => return Err(self.bad("alloc_z")),
                UnwindCode::Unknown(_) => return Err(self.bad("unknown code")),
                // Authentication is taken off whatever the codes say.
                UnwindCode::Nop
                | UnwindCode::EndChained
                | UnwindCode::SignLink
                | UnwindCode::Reserved => {}
                custom => way = self.cross(custom)?,
            }
        }
        Ok(way)
    }

    /// Restores registers that lie side by side.
    fn restore(
        &mut self,
        kind: RegisterKind,
        first: u8,
        count: u32,
        offset: u32,
        before: bool,
    ) -> Result<(), End> {
        // A walk needs no vector registers, nor to know where they lie.
        if kind != RegisterKind::X && !before {
            return Ok(());
        }
        let sp = self.registers.need_sp()?;
        let start = if before { sp } else { sp.wrapping_add(offset.into()) };
        if kind == RegisterKind::X {
            // Pairs behind x27 and x28 are of d8 on; x29 and x30 are none of
            // those that follow each other.
            let pairs = if first < 29 { 29 - u32::from(first) } else { 2 };
            let limit = if count > 2 { pairs } else { 2 };
            for index in 0..count.min(limit) {
                let value = self.read(start.wrapping_add(8 * u64::from(index)))?;
                self.registers.set(first + index as u8, value);
            }
        }
        if before {
            self.registers.set_sp(sp.wrapping_add(offset.into()));
        }
        Ok(())
    }

    /// Crosses a structure that a fault or an interrupt left on the stack.
    fn cross(&mut self, code: UnwindCode) -> Result<Return, End> {
        let at = self.registers.need_sp()?;
        match code {
            UnwindCode::TrapFrame => self.load(at, &TRAP_FRAME),
            UnwindCode::MachineFrame => self.load(at, &MACHINE_FRAME),
            UnwindCode::EcContext => self.load(at, &EC_CONTEXT),
            UnwindCode::Context => {
                self.load(at, &CONTEXT)?;
                let exact = self.read(at)? & UNWOUND_TO_CALL == 0;
                Ok(Return::Interrupted { exact })
            }
            _ => {
                self.registers.pc = self.registers.need(Arm64Registers::LR)?;
                Ok(Return::Interrupted { exact: true })
            }
        }
    }

    fn load(&mut self, at: u64, layout: &Layout) -> Result<Return, End> {
        for run in layout.registers {
            for index in 0..run.count {
                let value = self.read(at.wrapping_add(run.offset + 8 * u64::from(index)))?;
                self.registers.set(run.first + index, value);
            }
        }
        let pc = self.read(at.wrapping_add(layout.pc))?;
        let sp = self.read(at.wrapping_add(layout.sp))?;
        self.registers.pc = pc;
        self.registers.set_sp(sp);
        Ok(Return::Interrupted { exact: true })
    }
}

/// Where a structure keeps registers, in bytes.
struct Layout {
    pc: u64,
    sp: u64,
    registers: &'static [Run],
}

/// Registers side by side.
struct Run {
    first: u8,
    count: u8,
    offset: u64,
}

const fn run(first: u8, count: u8, offset: u64) -> Run {
    Run { first, count, offset }
}

const TRAP_FRAME: Layout = Layout {
    pc: 0x148,
    sp: 0x98,
    registers: &[run(0, 19, 0xA0), run(30, 1, 0x138), run(29, 1, 0x140)],
};

const MACHINE_FRAME: Layout = Layout { pc: 8, sp: 0, registers: &[] };

const CONTEXT: Layout = Layout { pc: 0x108, sp: 0x100, registers: &[run(0, 31, 8)] };

/// The x64 CONTEXT, by the registers that ARM64EC maps x64's to.
const EC_CONTEXT: Layout = Layout {
    pc: 0xF8,
    sp: 0x98,
    registers: &[
        run(8, 1, 0x78),
        run(0, 2, 0x80),
        run(27, 1, 0x90),
        run(29, 1, 0xA0),
        run(25, 2, 0xA8),
        run(2, 4, 0xB8),
        run(19, 4, 0xD8),
    ],
};
