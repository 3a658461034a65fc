//! Wine's own unwinder, asked at every instruction of a real program, against
//! ours over the same registers and the same stack: whole walks are equal.
//! Wine 10 is wrong in one place, and there held against itself: a jump that
//! ends an epilogue is none to it. framehop walks the same stacks, and is
//! wrong where the rules of `framehop_wrong.rs` say so.
//!
//! Needs mingw's gcc and Wine as `scripts/setup-windows-cross.sh` sets them up:
//!
//! ```sh
//! . ~/.cache/wincross/env.sh
//! cargo test -p unwind --test wine
//! ```

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use memory::{ReadError, VirtualAddress, VirtualMemory};
use object::LittleEndian as LE;
use object::pe::{IMAGE_DIRECTORY_ENTRY_EXCEPTION, IMAGE_SCN_MEM_EXECUTE};
use object::read::pe::PeFile64;
use support::rival::{Rival, Rule, rule};
use support::{Images, Loaded};
use unwind::x64::{X64Registers, find_function};
use unwind::{Exceptions, Options, Scan, Segment, Stack, StackKind, Unwinder, Walk};

/// Program counter and stack pointer of each frame.
type Places = Vec<(u64, u64)>;

/// A stack as it was at one instruction.
struct Snapshot<'a> {
    start: u64,
    bytes: &'a [u8],
}

impl VirtualMemory for Snapshot<'_> {
    fn read_virtual(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        let from = address.0.wrapping_sub(self.start) as usize;
        let held = from.checked_add(buffer.len()).and_then(|to| self.bytes.get(from..to));
        buffer.copy_from_slice(held.ok_or(ReadError::VirtualAbsent { address })?);
        Ok(())
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn word(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().unwrap())
    }
}

/// Builds and runs the program; what it wrote.
fn recorded(level: &str, runner: &Path, folder: &Path) -> Option<Vec<u8>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stepped.c");
    let program = folder.join(format!("stepped-{level}.exe"));
    let output = folder.join(format!("{level}.bin"));
    let built = Command::new("x86_64-w64-mingw32-gcc")
        .args([&format!("-{level}"), "-w", "-o"])
        .args([&program, &source])
        .status()
        .is_ok_and(|status| status.success());
    let ran = built
        && Command::new(runner).arg(&program).arg(&output).status().is_ok_and(|s| s.success());
    if !ran {
        eprintln!("skipped {level}: the program could not be built or run");
        return None;
    }
    Some(std::fs::read(output).unwrap())
}

/// The image as Wine loaded it.
fn loaded(base: u64, bytes: &[u8]) -> Loaded {
    let headers = PeFile64::parse(bytes).unwrap();
    let directory = headers.data_directory(IMAGE_DIRECTORY_ENTRY_EXCEPTION).unwrap();
    let (rva, size) = directory.address_range();
    let sections = headers.section_table();
    let code = sections.iter().filter(|s| s.characteristics.get(LE) & IMAGE_SCN_MEM_EXECUTE != 0);
    let range = |s: &object::pe::ImageSectionHeader| {
        let start = s.virtual_address.get(LE);
        (start, start + s.virtual_size.get(LE))
    };
    let executable = code.map(range).collect();
    let mut loaded = Loaded::by_hand(base, bytes.to_vec(), (0, 0));
    loaded.exceptions = Exceptions::Table { rva, size };
    loaded.executable = executable;
    loaded
}

/// Whether this is what is left of an epilogue that jumps.
fn ends_in_jump(code: &[u8]) -> bool {
    match code {
        [0x48, 0x83, 0xC4, _, rest @ ..] | [0x48, 0x81, 0xC4, _, _, _, _, rest @ ..] => {
            ends_in_jump(rest)
        }
        [0x58..=0x5F, rest @ ..] | [0x41, 0x58..=0x5F, rest @ ..] => ends_in_jump(rest),
        [0xE9 | 0xEB, ..] => true,
        _ => false,
    }
}

