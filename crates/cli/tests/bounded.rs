//! Whatever a file claims, and however much is really in it: under 64 MiB.
//! Linux counts, for a process that may not have more, all its private memory
//! that can be written: asked for is as bad as used.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod livedump;

use std::process::Command;

use livedump::{Bench, EXE};

const MIB: u64 = 1024;

/// The lines that a command prints, with so much memory that may be asked for.
fn lines(bench: &Bench, kibibytes: u64, line: &str) -> usize {
    let script = format!("ulimit -d {kibibytes} && exec {EXE} {line}");
    let ran =
        Command::new("sh").args(["-c", &script]).current_dir(bench.path("")).output().unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{line}: {}\n{errors}", ran.status);
    ran.stdout.iter().filter(|byte| **byte == b'\n').count()
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// A triage dump with so many drivers, whose names are so long; all share one
/// name, or each has its own.
fn with_drivers(bench: &Bench, count: u32, characters: u32, shared: bool) {
    const HEADER: usize = 0x2000;
    const DRIVER: usize = 0x90;
    bench.run("triage --simulate -p notepad few.dmp").exits(0);
    let mut bytes = std::fs::read(bench.path("few.dmp")).unwrap();
    let at = |bytes: &[u8], field: usize| {
        u32::from_le_bytes(bytes[HEADER + field..][..4].try_into().unwrap())
    };
    let first = at(&bytes, 0x30) as usize;
    let driver = bytes[first..first + DRIVER].to_vec();
    let end = at(&bytes, 4) as usize - 4;
    bytes.truncate(end);
    let pool = bytes.len() as u32;
    let name = |bytes: &mut Vec<u8>, number: u32| {
        bytes.extend(characters.to_le_bytes());
        let text = format!("{number:0>width$}", width = characters as usize);
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend([0; 8 - 2]);
    };
    let names = if shared { 1 } else { count };
    (0..names).for_each(|number| name(&mut bytes, number));
    let size = bytes.len() as u32 - pool;
    let list = bytes.len() as u32;
    for number in 0..count {
        let mut one = driver.clone();
        put(&mut one, 0, pool + size / names * (number % names));
        bytes.extend(one);
    }
    let end = bytes.len() as u32;
    bytes.extend(b"TRGD");
    for (field, value) in
        [(4, end + 4), (8, end), (0x30, list), (0x34, count), (0x38, pool), (0x3C, size)]
    {
        put(&mut bytes, HEADER + field, value);
    }
    bench.write("x.dmp", &bytes);
}

#[test]
fn a_hundred_thousand_drivers_with_names_of_their_own_are_listed_as_far_as_is_said() {
    let bench = Bench::new();
    with_drivers(&bench, 100_000, 40, false);
    assert!(lines(&bench, 64 * MIB, "modules x.dmp") > 60_000);
    bench.run("modules x.dmp").exits(0).says("incomplete  it has too many entries");
    for command in
        ["modules x.dmp --json", "info x.dmp", "verify x.dmp --level deep", "threads x.dmp"]
    {
        lines(&bench, 64 * MIB, command);
    }
}

#[test]
fn drivers_that_share_one_endless_name_are_no_more() {
    let bench = Bench::new();
    with_drivers(&bench, 100_000, 0x7FFF, true);
    for command in ["modules x.dmp", "modules x.dmp --json", "info x.dmp"] {
        lines(&bench, 64 * MIB, command);
    }
}

#[test]
fn a_hundred_thousand_unloaded_drivers_are_claimed_and_few_believed() {
    let bench = Bench::new();
    bench.run("triage --simulate -p notepad x.dmp").exits(0);
    let mut bytes = std::fs::read(bench.path("x.dmp")).unwrap();
    let place = u32::from_le_bytes(bytes[0x2018..][..4].try_into().unwrap()) as usize;
    put(&mut bytes, place, 100_000);
    bytes.resize(bytes.len() + 100_000 * 0x38, 0x41);
    bench.write("x.dmp", &bytes);
    assert!(lines(&bench, 64 * MIB, "unloaded x.dmp") > 4_000);
    bench.run("unloaded x.dmp").exits(0).says("unloaded    4096 of 100000 that the dump claims");
    lines(&bench, 64 * MIB, "unloaded x.dmp --json");
}

#[test]
fn six_thousand_threads_are_listed_in_little_more_than_their_own_size() {
    let bench = Bench::new();
    let machine = "deadlock,layout=19041,memory=1g,threads=6000";
    bench.run(&format!("kernel --simulate={machine} x.dmp")).exits(0);
    for command in [
        "threads x.dmp",
        "threads x.dmp --json",
        "stacks x.dmp",
        "stacks x.dmp --json",
        "hang x.dmp",
        "ps x.dmp",
    ] {
        assert!(lines(&bench, 12 * MIB, command) > 0);
    }
}

#[test]
fn a_million_blocks_that_are_all_one_thread_are_counted_as_far_as_is_said() {
    const HEADER: usize = 0x2000;
    let bench = Bench::new();
    bench.run("triage --simulate=deadlock -p explorer -t all few.dmp").exits(0);
    let (_, few) = bench.json("threads few.dmp");
    let thread = few["threads"][0]["address"].as_str().unwrap();
    let thread = u64::from_str_radix(thread, 16).unwrap();
    let mut bytes = std::fs::read(bench.path("few.dmp")).unwrap();
    let at = |bytes: &[u8], offset: usize| {
        u32::from_le_bytes(bytes[offset..][..4].try_into().unwrap()) as usize
    };
    let (table, count) = (at(&bytes, HEADER + 0x78), at(&bytes, HEADER + 0x7C));
    let end = at(&bytes, HEADER + 4) - 4;
    let block = (0..count).map(|number| table + number * 16).find_map(|place| {
        let address = u64::from_le_bytes(bytes[place..][..8].try_into().unwrap());
        (address == thread).then(|| (at(&bytes, place + 8), at(&bytes, place + 12)))
    });
    let (data, size) = block.unwrap();
    bytes.truncate(end);
    for number in 0..1_u64 << 20 {
        bytes.extend((0xFFFF_E800_0000_0000 + number * 0x2000).to_le_bytes());
        bytes.extend((data as u32).to_le_bytes());
        bytes.extend((size as u32).to_le_bytes());
    }
    let after = bytes.len() as u32;
    bytes.extend(b"TRGD");
    for (field, value) in [(4, after + 4), (8, after), (0x78, end as u32), (0x7C, 1 << 20)] {
        put(&mut bytes, HEADER + field, value);
    }
    bench.write("x.dmp", &bytes);
    for command in ["info x.dmp", "threads x.dmp", "hang x.dmp", "stacks x.dmp --json"] {
        assert!(lines(&bench, 64 * MIB, command) > 0);
    }
    bench.run("threads x.dmp").exits(0).says("incomplete  threads in blocks after 16384");
    bench.run("info x.dmp").exits(0).says("the search was cut short");
}
