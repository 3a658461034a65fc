//! A very small kernel in memory: what every reader looks for, and odd mappings.
//!
//! Source: dump-formats specification, sections 2.3, 10 and 11. Where the
//! structures' fields lie is this kernel's own; the debugger block tells it.

use super::content::{PAGE, Page};
use super::debugger;
use super::hazard::Hazard;
use super::kind::Machine;
use super::space::Space;
use super::spec::FileSpec;
use super::truth::Known;
use crate::bytes::{put, put16, put32, put64};

pub(crate) const BUILD: u32 = 19041;

/// Offsets in this kernel's structures.
pub(crate) mod field {
    pub(crate) const PRCB_SIZE: usize = 0x800;
    pub(crate) const CURRENT_THREAD: usize = 0x8;
    pub(crate) const NUMBER: usize = 0x24;
    pub(crate) const SPECIAL_REGISTERS: usize = 0x100;
    pub(crate) const CONTEXT_POINTER: usize = 0x7F0;
    /// The context itself, behind the PRCB.
    pub(crate) const CONTEXT: usize = 0x800;
    pub(crate) const PROCESS_SIZE: usize = 0xA40;
    pub(crate) const DIRECTORY_TABLE_BASE: usize = 0x28;
    pub(crate) const PROCESS_THREADS: usize = 0x30;
    pub(crate) const PROCESS_ID: usize = 0x440;
    pub(crate) const PROCESS_LINKS: usize = 0x448;
    pub(crate) const PROCESS_NAME: usize = 0x5A8;
    pub(crate) const THREAD_SIZE: usize = 0x898;
    pub(crate) const INITIAL_STACK: usize = 0x28;
    pub(crate) const STACK_LIMIT: usize = 0x30;
    pub(crate) const STACK_BASE: usize = 0x38;
    pub(crate) const KERNEL_STACK: usize = 0x58;
    pub(crate) const APC_PROCESS: usize = 0xB8;
    pub(crate) const TEB: usize = 0xF0;
    pub(crate) const STATE: usize = 0x184;
    pub(crate) const THREAD_PROCESS: usize = 0x220;
    pub(crate) const THREAD_LINKS: usize = 0x2F8;
}

/// A loaded module.
pub(crate) struct Module {
    pub(crate) path: &'static str,
    /// From the kernel's base.
    pub(crate) offset: u64,
    pub(crate) size: u32,
    pub(crate) time_stamp: u32,
    pub(crate) checksum: u32,
}

impl Module {
    pub(crate) fn name(&self) -> &'static str {
        self.path.rsplit('\\').next().unwrap_or(self.path)
    }
}

pub(crate) const MODULES: [Module; 2] = [
    Module {
        path: r"\SystemRoot\system32\ntoskrnl.exe",
        offset: 0,
        size: 0x5000,
        time_stamp: 0x5117_A7ED,
        checksum: 0x6_0001,
    },
    Module {
        path: r"\SystemRoot\System32\drivers\simulated.sys",
        offset: 0x6000,
        size: 0x2000,
        time_stamp: 0x5117_A7EE,
        checksum: 0x6_0002,
    },
];

/// Where things are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) kernel: u64,
    pub(crate) user: u64,
    pub(crate) pae: bool,
    narrow: bool,
}

impl Place {
    pub(crate) fn of(machine: Machine) -> Self {
        let narrow = machine.is_32_bit();
        let kernel = if narrow { 0x8280_0000 } else { 0xffff_f803_1200_0000 };
        let user = match machine {
            Machine::X64FiveLevels => 0x00ab_7ff6_0000_0000,
            _ if narrow => 0x0040_0000,
            _ => 0x7ff6_0000_0000,
        };
        Self { kernel, user, pae: machine == Machine::X86Pae, narrow }
    }

    /// As the debugger block and triage blocks hold it.
    pub(crate) fn extended(&self, address: u64) -> u64 {
        if self.narrow { i64::from(address as u32 as i32) as u64 } else { address }
    }

