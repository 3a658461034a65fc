//! The table of an image: functions with what they do to the stack, variables, structures.
//!
//! Our own file, made by `fixtures/table.py`; a line that is not understood is
//! a mistake in the fixtures, so it counts as absent and the tests notice.

use std::collections::HashMap;

/// One thing that a prologue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// The processor, or a switch of stacks, pushed a frame; with an error code or without.
    Machine {
        code: bool,
    },
    Push(Register),
    /// The stack pointer goes down.
    Down(u64),
    /// A register is kept at this distance from the stack pointer.
    Save(Register, u64),
    /// The upper half of a vector register's slot is left alone; the slot gets noise.
    Vector(u64),
    /// The register becomes the stack pointer and a distance.
    Frame(Register, u64),
    /// The stack pointer goes down by what only the running function knows.
    Dynamic,
}

/// A general register's number, as the processor has it.
pub(crate) type Register = u8;

pub(crate) const X64_NAMES: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

fn register(name: &str) -> Option<Register> {
    let found = X64_NAMES.iter().position(|n| *n == name).and_then(|n| u8::try_from(n).ok());
    found.or_else(|| name.strip_prefix('x')?.parse().ok())
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) rva: u32,
    /// The first address behind the prologue.
    pub(crate) inside: u32,
    pub(crate) operations: Vec<Operation>,
    /// Where a call returns to, and whom it called; "*" through a pointer.
    calls: Vec<(u32, &'static str)>,
}

impl Function {
    /// It is entered by no call: the processor pushed where it came from.
    pub(crate) fn interrupts(&self) -> bool {
        self.operations.first() == Some(&Operation::Machine { code: true })
    }

    /// Where a call of `callee` returns to.
    pub(crate) fn return_from(&self, callee: &str) -> Option<u32> {
        let of = |name: &str| self.calls.iter().find(|(_, to)| *to == name).map(|(at, _)| *at);
        of(callee).or_else(|| of("*"))
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) offset: usize,
    pub(crate) size: usize,
    /// First bit and number of bits.
    pub(crate) bits: Option<(u32, u32)>,
}

#[derive(Debug, Default)]
pub(crate) struct Structure {
    pub(crate) size: usize,
    fields: HashMap<&'static str, Field>,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) image_base: u64,
    functions: HashMap<&'static str, Function>,
    variables: HashMap<&'static str, u32>,
    structures: HashMap<&'static str, Structure>,
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

impl Table {
    pub(crate) fn parse(text: &'static str) -> Self {
        let mut table = Self::default();
        let mut lines = text.lines();
        let mut structure = "";
        while let Some(line) = lines.next() {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            match words[..] {
                ["image", base] => table.image_base = hex(base).unwrap_or(0),
                ["function", name, rva, _, inside] => {
                    let numbers = [rva, inside].map(|n| hex(n).unwrap_or(0) as u32);
                    let (body, calls) = (lines.next(), lines.next());
                    let made = function(name, numbers, body.unwrap_or(""), calls.unwrap_or(""));
                    table.functions.insert(name, made);
                }
                ["variable", name, rva] => {
                    table.variables.insert(name, hex(rva).unwrap_or(0) as u32);
                }
                ["struct", name, size] => {
                    structure = name;
                    let size = hex(size).unwrap_or(0) as usize;
                    table.structures.insert(name, Structure { size, ..Structure::default() });
                }
                [name, offset, size, ref bits @ ..] => {
                    if let Some(of) = table.structures.get_mut(structure) {
                        of.fields.insert(name, field(offset, size, bits));
                    }
                }
                _ => {}
            }
        }
        table
    }

    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    /// The RVA of a variable, or of a label inside a function.
    pub(crate) fn variable(&self, name: &str) -> u64 {
        let rva = self.variables.get(name).copied();
        debug_assert!(rva.is_some(), "no variable {name}");
        rva.unwrap_or(0).into()
    }

    pub(crate) fn size(&self, structure: &str) -> usize {
        debug_assert!(self.structures.contains_key(structure), "no structure {structure}");
        self.structures.get(structure).map_or(0, |s| s.size)
    }

    pub(crate) fn field(&self, structure: &str, field: &str) -> Field {
        let found = self.structures.get(structure).and_then(|s| s.fields.get(field)).copied();
        debug_assert!(found.is_some(), "no field {structure}.{field}");
        found.unwrap_or(Field { offset: 0, size: 0, bits: None })
    }

    /// The offset of a field, `A.B` being a field of a field's structure.
    pub(crate) fn offset(&self, structure: &str, field: &str) -> usize {
        self.field(structure, field).offset
    }
}

fn field(offset: &str, size: &str, bits: &[&str]) -> Field {
    let bits = match bits {
        [first, count] => first.parse().ok().zip(count.parse().ok()),
        _ => None,
    };
    let number = |text| hex(text).unwrap_or(0) as usize;
    Field { offset: number(offset), size: number(size), bits }
}

fn function(
    name: &'static str,
    [rva, inside]: [u32; 2],
    operations: &str,
    calls: &'static str,
) -> Function {
    let calls = calls.split_whitespace().filter_map(|call| call.split_once(':'));
    Function {
        name,
        rva,
        inside,
        operations: operations.split_whitespace().filter_map(operation).collect(),
        calls: calls.filter_map(|(at, to)| Some((hex(at)? as u32, to))).collect(),
    }
}

fn operation(text: &str) -> Option<Operation> {
    let words: Vec<&str> = text.split(':').collect();
    Some(match words[..] {
        ["machine"] => Operation::Machine { code: false },
        ["machine", _] => Operation::Machine { code: true },
        ["push", name] => Operation::Push(register(name)?),
        ["sub", count] => Operation::Down(hex(count)?),
        ["save", name, at] => Operation::Save(register(name)?, hex(at)?),
        ["xmm", _, at] => Operation::Vector(hex(at)?),
        ["lea", name, at] => Operation::Frame(register(name)?, hex(at)?),
        ["dynamic"] => Operation::Dynamic,
        _ => return None,
    })
}
