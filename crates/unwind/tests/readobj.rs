//! Our decoding of unwind data against `llvm-readobj --unwind`, for programs
//! that clang built at every level. `fixtures/make.sh` made both.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

use support::{Images, Loaded};
use unwind::arm64::{self, FunctionRecord, PackedFunction, RegisterKind};
use unwind::x64::{self, UnwindInfo};

const LEVELS: [&str; 4] = ["O0", "O1", "O2", "Os"];
const BASE: u64 = 0x1_4000_0000;

/// One function as the text has it: fields, and the codes in order.
#[derive(Default, Debug)]
struct Function {
    fields: BTreeMap<String, String>,
    codes: Vec<String>,
    epilogues: Vec<(u32, u32)>,
}

fn fixture(name: &str) -> (Images, Vec<Function>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let file = std::fs::read(folder.join(format!("{name}.sys"))).unwrap();
    let text = std::fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap();
    let functions: Vec<Function> = text.split("RuntimeFunction {").skip(1).map(parse).collect();
    assert!(functions.len() >= 10, "{name}: {}", functions.len());
    (Images(vec![Loaded::from_pe(BASE, &file)]), functions)
}

fn parse(text: &str) -> Function {
    let mut function = Function::default();
    let mut list = "";
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" [").filter(|_| line.ends_with('[')) {
            list = name;
        } else if line == "]" {
            list = "";
        } else if matches!(list, "UnwindCodes" | "Prologue") {
            function.codes.push(line.to_owned());
        } else if let Some((key, value)) = line.split_once(": ") {
            match key {
                "StartOffset" => function.epilogues.push((value.parse().unwrap(), 0)),
                "EpilogueStartIndex" => {
                    function.epilogues.last_mut().unwrap().1 = value.parse().unwrap();
                }
                _ => drop(function.fields.insert(key.to_owned(), value.to_owned())),
            }
        }
    }
    function
}

impl Function {
    fn number(&self, key: &str) -> Option<u64> {
        let text = self.fields.get(key)?.trim_matches(['(', ')']);
        match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        }
    }

    fn rva(&self, key: &str) -> u32 {
        (self.number(key).unwrap() - BASE) as u32
    }
}

const X64_NAMES: [&str; 16] = [
    "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13",
    "R14", "R15",
];

fn x64_text(info: &UnwindInfo, placed: &x64::PlacedCode) -> String {
    use x64::UnwindCode as C;
    let name = |register: u8| X64_NAMES[usize::from(register)];
    let what = match placed.code {
        C::Push { register } => format!("PUSH_NONVOL reg={}", name(register)),
        C::Alloc { size: size @ ..=128 } => format!("ALLOC_SMALL size={size}"),
        C::Alloc { size } => format!("ALLOC_LARGE size={size}"),
        C::SetFrameRegister => {
            format!("SET_FPREG reg={}, offset=0x{:X}", name(info.frame_register), info.frame_offset)
        }
        C::SaveXmm { register, offset } => {
            format!("SAVE_XMM128 reg=XMM{register}, offset=0x{offset:X}")
        }
        other => format!("{other:?}"),
    };
    format!("0x{:02X}: {what}", placed.offset)
}

#[test]
fn x64_unwind_data_reads_as_llvm_reads_it() {
    for level in LEVELS {
        let (images, functions) = fixture(&format!("x86_64-{level}"));
        let image = images.image(0);
        for truth in functions {
            let (begin, end) = (truth.rva("StartAddress"), truth.rva("EndAddress"));
            for inside in [begin, end - 1] {
                let entry = x64::find_function(&images, &image, inside).unwrap().unwrap();
                assert_eq!((entry.begin, entry.end), (begin, end));
                assert_eq!(entry.unwind, truth.rva("UnwindInfoAddress"));
            }
            let info = UnwindInfo::read(&images, &image, truth.rva("UnwindInfoAddress")).unwrap();
            assert_eq!(Some(u64::from(info.version)), truth.number("Version"));
            assert_eq!(Some(u64::from(info.prologue)), truth.number("PrologSize"));
            let codes: Vec<String> =
                info.codes.iter().map(|placed| x64_text(&info, placed)).collect();
            assert_eq!(codes, truth.codes, "{level} {begin:#x}");
        }
    }
}

