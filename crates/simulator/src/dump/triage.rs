//! The triage dump: a type 4 file in the order in which the kernel writes its pieces.
//!
//! Source: dump-formats specification, section 7. How class 29 stores a
//! thread is not proved there (UNCONFIRMED): plain data blocks are expected.

use crate::bytes::{get64, put, put16, put32, put64, utf16};
use crate::dump::blobs;
use crate::dump::header::{Bugcheck, HEADER_SIZE, Header, TRIAGE_DUMP, attributes};
use crate::image::{Image, Module, SNAPPING, address_in};
use crate::names;

const TRIAGE_HEADER_SIZE: usize = 0x80;
const MM_SIZE: usize = 0x50;
const DRIVER_ENTRY: usize = 0x90;
const UNLOADED_ENTRY: usize = 0x38;
const BLOCK_ENTRY: usize = 16;
/// Context, PRCB, process, thread, stack, drivers, Mm, debugger data, data blocks.
const FIELDS: u32 = 0xCFF & !0x82 | 0x100;
const END: &[u8] = b"TRGD";
/// The least part of a stack that is worth a block.
const LEAST_STACK: usize = 0x100;

/// What became of a thread's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ThreadCapture {
    /// It ran the capture's call: object and stack.
    Answered,
    /// It did not: its object only.
    ObjectOnly,
}

/// Pieces and blocks, as long as they fit.
pub(crate) struct TriageFile<'a> {
    image: &'a Image,
    /// The pieces before the block table, in their order, and how long each is.
    pieces: Vec<(Piece, Vec<u8>)>,
    blocks: Vec<(u64, Vec<u8>)>,
    blobs: Vec<u8>,
    used: usize,
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Mm,
    UnloadedDrivers,
    Prcb,
    Process,
    Thread,
    CallStack,
    DebuggerData,
    DriverList,
    StringPool,
}

impl<'a> TriageFile<'a> {
    /// What every triage dump has; `process` (by number) is the one whose threads follow.
    pub(crate) fn new(image: &'a Image, process: usize, limit: usize) -> Self {
        let pieces = pieces(image);
        let blobs = blobs::secondary(image.build);
        let fixed: usize = pieces.iter().map(|(_, bytes)| bytes.len()).sum();
        let used = HEADER_SIZE + TRIAGE_HEADER_SIZE + fixed + END.len() + 8 + blobs.len();
        let mut file = Self { image, pieces, blocks: Vec::new(), blobs, used, limit };
        file.add_globals();
        file.add(image.processes[process], image.layout.eprocess.into());
        file.add_processors();
        file
    }

    /// Whether the fixed part alone is too large.
    pub(crate) fn overflows(&self) -> bool {
        self.used > self.limit
    }

    fn room(&self) -> usize {
        self.limit.saturating_sub(self.used + BLOCK_ENTRY + 8)
    }

    fn add_bytes(&mut self, address: u64, bytes: Vec<u8>) -> bool {
        if bytes.len() > self.room() {
            return false;
        }
        self.used += BLOCK_ENTRY + bytes.len().next_multiple_of(8);
        self.blocks.push((address, bytes));
        true
    }

    fn add(&mut self, address: u64, length: usize) -> bool {
        self.add_bytes(address, self.image.read(address, length))
    }

    fn add_globals(&mut self) {
        let at = &self.image.at;
        for (address, length) in [
            (at.build_string, 0x40),
            (at.processor_block, self.image.prcbs.len() * 8),
            (at.bugcheck_data, 0x28),
            (at.module_head, 0x10),
            (at.process_head, 0x10),
            (at.kernel, 0x1000),
        ] {
            self.add(address, length);
        }
    }

    /// All of every other processor's data, which leaves no room for stacks on large machines.
    fn add_processors(&mut self) {
        let size = usize::from(self.image.layout.prcb);
        for prcb in self.image.prcbs.iter().skip(1) {
            if !self.add(*prcb, size) {
                break;
            }
        }
    }