/// One record: Wine's walk, framehop's and ours.
fn compare(reader: &mut Reader<'_>, images: &Images, rival: &Rival) -> (Places, Places, Walk) {
    let rip = reader.word();
    let mut registers = X64Registers::new(rip, 0);
    for number in 0..16 {
        registers = registers.with(number, reader.word());
    }
    let rsp = registers.get(X64Registers::RSP).unwrap();
    let count = reader.word();
    let theirs: Places = (0..count).map(|_| (reader.word(), reader.word())).collect();
    let length = reader.word();
    let memory = Snapshot { start: rsp, bytes: reader.take(length as usize) };
    let (limit, base) = (VirtualAddress(rsp), VirtualAddress(rsp + length));
    let stack = Stack::new(Segment { limit, base, kind: StackKind::Thread });
    let options = Options { kernel: false, scan: Scan::Off, ..Options::default() };
    let unwinder = Unwinder::new(images, &memory).with(options);
    let framehops = rival.walk(&memory, &registers);
    (theirs, framehops, unwinder.walk(&registers.into(), true, &stack))
}

fn wrong_by_rule(images: &Images, rva: u32) -> Option<Rule> {
    let function = find_function(images, &images.image(0), rva).unwrap()?;
    rule(&images.0[0].bytes, rva, &function)
}

fn all_walks_are_equal(level: &str, bytes: &[u8]) -> usize {
    let mut reader = Reader(bytes);
    let (base, size) = (reader.word(), reader.word());
    let image = reader.take(size.next_multiple_of(0x1000) as usize);
    let images = Images(vec![loaded(base, &image[..size as usize])]);
    let rival = Rival::over(&images);
    let mut records = 0;
    let mut rules = BTreeMap::new();
    let (mut longest, mut wrong) = (0, 0);
    let mut callers = HashSet::new();
    while !reader.0.is_empty() {
        let (theirs, framehops, walk) = compare(&mut reader, &images, &rival);
        let inside = |frame: &&unwind::Frame| {
            images.0[0].base <= frame.address.0 && frame.address.0 - base < size
        };
        let ours = walk.frames.iter().take_while(inside);
        let ours: Vec<_> = ours.map(|frame| (frame.address.0, frame.stack_pointer.0)).collect();
        if ours != theirs {
            // Wine does not take a jump out of the function for an epilogue's
            // end. There the callers must be those it saw an instruction before.
            let at = (ours[0].0 - base) as usize;
            assert!(ends_in_jump(&image[at..]), "{level} record {records}: {ours:x?} {theirs:x?}");
            assert!(callers.contains(&ours[1..]), "{level} record {records}: {ours:x?}");
            wrong += 1;
        } else {
            callers.insert(theirs[1..].to_vec());
        }
        // framehop is held against ours: both were true, or Wine spoke for us.
        match wrong_by_rule(&images, (ours[0].0 - base) as u32) {
            None => assert_eq!(framehops, ours, "{level} record {records}"),
            Some(rule) => {
                assert_ne!(framehops, ours, "{level} record {records}: {rule:?} no longer holds");
                *rules.entry(rule).or_insert(0) += 1;
            }
        }
        longest = longest.max(ours.len());
        records += 1;
    }
    assert!(longest >= 6, "{longest}");
    eprintln!("{level}: {records} walks, Wine wrong in {wrong} at jumps, framehop in {rules:?}");
    records
}

#[test]
fn walks_equal_those_of_wine_at_every_instruction() {
    let runner = std::env::var_os("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER").map(PathBuf::from);
    let Some(runner) = runner else {
        eprintln!("skipped: CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for level in ["O0", "O1", "O2", "Os"] {
        let Some(bytes) = recorded(level, &runner, folder.path()) else { continue };
        assert!(all_walks_are_equal(level, &bytes) > 1000);
    }
}
