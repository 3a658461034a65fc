//! Unwind codes, decoded.

/// Which registers a save is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterKind {
    /// `x`, 8 bytes.
    X,
    /// `d`, 8 bytes.
    D,
    /// `q`, 16 bytes.
    Q,
}

/// One unwind code: one instruction of a prologue or an epilogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnwindCode {
    /// `alloc_s`, `alloc_m`, `alloc_l`.
    Alloc {
        /// Bytes.
        size: u32,
    },
    /// `alloc_z`: as many vector lengths, which no dump tells.
    AllocVectors {
        /// How many.
        count: u8,
    },
    /// Any of the saves but those of a pair that does not follow on.
    Save {
        /// Of which registers.
        kind: RegisterKind,
        /// The first register's number.
        first: u8,
        /// One or two.
        count: u8,
        /// Bytes from the stack pointer: above it, or, with `before`, how
        /// much it went down before.
        offset: u32,
        /// Whether the stack pointer went down first.
        before: bool,
    },
    /// `save_lrpair`: a register and the link register.
    SaveWithLink {
        /// The register's number.
        register: u8,
        /// Bytes from the stack pointer.
        offset: u32,
    },
    /// `save_next`: the pair behind the one that the next code saves.
    SaveNext,
    /// `set_fp`, and `add_fp` with the bytes that it added.
    SetFramePointer {
        /// Bytes.
        offset: u32,
    },
    /// `nop`.
    Nop,
    /// `end`.
    End,
    /// `end_c`.
    EndChained,
    /// `pac_sign_lr`.
    SignLink,
    /// A trap frame lies at the stack pointer.
    TrapFrame,
    /// A stack pointer and a program counter lie at the stack pointer.
    MachineFrame,
    /// A CONTEXT lies at the stack pointer.
    Context,
    /// A CONTEXT of x64 lies at the stack pointer.
    EcContext,
    /// The link register is the program counter of an instruction, no return address.
    ClearUnwoundToCall,
    /// A code that Windows takes for nothing done.
    Reserved,
    /// None of these.
    Unknown(u8),
}

impl UnwindCode {
    /// Whether it ends a prologue's or an epilogue's own codes.
    pub(crate) fn is_end(self) -> bool {
        matches!(self, Self::End | Self::EndChained)
    }

    /// Whether it stands for an instruction, not for a fact of the stack.
    pub(crate) fn is_instruction(self) -> bool {
        !matches!(
            self,
            Self::TrapFrame
                | Self::MachineFrame
                | Self::Context
                | Self::EcContext
                | Self::ClearUnwoundToCall
                | Self::Unknown(_)
        )
    }
}