    /// Adds a thread by its number; false when the file is full and the loop has to end.
    pub(crate) fn add_thread(&mut self, thread: usize, capture: ThreadCapture) -> bool {
        let address = self.image.threads[thread];
        let mut object = self.image.read(address, self.image.layout.ethread.into());
        if capture == ThreadCapture::ObjectOnly {
            return self.add_bytes(address, object);
        }
        let base = get64(&object, self.image.layout.fixed.stack_base);
        let mut stack = self.image.physical().stacks.contents_in_capture(thread);
        let start = base - stack.len() as u64;
        put64(&mut object, self.image.layout.fixed.kernel_stack, start);
        if !self.add_bytes(address, object) {
            return false;
        }
        let room = self.room() / 8 * 8;
        let whole = stack.len() <= room;
        if !whole {
            stack.truncate(room);
        }
        if whole || room >= LEAST_STACK {
            self.add_bytes(start, stack);
        }
        whole
    }

    /// The finished file.
    pub(crate) fn bytes(&self, bugcheck: Bugcheck, ticks: u64, scenario: &str) -> Vec<u8> {
        let mut body = vec![0; TRIAGE_HEADER_SIZE];
        put32(&mut body, 0x0C, 0x348);
        put32(&mut body, 0x10, 0xF00);
        put32(&mut body, 0x44, 0xFFFF_FFFF);
        self.put_pieces(&mut body);
        self.put_blocks(&mut body);
        body.resize(body.len().next_multiple_of(4), 0);
        let end = HEADER_SIZE + body.len();
        put32(&mut body, 0x04, (end + END.len()) as u32);
        put32(&mut body, 0x08, end as u32);
        body.extend_from_slice(END);
        body.extend_from_slice(&self.blobs);
        let mut file = self.header(bugcheck, ticks, scenario, HEADER_SIZE + body.len());
        file.extend_from_slice(&body);
        file
    }

    fn header(&self, bugcheck: Bugcheck, ticks: u64, scenario: &str, length: usize) -> Vec<u8> {
        let up_time = ticks * u64::from(crate::population::TICK);
        Header {
            image: self.image,
            bugcheck,
            kind: TRIAGE_DUMP,
            attributes: attributes::LIVE | attributes::KERNEL_TRIAGE,
            required: length as u64,
            time: crate::population::BOOT_TIME + up_time,
            up_time,
            mini_dump_fields: FIELDS,
            context: capturing_context(self.image),
            scenario,
        }
        .bytes()
    }

    fn put_pieces(&self, body: &mut Vec<u8>) {
        for (piece, bytes) in &self.pieces {
            let offset = (HEADER_SIZE + body.len()) as u32;
            let (at, size_at) = match piece {
                Piece::Mm => (0x14, None),
                Piece::UnloadedDrivers => (0x18, None),
                Piece::Prcb => (0x1C, None),
                Piece::Process => (0x20, None),
                Piece::Thread => (0x24, None),
                Piece::CallStack => (0x28, Some(0x2C)),
                Piece::DebuggerData => (0x70, Some(0x74)),
                Piece::DriverList => (0x30, None),
                Piece::StringPool => (0x38, Some(0x3C)),
            };
            put32(body, at, offset);
            if let Some(size_at) = size_at {
                put32(body, size_at, bytes.len() as u32);
            }
            body.extend_from_slice(bytes);
            if *piece == Piece::StringPool {
                let list = self.offset_of(Piece::DriverList);
                self.put_name_offsets(body, list, offset);
            }
        }
        put32(body, 0x34, self.image.modules.len() as u32);
        put64(body, 0x48, capturing_stack(self.image).0);
    }

