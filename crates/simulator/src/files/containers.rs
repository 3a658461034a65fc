//! Files with pages: runs, bitmaps, ranges; and the bare header.
//!
//! Source: dump-formats specification, sections 3 to 6. Range dumps of 32-bit
//! machines are laid out likewise behind the smaller header (UNCONFIRMED).

use super::blobs;
use super::content::{Memory, PAGE, Page};
use super::dump::{Bitmap, DumpFile};
use super::hazard::Hazard;
use super::header::{self, Facts, MemoryBlock};
use super::kind::Kind;
use super::spec::FileSpec;
use super::system::{BUILD, System};
use super::truth::{Stored, Truth};
use crate::bytes::{put, put32, put64};

/// Pages; they are written out even where the first time is a hole.
const LONGEST_REPETITION: u64 = 16;

/// What follows the header and precedes the pages.
struct Front {
    bytes: Vec<u8>,
    bitmap: Option<Bitmap>,
    first_page: u64,
}

/// Runs to be stored, and which of them are repeated.
struct Runs {
    runs: Vec<(u64, u64)>,
    repeated: usize,
}

impl Runs {
    fn pages(&self) -> u64 {
        self.runs.iter().map(|(_, count)| count).sum()
    }
}

pub(crate) fn build(spec: &FileSpec, system: Option<&System>, mut memory: Memory) -> DumpFile {
    let room = header::run_room(spec.machine.is_32_bit());
    if spec.kind == Kind::Full && spec.has(Hazard::FullRunTable) {
        fill_run_table(&mut memory, room);
    }
    let runs = chosen(spec, &memory, room);
    let front = match spec.kind {
        Kind::Full | Kind::Header => {
            let first_page = spec.machine.header_size();
            Front { bytes: Vec::new(), bitmap: None, first_page }
        }
        Kind::Summary => summary(spec, &runs),
        kind if kind.is_bitmap() => bitmap(spec, &runs),
        _ => ranges(spec, &runs),
    };
    let mut truth = Truth { stored: stored(&runs, front.first_page), ..Truth::default() };
    let mut end = front.first_page + runs.pages() * PAGE as u64;
    let mut unreadable = None;
    if spec.has(Hazard::ShortPages) {
        truth.stored.clear();
        let length = runs.pages() * PAGE as u64 / 2;
        unreadable = Some((front.first_page, length));
        end = front.first_page + length;
    }
    let (secondary, places) = blobs::bytes(&spec.secondary(), end, BUILD);
    truth.blobs = places;
    let length = end + secondary.len() as u64 + spec.slack();
    let header = header::bytes(spec, system, &facts(spec, &runs, length));
    let header_size = spec.machine.header_size();
    let encrypted = spec.has(Hazard::Encrypted);
    if encrypted {
        truth.stored.clear();
        truth.blobs.clear();
    }
    let parts = vec![(0, header), (header_size, front.bytes), (end, secondary)];
    let claims = system.map(|s| s.claims.clone()).unwrap_or_default();
    tell(&mut truth, system);
    let file = DumpFile {
        parts,
        bitmap: front.bitmap,
        unreadable: unreadable
            .or_else(|| encrypted.then_some((front.first_page, end - front.first_page))),
        memory,
        length,
        scrambled_from: encrypted.then_some(header_size),
        truth,
        ..DumpFile::default()
    };
    file.finish(claims)
}

/// What is true of the system in any kind of file.
pub(crate) fn tell(truth: &mut Truth, system: Option<&System>) {
    if let Some(system) = system {
        truth.directory_table_base = system.space.root();
        truth.kernel_base = system.place.kernel;
        truth.debugger_block = system.place.debugger_block();
    }
}

/// Single pages with a free one between, until every run of the header is in use.
fn fill_run_table(memory: &mut Memory, room: usize) {
    let runs = memory.runs();
    let mut frame = runs.last().map_or(0, |(first, count)| first + count);
    for _ in runs.len()..room {
        frame += 2;
        memory.tell(frame, 1, Page::Addresses);
    }
    memory.settle();
}

fn chosen(spec: &FileSpec, memory: &Memory, room: usize) -> Runs {
    let mut runs = memory.runs();
    match spec.kind {
        Kind::Header => runs.clear(),
        Kind::Full if spec.has(Hazard::FullRunTable) => runs.truncate(room),
        // Of the 43 the header has room for, writers use 42: section 3.
        Kind::Full => runs.truncate(room.min(if spec.machine.is_32_bit() { 86 } else { 42 })),
        kind if kind.is_bitmap() || kind == Kind::Summary => {
            let bits = bits(spec, &runs);
            runs.retain_mut(|(first, count)| {
                *count = (*count).min(bits.saturating_sub(*first));
                *count > 0
            });
            return Runs { runs, repeated: 0 };
        }
        kind if kind.ends_at_zero() || !spec.has(Hazard::FrameZero) => without_zero(&mut runs),
        _ => {}
    }
    if spec.has(Hazard::UnsortedRuns) {
        let half = runs.len() / 2;
        runs.rotate_left(half);
    }
    let mut repeated = 0;
    if spec.has(Hazard::OverlappingRuns) {
        if spec.kind == Kind::Full {
            runs.truncate(room - 1);
        }
        let longest = runs.iter().copied().max_by_key(|(_, count)| *count);
        let part = longest.map(|(first, count)| (first + 1, (count - 1).min(LONGEST_REPETITION)));
        let before = runs.len();
        runs.extend(part.filter(|(_, count)| *count > 0));
        repeated = runs.len() - before;
    }
    Runs { runs, repeated }
}

