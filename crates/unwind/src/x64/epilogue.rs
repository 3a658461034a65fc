//! Epilogues, found by decoding what is left of them.
//!
//! The documentation allows one form only: `add rsp` or `lea rsp`, pops, and
//! a return or a jump that leaves the function.

use super::execute::Machine;
use super::step::Function;
use super::{UnwindCode, X64Registers};
use crate::End;

/// The rest of an epilogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Epilogue {
    release: Option<Release>,
    pops: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
    Add(u64),
    FromRegister(u8, u64),
}

/// How an epilogue leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    Return,
    Jump(u32),
    /// Through memory or with REX.W, the mark of a jump that is no switch's.
    JumpElsewhere,
}

/// What the code at an address is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Looked {
    Epilogue(Epilogue),
    Other,
    /// The code is not at hand.
    Missing,
}

/// Longer than `lea`, sixteen pops and a jump.
const LONGEST: u32 = 48;

/// Looks at the code at an exact address.
pub(super) fn look(function: &Function<'_>, rva: u32) -> Looked {
    let Some(code) = read(function, rva) else { return Looked::Missing };
    match decode(&code, rva, function.info.frame_register) {
        Ok((epilogue, leave)) if leaves(function, rva, &epilogue, leave) => {
            Looked::Epilogue(epilogue)
        }
        Err(true) => Looked::Missing,
        _ => Looked::Other,
    }
}

/// What version 2 says, for where the code is not at hand: pops are one or
/// two bytes long, and mirror the pushes.
pub(super) fn from_codes(function: &Function<'_>, rva: u32) -> Option<Epilogue> {
    let into = function.info.epilogues.as_ref()?.position(&function.entry, rva)?;
    let parents = function.parents().ok()?;
    let codes = parents.iter().fold(function.info.codes.clone(), |mut all, parent| {
        all.extend(&parent.codes);
        all
    });
    let pushes = codes.iter().filter_map(|placed| match placed.code {
        UnwindCode::Push { register } => Some(register),
        _ => None,
    });
    let mut at = 0;
    let mut pops = Vec::new();
    for register in pushes {
        if at >= into {
            pops.push(register);
        }
        at += if register < 8 { 1 } else { 2 };
    }
    Some(Epilogue { release: None, pops })
}

impl Epilogue {
    /// Runs it.
    pub(super) fn run(&self, machine: &mut Machine<'_>) -> Result<(), End> {
        match self.release {
            Some(Release::Add(bytes)) => machine.grow(bytes),
            Some(Release::FromRegister(register, distance)) => {
                let rsp = machine.registers.need(register)?.wrapping_add(distance);
                machine.registers.set(X64Registers::RSP, rsp);
            }
            None => {}
        }
        for register in &self.pops {
            let value = machine.pop()?;
            machine.registers.set(*register, value);
        }
        machine.leave()
    }
}

/// As many bytes as there are.
fn read(function: &Function<'_>, rva: u32) -> Option<Vec<u8>> {
    let room = function.image.size.checked_sub(rva)?;
    let mut length = LONGEST.min(room);
    while length > 0 {
        let mut buffer = vec![0; length as usize];
        if function.code.read(function.image, rva, &mut buffer).is_ok() {
            return Some(buffer);
        }
        length /= 2;
    }
    None
}

/// `Err(true)` when the bytes ended first.
fn decode(code: &[u8], rva: u32, frame_register: u8) -> Result<(Epilogue, Leave), bool> {
    let mut epilogue = Epilogue::default();
    let mut rest = code;
    if let Some((release, used)) = release(rest, frame_register) {
        epilogue.release = Some(release);
        rest = rest.get(used..).unwrap_or_default();
    }
    loop {
        let (register, used) = match rest {
            [byte @ 0x58..=0x5F, ..] => (byte - 0x58, 1),
            [0x41, byte @ 0x58..=0x5F, ..] => (byte - 0x58 + 8, 2),
            _ => break,
        };
        // Nothing pops the stack pointer.
        if register == X64Registers::RSP {
            return Err(false);
        }
        epilogue.pops.push(register);
        rest = rest.get(used..).unwrap_or_default();
    }
    let at = rva.wrapping_add((code.len() - rest.len()) as u32);
    let cut = rest.len() < 7 && code.len() < LONGEST as usize;
    leave(rest, at).map(|leave| (epilogue, leave)).ok_or(cut && rest.len() < 2)
}

fn release(code: &[u8], frame_register: u8) -> Option<(Release, usize)> {
    match code {
        [0x48, 0x83, 0xC4, size, ..] => Some((Release::Add(i64::from(*size as i8) as u64), 4)),
        [0x48, 0x81, 0xC4, a, b, c, d, ..] => {
            let size = i32::from_le_bytes([*a, *b, *c, *d]);
            Some((Release::Add(i64::from(size) as u64), 7))
        }
        [rex @ (0x48 | 0x49), 0x8D, modrm, rest @ ..] if modrm >> 3 & 7 == 4 => {
            let register = (modrm & 7) + if *rex == 0x49 { 8 } else { 0 };
            // Only the frame register can give the stack pointer back.
            if frame_register == 0 || register != frame_register {
                return None;
            }
            let sib = usize::from(modrm & 7 == 4);
            let rest = rest.get(sib..)?;
            let (distance, size) = match (modrm >> 6, rest) {
                (0, _) if modrm & 7 != 5 => (0, 0),
                (1, [near, ..]) => (i64::from(*near as i8), 1),
                (2, [a, b, c, d, ..]) => (i64::from(i32::from_le_bytes([*a, *b, *c, *d])), 4),
                _ => return None,
            };
            Some((Release::FromRegister(register, distance as u64), 3 + sib + size))
        }
        _ => None,
    }
}

fn leave(code: &[u8], at: u32) -> Option<Leave> {
    match code {
        [0xC3 | 0xC2, ..] | [0xF3, 0xC3, ..] => Some(Leave::Return),
        [0xEB, near, ..] => {
            let distance = i32::from(*near as i8);
            Some(Leave::Jump(at.wrapping_add(2).wrapping_add_signed(distance)))
        }
        [0xE9, a, b, c, d, ..] => {
            let distance = i32::from_le_bytes([*a, *b, *c, *d]);
            Some(Leave::Jump(at.wrapping_add(5).wrapping_add_signed(distance)))
        }
        [0xFF, 0x25, ..] => Some(Leave::JumpElsewhere),
        [rex, 0xFF, modrm, ..] if rex & 0xF8 == 0x48 && modrm >> 3 & 7 == 4 => {
            Some(Leave::JumpElsewhere)
        }
        _ => None,
    }
}

/// Whether the instruction at the end leaves the function's whole chain.
fn leaves(function: &Function<'_>, rva: u32, epilogue: &Epilogue, leave: Leave) -> bool {
    let target = match leave {
        Leave::Return => return true,
        Leave::Jump(target) => Some(target),
        Leave::JumpElsewhere => None,
    };
    // A jump with nothing before it is told from one in the body only by
    // where it goes, and by version 2's list.
    let bare = epilogue.release.is_none() && epilogue.pops.is_empty();
    let named = function.info.epilogues.as_ref().filter(|_| bare);
    if named.is_some_and(|named| named.position(&function.entry, rva).is_none()) {
        return false;
    }
    target.is_none_or(|target| function.is_left_for(target))
}
