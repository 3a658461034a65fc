//! Triage files of both classes.
//!
//! Source: dump-formats specification, section 7.

use super::blobs;
use super::dump::DumpFile;
use super::hazard::Hazard;
use super::header::{self, Facts, MemoryBlock};
use super::kind::Kind;
use super::pieces;
use super::spec::FileSpec;
use super::system::{BUILD, MODULES, System, field};
use super::truth::{Answer, Block, Known, Truth, Way};
use crate::bytes::{put32, put64};

const BLOCK_ENTRY: usize = 16;
const END_MARK: &[u8; 4] = b"TRGD";
/// SizeOfDump of Windows 7.
const FIXED_SIZE: usize = 0x4_0000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Mm,
    Unloaded,
    Prcb,
    Process,
    Thread,
    CallStack,
    Debugger,
    Drivers,
    Strings,
    DataPage,
    BlockTable,
    BlockData,
}

/// As the kernel writes them.
const KERNEL_ORDER: [Piece; 12] = [
    Piece::Mm,
    Piece::Unloaded,
    Piece::Prcb,
    Piece::Process,
    Piece::Thread,
    Piece::CallStack,
    Piece::Debugger,
    Piece::Drivers,
    Piece::Strings,
    Piece::DataPage,
    Piece::BlockTable,
    Piece::BlockData,
];

/// As others do: any order will do.
const LATER_ORDER: [Piece; 12] = [
    Piece::Strings,
    Piece::CallStack,
    Piece::BlockData,
    Piece::Drivers,
    Piece::BlockTable,
    Piece::Thread,
    Piece::Unloaded,
    Piece::Debugger,
    Piece::Process,
    Piece::DataPage,
    Piece::Prcb,
    Piece::Mm,
];

/// Offsets of the triage header's fields where the two widths differ.
struct At {
    size: usize,
    data_page: [usize; 3],
    debugger: usize,
    blocks: usize,
}

const AT64: At = At { size: 0x80, data_page: [0x60, 0x68, 0x6C], debugger: 0x70, blocks: 0x78 };
const AT32: At = At { size: 0x68, data_page: [0x4C, 0x50, 0x54], debugger: 0x58, blocks: 0x60 };

pub(crate) fn build(spec: &FileSpec, system: Option<&System>) -> DumpFile {
    let mut file = match system {
        Some(system) => Triage::new(spec, system).file(),
        None => hollow(spec),
    };
    super::containers::tell(&mut file.truth, system);
    file
}

struct Triage<'a> {
    spec: &'a FileSpec,
    system: &'a System,
    at: &'static At,
    blocks: Vec<(u64, Vec<u8>)>,
    unloaded: Vec<String>,
    /// Start in the file and length of each piece.
    places: Vec<(Piece, usize, usize)>,
    /// One behind the last piece.
    end: usize,
    truth: Truth,
}

impl<'a> Triage<'a> {
    fn new(spec: &'a FileSpec, system: &'a System) -> Self {
        let at = if spec.machine.is_32_bit() { &AT32 } else { &AT64 };
        let mut triage = Self {
            spec,
            system,
            at,
            blocks: Vec::new(),
            unloaded: pieces::unloaded_names(spec.has(Hazard::ManyUnloaded)),
            places: Vec::new(),
            end: spec.machine.header_size() as usize + at.size,
            truth: Truth::default(),
        };
        triage.add_blocks();
        triage.add_hazards();
        let later = spec.kind == Kind::TriageLater;
        for piece in if later { LATER_ORDER } else { KERNEL_ORDER } {
            let length = triage.length(piece);
            triage.places.push((piece, triage.end, length));
            triage.end += length;
        }
        triage
    }

    fn read(&self, address: u64, length: usize) -> Vec<u8> {
        self.system.space.read(address, length)
    }

    fn know(&mut self, name: &'static str, virtual_address: u64, bytes: Vec<u8>) {
        let answer = Answer::Bytes { physical: None, bytes };
        self.truth.known.push(Known { name, virtual_address, way: Way::Block, answer });
    }

    fn add(&mut self, name: &'static str, address: u64, length: usize) {
        let bytes = self.read(address, length);
        self.blocks.push((self.system.place.extended(address), bytes.clone()));
        self.know(name, address, bytes);
    }

    /// Neither sorted nor aligned; pieces that have their own place are known without a block.
    fn add_blocks(&mut self) {
        let place = self.system.place;
        self.add("around the instruction", place.code() - 0x77, 0x100);
        self.add("one byte", place.data() + 0x777, 1);
        self.add("build string", place.build_string(), 0x28);
        self.add("processor block", place.processor_block(), self.spec.machine.pointer());
        self.add("across two pages", place.data() + 0xFF1, 0x33);
        self.add("list heads", place.module_head(), 0x20);
        self.add("module entries", place.module_entry(0), 0x400);
        self.add("bugcheck data", place.bugcheck_data(), 0x28);
        self.add("context", place.prcb() + field::CONTEXT as u64, self.system.context.len());
        let image = if self.spec.kind == Kind::Triage { 0x1000 } else { 0x100 };
        self.add("kernel base", place.kernel, image);
        self.know_pieces();
        if self.spec.kind == Kind::TriageLater {
            self.add("within the call stack", place.stack_pointer() + 0x13, 0x80);
        }
    }

