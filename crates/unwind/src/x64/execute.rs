//! Undoing a prologue.

use memory::{VirtualAddress, VirtualMemory};

use super::{UnwindCode, UnwindInfo, X64Registers};
use crate::End;

/// What undoing the codes of one `UNWIND_INFO` led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// The stack pointer is where the prologue began.
    All,
    /// A machine frame was crossed: the registers are those of the interrupted code.
    MachineFrame {
        /// Whether that was user mode, by its code segment.
        user: bool,
    },
}

/// The frame being unwound: registers that change as codes are undone.
pub(super) struct Machine<'a> {
    pub(super) memory: &'a dyn VirtualMemory,
    pub(super) registers: X64Registers,
}

impl Machine<'_> {
    pub(super) fn read(&self, address: u64) -> Result<u64, End> {
        let address = VirtualAddress(address);
        self.memory.read_u64(address).map_err(|_| End::NotResident { address })
    }

    pub(super) fn pop(&mut self) -> Result<u64, End> {
        let rsp = self.registers.rsp();
        let value = self.read(rsp)?;
        self.grow(8);
        Ok(value)
    }

    pub(super) fn grow(&mut self, bytes: u64) {
        let rsp = self.registers.rsp();
        self.registers.set(X64Registers::RSP, rsp.wrapping_add(bytes));
    }

    /// The return instruction.
    pub(super) fn leave(&mut self) -> Result<(), End> {
        self.registers.rip = self.pop()?;
        self.registers.forget_volatile();
        Ok(())
    }

    /// Undoes the codes that had run when `offset` bytes of the prologue had.
    pub(super) fn undo(&mut self, info: &UnwindInfo, offset: u32, at: u64) -> Result<Undone, End> {
        let ran = |place: u8| offset >= u32::from(info.prologue) || u32::from(place) <= offset;
        let frame = self.frame(info, &ran)?;
        for placed in info.codes.iter().filter(|placed| ran(placed.offset)) {
            match placed.code {
                UnwindCode::Push { register } => {
                    let value = self.pop()?;
                    self.registers.set(register, value);
                }
                UnwindCode::Alloc { size } => self.grow(size.into()),
                UnwindCode::SetFrameRegister => self.registers.set(X64Registers::RSP, frame),
                UnwindCode::Save { register, offset } => {
                    let value = self.read(frame.wrapping_add(offset.into()))?;
                    self.registers.set(register, value);
                }
                // A walk needs no XMM register.
                UnwindCode::SaveXmm { .. } | UnwindCode::Nothing => {}
                UnwindCode::MachineFrame { error_code } => return self.interrupted(error_code),
                UnwindCode::Unknown(_) => {
                    let address = VirtualAddress(at);
                    return Err(End::BadUnwindData { address, what: "unknown code" });
                }
            }
        }
        Ok(Undone::All)
    }

    /// What saved registers are found relative to.
    fn frame(&self, info: &UnwindInfo, ran: &impl Fn(u8) -> bool) -> Result<u64, End> {
        let sets = |code: UnwindCode| code == UnwindCode::SetFrameRegister;
        let pending = info.codes.iter().any(|placed| sets(placed.code) && !ran(placed.offset));
        if info.frame_register == 0 || pending {
            return Ok(self.registers.rsp());
        }
        let value = self.registers.need(info.frame_register)?;
        Ok(value.wrapping_sub(info.frame_offset.into()))
    }

    fn interrupted(&mut self, error_code: bool) -> Result<Undone, End> {
        let frame = self.registers.rsp().wrapping_add(if error_code { 8 } else { 0 });
        let rip = self.read(frame)?;
        let selector = self.read(frame.wrapping_add(8))?;
        let rsp = self.read(frame.wrapping_add(24))?;
        self.registers.forget_volatile();
        self.registers.rip = rip;
        self.registers.set(X64Registers::RSP, rsp);
        Ok(Undone::MachineFrame { user: selector & 3 == 3 })
    }
}
