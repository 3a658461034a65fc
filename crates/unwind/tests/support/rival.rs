//! framehop, over the same images and the same stack.

use std::ops::{Deref, Range};

use framehop::x86_64::{CacheX86_64, Reg, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{FrameAddress, Module, ModuleSectionInfo, Unwinder as _};
use memory::{VirtualAddress, VirtualMemory};
use unwind::Exceptions;
use unwind::x64::{RuntimeFunction, X64Registers};

use super::{Images, Loaded};

/// Steps of one walk at most.
const MOST: usize = 256;
/// framehop's names of the registers, by their numbers.
const NUMBERED: [Reg; 16] = [
    Reg::RAX,
    Reg::RCX,
    Reg::RDX,
    Reg::RBX,
    Reg::RSP,
    Reg::RBP,
    Reg::RSI,
    Reg::RDI,
    Reg::R8,
    Reg::R9,
    Reg::R10,
    Reg::R11,
    Reg::R12,
    Reg::R13,
    Reg::R14,
    Reg::R15,
];

/// The sections of an image that framehop asks for. It knows code by the name
/// `.text` only; of unwind data it is given all there is.
pub struct Sections<D> {
    pub size: u32,
    pub text: Option<(Range<u32>, D)>,
    pub rdata: Option<D>,
    pub pdata: Option<D>,
}

impl Sections<Vec<u8>> {
    pub fn of(image: &Loaded) -> Self {
        let cut = |from: u32, to: u32| image.bytes[from as usize..to as usize].to_vec();
        let text = image.executable.first().map(|&(from, to)| (from..to, cut(from, to)));
        let pdata = match image.exceptions {
            Exceptions::Table { rva, size } => Some(cut(rva, rva + size)),
            _ => None,
        };
        Self { size: image.bytes.len() as u32, text, rdata: Some(image.bytes.clone()), pdata }
    }
}

impl<D> ModuleSectionInfo<D> for Sections<D> {
    fn base_svma(&self) -> u64 {
        0
    }

    fn section_svma_range(&mut self, name: &[u8]) -> Option<Range<u64>> {
        match name {
            b".text" => {
                self.text.as_ref().map(|(range, _)| range.start.into()..u64::from(range.end))
            }
            b".rdata" => Some(0..self.size.into()),
            _ => None,
        }
    }

    fn section_data(&mut self, name: &[u8]) -> Option<D> {
        match name {
            b".text" => self.text.take().map(|(_, data)| data),
            b".rdata" => self.rdata.take(),
            b".pdata" => self.pdata.take(),
            _ => None,
        }
    }
}

/// framehop over one image.
pub struct Rival<D = Vec<u8>> {
    unwinder: UnwinderX86_64<D>,
    image: Range<u64>,
}

impl Rival {
    pub fn over(images: &Images) -> Self {
        Self::with(images.0[0].base, Sections::of(&images.0[0]))
    }
}

impl<D: Deref<Target = [u8]>> Rival<D> {
    pub fn with(base: u64, sections: Sections<D>) -> Self {
        let image = base..base + u64::from(sections.size);
        let mut unwinder = UnwinderX86_64::new();
        unwinder.add_module(Module::new("image".into(), image.clone(), base, sections));
        Self { unwinder, image }
    }

    /// Its walk from an exact address: program counter and stack pointer of
    /// each frame, as long as it stays in the image.
    pub fn walk(&self, memory: &dyn VirtualMemory, from: &X64Registers) -> Vec<(u64, u64)> {
        self.walk_at(memory, from, FrameAddress::from_instruction_pointer(from.rip))
    }

    /// The same from a return address.
    pub fn walk_back(&self, memory: &dyn VirtualMemory, from: &X64Registers) -> Vec<(u64, u64)> {
        self.walk_at(memory, from, FrameAddress::from_return_address(from.rip).unwrap())
    }

    /// One step, wherever it leads.
    pub fn step(&self, memory: &dyn VirtualMemory, from: &X64Registers) -> Option<(u64, u64)> {
        let at = FrameAddress::from_instruction_pointer(from.rip);
        let mut registers = registers(from);
        self.next(memory, at, &mut registers).map(|next| (next.address(), registers.sp()))
    }

    fn next(
        &self,
        memory: &dyn VirtualMemory,
        at: FrameAddress,
        registers: &mut UnwindRegsX86_64,
    ) -> Option<FrameAddress> {
        let mut cache = CacheX86_64::<_>::new();
        let mut read = |address| memory.read_u64(VirtualAddress(address)).map_err(|_| ());
        let next = self.unwinder.unwind_frame(at, registers, &mut cache, &mut read).ok()??;
        FrameAddress::from_return_address(next)
    }

    fn walk_at(
        &self,
        memory: &dyn VirtualMemory,
        from: &X64Registers,
        mut at: FrameAddress,
    ) -> Vec<(u64, u64)> {
        let mut registers = registers(from);
        let mut frames = Vec::new();
        while self.image.contains(&at.address()) && frames.len() < MOST {
            frames.push((at.address(), registers.sp()));
            let Some(next) = self.next(memory, at, &mut registers) else { break };
            at = next;
        }
        frames
    }
}

fn registers(from: &X64Registers) -> UnwindRegsX86_64 {
    let mut registers = UnwindRegsX86_64::new(from.rip, 0, 0);
    for (number, name) in (0..16).zip(NUMBERED) {
        registers.set(name, from.get(number).unwrap_or(0));
    }
    registers
}

/// Why framehop is wrong at an exact address of compiled code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It takes each jump that it meets for the end of an epilogue, also one
    /// that stays in the function.
    JumpInside,
    /// It takes the near distance of `lea rsp, [frame - n]` for a positive one.
    NegativeDistance,
}

/// The rule that applies at an exact address, told from the bytes alone.
pub fn rule(code: &[u8], rva: u32, function: &RuntimeFunction) -> Option<Rule> {
    let mut at = rva as usize;
    match code[at..] {
        [0x48, 0x83, 0xC4, ..] => at += 4,
        [0x48, 0x81, 0xC4, ..] => at += 7,
        [0x48, 0x8D, 0x65, distance, ..] if (distance as i8) < 0 => {
            return Some(Rule::NegativeDistance);
        }
        [0x48, 0x8D, 0x65, ..] => at += 4,
        [0x48, 0x8D, 0xA5, ..] => at += 7,
        _ => {}
    }
    loop {
        match code[at..] {
            [0x58..=0x5F, ..] => at += 1,
            [0x41, 0x58..=0x5F, ..] => at += 2,
            _ => break,
        }
    }
    let target = match code[at..] {
        [0xEB, near, ..] => (at as u32 + 2).wrapping_add_signed((near as i8).into()),
        [0xE9, a, b, c, d, ..] => {
            (at as u32 + 5).wrapping_add_signed(i32::from_le_bytes([a, b, c, d]))
        }
        _ => return None,
    };
    (function.holds(target) && target != function.begin).then_some(Rule::JumpInside)
}