    fn offset_of(&self, piece: Piece) -> usize {
        let before = self.pieces.iter().take_while(|(p, _)| *p != piece);
        TRIAGE_HEADER_SIZE + before.map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    fn put_name_offsets(&self, body: &mut [u8], list: usize, pool: u32) {
        let mut offset = pool;
        for (number, module) in self.image.modules.iter().enumerate() {
            put32(body, list + number * DRIVER_ENTRY, offset);
            offset += dump_string(&module.path).len() as u32;
        }
    }

    fn put_blocks(&self, body: &mut Vec<u8>) {
        let table = body.len();
        put32(body, 0x78, (HEADER_SIZE + table) as u32);
        put32(body, 0x7C, self.blocks.len() as u32);
        body.resize(table + self.blocks.len() * BLOCK_ENTRY, 0);
        for (number, (address, bytes)) in self.blocks.iter().enumerate() {
            let entry = table + number * BLOCK_ENTRY;
            let offset = (HEADER_SIZE + body.len()) as u32;
            put64(body, entry, *address);
            put32(body, entry + 8, offset);
            put32(body, entry + 12, bytes.len() as u32);
            body.extend_from_slice(bytes);
            body.resize(body.len().next_multiple_of(8), 0);
        }
    }
}

fn pieces(image: &Image) -> Vec<(Piece, Vec<u8>)> {
    let thread = image.threads[image.capturing_thread()];
    let object = image.read(thread, image.layout.ethread.into());
    let process = get64(&object, image.layout.fixed.apc_process);
    let mut strings = Vec::new();
    image.modules.iter().for_each(|m| strings.extend(dump_string(&m.path)));
    vec![
        (Piece::Mm, mm()),
        (Piece::UnloadedDrivers, unloaded_drivers(image)),
        (Piece::Prcb, image.read(image.prcbs[0], image.layout.prcb.into())),
        (Piece::Process, image.read(process, image.layout.eprocess.into())),
        (Piece::Thread, object),
        (Piece::CallStack, capturing_stack(image).1),
        (Piece::DebuggerData, image.debugger_block.clone()),
        (Piece::DriverList, image.modules.iter().flat_map(driver_entry).collect()),
        (Piece::StringPool, strings),
    ]
}

fn mm() -> Vec<u8> {
    let mut bytes = vec![0; MM_SIZE];
    put32(&mut bytes, 0, 1);
    put32(&mut bytes, 4, MM_SIZE as u32);
    bytes
}

fn unloaded_drivers(image: &Image) -> Vec<u8> {
    let mut bytes = (names::UNLOADED.len() as u64).to_le_bytes().to_vec();
    for (number, name) in (0..).zip(names::UNLOADED) {
        let mut entry = vec![0; UNLOADED_ENTRY];
        let start = names::unloaded_at(&image.at, number);
        let length = (name.len() * 2) as u16;
        put16(&mut entry, 0, length);
        put16(&mut entry, 2, length + 2);
        let cut: String = name.chars().take(12).collect();
        put(&mut entry, 0x10, &utf16(&cut));
        put64(&mut entry, 0x28, start);
        put64(&mut entry, 0x30, start + names::UNLOADED_SIZE);
        bytes.extend_from_slice(&entry);
    }
    bytes
}

fn driver_entry(module: &Module) -> Vec<u8> {
    let mut entry = vec![0; DRIVER_ENTRY];
    put64(&mut entry, 0x38, module.base);
    put32(&mut entry, 0x48, module.size);
    let (path, name) = (module.path.len() as u16 * 2, module.name().len() as u16 * 2);
    put16(&mut entry, 0x50, path);
    put16(&mut entry, 0x52, path + 2);
    put16(&mut entry, 0x60, name);
    put16(&mut entry, 0x62, name + 2);
    put32(&mut entry, 0x70, 0x0900_4000);
    put16(&mut entry, 0x74, 1);
    put32(&mut entry, 0x80, module.checksum);
    put32(&mut entry, 0x88, module.time_stamp);
    entry
}

/// DUMP_STRING: length in characters, UTF-16, a zero, padded to 8.
fn dump_string(text: &str) -> Vec<u8> {
    let mut bytes = (text.encode_utf16().count() as u32).to_le_bytes().to_vec();
    bytes.extend(utf16(text));
    bytes.extend_from_slice(&[0, 0]);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// From the stack pointer of the capturing thread to its stack's base.
fn capturing_stack(image: &Image) -> (u64, Vec<u8>) {
    image.physical().stacks.running(image.capturing_thread())
}

fn capturing_context(image: &Image) -> Vec<u8> {
    let mut context = image.processor_context(0);
    if image.real.is_some() {
        return context;
    }
    let at = if image.is_arm() { 0x108 } else { 0xF8 };
    put64(&mut context, at, address_in(image.at.kernel, &SNAPPING));
    context
}