    /// Pieces that stand for memory.
    fn know_pieces(&mut self) {
        let place = self.system.place;
        for (name, address, length) in [
            ("processor", place.prcb(), field::PRCB_SIZE),
            ("process", place.process(), field::PROCESS_SIZE),
            ("thread", place.thread(), field::THREAD_SIZE),
        ] {
            let bytes = self.read(address, length);
            self.know(name, address, bytes);
        }
        let stack = self.bytes(Piece::CallStack);
        self.know("call stack", place.stack_pointer(), stack.clone());
        self.truth.call_stack = Some((place.stack_pointer(), stack));
        if !self.spec.has(Hazard::NoDebuggerBlock) {
            let block = self.bytes(Piece::Debugger);
            self.know("debugger block", place.debugger_block(), block);
        }
    }

    fn add_hazards(&mut self) {
        let place = self.system.place;
        let (overlapping, conflicting) = (place.build_string() + 0x11, place.module_head() + 8);
        if self.spec.has(Hazard::OverlappingBlocks) {
            self.add("overlapping", overlapping, 0x60);
        }
        if self.spec.has(Hazard::ConflictingBlocks) {
            let bytes = self.read(conflicting, 0x20).iter().map(|byte| !byte).collect();
            self.blocks.push((place.extended(conflicting), bytes));
        }
        if self.spec.has(Hazard::WrappingBlock) {
            self.blocks.push((u64::MAX - 0xF, vec![0x77; 0x40]));
        }
    }

    fn length(&self, piece: Piece) -> usize {
        match piece {
            Piece::Drivers => MODULES.len() * pieces::driver_size(self.spec.machine),
            Piece::BlockTable => self.blocks.len() * BLOCK_ENTRY,
            _ => self.bytes(piece).len(),
        }
    }

    fn start(&self, wanted: Piece) -> usize {
        self.places.iter().find(|(piece, ..)| *piece == wanted).map_or(0, |(_, start, _)| *start)
    }

    fn bytes(&self, piece: Piece) -> Vec<u8> {
        let (kind, machine, place) = (self.spec.kind, self.spec.machine, &self.system.place);
        match piece {
            Piece::Mm => pieces::mm(machine),
            Piece::Unloaded => pieces::unloaded(kind, machine, place, &self.unloaded),
            Piece::Prcb => self.read(place.prcb(), field::PRCB_SIZE),
            Piece::Process => self.read(place.process(), field::PROCESS_SIZE),
            Piece::Thread => self.read(place.thread(), field::THREAD_SIZE),
            Piece::CallStack => {
                let length = place.stack_base() - place.stack_pointer();
                self.read(place.stack_pointer(), length as usize)
            }
            Piece::Debugger => self.read(place.debugger_block(), self.system.debugger_block.len()),
            Piece::Drivers => pieces::drivers(kind, machine, place, &self.name_offsets()),
            Piece::Strings => pieces::strings(kind).0,
            Piece::DataPage if self.spec.has(Hazard::DataPage) => self.read(place.user, 0x1000),
            Piece::DataPage => Vec::new(),
            Piece::BlockTable => self.table(),
            Piece::BlockData => self.blocks.iter().flat_map(|(_, bytes)| bytes.clone()).collect(),
        }
    }

    fn name_offsets(&self) -> Vec<usize> {
        let pool = self.start(Piece::Strings);
        pieces::strings(self.spec.kind).1.into_iter().map(|start| pool + start).collect()
    }

    fn placed_blocks(&self) -> Vec<Block> {
        let mut offset = self.start(Piece::BlockData) as u32;
        let blocks = self.blocks.iter().map(|(address, bytes)| {
            let block = Block { address: *address, offset, size: bytes.len() as u32 };
            offset += block.size;
            block
        });
        blocks.collect()
    }

    fn table(&self) -> Vec<u8> {
        let mut table = Vec::new();
        for block in self.placed_blocks() {
            table.extend_from_slice(&block.address.to_le_bytes());
            table.extend_from_slice(&block.offset.to_le_bytes());
            table.extend_from_slice(&block.size.to_le_bytes());
        }
        table
    }

    /// Where `TRGD` stands.
    fn valid_offset(&self) -> usize {
        match self.spec.kind {
            _ if self.spec.has(Hazard::FixedSize) => FIXED_SIZE.max(self.end + 4) - 4,
            Kind::Triage => (self.end + 4).next_multiple_of(8) - 4,
            _ => self.end,
        }
    }

