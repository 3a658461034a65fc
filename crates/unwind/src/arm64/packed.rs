//! Packed unwind data: a canonical prologue in 32 bits.

use super::{RegisterKind, UnwindCode};

/// Packed unwind data, field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedFunction {
    /// 1 a function, 2 a part of one without prologue and epilogue, 3 reserved.
    pub flag: u8,
    /// Bytes of code.
    pub length: u32,
    /// RegF.
    pub reg_f: u8,
    /// RegI.
    pub reg_i: u8,
    /// H: whether parameters are stored first.
    pub homes: bool,
    /// CR: 0 unchained, 1 with the link register saved, 2 chained and signed, 3 chained.
    pub cr: u8,
    /// Bytes of the whole frame.
    pub frame: u32,
}

/// The most that one instruction adds to the stack pointer, as a multiple of 16.
const ONE_ALLOC: u32 = 4080;

impl PackedFunction {
    /// Takes the fields apart; `None` for a reference to a full record.
    pub fn decode(data: u32) -> Option<Self> {
        let field = |shift: u32, bits: u32| data >> shift & ((1 << bits) - 1);
        (data & 3 != 0).then(|| Self {
            flag: field(0, 2) as u8,
            length: field(2, 11) * 4,
            reg_f: field(13, 3) as u8,
            reg_i: field(16, 4) as u8,
            homes: field(20, 1) == 1,
            cr: field(21, 2) as u8,
            frame: field(23, 9) * 16,
        })
    }

    fn integers(&self) -> u32 {
        8 * u32::from(self.reg_i) + if self.cr == 1 { 8 } else { 0 }
    }

    fn floats(&self) -> u32 {
        if self.reg_f == 0 { 0 } else { 8 * (u32::from(self.reg_f) + 1) }
    }

    fn is_chained(&self) -> bool {
        self.cr >= 2
    }

    /// The codes of its prologue, the last instruction first, with `end`;
    /// `None` where no frame can be so.
    pub fn prologue(&self) -> Option<Vec<UnwindCode>> {
        let homes = if self.homes { 64 } else { 0 };
        let saved = (self.integers() + self.floats() + homes + 15) & !15;
        let local = self.frame.checked_sub(saved)?;
        if self.reg_i > 10 || self.flag == 3 {
            return None;
        }
        let mut codes = Vec::new();
        if self.cr == 2 {
            codes.push(UnwindCode::SignLink);
        }
        self.save_integers(&mut codes)?;
        self.save_floats(&mut codes);
        self.reserve(&mut codes, saved);
        self.allocate(&mut codes, local);
        // Codes are stored the last first.
        codes.reverse();
        codes.push(UnwindCode::End);
        Some(codes)
    }

    /// The codes of its epilogue: the prologue's without what needs no undoing.
    pub(super) fn epilogue(prologue: &[UnwindCode]) -> Vec<UnwindCode> {
        let undone = |code: &&UnwindCode| {
            !matches!(code, UnwindCode::SetFramePointer { .. } | UnwindCode::Nop)
        };
        prologue.iter().filter(undone).copied().collect()
    }

    fn save_integers(&self, codes: &mut Vec<UnwindCode>) -> Option<()> {
        let with_link = self.cr == 1;
        for index in (0..self.reg_i).step_by(2) {
            let (register, offset) = (19 + index, u32::from(index) * 8);
            if index + 1 < self.reg_i {
                codes.push(at(RegisterKind::X, register, 2, offset));
            } else if !with_link {
                codes.push(at(RegisterKind::X, register, 1, offset));
            } else if index == 0 {
                // No unwind code is a pair with the link register that moves
                // the stack pointer: compilers do not pack this.
                return None;
            } else {
                codes.push(UnwindCode::SaveWithLink { register, offset });
            }
        }
        if with_link && self.reg_i.is_multiple_of(2) {
            codes.push(at(RegisterKind::X, 30, 1, self.integers() - 8));
        }
        Some(())
    }

    fn save_floats(&self, codes: &mut Vec<UnwindCode>) {
        let count = (self.floats() / 8) as u8;
        for index in (0..count).step_by(2) {
            let offset = self.integers() + u32::from(index) * 8;
            let pair = if index + 1 < count { 2 } else { 1 };
            codes.push(at(RegisterKind::D, 8 + index, pair, offset));
        }
    }

    /// The first store makes the room for all; the parameters' stores change nothing else.
    fn reserve(&self, codes: &mut Vec<UnwindCode>, saved: u32) {
        let first = codes.iter_mut().find(|code| matches!(code, UnwindCode::Save { .. }));
        let made = match first {
            Some(UnwindCode::Save { offset, before, .. }) => {
                (*offset, *before) = (saved, true);
                true
            }
            _ => false,
        };
        if self.homes {
            codes.push(if made { UnwindCode::Nop } else { UnwindCode::Alloc { size: saved } });
            codes.extend([UnwindCode::Nop; 3]);
        }
    }

    fn allocate(&self, codes: &mut Vec<UnwindCode>, local: u32) {
        if self.is_chained() && local <= 512 {
            codes.push(UnwindCode::Save {
                kind: RegisterKind::X,
                first: 29,
                count: 2,
                offset: local,
                before: true,
            });
        } else {
            let mut left = local;
            while left > 0 {
                let size = left.min(ONE_ALLOC);
                codes.push(UnwindCode::Alloc { size });
                left -= size;
            }
            if self.is_chained() {
                codes.push(at(RegisterKind::X, 29, 2, 0));
            }
        }
        if self.is_chained() {
            codes.push(UnwindCode::SetFramePointer { offset: 0 });
        }
    }
}

fn at(kind: RegisterKind, first: u8, count: u8, offset: u32) -> UnwindCode {
    UnwindCode::Save { kind, first, count, offset, before: false }
}
