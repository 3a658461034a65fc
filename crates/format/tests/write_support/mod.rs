//! Sources and outputs for the tests of writing.
// Every test file uses a part of it, and helpers may fail as tests do.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

use format::write::{
    DumpPages, Error, Head, Kind, Output, PageSource, Plan, Request, Written, write,
};
use format::{Bytes, Machine, Run};

pub const PAGE: usize = 4096;
pub const KINDS: [Kind; 3] = [Kind::Full, Kind::Bitmap, Kind::KernelBitmap];

/// Pages by their numbers.
pub type Pages = BTreeMap<u64, Vec<u8>>;

/// Pages in memory, stored in rising order.
pub struct Given {
    pub runs: Vec<Run>,
    pub bytes: Vec<u8>,
}

impl Given {
    pub fn of(pages: &Pages) -> Self {
        let mut given = Self { runs: Vec::new(), bytes: Vec::new() };
        for (frame, page) in pages {
            let offset = given.bytes.len() as u64;
            given.runs.push(Run { base: *frame, pages: 1, offset });
            given.bytes.extend_from_slice(page);
        }
        given
    }
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

/// Frames whose pages repeat one byte.
pub fn filled(frames: impl IntoIterator<Item = u64>) -> Pages {
    frames.into_iter().map(|frame| (frame, vec![frame as u8 | 1; PAGE])).collect()
}

/// A header that `verify` calls good.
pub fn head(machine: Machine) -> Head {
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

pub fn written(source: &dyn PageSource, request: Request<'_>) -> Result<Vec<u8>, Error> {
    let plan = Plan::new(source, request)?;
    let mut out = Vec::new();
    let done = run(&plan, source, &mut out)?;
    assert_eq!((done.length, plan.file_length()), (out.len() as u64, out.len() as u64));
    Ok(out)
}

pub fn run(
    plan: &Plan<'_>,
    source: &dyn PageSource,
    out: &mut dyn Output,
) -> Result<Written, Error> {
    write(plan, source, out, &mut |_| ControlFlow::Continue(()))
}

pub fn dump_of(kind: Kind, pages: &Pages) -> Vec<u8> {
    written(&Given::of(pages), Request::new(kind, head(Machine::X64))).unwrap()
}

/// What our reader finds.
pub fn read(dump: &[u8]) -> Pages {
    let open = DumpPages::open(&dump).unwrap();
    let mut pages = Pages::new();
    open.runs(&mut |run| {
        for page in 0..run.pages {
            let at = run.offset as usize + page as usize * PAGE;
            pages.insert(run.base + page, dump[at..at + PAGE].to_vec());
        }
        true
    })
    .unwrap();
    pages
}

/// What is done to a file, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    Length(u64),
    Wrote(u64, usize),
    Flushed,
}

/// An output that remembers, and breaks after some bytes.
#[derive(Default)]
pub struct Watched {
    pub bytes: Vec<u8>,
    pub did: Vec<Did>,
    /// Bytes that fit on the disk.
    pub room: Option<usize>,
}

impl Output for Watched {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.did.push(Did::Length(length));
        Output::set_len(&mut self.bytes, length)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(room) = &mut self.room {
            *room = room.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        }
        self.did.push(Did::Wrote(offset, bytes.len()));
        self.bytes.write_at(offset, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.did.push(Did::Flushed);
        Ok(())
    }
}