    fn header(&self) -> Vec<u8> {
        let machine = self.spec.machine;
        let mut to = vec![0; self.at.size];
        let (context, _, exception) = machine.context_place();
        let later = self.spec.kind == Kind::TriageLater;
        for (at, value) in [
            (0x04, self.valid_offset() + 4),
            (0x08, self.valid_offset()),
            (0x0C, context),
            (0x10, exception),
            (0x34, MODULES.len()),
            (0x40, if later { self.name_offsets()[1] } else { 0 }),
            (0x44, if later { 0x41 } else { 0xFFFF_FFFF }),
            (self.at.blocks + 4, self.blocks.len()),
        ] {
            put32(&mut to, at, value as u32);
        }
        for (piece, start, length) in &self.places {
            let (at, length_at) = match piece {
                Piece::Mm => (0x14, None),
                Piece::Unloaded => (0x18, None),
                Piece::Prcb => (0x1C, None),
                Piece::Process => (0x20, None),
                Piece::Thread => (0x24, None),
                Piece::CallStack => (0x28, Some(0x2C)),
                Piece::Drivers => (0x30, None),
                Piece::Strings => (0x38, Some(0x3C)),
                Piece::Debugger => (self.at.debugger, Some(self.at.debugger + 4)),
                Piece::BlockTable => (self.at.blocks, None),
                Piece::DataPage if *length > 0 => {
                    (self.at.data_page[1], Some(self.at.data_page[2]))
                }
                Piece::DataPage | Piece::BlockData => continue,
            };
            put32(&mut to, at, *start as u32);
            if let Some(length_at) = length_at {
                put32(&mut to, length_at, *length as u32);
            }
        }
        self.put_addresses(&mut to);
        to
    }

    fn put_addresses(&self, to: &mut [u8]) {
        let place = &self.system.place;
        let data_page = if self.spec.has(Hazard::DataPage) { place.user } else { 0 };
        for (at, address) in [(0x48, place.stack_pointer()), (self.at.data_page[0], data_page)] {
            if self.spec.machine.is_32_bit() {
                put32(to, at, address as u32);
            } else {
                put64(to, at, address);
            }
        }
    }

    fn file(mut self) -> DumpFile {
        let mut parts = vec![(self.spec.machine.header_size(), self.header())];
        for (piece, start, _) in &self.places {
            parts.push((*start as u64, self.bytes(*piece)));
        }
        let valid = self.valid_offset() as u64;
        if !self.spec.has(Hazard::NoEndMark) {
            parts.push((valid, END_MARK.to_vec()));
        }
        if self.spec.has(Hazard::DataPage) {
            let bytes = self.bytes(Piece::DataPage);
            self.know("data page", self.system.place.user, bytes);
        }
        self.truth.blocks = self.placed_blocks();
        self.truth.unloaded = self.unloaded;
        let name = |module| pieces::driver_name(self.spec.kind, module).to_owned();
        self.truth.drivers = MODULES.iter().map(name).collect();
        finish(self.spec, Some(self.system), parts, valid + 4, self.truth)
    }
}

/// A triage header with nothing in it: what a machine without a kernel of its own gets.
fn hollow(spec: &FileSpec) -> DumpFile {
    let start = spec.machine.header_size() as usize;
    let at = if spec.machine.is_32_bit() { &AT32 } else { &AT64 };
    let mut to = vec![0; at.size];
    let (context, _, exception) = spec.machine.context_place();
    let end = start + at.size;
    for (at, value) in [(0x04, end + 4), (0x08, end), (0x0C, context), (0x10, exception)] {
        put32(&mut to, at, value as u32);
    }
    let parts = vec![(start as u64, to), (end as u64, END_MARK.to_vec())];
    finish(spec, None, parts, end as u64 + 4, Truth::default())
}

fn finish(
    spec: &FileSpec,
    system: Option<&System>,
    mut parts: Vec<(u64, Vec<u8>)>,
    size: u64,
    mut truth: Truth,
) -> DumpFile {
    let (secondary, places) = blobs::bytes(&spec.secondary(), size, BUILD);
    truth.blobs = places;
    let length = size + secondary.len() as u64 + spec.slack();
    parts.push((size, secondary));
    let installed = MemoryBlock { runs: vec![(1, 0x9E), (0x100, 0x7F00)], pages: 0x7F9E };
    let memory = (spec.kind == Kind::TriageLater).then_some(installed);
    let header = header::bytes(spec, system, &Facts { memory, length });
    let encrypted = spec.has(Hazard::Encrypted);
    if encrypted {
        truth = Truth::default();
    }
    parts.push((0, header));
    let scrambled_from = encrypted.then(|| spec.machine.header_size());
    DumpFile { parts, length, scrambled_from, truth, ..DumpFile::default() }.finish(Vec::new())
}
