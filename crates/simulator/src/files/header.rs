//! DUMP_HEADER64 and DUMP_HEADER32.
//!
//! Source: dump-formats specification, sections 2, 3 and 13.

use super::hazard::Hazard;
use super::kind::Kind;
use super::spec::FileSpec;
use super::system::{BUILD, System};
use crate::bytes::{put, put32, put64};

/// 2026-03-02 08:00:00 UTC.
const TIME: u64 = 134_169_120_000_000_000;
const UP_TIME: u64 = 7_967_000_000;
const COMMENT_SIZE: usize = 128;
const MEMORY_BLOCK: usize = 700;
const FILLER: &[u8; 4] = b"PAGE";

/// PhysicalMemoryBlock.
pub(crate) struct MemoryBlock {
    pub(crate) runs: Vec<(u64, u64)>,
    pub(crate) pages: u64,
}

/// What only the finished file knows.
pub(crate) struct Facts {
    /// `None` leaves filler.
    pub(crate) memory: Option<MemoryBlock>,
    pub(crate) length: u64,
}

/// The header of a file.
pub(crate) fn bytes(spec: &FileSpec, system: Option<&System>, facts: &Facts) -> Vec<u8> {
    let machine = spec.machine;
    let mut to = FILLER.repeat(machine.header_size() as usize / 4);
    let at = if machine.is_32_bit() { &AT32 } else { &AT64 };
    put(&mut to, 0, if machine.is_32_bit() { b"PAGEDUMP" } else { b"PAGEDU64" });
    let pointer = |to: &mut [u8], place: usize, value: u64| {
        if machine.is_32_bit() { put32(to, place, value as u32) } else { put64(to, place, value) }
    };
    put32(&mut to, 0x08, 0xF);
    put32(&mut to, 0x0C, BUILD);
    put32(&mut to, at.machine, machine.image_type().into());
    put32(&mut to, at.machine + 4, spec.processors);
    put32(&mut to, at.machine + 8, spec.code);
    for (number, parameter) in spec.parameters.iter().enumerate() {
        pointer(&mut to, at.parameters + number * machine.pointer(), *parameter);
    }
    if let Some(system) = system {
        let place = &system.place;
        let block = spec.has(Hazard::NoDebuggerBlock);
        let addresses = [
            directory_base(spec, system),
            place.page_frame_variable(),
            place.module_head(),
            place.process_head(),
        ];
        for (number, address) in addresses.iter().enumerate() {
            pointer(&mut to, 0x10 + number * machine.pointer(), *address);
        }
        pointer(&mut to, at.debugger, if block { 0 } else { place.debugger_block() });
    }
    put_context(&mut to, spec, system);
    put32(&mut to, at.dump_type, spec.kind.dump_type());
    put_comment(&mut to[at.comment..at.comment + COMMENT_SIZE]);
    if machine.is_32_bit() {
        to[0x5C] = u8::from(machine == super::Machine::X86Pae);
    }
    if !spec.has(Hazard::FillerFields) {
        put_optional(&mut to, spec, at, facts.length);
    }
    put_attributes(&mut to, spec, at);
    if let Some(memory) = facts.memory.as_ref().filter(|_| !spec.has(Hazard::FillerMemoryBlock)) {
        put_memory(&mut to, spec, at.memory, memory);
    }
    to
}

/// Offsets in one of the two headers.
struct At {
    machine: usize,
    parameters: usize,
    debugger: usize,
    memory: usize,
    dump_type: usize,
    comment: usize,
    required: usize,
    time: usize,
    up_time: usize,
    fields: usize,
    state: usize,
    product: usize,
    suite: usize,
    status: usize,
    secondary_version: usize,
    attributes: usize,
    boot: usize,
}

const AT64: At = At {
    machine: 0x30,
    parameters: 0x40,
    debugger: 0x80,
    memory: 0x88,
    dump_type: 0xF98,
    comment: 0xFB0,
    required: 0xFA0,
    time: 0xFA8,
    up_time: 0x1030,
    fields: 0x1038,
    state: 0x103C,
    product: 0x1040,
    suite: 0x1044,
    status: 0x1048,
    secondary_version: 0x104D,
    attributes: 0x1050,
    boot: 0x1054,
};

