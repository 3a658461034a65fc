//! Prologues and epilogues that clang made, executed instruction by
//! instruction: wherever they are interrupted, one step must give back what
//! the caller had. The executors know instructions, nothing of unwind data.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::path::PathBuf;

use support::builder::BASE;
use support::x64::{SAVED, SP, X64, begins, is_epilogue, kept};
use support::{Images, Loaded, Words};
use unwind::arm64::{self, Arm64Registers, FunctionRecord, PackedFunction};
use unwind::x64::{self, UnwindInfo};
use unwind::{Image, Registers, Unwinder};

const CALLER: u64 = BASE + 0x1004;

fn fixture(name: &str) -> Images {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let file = std::fs::read(folder.join(format!("{name}.sys"))).unwrap();
    Images(vec![Loaded::from_pe(BASE, &file)])
}

/// One step from here must lead to the caller.
fn check(machine: &X64, images: &Images) {
    let step = Unwinder::new(images, &machine.memory).step(&machine.context().into(), true);
    let step = step.unwrap_or_else(|end| panic!("{:#x}: {end}", machine.rva));
    let Registers::X64(found) = step.registers else { panic!() };
    let at = machine.rva;
    assert_eq!((found.rip, found.get(4)), (CALLER, Some(SP)), "{at:#x}");
    for number in SAVED {
        assert_eq!(found.get(number), Some(kept(number)), "{at:#x} register {number}");
    }
}

#[test]
fn x64_functions_are_unwound_from_every_instruction_of_prologue_and_epilogue() {
    let (mut prologues, mut epilogues) = (0, 0);
    for level in ["O0", "O1", "O2", "Os"] {
        let images = fixture(&format!("x86_64-{level}"));
        let image = images.image(0);
        for begin in begins(&images, 12) {
            let entry = x64::find_function(&images, &image, begin).unwrap().unwrap();
            let info = UnwindInfo::read(&images, &image, entry.unwind).unwrap();
            let code = &images.0[0].bytes;
            let mut machine = X64::called(begin, CALLER);
            check(&machine, &images);
            while machine.rva < begin + u32::from(info.prologue) {
                let rest = &code[machine.rva as usize..];
                machine.run(rest).unwrap_or_else(|| panic!("{level}: {:x?}", &rest[..8]));
                check(&machine, &images);
                prologues += 1;
            }
            epilogues += end_of_function(&images, machine, entry.end);
        }
    }
    assert!(prologues > 100 && epilogues > 100, "{prologues} {epilogues}");
}

/// Runs the epilogue that ends a function, if one does.
fn end_of_function(images: &Images, mut machine: X64, end: u32) -> usize {
    let code = &images.0[0].bytes;
    let Some(start) =
        (end - 40..end).find(|start| is_epilogue(&code[*start as usize..end as usize]))
    else {
        return 0;
    };
    machine.rva = start;
    let mut count = 0;
    loop {
        check(&machine, images);
        count += 1;
        if code[machine.rva as usize] == 0xC3 {
            return count;
        }
        machine.run(&code[machine.rva as usize..]).unwrap();
    }
}

struct Arm64 {
    x: [u64; 32],
    memory: Words,
    rva: u32,
}

impl Arm64 {
    fn called(rva: u32) -> Self {
        let mut x = [0; 32];
        (19..30).for_each(|number: u8| x[usize::from(number)] = kept(number));
        (x[30], x[31]) = (CALLER, SP);
        Self { x, memory: Words::default(), rva }
    }

    fn word(images: &Images, rva: u32) -> u32 {
        u32::from_le_bytes(images.0[0].bytes[rva as usize..][..4].try_into().unwrap())
    }

    /// One instruction; those that are none of a prologue change nothing.
    fn run(&mut self, images: &Images) {
        let code = Self::word(images, self.rva);
        self.rva += 4;
        let (first, base, second) =
            (code as usize & 31, code as usize >> 5 & 31, code as usize >> 10 & 31);
        let immediate = u64::from(code >> 10 & 0xFFF) << (12 * (code >> 22 & 1));
        let pair = (i64::from((code << 10) as i32 >> 25) * 8) as u64;
        let single = i64::from((code << 11) as i32 >> 23) as u64;
        match code & 0xFF80_0000 {
            0xD100_0000 if first == 31 => self.x[31] = self.x[base] - immediate,
            0x9100_0000 if first >= 29 => self.x[first] = self.x[base] + immediate,
            0xD280_0000 => self.x[first] = u64::from(code >> 5 & 0xFFFF),
            _ if code & 0xFC00_0000 == 0x9400_0000 => self.x[30] = BASE + u64::from(self.rva),
            _ if code & 0xFFE0_FFFF == 0xCB20_73FF => {
                self.x[31] -= self.x[code as usize >> 16 & 31] << 4;
            }
            _ => self.access(code, [first, second, base], pair, single),
        }
    }

