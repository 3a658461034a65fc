//! Every stack can be unwound by the kernel image's own unwind data.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::HashMap;

use common::{Walk, healthy_dump, machine, u16_at, u32_at, u64_at, walk};
use machine::{Machine, TriageRequest};

/// The kernel of build 26100 in a live dump.
struct Kernel {
    file: Vec<u8>,
    base: u64,
    /// Bytes a function takes from the stack, by first and last address.
    functions: Vec<(u64, u64, u64)>,
    names: HashMap<u64, String>,
}

impl Kernel {
    fn new(scenario: &str) -> Self {
        let file = healthy_dump(scenario);
        let mut kernel = Self { file, base: 0, functions: Vec::new(), names: HashMap::new() };
        kernel.base = kernel.read64(u64_at(&kernel.file, 0x80) + 0x18);
        let header = kernel.at(kernel.base + 0x80 + 0x18);
        let directory = |number: usize| u64::from(u32_at(&kernel.file, header + 0x70 + number * 8));
        let size = u64::from(u32_at(&kernel.file, header + 0x74 + 3 * 8));
        let (exports, table) = (directory(0), directory(3));
        kernel.functions = (0..size / 12).map(|n| kernel.function(table + n * 12)).collect();
        kernel.names = kernel.names(exports);
        kernel
    }

    fn at(&self, address: u64) -> usize {
        match walk(&self.file, u64_at(&self.file, 0x10), address) {
            Walk::At(offset) => offset,
            other => panic!("{address:x}: {other:?}"),
        }
    }

    fn read64(&self, address: u64) -> u64 {
        u64_at(&self.file, self.at(address))
    }

    fn function(&self, entry: u64) -> (u64, u64, u64) {
        let entry = self.at(self.base + entry);
        let of = |at: usize| self.base + u64::from(u32_at(&self.file, entry + at));
        let unwind = self.at(of(8));
        // Version 1, no flags, two slots, UWOP_ALLOC_LARGE in eighths.
        assert_eq!((self.file[unwind], self.file[unwind + 2], self.file[unwind + 5]), (1, 2, 1));
        (of(0), of(4), u64::from(u16_at(&self.file, unwind + 6)) * 8)
    }

    fn names(&self, exports: u64) -> HashMap<u64, String> {
        let table = self.at(self.base + exports);
        let count = u32_at(&self.file, table + 0x18) as usize;
        let names = (0..count).map(|n| {
            let name =
                self.at(self.base + u64::from(u32_at(&self.file, table + 0x28 + (count + n) * 4)));
            let end = self.file[name..].iter().position(|b| *b == 0).unwrap();
            let rva = u32_at(&self.file, table + 0x28 + n * 4);
            (
                self.base + u64::from(rva),
                String::from_utf8(self.file[name..name + end].to_vec()).unwrap(),
            )
        });
        names.collect()
    }

    /// Names of the functions from the innermost outwards, and where the stack pointer ends.
    fn unwind(&self, stack: impl Fn(u64) -> u64, kernel_stack: u64) -> (Vec<&str>, u64) {
        let (mut at, mut sp) = (stack(kernel_stack + 0x38), kernel_stack + 0x40);
        let mut names = Vec::new();
        while at != 0 {
            let found = self.functions.iter().find(|(start, end, _)| (*start..*end).contains(&at));
            let (start, _, frame) = found.unwrap_or_else(|| panic!("{at:x} is in no function"));
            names.push(self.names[start].as_str());
            assert_eq!(sp % 16, 0);
            at = stack(sp + frame);
            sp += frame + 8;
        }
        (names, sp)
    }

    fn threads(&self) -> Vec<u64> {
        let head = u64_at(&self.file, 0x28);
        let mut threads = Vec::new();
        let mut links = self.read64(head);
        while links != head {
            let list = links - 0x1D8 + 0x30;
            let mut entry = self.read64(list);
            while entry != list {
                threads.push(entry - 0x2F8);
                entry = self.read64(entry);
            }
            links = self.read64(links);
        }
        threads
    }
}