const AT32: At = At {
    machine: 0x20,
    parameters: 0x2C,
    debugger: 0x60,
    memory: 0x64,
    dump_type: 0xF88,
    comment: 0x820,
    required: 0xFA0,
    time: 0xFC0,
    up_time: 0xFB8,
    fields: 0xF8C,
    state: 0xF90,
    product: 0xF94,
    suite: 0xF98,
    status: 0xF9C,
    secondary_version: 0x5D,
    attributes: 0x8A0,
    boot: 0x8A4,
};

fn directory_base(spec: &FileSpec, system: &System) -> u64 {
    let flags = match spec.has(Hazard::DirectoryBaseFlags) {
        true if spec.machine.is_32_bit() => 0x18,
        true => 0x2,
        false => 0,
    };
    system.space.root() | flags
}

fn put_context(to: &mut [u8], spec: &FileSpec, system: Option<&System>) {
    let (context, room, exception) = spec.machine.context_place();
    let exception_size = if spec.machine.is_32_bit() { 0x50 } else { 0x98 };
    to[context..context + room].fill(0);
    to[exception..exception + exception_size].fill(0);
    if let Some(system) = system {
        put(to, context, &system.context);
        put32(to, exception, 0x8000_0003);
        put32(to, exception + 4, 1);
        if spec.machine.is_32_bit() {
            put32(to, exception + 0xC, system.place.code() as u32);
        } else {
            put64(to, exception + 0x10, system.place.code());
        }
    }
}

/// Never without the word: nobody shall take the file for a real machine's.
fn put_comment(to: &mut [u8]) {
    to.fill(0);
    put(to, 0, b"simulated: a made file");
}

fn put_optional(to: &mut [u8], spec: &FileSpec, at: &At, length: u64) {
    let beyond = spec.hazards.iter().find_map(|hazard| match hazard {
        Hazard::RequiredSpaceBeyond(more) => Some(*more),
        _ => None,
    });
    put64(to, at.required, length.wrapping_add(beyond.unwrap_or(0)));
    put64(to, at.time, TIME);
    put64(to, at.up_time, UP_TIME);
    let fields = match spec.kind {
        Kind::Triage => 0xCFF,
        Kind::TriageLater => 0xDFF,
        _ => 0,
    };
    let data_page = if spec.kind.is_triage() && spec.has(Hazard::DataPage) { 0x200 } else { 0 };
    for (place, value) in [
        (at.fields, fields | data_page),
        (at.state, 0),
        (at.product, 1),
        (at.suite, 0x110),
        (at.status, 0),
        (at.boot, 37),
    ] {
        put32(to, place, value);
    }
    to[at.secondary_version] = 0;
}

/// The encryption bit stands even where all else is filler.
fn put_attributes(to: &mut [u8], spec: &FileSpec, at: &At) {
    let kind = match spec.kind {
        Kind::Triage => 0x8,
        Kind::TriageLater => 0xC,
        Kind::BitmapKernel => 0x10,
        _ => 0,
    };
    if spec.has(Hazard::Encrypted) {
        put32(to, at.attributes, kind | 0x100);
    } else if !spec.has(Hazard::FillerFields) {
        put32(to, at.attributes, kind);
    }
}

fn put_memory(to: &mut [u8], spec: &FileSpec, at: usize, memory: &MemoryBlock) {
    let count = memory.runs.len() as u32;
    put32(to, at, count);
    if spec.machine.is_32_bit() {
        put32(to, at + 4, memory.pages as u32);
        let room = &mut to[at + 8..at + MEMORY_BLOCK];
        for (entry, (first, pages)) in room.chunks_exact_mut(8).zip(&memory.runs) {
            put32(entry, 0, *first as u32);
            put32(entry, 4, *pages as u32);
        }
        return;
    }
    let garbage = spec.has(Hazard::PaddingGarbage);
    put32(to, at + 4, if garbage { 0xDEAD_BEEF } else { 0 });
    put64(to, at + 8, memory.pages);
    // The dword of padding behind the block is the end of a 43rd run.
    let room = &mut to[at + 16..at + MEMORY_BLOCK + 4];
    for (entry, (first, pages)) in room.chunks_exact_mut(16).zip(&memory.runs) {
        put64(entry, 0, *first);
        put64(entry, 8, *pages);
    }
}

/// How many runs the header has room for.
pub(crate) fn run_room(narrow: bool) -> usize {
    if narrow { 86 } else { 43 }
}