    pub(crate) fn module_head(&self) -> u64 {
        self.kernel + 0x1000
    }
    pub(crate) fn process_head(&self) -> u64 {
        self.kernel + 0x1010
    }
    pub(crate) fn page_frame_variable(&self) -> u64 {
        self.kernel + 0x1020
    }
    pub(crate) fn build_string(&self) -> u64 {
        self.kernel + 0x1040
    }
    pub(crate) fn processor_block(&self) -> u64 {
        self.kernel + 0x1100
    }
    pub(crate) fn bugcheck_data(&self) -> u64 {
        self.kernel + 0x1140
    }
    /// KdpDataBlockEncoded.
    pub(crate) fn encoded_flag(&self) -> u64 {
        self.kernel + 0x1180
    }
    pub(crate) fn variables(&self) -> u64 {
        self.kernel + 0x1200
    }
    /// Crosses a page, and the two frames do not follow each other.
    pub(crate) fn debugger_block(&self) -> u64 {
        self.kernel + 0x1E00
    }
    pub(crate) fn module_entry(&self, number: usize) -> u64 {
        self.kernel + 0x2200 + number as u64 * 0x200
    }
    pub(crate) fn code(&self) -> u64 {
        self.kernel + 0x3010
    }
    fn pool(&self) -> u64 {
        self.kernel + 0x1_0000
    }
    pub(crate) fn prcb(&self) -> u64 {
        self.pool()
    }
    pub(crate) fn process(&self) -> u64 {
        self.pool() + 0x1000
    }
    pub(crate) fn thread(&self) -> u64 {
        self.pool() + 0x2000
    }
    /// Prototype entries, behind the thread.
    pub(crate) fn prototypes(&self) -> u64 {
        self.pool() + 0x2A00
    }
    pub(crate) fn stack_limit(&self) -> u64 {
        self.pool() + 0x3000
    }
    pub(crate) fn stack_base(&self) -> u64 {
        self.pool() + 0x5000
    }
    pub(crate) fn stack_pointer(&self) -> u64 {
        self.stack_base() - 0x4A8
    }
    pub(crate) fn data(&self) -> u64 {
        self.pool() + 0x1_0000
    }
    pub(crate) fn large(&self) -> u64 {
        self.kernel + 0x200_0000
    }
    pub(crate) fn huge(&self) -> u64 {
        0xffff_f803_c000_0000
    }
}

/// A known address, and the page frames that have to be in the file for it.
pub(crate) type Claim = (Known, Vec<u64>);

/// The kernel, ready to be put into files.
pub(crate) struct System {
    pub(crate) machine: Machine,
    pub(crate) space: Space,
    pub(crate) place: Place,
    pub(crate) context: Vec<u8>,
    /// The debugger block in clear.
    pub(crate) debugger_block: Vec<u8>,
    pub(crate) claims: Vec<Claim>,
}

impl System {
    pub(crate) fn new(spec: &FileSpec) -> Self {
        let machine = spec.machine;
        let place = Place::of(machine);
        let space = Space::new(machine, spec.has(Hazard::LargePagesWithPat));
        let size = if machine.is_32_bit() { 0x340 } else { 0x380 };
        let debugger_block = debugger::block(&place, size, space.table_base());
        let context = context(machine, &place);
        let mut system =
            Self { machine, space, place, context, debugger_block, claims: Vec::new() };
        system.space.area(place.kernel, 5);
        system.space.area(place.pool(), 5);
        system.build_image();
        system.build_modules();
        system.build_objects();
        system.build_stack();
        let mut block = system.debugger_block.clone();
        if spec.has(Hazard::EncodedDebuggerBlock) {
            debugger::encode(&mut block, place.extended(place.encoded_flag()));
        }
        system.space.write(place.debugger_block(), &block);
        system.build_mappings();
        system
    }

    fn build_image(&mut self) {
        let place = self.place;
        let header = image_header(self.machine, place.kernel);
        self.space.write(place.kernel, &header);
        self.space.write(place.kernel + 0x3000, &[0xCC; PAGE]);
        let name = if self.machine == Machine::Arm64 { "arm64" } else { "amd64" };
        let name = if self.machine.is_32_bit() { "x86" } else { name };
        let text = format!("{BUILD}.1.{name}fre.simulated.260302-0800\0");
        self.space.write(place.build_string(), text.as_bytes());
        self.space.write_pointer(place.page_frame_variable(), place.data());
        self.space.write_pointer(place.processor_block(), place.prcb());
        for number in 0..5 {
            let at = place.bugcheck_data() + number * self.machine.pointer() as u64;
            self.space.write_pointer(at, 0xD1 + number);
        }
    }

    fn link(&mut self, chain: &[u64]) {
        for (number, here) in chain.iter().enumerate() {
            let next = chain[(number + 1) % chain.len()];
            self.space.write_pointer(*here, next);
            self.space.write_pointer(next + self.machine.pointer() as u64, *here);
        }
    }

    fn build_modules(&mut self) {
        let place = self.place;
        self.link(&[place.module_head(), place.module_entry(0), place.module_entry(1)]);
        for (number, module) in MODULES.iter().enumerate() {
            let entry = place.module_entry(number);
            let [base, size, full, short, flags, checksum, stamp] = if self.machine.is_32_bit() {
                [0x18, 0x20, 0x24, 0x2C, 0x34, 0x40, 0x44]
            } else {
                [0x30, 0x40, 0x48, 0x58, 0x68, 0x78, 0x9C]
            };
            self.space.write_pointer(entry + base, place.kernel + module.offset);
            self.space.write(entry + size, &module.size.to_le_bytes());
            let prefix = (module.path.len() - module.name().len()) as u64 * 2;
            self.space.write_string(entry + full, entry + 0x100, module.path);
            self.space.write_string(entry + short, entry + 0x100 + prefix, module.name());
            self.space.write(entry + flags, &0x0900_4000u32.to_le_bytes());
            self.space.write(entry + checksum, &module.checksum.to_le_bytes());
            self.space.write(entry + stamp, &module.time_stamp.to_le_bytes());
        }
    }

