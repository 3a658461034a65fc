//! The phases of writing.

use std::io;
use std::ops::ControlFlow;

use memory::{PAGE_SIZE, PageFrame};
use zerocopy::IntoBytes;

use super::bitmap::Bits;
use super::copy::Copy;
use super::survey::{Sum, ordered};
use super::{Error, Output, PageSource, Plan};
use crate::Run;
use crate::raw::BitmapHeader;

/// How far the pages and the secondary data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes done, holes included.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Length of the file.
    pub length: u64,
    /// Bytes of it that were zeros and left as holes.
    pub holes: u64,
}

/// Writes the dump as planned to an empty output, the header last. `progress`
/// is told now and then, and may break off.
///
/// On an error the output has no header, and so is no dump.
pub fn write(
    plan: &Plan<'_>,
    source: &dyn PageSource,
    out: &mut dyn Output,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Written, Error> {
    let total = plan.pages() * PAGE_SIZE + plan.secondary_length();
    let state = Progress { done: 0, total };
    let mut sink = Sink { out, progress, state, written: Written::default() };
    sink.set_len(plan.file_length())?;
    if let Some(header) = &plan.bitmap {
        bitmap(plan, header, source, &mut sink)?;
    }
    pages(plan, source, &mut sink)?;
    for patch in &plan.patches {
        sink.write("an overlay", plan.first_page + patch.offset, &patch.bytes)?;
    }
    if let Some(secondary) = &plan.secondary {
        let mut copy = Copy::new(secondary.bytes, plan.pages_end());
        copy.copy(secondary.offset, secondary.length, &mut sink)?;
        copy.flush(&mut sink)?;
    }
    // What the header promises is on the disk before the header is.
    sink.flush()?;
    sink.write("the header", 0, &plan.header)?;
    sink.flush()?;
    Ok(Written { length: plan.file_length(), ..sink.written })
}

/// How many bytes [`write()`] will really write: what the disk must have room
/// for, where it keeps holes. Reads all of the source that is no hole.
pub fn measure(
    plan: &Plan<'_>,
    source: &dyn PageSource,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<u64, Error> {
    let mut count = Count(0);
    write(plan, source, &mut count, progress)?;
    Ok(count.0)
}

/// Takes anything and keeps its length.
struct Count(u64);

impl Output for Count {
    fn set_len(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn write_at(&mut self, _: u64, bytes: &[u8]) -> io::Result<()> {
        self.0 += bytes.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn bitmap(
    plan: &Plan<'_>,
    header: &BitmapHeader,
    source: &dyn PageSource,
    out: &mut Sink<'_>,
) -> Result<(), Error> {
    let offset = plan.header.len() as u64;
    let header = header.as_bytes();
    out.write("the bitmap's header", offset, header)?;
    let mut bits = Bits::new(offset + header.len() as u64, plan.survey.end.next_multiple_of(64));
    again(plan, source, |run| bits.set(&run, out))?;
    bits.flush(out)
}

fn pages(plan: &Plan<'_>, source: &dyn PageSource, out: &mut Sink<'_>) -> Result<(), Error> {
    let mut copy = Copy::new(source.bytes(), plan.first_page);
    // Runs that follow each other in the source are copied as one.
    let (mut offset, mut length) = (0_u64, 0_u64);
    again(plan, source, |run| {
        let bytes = run.pages * PAGE_SIZE;
        if offset.checked_add(length) == Some(run.offset) {
            length += bytes;
            return Ok(());
        }
        copy.copy(offset, length, out)?;
        (offset, length) = (run.offset, bytes);
        Ok(())
    })?;
    copy.copy(offset, length, out)?;
    copy.flush(out)
}

/// The runs once more, which must be those of the plan.
fn again(
    plan: &Plan<'_>,
    source: &dyn PageSource,
    mut see: impl FnMut(Run) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut sum, mut pages) = (Sum::default(), 0);
    ordered(source, plan.survey.limit, |run| {
        sum.add(&run);
        // Where nothing is, nothing can lie behind the plan's end.
        if run.pages == 0 {
            return Ok(());
        }
        pages += run.pages;
        if run.base + run.pages > plan.survey.end || pages > plan.survey.pages {
            return Err(Error::Changed { first: PageFrame(run.base) });
        }
        see(run)
    })?;
    if sum == plan.survey.sum { Ok(()) } else { Err(Error::Changed { first: PageFrame(0) }) }
}

/// The output, and what is told of it.
pub(super) struct Sink<'a> {
    out: &'a mut dyn Output,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    state: Progress,
    written: Written,
}

impl Sink<'_> {
    pub(super) fn write(
        &mut self,
        what: &'static str,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let length = bytes.len() as u64;
        let done = self.out.write_at(offset, bytes);
        done.map_err(|source| Error::Write { what, offset, length, source })
    }

    /// Bytes of pages or secondary data.
    pub(super) fn data(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.write("pages and secondary data", offset, bytes)?;
        self.advance(bytes.len() as u64)
    }

    /// Zeros that the file has already.
    pub(super) fn skipped(&mut self, length: u64) -> Result<(), Error> {
        self.written.holes += length;
        self.advance(length)
    }

    /// So many bytes more are done: time to tell, and to be broken off.
    pub(super) fn advance(&mut self, length: u64) -> Result<(), Error> {
        self.state.done += length;
        match (self.progress)(self.state) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }

    fn set_len(&mut self, length: u64) -> Result<(), Error> {
        let done = self.out.set_len(length);
        done.map_err(|source| Error::Write { what: "the length", offset: 0, length, source })
    }

    fn flush(&mut self) -> Result<(), Error> {
        let done = self.out.flush();
        let length = self.state.done;
        done.map_err(|source| Error::Write {
            what: "everything (flush)",
            offset: 0,
            length,
            source,
        })
    }
}
