//! Where a fuzzer begins: small inputs for each target, out of the simulator's files.

use simulator::files::{Seed, seeds};

use crate::folded::fold;

/// Inputs over this are made in memory only, and not committed.
pub fn committed(target: &str) -> usize {
    // What makes a triage dump more than a few pages is its lists.
    if target == "triage" { 0x4C00 } else { 0x3800 }
}

/// Inputs for a target, with their names.
pub fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "runs" => folded(&["full"]),
        "bitmap" => folded(&["bitmap", "automatic", "summary"]),
        "ranges" => folded(&["ranges"]),
        "triage" => folded(&["triage"]),
        "header" => folded(&["header", "full-arm32", "full-ia64", "full-x64-tiny"]),
        "judge_pages" => folded(&["full-x64", "bitmap-full-x64", "bitmap-kernel-x64", "ranges"]),
        "convert" => folded(&["full", "bitmap", "ranges", "summary"]),
        "blobs" => tails(),
        "translation" => machine_words(4),
        "judge_translation" => machine_words(0),
        "debugger_block" => vec![("block".into(), debugger_block())],
        "write_read" => written(),
        "set" => descriptions(),
        _ => raw(),
    }
}

fn raw() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = seeds().iter().map(|seed| (seed.name.clone(), seed.bytes())).collect();
    for (name, bytes) in [("empty", &b""[..]), ("zip", b"PK\x03\x04"), ("elf", b"\x7FELF\x02\x01")]
    {
        all.push((name.into(), bytes.to_vec()));
    }
    all
}

fn folded(kinds: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for seed in seeds() {
        if !kinds.iter().any(|kind| seed.name.starts_with(kind)) {
            continue;
        }
        let added = added_pages(&seed);
        if let Some(folded) = fold(&seed.bytes(), added) {
            all.push((seed.name, folded));
        }
    }
    all
}

/// Bare files end in pages whose content does not matter, unless something follows them.
fn added_pages(seed: &Seed) -> u8 {
    let built = seed.spec.build();
    let stored: u64 = built.truth().stored.iter().map(|stored| stored.count).sum();
    let last = built.truth().stored.last().map_or(0, |last| last.offset + last.count * 4096);
    let bare =
        seed.name.ends_with("-tiny") || seed.name.contains("arm32") || seed.name.contains("ia64");
    if bare && last == built.length() { stored as u8 } else { 0 }
}

fn tails() -> Vec<(String, Vec<u8>)> {
    let with_blobs = seeds().into_iter().filter(|seed| seed.name.ends_with("-blobs"));
    let cut = |seed: Seed| {
        let bytes = seed.bytes();
        let start = bytes.windows(8).rposition(|window| window == b"DumpBlob")?;
        Some((seed.name, bytes[start..].to_vec()))
    };
    with_blobs.filter_map(cut).collect()
}

/// Entries for a root at page 1 that lead through pages 2, 3 and 4 to page 5,
/// and to a large page; then addresses.
fn machine_words(head: usize) -> Vec<(String, Vec<u8>)> {
    let entry = |page: u16, slot: u16, bend: u8, raw: u64| {
        let mut bytes = (page << 9 | slot).to_le_bytes().to_vec();
        bytes.push(bend);
        bytes.extend(raw.to_le_bytes());
        bytes
    };
    let entries = [
        entry(1, 0, 0x21, 0x67),
        entry(2, 0, 0x31, 0x67),
        entry(3, 0, 0x41, 0x67),
        entry(3, 1, 0, 0xE7),
        entry(4, 0, 0x51, 0x63),
        entry(4, 1, 0x63, 0x880),
        entry(4, 2, 0, 0x0000_1234_0000_2090),
        entry(1, 256, 0x71, 0x67),
        entry(7, 1, 0x21, 0x67),
    ];
    let mut all = Vec::new();
    for machine in 0..=head as u8 {
        let mut bytes = if head == 0 { vec![1] } else { vec![machine, 0, 0x10, 0] };
        bytes.resize(bytes.len() + if head == 0 { 0 } else { 8 }, 0);
        bytes.push(entries.len() as u8);
        bytes.extend(entries.concat());
        for address in [0_u64, 0x1000, 0x20_0000, 0x2000, 0xFFFF_8000_0000_0000, 1 << 47] {
            bytes.extend(address.to_le_bytes());
        }
        all.push((format!("machine-{machine}"), bytes));
    }
    all
}

fn debugger_block() -> Vec<u8> {
    let file = seeds().into_iter().find(|seed| seed.name == "triage-later-x64");
    let bytes = file.map(|seed| seed.bytes()).unwrap_or_default();
    let tag = bytes.windows(4).position(|window| window == b"KDBG");
    let start = tag.and_then(|tag| tag.checked_sub(0x10)).unwrap_or(0);
    bytes[start..bytes.len().min(start + 0x380)].to_vec()
}

fn written() -> Vec<(String, Vec<u8>)> {
    let runs = [1, 3, 7, 0, 2, 0, 5, 15, 9, 0xFF, 1, 3];
    (0..12)
        .map(|number: u8| {
            let mut bytes = vec![number % 3, number / 3, number % 3, 9, 8, 1, 0x40, 0, 0x50];
            bytes.extend(runs);
            (format!("runs-{number}"), bytes)
        })
        .collect()
}

fn descriptions() -> Vec<(String, Vec<u8>)> {
    let two = r#"{"schema":"livedump.triage-set/1","simulated":"default","files":[
        {"file":"a.dmp","size":8540,"taken":"2026-01-01T00:00:00Z","tids":[4,8],"sha256":"00"},
        {"file":"b.dmp"}]}"#;
    let outside =
        r#"{"schema":"livedump.triage-set/1","files":[{"file":"../a.dmp"},{"file":"/a"}]}"#;
    let gone = r#"{"schema":"livedump.triage-set/1","files":[{"file":"gone.dmp"}]}"#;
    let named = [("two", two), ("outside", outside), ("gone", gone)];
    named.iter().map(|(name, text)| ((*name).into(), text.as_bytes().to_vec())).collect()
}
