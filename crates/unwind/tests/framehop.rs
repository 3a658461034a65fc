//! framehop against ours: whole walks over programs that clang made, from
//! every instruction of every prologue and epilogue and around every call,
//! with calls nested as the programs nest them. What is true is known from the
//! execution. Ours must be true everywhere; framehop's must be too, but for
//! the rules of `framehop_wrong.rs` that [`Rule`] names, and there it must not
//! be: a rule that no longer holds fails this test.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

use support::builder::BASE;
use support::rival::{Rival, Rule, rule};
use support::x64::{SP, X64, begins, is_epilogue};
use support::{Images, Loaded};
use unwind::x64::{self, RuntimeFunction, UnwindInfo};
use unwind::{Options, Scan, Segment, Stack, StackKind, Unwinder};

/// The outermost caller lies in no image.
const OUTSIDE: u64 = BASE - 0x1000;
/// Calls that are nested.
const DEPTH: usize = 6;

fn fixture(level: &str) -> Images {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let file = std::fs::read(folder.join(format!("x86_64-{level}.sys"))).unwrap();
    Images(vec![Loaded::from_pe(BASE, &file)])
}

struct Program<'a> {
    images: &'a Images,
    rival: Rival,
    begins: Vec<u32>,
    walks: usize,
    longest: usize,
    wrong: BTreeMap<Rule, usize>,
}

impl<'a> Program<'a> {
    fn new(images: &'a Images) -> Self {
        let (rival, begins) = (Rival::over(images), begins(images, 12));
        Self { images, rival, begins, walks: 0, longest: 0, wrong: BTreeMap::new() }
    }

    fn code(&self, rva: u32) -> &'a [u8] {
        &self.images.0[0].bytes[rva as usize..]
    }

    fn function(&self, rva: u32) -> (RuntimeFunction, UnwindInfo) {
        let image = self.images.image(0);
        let entry = x64::find_function(self.images, &image, rva).unwrap().unwrap();
        let info = UnwindInfo::read(self.images, &image, entry.unwind).unwrap();
        (entry, info)
    }

    /// Where a function calls which function.
    fn calls(&self, from: u32, end: u32) -> Vec<(u32, u32)> {
        let call = |at: u32| match self.code(at) {
            [0xE8, a, b, c, d, ..] => {
                let distance = i32::from_le_bytes([*a, *b, *c, *d]);
                let target = (at + 5).wrapping_add_signed(distance);
                self.begins.contains(&target).then_some((at, target))
            }
            _ => None,
        };
        (from..end - 4).filter_map(call).collect()
    }

    /// Runs a function that was called, and all that it calls.
    fn run(&mut self, mut machine: X64, callers: &[(u64, u64)]) {
        let (entry, info) = self.function(machine.rva);
        let body = machine.rva + u32::from(info.prologue);
        self.check(&machine, callers);
        while machine.rva < body {
            machine.run(self.code(machine.rva)).unwrap();
            self.check(&machine, callers);
        }
        for (at, target) in self.calls(body, entry.end) {
            machine.rva = at;
            self.check(&machine, callers);
            if callers.len() < DEPTH {
                let back = BASE + u64::from(at) + 5;
                let mut inner = machine.clone();
                let frame = (back, inner.registers[4]);
                inner.registers[4] -= 8;
                inner.memory.put(inner.registers[4], &[back]);
                inner.rva = target;
                self.run(inner, &[&[frame], callers].concat());
            }
        }
        self.leave(machine, entry.end, callers);
    }

    /// Runs the epilogue that ends a function, if one does.
    fn leave(&mut self, mut machine: X64, end: u32, callers: &[(u64, u64)]) {
        let is_start = |at: &u32| is_epilogue(&self.code(*at)[..(end - at) as usize]);
        let Some(start) = (end - 40..end).find(is_start) else { return };
        machine.rva = start;
        self.check(&machine, callers);
        while self.code(machine.rva)[0] != 0xC3 {
            machine.run(self.code(machine.rva)).unwrap();
            self.check(&machine, callers);
        }
    }

    fn check(&mut self, machine: &X64, callers: &[(u64, u64)]) {
        let at = BASE + u64::from(machine.rva);
        let truth = [&[(at, machine.registers[4])], callers].concat();
        let context = machine.context();
        let options = Options { scan: Scan::Off, ..Options::default() };
        let unwinder = Unwinder::new(self.images, &machine.memory).with(options);
        let (limit, base) = (machine.registers[4].into(), (SP + 0x100).into());
        let stack = Stack::new(Segment { limit, base, kind: StackKind::Thread });
        let walk = unwinder.walk(&context.clone().into(), true, &stack);
        let ours = walk.frames.iter().map(|frame| (frame.address.0, frame.stack_pointer.0));
        let ours: Vec<_> = ours.take_while(|(address, _)| *address >= BASE).collect();
        assert_eq!(ours, truth, "{:#x}", machine.rva);
        let theirs = self.rival.walk(&machine.memory, &context);
        match rule(&self.images.0[0].bytes, machine.rva, &self.function(machine.rva).0) {
            None => assert_eq!(theirs, truth, "{:#x}", machine.rva),
            Some(rule) => {
                assert_ne!(theirs, truth, "{rule:?} at {:#x}: framehop is right now", machine.rva);
                *self.wrong.entry(rule).or_default() += 1;
            }
        }
        self.walks += 1;
        self.longest = self.longest.max(truth.len());
    }
}

#[test]
fn whole_walks_equal_those_of_framehop() {
    for level in ["O0", "O1", "O2", "Os"] {
        let images = fixture(level);
        let mut program = Program::new(&images);
        for begin in program.begins.clone() {
            program.run(X64::called(begin, OUTSIDE), &[]);
        }
        let Program { walks, longest, wrong, .. } = program;
        eprintln!("{level}: {walks} walks, framehop wrong in {wrong:?}");
        assert!(walks > 500 && longest > 4, "{level}: {walks} {longest}");
    }
}