    fn build_objects(&mut self) {
        let place = self.place;
        let (prcb, process, thread) = (place.prcb(), place.process(), place.thread());
        let root = self.space.root();
        for (address, at, value) in [
            (prcb, field::CURRENT_THREAD, thread),
            (prcb, field::CONTEXT_POINTER, prcb + field::CONTEXT as u64),
            (process, field::DIRECTORY_TABLE_BASE, root),
            (process, field::PROCESS_ID, 4),
            (thread, field::INITIAL_STACK, place.stack_base()),
            (thread, field::STACK_LIMIT, place.stack_limit()),
            (thread, field::STACK_BASE, place.stack_base()),
            (thread, field::KERNEL_STACK, place.stack_pointer()),
            (thread, field::APC_PROCESS, process),
            (thread, field::THREAD_PROCESS, process),
        ] {
            self.space.write_pointer(address + at as u64, value);
        }
        self.link(&[place.process_head(), process + field::PROCESS_LINKS as u64]);
        let threads = process + field::PROCESS_THREADS as u64;
        self.link(&[threads, thread + field::THREAD_LINKS as u64]);
        self.space.write(process + field::PROCESS_NAME as u64, b"System\0");
        self.space.write(thread + field::STATE as u64, &[2]);
        self.space.write(prcb + field::CONTEXT as u64, &self.context);
        if self.machine.is_x64() {
            let five = u64::from(self.machine == Machine::X64FiveLevels) << 12;
            for (number, value) in [0x8005_0033, 0, root, 0x0035_06F8 | five].iter().enumerate() {
                let at = field::SPECIAL_REGISTERS + number * 8;
                self.space.write_pointer(prcb + at as u64, *value);
            }
        }
    }

    /// Return addresses and numbers in turn.
    fn build_stack(&mut self) {
        let pointer = self.machine.pointer() as u64;
        let place = self.place;
        for at in (place.stack_limit()..place.stack_base()).step_by(self.machine.pointer() * 2) {
            self.space.write_pointer(at, place.code() + at % 0x800);
            self.space.write_pointer(at + pointer, at);
        }
    }

    /// Gives a page frame its content.
    pub(crate) fn fill(&mut self, frame: u64, page: &Page) {
        page.make(frame, self.space.memory.own(frame));
    }
}

/// CONTEXT, section 2.3.
fn context(machine: Machine, place: &Place) -> Vec<u8> {
    let (pc, sp) = (place.code(), place.stack_pointer());
    match machine {
        Machine::Arm64 => {
            let mut to = vec![0; 0x390];
            put32(&mut to, 0, 0x0040_0007);
            put64(&mut to, 0x100, sp);
            put64(&mut to, 0x108, pc);
            put64(&mut to, 0xF8, pc + 0x20);
            to
        }
        Machine::X86 | Machine::X86Pae => {
            let mut to = vec![0; 0x2CC];
            put32(&mut to, 0, 0x1_001F);
            put32(&mut to, 0xB8, pc as u32);
            put32(&mut to, 0xBC, 8);
            put32(&mut to, 0xC4, sp as u32);
            put32(&mut to, 0xC8, 0x10);
            to
        }
        _ => {
            let mut to = vec![0; 0x4D0];
            put32(&mut to, 0x30, 0x10_001F);
            put32(&mut to, 0x34, 0x1F80);
            put32(&mut to, 0x118, 0x1F80);
            put16(&mut to, 0x38, 0x10);
            put16(&mut to, 0x42, 0x18);
            put32(&mut to, 0x44, 0x40246);
            put64(&mut to, 0x98, sp);
            put64(&mut to, 0xF8, pc);
            to
        }
    }
}

/// One section, no directories: enough to be known as an image.
fn image_header(machine: Machine, base: u64) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let (optional, narrow) = (0x98, machine.is_32_bit());
    let optional_size = if narrow { 0xE0 } else { 0xF0 };
    put(&mut page, 0, b"MZ");
    put32(&mut page, 0x3C, 0x80);
    put(&mut page, 0x80, b"PE\0\0");
    put16(&mut page, 0x84, machine.image_type());
    put16(&mut page, 0x86, 1);
    put32(&mut page, 0x88, MODULES[0].time_stamp);
    put16(&mut page, 0x94, optional_size as u16);
    put16(&mut page, 0x96, 0x22);
    put16(&mut page, optional, if narrow { 0x10B } else { 0x20B });
    put32(&mut page, optional + 0x10, 0x3010);
    if narrow {
        put32(&mut page, optional + 0x1C, base as u32);
    } else {
        put64(&mut page, optional + 0x18, base);
    }
    for (at, value) in [(0x20, 0x1000), (0x24, 0x1000), (0x38, MODULES[0].size), (0x3C, 0x1000)] {
        put32(&mut page, optional + at, value);
    }
    put32(&mut page, optional + 0x40, MODULES[0].checksum);
    put16(&mut page, optional + 0x44, 1);
    put32(&mut page, optional + optional_size - 0x84, 16);
    let section = optional + optional_size;
    put(&mut page, section, b".text");
    for (at, value) in [(8, 0x4000), (12, 0x1000), (16, 0x4000), (20, 0x1000), (36, 0x6800_0020)] {
        put32(&mut page, section + at, value);
    }
    page
}