#[test]
fn every_waiting_thread_unwinds_to_where_it_came_from() {
    let kernel = Kernel::new("");
    for thread in kernel.threads() {
        let (stack, base) = (kernel.read64(thread + 0x58), kernel.read64(thread + 0x38));
        let (names, end) = kernel.unwind(|address| kernel.read64(address), stack);
        let trap_frame = kernel.read64(thread + 0x90);
        let outermost =
            if trap_frame == 0 { "KiStartSystemThread" } else { "KiSystemServiceCopyEnd" };
        assert_eq!(*names.last().unwrap(), outermost);
        assert_eq!(end, if trap_frame == 0 { base - 0x50 } else { trap_frame });
    }
}

#[test]
fn the_hung_application_waits_for_a_lock_in_a_driver_call() {
    let machine = machine("");
    let pid = machine.processes().unwrap().iter().find(|p| p.name == "stuck.exe").unwrap().pid;
    let main = machine.threads(pid).unwrap()[0].clone();
    assert_eq!((main.state, main.wait_reason), (5, 28));
    let kernel = Kernel::new("");
    let threads = kernel.threads();
    let thread =
        threads.iter().find(|t| kernel.read64(**t + 0x508 + 8) == u64::from(main.tid)).unwrap();
    let (names, _) = kernel.unwind(|address| kernel.read64(address), kernel.read64(*thread + 0x58));
    assert!(names.contains(&"ExfAcquirePushLockExclusiveEx"), "{names:?}");
}

#[test]
fn a_triage_dumps_stacks_unwind_through_the_captures_own_call() {
    let machine = machine("");
    let pid = machine.processes().unwrap().iter().find(|p| p.name == "explorer.exe").unwrap().pid;
    let threads = machine.threads(pid).unwrap();
    let handles: Vec<_> = threads.iter().map(|t| machine.open_thread(t.tid).unwrap()).collect();
    let request = TriageRequest { bugcheck_code: 0x161, parameters: [0; 4], threads: &handles };
    let mut file = vec![0; 0x10_0000];
    assert_eq!(machine.triage_dump(&request, &mut file).status, 0);
    let kernel = Kernel::new("");
    let table = u32_at(&file, 0x2078) as usize;
    let blocks: Vec<(u64, usize, usize)> = (0..u32_at(&file, 0x207C) as usize)
        .map(|n| table + n * 16)
        .map(|at| {
            (u64_at(&file, at), u32_at(&file, at + 8) as usize, u32_at(&file, at + 12) as usize)
        })
        .collect();
    let stacks = &blocks[blocks.len() - 2 * threads.len()..];
    for pair in stacks.chunks(2) {
        let (start, offset, length) = pair[1];
        let thread = pair[0].1;
        assert_eq!(u64_at(&file, thread + 0x58), start);
        assert_eq!(u64_at(&file, thread + 0x38), start + length as u64);
        let (names, _) =
            kernel.unwind(|address| u64_at(&file, offset + (address - start) as usize), start);
        assert_eq!(
            &names[..3],
            ["DbgkpLkmdSnapThreadInContext", "DbgkpLkmdSnapThreadApc", "KiDeliverApc"]
        );
        assert_eq!((names[3], *names.last().unwrap()), ("KiSwapThread", "KiSystemServiceCopyEnd"));
    }
}

#[test]
fn an_arm64_stack_is_a_chain_of_frame_records() {
    let file = healthy_dump("arch=arm64");
    let at = |address| match walk(&file, u64_at(&file, 0x10), address) {
        Walk::At(offset) => offset,
        other => panic!("{address:x}: {other:?}"),
    };
    let read = |address| u64_at(&file, at(address));
    let block = u64_at(&file, 0x80);
    let kernel = read(block + 0x18);
    let system = read(u64_at(&file, 0x28)) - 0x400;
    let thread = read(system + 0x30) - 0x2F8;
    let base = read(thread + 0x38);
    let (mut record, mut frames) = (read(thread + 0x58) + 0x50, 0);
    while read(record) != 0 {
        let address = read(record + 8);
        assert!((kernel + 0x1_1000..kernel + 0x5_1000).contains(&address), "{address:x}");
        assert!(read(record) > record && read(record) < base);
        record = read(record);
        frames += 1;
    }
    assert!(frames >= 5, "{frames}");
}
