//! An executor of x64 prologues and epilogues. It knows instructions,
//! nothing of unwind data.

#![allow(clippy::panic)]

use unwind::Exceptions;
use unwind::x64::X64Registers;

use super::builder::BASE;
use super::{Images, Words};

/// The stack pointer before the call.
pub const SP: u64 = 0xFFFF_8500_0010_0000;

/// What each register holds when the function is called.
pub fn kept(number: u8) -> u64 {
    0xAAAA_0000 + u64::from(number) * 0x11
}

#[derive(Clone)]
pub struct X64 {
    pub registers: [u64; 16],
    pub memory: Words,
    pub rva: u32,
}

/// Those that calls preserve.
pub const SAVED: [u8; 8] = [3, 5, 6, 7, 12, 13, 14, 15];

impl X64 {
    /// Called from there.
    pub fn called(rva: u32, caller: u64) -> Self {
        let mut registers = [0; 16];
        SAVED.iter().for_each(|number| registers[usize::from(*number)] = kept(*number));
        registers[4] = SP - 8;
        let mut memory = Words::default();
        memory.put(SP - 8, &[caller]);
        Self { registers, memory, rva }
    }

    fn push(&mut self, number: u8) {
        self.registers[4] -= 8;
        self.memory.put(self.registers[4], &[self.registers[usize::from(number)]]);
    }

    fn pop(&mut self, number: u8) {
        self.registers[usize::from(number)] = self.memory.0[&self.registers[4]];
        self.registers[4] += 8;
    }

    /// One instruction; `None` for one that is none of a prologue or epilogue.
    pub fn run(&mut self, code: &[u8]) -> Option<()> {
        let wide =
            |at: usize| i32::from_le_bytes(code[at..at + 4].try_into().unwrap()) as i64 as u64;
        let near = |at: usize| code[at] as i8 as i64 as u64;
        let rsp = self.registers[4];
        let length = match code {
            [0x50..=0x57, ..] => (self.push(code[0] - 0x50), 1).1,
            [0x41, 0x50..=0x57, ..] => (self.push(code[1] - 0x50 + 8), 2).1,
            [0x58..=0x5F, ..] => (self.pop(code[0] - 0x58), 1).1,
            [0x41, 0x58..=0x5F, ..] => (self.pop(code[1] - 0x58 + 8), 2).1,
            [0x48, 0x83, 0xEC, ..] => (self.registers[4] -= near(3), 4).1,
            [0x48, 0x81, 0xEC, ..] => (self.registers[4] -= wide(3), 7).1,
            [0x48, 0x83, 0xC4, ..] => (self.registers[4] += near(3), 4).1,
            [0x48, 0x81, 0xC4, ..] => (self.registers[4] += wide(3), 7).1,
            [0x48, 0x89, 0xEC, ..] => (self.registers[4] = self.registers[5], 3).1,
            [0x48, 0x89, 0xE5, ..] => (self.registers[5] = rsp, 3).1,
            [0x48, 0x8D, 0x6C, 0x24, ..] => (self.registers[5] = rsp + near(4), 5).1,
            [0x48, 0x8D, 0xAC, 0x24, ..] => (self.registers[5] = rsp + wide(4), 8).1,
            [0x48, 0x8D, 0x65, ..] => {
                (self.registers[4] = self.registers[5].wrapping_add(near(3)), 4).1
            }
            [0x48, 0x8D, 0xA5, ..] => {
                (self.registers[4] = self.registers[5].wrapping_add(wide(3)), 7).1
            }
            [0xB8, ..] => (self.registers[0] = wide(1), 5).1,
            [0xE8, ..] => 5,
            [0x48, 0x29, 0xC4, ..] => (self.registers[4] -= self.registers[0], 3).1,
            _ => self.store_of_xmm(code)?,
        };
        self.rva += length;
        Some(())
    }

    /// A store of an XMM register to the stack, the value of which is of no
    /// interest; its length.
    fn store_of_xmm(&mut self, code: &[u8]) -> Option<u32> {
        let prefixes = code.iter().take_while(|byte| matches!(byte, 0x66 | 0x44)).count();
        let (distance, size) = match code[prefixes..] {
            [0x0F, 0x11 | 0x29 | 0x7F, modrm, 0x24, near, a, b, c, ..] => match modrm >> 6 {
                0 => (0, 0),
                1 => (i32::from(near as i8), 1),
                _ => (i32::from_le_bytes([near, a, b, c]), 4),
            },
            _ => return None,
        };
        self.memory.put(self.registers[4].wrapping_add_signed(distance.into()), &[0xF, 0xF]);
        Some(prefixes as u32 + 4 + size)
    }

    /// Where it is, for the unwinder.
    pub fn context(&self) -> X64Registers {
        let registers = X64Registers::new(BASE + u64::from(self.rva), self.registers[4]);
        let value = |number: u8| self.registers[usize::from(number)];
        SAVED.iter().fold(registers, |all, number| all.with(*number, value(*number)))
    }
}

/// Where functions begin, from the table.
pub fn begins(images: &Images, entry: usize) -> Vec<u32> {
    let Exceptions::Table { rva, size } = images.0[0].exceptions else { panic!() };
    let table = &images.0[0].bytes[rva as usize..][..size as usize];
    table.chunks(entry).map(|entry| u32::from_le_bytes(entry[..4].try_into().unwrap())).collect()
}

/// Whether exactly these bytes release, pop and return.
pub fn is_epilogue(code: &[u8]) -> bool {
    match code {
        [0x48, 0x83, 0xC4, _, rest @ ..] | [0x48, 0x8D, 0x65, _, rest @ ..] => pops(rest),
        [0x48, 0x89, 0xEC, rest @ ..] => pops(rest),
        [0x48, 0x81, 0xC4, _, _, _, _, rest @ ..] => pops(rest),
        [0x48, 0x8D, 0xA5, _, _, _, _, rest @ ..] => pops(rest),
        _ => false,
    }
}

fn pops(code: &[u8]) -> bool {
    match code {
        [0xC3] => true,
        [0x41, 0x58..=0x5F, rest @ ..] | [0x58..=0x5F, rest @ ..] => pops(rest),
        _ => false,
    }
}