/// Decodes codes up to and with the first `end`, or up to the end of the bytes.
pub fn decode_codes(bytes: &[u8]) -> Vec<UnwindCode> {
    let mut codes = Vec::new();
    let mut rest = bytes;
    while let Some((code, used)) = decode(rest) {
        codes.push(code);
        if code == UnwindCode::End {
            break;
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    codes
}

fn decode(bytes: &[u8]) -> Option<(UnwindCode, usize)> {
    let (&first, rest) = bytes.split_first()?;
    let Some(code) = short(first) else {
        return long(first, rest);
    };
    Some((code, 1))
}

/// The codes of one byte.
fn short(first: u8) -> Option<UnwindCode> {
    let small = u32::from(first & 0x1F);
    let near = u32::from(first & 0x3F);
    Some(match first {
        0x00..=0x1F => UnwindCode::Alloc { size: small * 16 },
        0x20..=0x3F => save(RegisterKind::X, 19, 2, small * 8, true),
        0x40..=0x7F => save(RegisterKind::X, 29, 2, near * 8, false),
        0x80..=0xBF => save(RegisterKind::X, 29, 2, (near + 1) * 8, true),
        0xE1 => UnwindCode::SetFramePointer { offset: 0 },
        0xE3 => UnwindCode::Nop,
        0xE4 => UnwindCode::End,
        0xE5 => UnwindCode::EndChained,
        0xE6 => UnwindCode::SaveNext,
        0xE8 => UnwindCode::TrapFrame,
        0xE9 => UnwindCode::MachineFrame,
        0xEA => UnwindCode::Context,
        0xEB => UnwindCode::EcContext,
        0xEC => UnwindCode::ClearUnwoundToCall,
        0xFC => UnwindCode::SignLink,
        0xFD..=0xFF => UnwindCode::Reserved,
        0xED..=0xF7 => UnwindCode::Unknown(first),
        _ => return None,
    })
}

/// The codes of more than one byte, most significant byte first.
fn long(first: u8, rest: &[u8]) -> Option<(UnwindCode, usize)> {
    let &second = rest.first()?;
    let pair = u32::from(first) << 8 | u32::from(second);
    let near = (pair & 0x3F) * 8;
    let less = ((pair & 0x1F) + 1) * 8;
    let from = |base: u8, shift: u32, mask: u32| base + (pair >> shift & mask) as u8;
    let code = match first {
        0xC0..=0xC7 => UnwindCode::Alloc { size: (pair & 0x7FF) * 16 },
        0xC8..=0xCB => save(RegisterKind::X, from(19, 6, 15), 2, near, false),
        0xCC..=0xCF => save(RegisterKind::X, from(19, 6, 15), 2, near + 8, true),
        0xD0..=0xD3 => save(RegisterKind::X, from(19, 6, 15), 1, near, false),
        0xD4..=0xD5 => save(RegisterKind::X, from(19, 5, 15), 1, less, true),
        0xD6..=0xD7 => {
            let register = 19 + 2 * (pair >> 6 & 7) as u8;
            UnwindCode::SaveWithLink { register, offset: near }
        }
        0xD8..=0xD9 => save(RegisterKind::D, from(8, 6, 7), 2, near, false),
        0xDA..=0xDB => save(RegisterKind::D, from(8, 6, 7), 2, near + 8, true),
        0xDC..=0xDD => save(RegisterKind::D, from(8, 6, 7), 1, near, false),
        0xDE => save(RegisterKind::D, from(8, 5, 7), 1, less, true),
        0xDF => UnwindCode::AllocVectors { count: second },
        0xE0 => {
            let size = pair & 0xFF;
            let size = size << 16 | u32::from(*rest.get(1)?) << 8 | u32::from(*rest.get(2)?);
            return Some((UnwindCode::Alloc { size: size * 16 }, 4));
        }
        0xE2 => UnwindCode::SetFramePointer { offset: u32::from(second) * 8 },
        0xE7 => return Some((any(second, *rest.get(1)?), 3)),
        // Reserved, with so many bytes behind them.
        0xF8..=0xFB => return Some((UnwindCode::Reserved, usize::from(first - 0xF8) + 2)),
        _ => UnwindCode::Unknown(first),
    };
    Some((code, 2))
}

fn save(kind: RegisterKind, first: u8, count: u8, offset: u32, before: bool) -> UnwindCode {
    UnwindCode::Save { kind, first, count, offset, before }
}

/// `save_any_reg`: 0pxrrrrr ffoooooo.
fn any(high: u8, low: u8) -> UnwindCode {
    let (pair, before, first) = (high >> 6 & 1 == 1, high >> 5 & 1 == 1, high & 0x1F);
    let kind = match low >> 6 {
        0 => RegisterKind::X,
        1 => RegisterKind::D,
        2 => RegisterKind::Q,
        _ => return UnwindCode::Unknown(0xE7),
    };
    if high >> 7 == 1 || (kind == RegisterKind::X && first > 30) {
        return UnwindCode::Unknown(0xE7);
    }
    let scale = if before || pair || kind == RegisterKind::Q { 16 } else { 8 };
    let offset = (u32::from(low & 0x3F) + u32::from(before)) * scale;
    save(kind, first, 1 + u8::from(pair), offset, before)
}