    fn access(&mut self, code: u32, [first, second, base]: [usize; 3], pair: u64, single: u64) {
        if base != 31 {
            return;
        }
        let scaled = u64::from(code >> 10 & 0xFFF) * 8;
        // Registers, where, and what the stack pointer becomes.
        let sp = self.x[31];
        let (numbers, at, behind) = match code & 0xBFC0_0000 {
            0xA900_0000 | 0xA940_0000 | 0x2D00_0000 | 0x2D40_0000 => {
                (vec![first, second], sp.wrapping_add(pair), sp)
            }
            0xA980_0000 | 0x2D80_0000 => {
                (vec![first, second], sp.wrapping_add(pair), sp.wrapping_add(pair))
            }
            0xA8C0_0000 | 0x2CC0_0000 => (vec![first, second], sp, sp.wrapping_add(pair)),
            0xB900_0000 | 0xB940_0000 | 0xBD00_0000 | 0xBD40_0000 => {
                (vec![first], sp.wrapping_add(scaled), sp)
            }
            0xB800_0000 | 0xBC00_0000 if code >> 10 & 3 == 3 => {
                (vec![first], sp.wrapping_add(single), sp.wrapping_add(single))
            }
            0xB840_0000 | 0xBC40_0000 if code >> 10 & 3 == 1 => {
                (vec![first], sp, sp.wrapping_add(single))
            }
            _ => return,
        };
        let load = code & 0x0040_0000 != 0;
        let vector = code & 0x0400_0000 != 0;
        for (index, number) in numbers.into_iter().enumerate() {
            let address = at + 8 * index as u64;
            match (load, vector) {
                (true, false) => self.x[number] = self.memory.0[&address],
                (false, false) => self.memory.put(address, &[self.x[number]]),
                (false, true) => self.memory.put(address, &[0xF]),
                (true, true) => {}
            }
        }
        self.x[31] = behind;
    }

    fn check(&self, images: &Images) {
        let mut registers = Arm64Registers::new(BASE + u64::from(self.rva), self.x[31]);
        for number in 0..31 {
            registers = registers.with(number, self.x[usize::from(number)]);
        }
        let step = Unwinder::new(images, &self.memory).step(&registers.into(), true);
        let at = self.rva;
        let step = step.unwrap_or_else(|end| panic!("{at:#x}: {end}"));
        let Registers::Arm64(found) = step.registers else { panic!() };
        assert_eq!((found.pc, found.sp), (CALLER, SP), "{at:#x}");
        for number in 19..30 {
            assert_eq!(found.get(number), Some(kept(number)), "{at:#x} register {number}");
        }
    }
}

/// Where an ARM64 function's prologue ends, and where its epilogues begin.
fn shape(images: &Images, image: &Image, begin: u32) -> (u32, Vec<u32>) {
    use arm64::UnwindCode as C;
    let count = |codes: &[C]| {
        codes.iter().take_while(|code| !matches!(code, C::End | C::EndChained)).count() as u32
    };
    let entry = arm64::find_function(images, image, begin).unwrap().unwrap();
    if let Some(packed) = PackedFunction::decode(entry.data) {
        let codes = packed.prologue().unwrap();
        let kept = codes.iter().filter(|code| !matches!(code, C::SetFramePointer { .. } | C::Nop));
        let size = kept.count() as u32;
        return (count(&codes), vec![begin + packed.length - 4 * size]);
    }
    let record = FunctionRecord::read(images, image, entry.data).unwrap();
    let prologue = count(&record.codes_from(0));
    if let Some(index) = record.single_epilogue {
        let size = count(&record.codes_from(index)) + 1;
        return (prologue, vec![begin + record.length - 4 * size]);
    }
    let mut starts = Vec::new();
    let mut offset = record.length;
    while let Some(epilogue) = record.epilogue_before(images, image, offset).unwrap() {
        starts.push(begin + epilogue.start);
        let Some(before) = epilogue.start.checked_sub(4) else { break };
        offset = before;
    }
    (prologue, starts)
}

#[test]
fn arm64_functions_are_unwound_from_every_instruction_of_prologue_and_epilogue() {
    let (mut prologues, mut epilogues) = (0, 0);
    for level in ["O0", "O1", "O2", "Os"] {
        let images = fixture(&format!("aarch64-{level}"));
        let image = images.image(0);
        for begin in begins(&images, 8) {
            let (size, starts) = shape(&images, &image, begin);
            let mut machine = Arm64::called(begin);
            machine.check(&images);
            for _ in 0..size {
                machine.run(&images);
                machine.check(&images);
                prologues += 1;
            }
            for start in starts {
                let mut machine =
                    Arm64 { x: machine.x, memory: machine.memory.clone(), rva: start };
                machine.check(&images);
                // Up to the return, or the jump that takes its place.
                while !is_leave(Arm64::word(&images, machine.rva)) {
                    machine.run(&images);
                    machine.check(&images);
                    epilogues += 1;
                }
            }
        }
    }
    assert!(prologues > 100 && epilogues > 100, "{prologues} {epilogues}");
}

fn is_leave(code: u32) -> bool {
    code == 0xD65F_03C0 || code & 0xFC00_0000 == 0x1400_0000 || code & 0xFFFF_FC1F == 0xD61F_0000
}