/// A code as the listing of a prologue has it.
fn arm64_text(code: arm64::UnwindCode, packed: bool) -> String {
    use arm64::UnwindCode as C;
    let link = if packed { "lr" } else { "x30" };
    let frame = "x29";
    match code {
        C::Alloc { size } if packed => format!("sub sp, sp, #{size}"),
        C::Alloc { size } => format!("sub sp, #{size}"),
        C::Save { kind, first, count, offset, before } => {
            let letter = match kind {
                RegisterKind::X => 'x',
                RegisterKind::D => 'd',
                RegisterKind::Q => 'q',
            };
            let name = |number: u8| match (letter, number) {
                ('x', 30) => link.to_owned(),
                ('x', 29) => frame.to_owned(),
                _ => format!("{letter}{number}"),
            };
            let registers = match count {
                1 => format!("str {}", name(first)),
                _ => format!("stp {}, {}", name(first), name(first + 1)),
            };
            match (before, offset) {
                (true, _) => format!("{registers}, [sp, #-{offset}]!"),
                (false, _) => format!("{registers}, [sp, #{offset}]"),
            }
        }
        C::SaveWithLink { register, offset } => format!("stp x{register}, {link}, [sp, #{offset}]"),
        C::SetFramePointer { offset: 0 } if packed => "mov x29, sp".to_owned(),
        C::SetFramePointer { offset: 0 } => "mov fp, sp".to_owned(),
        C::SetFramePointer { offset } => format!("add fp, sp, #{offset}"),
        C::SaveNext => "save next".to_owned(),
        C::Nop => "nop".to_owned(),
        C::End => "end".to_owned(),
        C::EndChained => "end_c".to_owned(),
        C::SignLink => "pacibsp".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn arm64_unwind_data_reads_as_llvm_reads_it() {
    let (mut packed_seen, mut full_seen) = (0, 0);
    for level in LEVELS {
        let (images, functions) = fixture(&format!("aarch64-{level}"));
        let image = images.image(0);
        for truth in functions {
            let begin = truth.rva("Function");
            let entry = arm64::find_function(&images, &image, begin).unwrap().unwrap();
            assert_eq!(entry.begin, begin);
            let (codes, length) = match PackedFunction::decode(entry.data) {
                Some(packed) => {
                    packed_seen += 1;
                    assert_eq!(Some(u64::from(packed.frame)), truth.number("FrameSize"));
                    assert_eq!(Some(u64::from(packed.cr)), truth.number("CR"));
                    (packed.prologue().unwrap(), packed.length)
                }
                None => {
                    full_seen += 1;
                    full(&images, &truth, entry.data)
                }
            };
            assert_eq!(Some(u64::from(length)), truth.number("FunctionLength"));
            let packed = truth.fields.contains_key("CR");
            let ours: Vec<String> =
                codes.into_iter().map(|code| arm64_text(code, packed)).collect();
            let theirs: Vec<&str> =
                truth.codes.iter().map(|code| code.rsplit("; ").next().unwrap()).collect();
            assert_eq!(ours, theirs, "{level} {begin:#x}");
        }
    }
    assert!(packed_seen > 3 && full_seen > 20, "{packed_seen} {full_seen}");
}

fn full(images: &Images, truth: &Function, rva: u32) -> (Vec<arm64::UnwindCode>, u32) {
    let image = images.image(0);
    assert_eq!(rva, truth.rva("ExceptionRecord"));
    let record = FunctionRecord::read(images, &image, rva).unwrap();
    assert_eq!(Some(record.codes.len() as u64), truth.number("ByteCodeLength"));
    let single = truth.number("EpilogueOffset").map(|index| index as usize);
    assert_eq!(record.single_epilogue, single);
    for (start, index) in &truth.epilogues {
        let found = record.epilogue_before(images, &image, start * 4).unwrap().unwrap();
        assert_eq!((found.start, found.index), (start * 4, *index as usize));
    }
    (record.codes_from(0), record.length)
}
