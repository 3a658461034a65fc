//! An independent reader finds the machine in the dump, through its page tables.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{healthy_dump, u16_at, u32_at, u64_at};
use kdmp_parser::gxa::Gva;
use kdmp_parser::parse::KernelDumpParser;
use kdmp_parser::virt;

struct Dump {
    parser: KernelDumpParser,
    _file: tempfile::NamedTempFile,
}

impl Dump {
    fn new(bytes: &[u8]) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Self { parser: KernelDumpParser::new(file.path()).unwrap(), _file: file }
    }

    fn read(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        virt::Reader::new(&self.parser).read_exact(Gva::new(address), &mut bytes).unwrap();
        bytes
    }

    fn read64(&self, address: u64) -> u64 {
        u64_at(&self.read(address, 8), 0)
    }

    fn list(&self, head: u64) -> Vec<u64> {
        let mut entries = Vec::new();
        let mut at = self.read64(head);
        while at != head {
            assert_eq!(self.read64(self.read64(at + 8)), at, "Blink's Flink comes back");
            entries.push(at);
            at = self.read64(at);
        }
        entries
    }

    fn string(&self, unicode_string: u64) -> String {
        let fields = self.read(unicode_string, 16);
        let units = self.read(u64_at(&fields, 8), u16_at(&fields, 0).into());
        char::decode_utf16(units.chunks(2).map(|u| u16_at(u, 0))).map(|c| c.unwrap()).collect()
    }
}

#[test]
fn shared_user_data_tells_the_build() {
    let dump = Dump::new(&healthy_dump("build=22631"));
    let page = dump.read(0xffff_f780_0000_0000, 0x400);
    assert_eq!((u32_at(&page, 0x26C), u32_at(&page, 0x260)), (10, 22631));
}

#[test]
fn the_module_list_starts_with_the_kernel_and_every_image_has_headers() {
    let bytes = healthy_dump("");
    let dump = Dump::new(&bytes);
    let modules = dump.list(u64_at(&bytes, 0x20));
    assert_eq!(dump.string(modules[0] + 0x58), "ntoskrnl.exe");
    assert_eq!(dump.string(modules[1] + 0x48), "\\SystemRoot\\system32\\hal.dll");
    for module in modules {
        let base = dump.read64(module + 0x30);
        let header = dump.read(base, 0x200);
        assert_eq!(&header[..2], b"MZ");
        assert_eq!(&header[0x80..0x84], b"PE\0\0");
        assert_eq!(
            u32_at(&header, 0x98 + 0x38),
            u32_at(&dump.read(module + 0x40, 4), 0),
            "SizeOfImage"
        );
    }
}

#[test]
fn the_process_list_has_system_with_pid_4() {
    for (scenario, pid, links, name) in [
        ("", 0x1D0, 0x1D8, 0x338),
        ("windows-10", 0x440, 0x448, 0x5A8),
        ("build=14393", 0x2E8, 0x2F0, 0x450),
    ] {
        let bytes = healthy_dump(scenario);
        let dump = Dump::new(&bytes);
        let first = dump.list(u64_at(&bytes, 0x28))[0] - links;
        assert_eq!(dump.read64(first + pid), 4, "{scenario}");
        assert_eq!(&dump.read(first + name, 7), b"System\0", "{scenario}");
        assert_eq!(dump.read64(first + 0x28), u64_at(&bytes, 0x10), "DirectoryTableBase");
    }
}

#[test]
fn the_debugger_block_leads_to_processors_threads_and_stacks() {
    let bytes = healthy_dump("processors=3");
    let dump = Dump::new(&bytes);
    let block = dump.read(u64_at(&bytes, 0x80), 0x380);
    assert_eq!((&block[0x10..0x14], u32_at(&block, 0x14)), (&b"KDBG"[..], 0x380));
    let offset = |at| u64::from(u16_at(&block, at));
    let processors = u64_at(&block, 0x218);
    for number in 0..3 {
        let prcb = dump.read64(processors + number * 8);
        assert_eq!(u64::from(u32_at(&dump.read(prcb + offset(0x2BE), 4), 0)), number);
        let thread = dump.read64(prcb + offset(0x2B4));
        let stack = dump.read64(thread + offset(0x29C));
        let base = dump.read64(thread + u64::from(u32_at(&block, 0x344)));
        assert!(stack < base && base - stack < 0x2000, "{stack:x} {base:x}");
        let context = dump.read(dump.read64(prcb + offset(0x338)), 0x4D0);
        let rip = u64_at(&context, 0xF8);
        let kernel = u64_at(&block, 0x18);
        assert!((kernel..kernel + 0xB_1000).contains(&rip));
        assert!((stack..base).contains(&u64_at(&context, 0x98)));
    }
    assert_eq!(dump.read64(processors + 3 * 8), 0);
    assert!(dump.read(u64_at(&block, 0x208), 32).starts_with(b"26100.1.amd64fre.simulated"));
}

#[test]
fn a_waiting_thread_goes_on_inside_the_kernel() {
    let bytes = healthy_dump("");
    let dump = Dump::new(&bytes);
    let kernel = u64_at(&dump.read(u64_at(&bytes, 0x80), 0x380), 0x18);
    let mut threads = 0;
    for links in dump.list(u64_at(&bytes, 0x28)) {
        let process = links - 0x1D8;
        for entry in dump.list(process + 0x30) {
            let thread = entry - 0x2F8;
            assert_eq!(dump.read64(thread + 0x220), process, "KTHREAD.Process");
            let return_to = dump.read64(dump.read64(thread + 0x58) + 0x38);
            assert!((kernel + 0x1_1000..kernel + 0x5_1000).contains(&return_to), "{return_to:x}");
            threads += 1;
        }
    }
    assert!(threads > 100);
}

#[test]
fn the_page_tables_are_seen_through_the_self_map() {
    let bytes = healthy_dump("");
    let dump = Dump::new(&bytes);
    let base = dump.read64(u64_at(&bytes, 0x80) + 0x360);
    let index = base >> 39 & 511;
    let top = base | index << 30 | index << 21 | index << 12;
    let entry = dump.read64(top + index * 8);
    assert_eq!(entry & 0x000f_ffff_ffff_f000, u64_at(&bytes, 0x10));
}