fn without_zero(runs: &mut Vec<(u64, u64)>) {
    if let Some(first) = runs.first_mut().filter(|(frame, _)| *frame == 0) {
        *first = (1, first.1 - 1);
    }
    runs.retain(|(_, count)| *count > 0);
}

fn stored(runs: &Runs, first_page: u64) -> Vec<Stored> {
    let mut offset = first_page;
    let places = runs.runs.iter().enumerate().map(|(number, (first, count))| {
        let repeated = number >= runs.runs.len() - runs.repeated;
        let place = Stored { first: *first, count: *count, offset, repeated };
        offset += count * PAGE as u64;
        place
    });
    places.collect()
}

/// Type 1: what is stored. Others: the memory of the machine, in one run.
fn facts(spec: &FileSpec, runs: &Runs, length: u64) -> Facts {
    let top = runs.runs.iter().map(|(first, count)| first + count).max().unwrap_or(0);
    let memory = match spec.kind {
        Kind::Header => None,
        Kind::Full => {
            Some(MemoryBlock { runs: runs.runs.clone(), pages: spec.count(runs.pages()) })
        }
        _ => Some(MemoryBlock { runs: vec![(0, top)], pages: top }),
    };
    Facts { memory, length }
}

fn bits(spec: &FileSpec, runs: &[(u64, u64)]) -> u64 {
    let top = runs.last().map_or(0, |(first, count)| first + count);
    spec.bitmap_bits().unwrap_or_else(|| top.next_multiple_of(64))
}

fn first_page(spec: &FileSpec, front: u64) -> u64 {
    let end = spec.machine.header_size() + front;
    if spec.has(Hazard::UnalignedPages) { end } else { end.next_multiple_of(PAGE as u64) }
}

fn bitmap_of(spec: &FileSpec, runs: &Runs, at: u64) -> Bitmap {
    Bitmap {
        offset: spec.machine.header_size() + at,
        bits: bits(spec, &runs.runs),
        runs: runs.runs.clone(),
        stray: spec.has(Hazard::StrayBits),
    }
}

/// Section 4.
fn bitmap(spec: &FileSpec, runs: &Runs) -> Front {
    const BITMAP: u64 = 0x38;
    let bitmap = bitmap_of(spec, runs, BITMAP);
    let first_page = first_page(spec, BITMAP + bitmap.bits.div_ceil(8));
    let mut bytes = vec![0; BITMAP as usize];
    let full = (spec.kind == Kind::BitmapFull) != spec.has(Hazard::OtherSignature);
    put(&mut bytes, 0, if full { b"FDMPDUMP" } else { b"SDMPDUMP" });
    put32(&mut bytes, 0x08, 1);
    put64(&mut bytes, 0x20, first_page);
    put64(&mut bytes, 0x28, spec.count(runs.pages()));
    put64(&mut bytes, 0x30, bitmap.bits);
    Front { bytes, bitmap: Some(bitmap), first_page }
}

/// Section 6, and an RTL_BITMAP as wide as the machine's pointers.
fn summary(spec: &FileSpec, runs: &Runs) -> Front {
    let narrow = spec.machine.is_32_bit();
    let at = if narrow { 0x20 } else { 0x28 };
    let bitmap = bitmap_of(spec, runs, at);
    let first_page = first_page(spec, at + bitmap.bits.div_ceil(8));
    let mut bytes = vec![0; at as usize];
    put(&mut bytes, 0, b"SDMPDUMP");
    put32(&mut bytes, 0x08, 1);
    put32(&mut bytes, 0x0C, first_page as u32);
    put32(&mut bytes, 0x10, bitmap.bits as u32);
    put32(&mut bytes, 0x14, spec.count(runs.pages()) as u32);
    put32(&mut bytes, 0x18, bitmap.bits as u32);
    if narrow {
        put32(&mut bytes, 0x1C, 0x8100_0020);
    } else {
        put64(&mut bytes, 0x20, 0xffff_f800_0100_0028);
    }
    Front { bytes, bitmap: Some(bitmap), first_page }
}

/// Section 5.
fn ranges(spec: &FileSpec, runs: &Runs) -> Front {
    const LIST: usize = 0x30;
    const MORE: usize = 3;
    let header = spec.machine.header_size();
    let trailing = if spec.has(Hazard::TrailingRanges) { MORE } else { 0 };
    let complete = spec.kind == Kind::CompleteRanges;
    // The end mark of types 8 and 9 is an entry of zeros.
    let entries = runs.runs.len() + 1 + trailing;
    let first_page = (header + (LIST + entries * 16) as u64).next_multiple_of(PAGE as u64);
    let mut bytes = vec![0; LIST + entries * 16];
    put32(&mut bytes, 0, 0x40);
    put(&mut bytes, 4, b"RDMPDUMP");
    put64(&mut bytes, 0x10, first_page - header - 0x20);
    put64(&mut bytes, 0x18, first_page);
    if complete {
        put32(&mut bytes, 0x20, runs.runs.len() as u32);
        put64(&mut bytes, 0x28, spec.count(runs.pages()));
    }
    let behind = (0..trailing).map(|n| (0x123 + n as u64, 0x1_0000));
    let end = (!complete).then_some((0, 0));
    let list = runs.runs.iter().copied().chain(end).chain(behind);
    for (entry, (first, count)) in bytes[LIST..].chunks_exact_mut(16).zip(list) {
        put64(entry, 0, first);
        put64(entry, 8, count);
    }
    Front { bytes, bitmap: None, first_page }
}
