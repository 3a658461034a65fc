//! Unwind data and stacks of any bytes: no panic, no walk without end, and a
//! stack pointer that grows.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::path::PathBuf;

use memory::VirtualAddress;
use support::{Images, Loaded, Words};
use unwind::arm64::Arm64Registers;
use unwind::x64::X64Registers;
use unwind::{Exceptions, Options, Registers, Segment, Stack, StackKind, Unwinder, Walk};

const BASE: u64 = 0xFFFF_F800_0000_0000;
const STACK: u64 = 0xFFFF_8500_0000_0000;
const SIZE: u64 = 0x400;
const FRAMES: usize = 200;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

fn fixture(name: &str) -> Images {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let file = std::fs::read(folder.join(format!("{name}.sys"))).unwrap();
    Images(vec![Loaded::from_pe(BASE, &file)])
}

/// Values that lead somewhere: code, the stack, zero, anything.
fn value(random: &mut Random) -> u64 {
    match random.below(8) {
        0..=3 => BASE + 0x1000 + random.below(0x800) * 4,
        4 | 5 => STACK + random.below(SIZE / 8) * 8,
        6 => 0,
        _ => random.next(),
    }
}

fn words(random: &mut Random) -> Words {
    let mut words = Words::default();
    for offset in (0..SIZE).step_by(8) {
        words.put(STACK + offset, &[value(random)]);
    }
    if random.below(4) == 0 {
        words.0.remove(&(STACK + random.below(SIZE / 8) * 8));
    }
    words
}

fn registers(x64: bool, random: &mut Random) -> Registers {
    let pc = BASE + 0x1000 + random.below(0x900);
    let sp = STACK + random.below(4) * 16;
    if x64 {
        X64Registers::new(pc, sp).with(X64Registers::RBP, value(random)).into()
    } else {
        let registers = Arm64Registers::new(pc & !3, sp);
        registers.with(29, value(random)).with(30, value(random)).into()
    }
}

fn check(walk: &Walk) {
    assert!(walk.frames.len() <= FRAMES);
    for pair in walk.frames.windows(2) {
        let (from, to) = (pair[0].stack_pointer, pair[1].stack_pointer);
        let still = matches!(pair[0].registers, Registers::Arm64(_)) && pair[0].exact;
        assert!(to > from || (still && to == from), "{from} {to}");
        assert!(to.0 <= STACK + SIZE);
        assert!(pair[1].trust <= pair[0].trust);
    }
}

fn one_walk(images: &Images, x64: bool, random: &mut Random) -> usize {
    let words = words(random);
    let (limit, base) = (VirtualAddress(STACK), VirtualAddress(STACK + SIZE));
    let stack = Stack::new(Segment { limit, base, kind: StackKind::Thread });
    let options = Options { frames: FRAMES, ..Options::default() };
    let unwinder = Unwinder::new(images, &words).with(options);
    let walk = unwinder.walk(&registers(x64, random), random.below(2) == 0, &stack);
    check(&walk);
    walk.frames.len()
}

/// Mutates everything but the code, which is mutated seldom.
fn mutate(loaded: &mut Loaded, random: &mut Random) -> Vec<(usize, u8)> {
    let mut undo = Vec::new();
    for _ in 0..1 + random.below(12) {
        let (from, to) = match random.below(6) {
            0 => (0x1000, 0x2000),
            1 | 2 => (0x2000, 0x2200),
            _ => (0x4000, 0x4100),
        };
        let at = (from + random.below(to - from)) as usize;
        if let Some(byte) = loaded.bytes.get_mut(at) {
            undo.push((at, *byte));
            *byte = if random.below(2) == 0 {
                random.next() as u8
            } else {
                *byte ^ 1 << random.below(8)
            };
        }
    }
    undo
}

fn run(name: &str, x64: bool, seed: u64) {
    let mut images = fixture(name);
    let mut random = Random(seed);
    let original = images.0[0].exceptions;
    let mut frames = 0;
    for round in 0..8_000 {
        let undo = mutate(&mut images.0[0], &mut random);
        images.0[0].exceptions = match round % 16 {
            0 => Exceptions::Table { rva: random.next() as u32, size: random.next() as u32 },
            1 => Exceptions::Table { rva: 0x1000, size: u32::MAX },
            _ => original,
        };
        frames += one_walk(&images, x64, &mut random);
        for (at, byte) in undo.into_iter().rev() {
            images.0[0].bytes[at] = byte;
        }
    }
    // The mutations leave walks, not only refusals.
    assert!(frames > 12_000, "{frames}");
}

#[test]
fn mutated_x64_unwind_data_never_panics_nor_walks_on_without_end() {
    run("x86_64-O1", true, 0x1234_5678_9ABC_DEF1);
    run("x86_64-O0", true, 0x0F0F_5678_9ABC_DEF1);
}

#[test]
fn mutated_arm64_unwind_data_never_panics_nor_walks_on_without_end() {
    run("aarch64-O1", false, 0x1234_5678_9ABC_DEF1);
    run("aarch64-O0", false, 0x0F0F_5678_9ABC_DEF1);
}
