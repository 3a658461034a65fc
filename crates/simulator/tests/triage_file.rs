//! The bytes of a triage dump, at the offsets of the specification.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{machine, u16_at, u32_at, u64_at};
use machine::{Machine, TriageRequest};
use simulator::SimulatedMachine;

fn pid_of(machine: &SimulatedMachine, name: &str) -> u32 {
    machine.processes().unwrap().iter().find(|p| p.name == name).unwrap().pid
}

fn triage(machine: &SimulatedMachine, name: &str, length: usize) -> (Vec<u32>, Vec<u8>) {
    let threads = machine.threads(pid_of(machine, name)).unwrap();
    let tids: Vec<u32> = threads.iter().map(|t| t.tid).collect();
    let handles: Vec<_> = tids.iter().map(|tid| machine.open_thread(*tid).unwrap()).collect();
    let request =
        TriageRequest { bugcheck_code: 0x161, parameters: [9, 8, 7, 6], threads: &handles };
    let mut buffer = vec![0; length];
    let answer = machine.triage_dump(&request, &mut buffer);
    assert_eq!(answer.status, 0);
    buffer.truncate(answer.length as usize);
    (tids, buffer)
}

/// Address and bytes of every data block.
fn blocks(file: &[u8]) -> Vec<(u64, &[u8])> {
    let (table, count) = (u32_at(file, 0x2078) as usize, u32_at(file, 0x207C) as usize);
    let entries = (0..count).map(|n| table + n * 16);
    entries
        .map(|at| {
            let (offset, size) = (u32_at(file, at + 8) as usize, u32_at(file, at + 12) as usize);
            (u64_at(file, at), &file[offset..offset + size])
        })
        .collect()
}

/// By the debugger block in the file: thread id, whether each of these threads has its stack whole.
fn stacks(file: &[u8]) -> Vec<(u32, bool)> {
    let debugger = u32_at(file, 0x2070) as usize;
    let size = u16_at(file, debugger + 0x2C0) as usize;
    let kernel_stack = u16_at(file, debugger + 0x29C) as usize;
    let base = u32_at(file, debugger + 0x344) as usize;
    let blocks = blocks(file);
    let threads = blocks.iter().filter(|(_, bytes)| bytes.len() == size && bytes[0] == 6);
    threads
        .map(|(_, thread)| {
            let (start, end) = (u64_at(thread, kernel_stack), u64_at(thread, base));
            let whole = blocks.iter().any(|(at, b)| *at <= start && at + b.len() as u64 >= end);
            (u32_at(thread, 0x508 + 8), whole)
        })
        .collect()
}

#[test]
fn the_pieces_follow_each_other_to_the_end_mark() {
    let (_, file) = triage(&machine(""), "notepad.exe", 0x10_0000);
    assert_eq!(&file[..8], b"PAGEDU64");
    assert_eq!((u32_at(&file, 0xF98), u32_at(&file, 0x38), u64_at(&file, 0x40)), (4, 0x161, 9));
    assert!(file[0xFB0..].starts_with(b"simulated: "));
    let offsets: Vec<u32> = [0x14, 0x18, 0x1C, 0x20, 0x24, 0x28, 0x70, 0x30, 0x38, 0x78]
        .map(|at| u32_at(&file, 0x2000 + at))
        .to_vec();
    assert_eq!(offsets[0], 0x2080);
    assert!(offsets.is_sorted());
    let end = u32_at(&file, 0x2008) as usize;
    assert_eq!(u32_at(&file, 0x2004) as usize, end + 4);
    assert_eq!(&file[end..end + 4], b"TRGD");
    assert_eq!(&file[end + 4..end + 12], b"DumpBlob");
    assert_eq!(u64_at(&file, 0xFA0), file.len() as u64);
}

#[test]
fn the_driver_list_names_the_kernel_by_its_path() {
    let (_, file) = triage(&machine(""), "notepad.exe", 0x10_0000);
    let list = u32_at(&file, 0x2030) as usize;
    assert_eq!(u32_at(&file, 0x2034), 21);
    let name = u32_at(&file, list) as usize;
    let length = u32_at(&file, name) as usize;
    let text: Vec<u16> =
        file[name + 4..name + 4 + length * 2].chunks(2).map(|u| u16_at(u, 0)).collect();
    assert_eq!(String::from_utf16(&text).unwrap(), "\\SystemRoot\\system32\\ntoskrnl.exe");
}

#[test]
fn every_thread_is_there_with_its_stack() {
    let (tids, file) = triage(&machine(""), "notepad.exe", 0x10_0000);
    assert_eq!(stacks(&file), tids.iter().map(|tid| (*tid, true)).collect::<Vec<_>>());
}

#[test]
fn the_call_stack_reaches_from_the_context_to_the_stacks_base() {
    let (_, file) = triage(&machine(""), "notepad.exe", 0x10_0000);
    let thread = u32_at(&file, 0x2024) as usize;
    let (top, size) = (u64_at(&file, 0x2048), u64::from(u32_at(&file, 0x202C)));
    assert_eq!(top, u64_at(&file, 0x348 + 0x98));
    assert_eq!(top + size, u64_at(&file, thread + 0x38));
}

#[test]
fn the_captures_own_frames_are_on_top() {
    let machine = machine("");
    let (_, file) = triage(&machine, "notepad.exe", 0x10_0000);
    let debugger = u32_at(&file, 0x2070) as usize;
    let base = u64_at(&file, debugger + 0x18);
    let stack = blocks(&file).last().unwrap().1;
    let snap = base + 0x1_1000 + 28 * 0x400 + 0x56;
    assert_eq!(u64_at(stack, 0x38), snap, "DbgkpLkmdSnapThreadInContext");
}

#[test]
fn a_stuck_thread_is_an_object_only() {
    let (tids, file) = triage(&machine("stuck-thread"), "stuck.exe", 0x10_0000);
    let expected: Vec<_> = tids.iter().enumerate().map(|(n, tid)| (*tid, n != 1)).collect();
    assert_eq!(stacks(&file), expected);
}

#[test]
fn a_full_file_drops_threads_without_a_word() {
    for (scenario, name) in [("many-threads", "crowded.exe"), ("many-processors", "explorer.exe")] {
        let (tids, file) = triage(&machine(scenario), name, 0x10_0000);
        assert!(file.len() <= 0x10_0000 && file.len() > 0xF_0000, "{scenario}: {:x}", file.len());
        let there = stacks(&file);
        assert!(!there.is_empty() && there.len() < tids.len(), "{scenario}: {}", there.len());
    }
}

#[test]
fn a_small_buffer_holds_fewer_threads() {
    let machine = machine("many-threads,processors=1");
    let small = triage(&machine, "crowded.exe", 0x4_0000).1;
    assert!(small.len() <= 0x4_0000);
    assert!(stacks(&small).len() < stacks(&triage(&machine, "crowded.exe", 0x10_0000).1).len());
}
