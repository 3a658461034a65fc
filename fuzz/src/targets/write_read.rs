//! What is written is read back, page for page, and called good.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use format::write::{DumpPages, Head, Kind, Overlay, PageSource, Plan, Request, Secondary, write};
use format::{Bytes, Level, Machine, Run, Verdict, verify};
use memory::PhysicalAddress;

use crate::input::Input;

const KINDS: [Kind; 3] = [Kind::Full, Kind::Bitmap, Kind::KernelBitmap];
const MACHINES: [Machine; 4] = [Machine::X64, Machine::X86, Machine::Arm64, Machine::X64];

type Pages = BTreeMap<u64, Vec<u8>>;

/// Pages that lie anywhere in their bytes.
struct Given {
    runs: Vec<Run>,
    bytes: Vec<u8>,
}

impl PageSource for Given {
    fn runs(&self, see: &mut dyn FnMut(Run) -> bool) -> Result<(), format::Error> {
        let _ = self.runs.iter().all(|run| see(*run));
        Ok(())
    }

    fn bytes(&self) -> &dyn Bytes {
        &self.bytes
    }
}

/// Kind, machine, what follows the pages, overlays, then runs: gap, pages, byte.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let (kind, machine) = (input.pick(&KINDS), input.pick(&MACHINES));
    let blobs = secondary(&mut input);
    let overlays: Vec<(u16, u8)> = (0..input.u8() % 4).map(|_| (input.u16(), input.u8())).collect();
    let (source, mut pages) = given(&mut input);
    let mut request = Request::new(kind, head(machine));
    request.secondary = Some(Secondary { bytes: &blobs, offset: 0, length: blobs.len() as u64 });
    for (place, byte) in &overlays {
        let bytes = vec![*byte; usize::from(*byte)];
        let address = PhysicalAddress(u64::from(*place) * 64);
        if !put(&mut pages, address.0, &bytes) {
            continue;
        }
        request.overlays.push(Overlay::memory(address, bytes));
    }
    let Ok(plan) = Plan::new(&source, request) else {
        assert!(pages.is_empty() || source.runs.len() > 42 && kind == Kind::Full);
        return;
    };
    let mut out = Vec::new();
    let done = write(&plan, &source, &mut out, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.length, plan.file_length()), (out.len() as u64, out.len() as u64));
    assert!(out.ends_with(&blobs));
    let found = verify(&out, Level::Structure);
    assert_eq!(found.verdict, Verdict::Good, "{}", found.summary);
    assert!(read(&out) == pages, "other pages are read than were written");
}

fn secondary(input: &mut Input<'_>) -> Vec<u8> {
    let mut bytes = b"DumpBlob\x10\0\0\0\x61\x4A\0\xF0".to_vec();
    for _ in 0..input.u8() % 3 {
        let size = input.u8();
        let mut header = [0; 0x20];
        (header[0], header[0x14]) = (0x20, size);
        bytes.extend(header);
        bytes.resize(bytes.len() + usize::from(size), size);
    }
    bytes
}

/// Puts bytes over pages, if all of them are there.
fn put(pages: &mut Pages, address: u64, bytes: &[u8]) -> bool {
    let all = (0..bytes.len() as u64).map(|index| address + index);
    if bytes.is_empty() || !all.clone().all(|at| pages.contains_key(&(at / 4096))) {
        return false;
    }
    for (at, byte) in all.zip(bytes) {
        pages.get_mut(&(at / 4096)).unwrap()[(at % 4096) as usize] = *byte;
    }
    true
}

fn given(input: &mut Input<'_>) -> (Given, Pages) {
    let (mut given, mut pages) = (Given { runs: Vec::new(), bytes: Vec::new() }, Pages::new());
    let mut frame = 0;
    while !input.is_empty() && pages.len() < 128 {
        let (gap, count, byte) = (input.u8(), u64::from(input.u8() % 16), input.u8());
        frame += if gap == 0xFF { 0x1_0000 } else { u64::from(gap) };
        given.bytes.resize(given.bytes.len() + usize::from(byte & 3) * 512, 0xEE);
        given.runs.push(Run { base: frame, pages: count, offset: given.bytes.len() as u64 });
        for _ in 0..count {
            let mut page = vec![byte; 4096];
            page[..8].copy_from_slice(&(frame * u64::from(byte)).to_le_bytes());
            given.bytes.extend(&page);
            pages.insert(frame, page);
            frame += 1;
        }
    }
    (given, pages)
}

fn head(machine: Machine) -> Head {
    let mut head = Head::new(machine).unwrap();
    match &mut head {
        Head::Bits64(raw) => {
            raw.minor_version = 26100.into();
            raw.directory_table_base = 0x1AD000.into();
            raw.number_processors = 4.into();
            raw.bug_check_code = 0x161.into();
            raw.system_time = 0x01D9_0000_0000_0000.into();
        }
        Head::Bits32(raw) => {
            raw.number_processors = 1.into();
            raw.bug_check_code = 0xD1.into();
            raw.system_time = 0x01D9_0000_0000_0000.into();
        }
    }
    head
}

/// All pages of a dump.
pub(super) fn read(dump: &[u8]) -> Pages {
    let open = DumpPages::open(&dump).unwrap();
    let mut pages = Pages::new();
    open.runs(&mut |run| {
        for page in 0..run.pages {
            let at = (run.offset + page * 4096) as usize;
            let Some(bytes) = dump.get(at..at + 4096) else { return false };
            pages.insert(run.base + page, bytes.to_vec());
        }
        true
    })
    .unwrap();
    pages
}
