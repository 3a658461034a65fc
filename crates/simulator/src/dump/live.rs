//! The live dump: a type 6 file, written in chunks, header last.
//!
//! Source: dump-formats specification, sections 4, 8, 9; interface specification, section 1.7.

use crate::bytes::{put, put64};
use crate::dump::blobs;
use crate::dump::header::{Bugcheck, HEADER_SIZE, Header, LIVE_DUMP, attributes};
use crate::image::{FILLERS, Filler, Image, PAGE, Slot};

/// Which pages go in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Content {
    pub(crate) user: bool,
    pub(crate) hypervisor: bool,
    pub(crate) nonessential_hypervisor: bool,
    pub(crate) stacks_only: bool,
    pub(crate) partial: bool,
    pub(crate) encrypted: bool,
    /// Say in the header that the last page is there, and leave it out.
    pub(crate) drop_last_page: bool,
}

/// Takes the file's bytes; the status of the first failure ends it.
pub(crate) trait Sink {
    /// `bytes` go to `offset`, in rising order but for the header.
    fn chunk(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), u32>;
}

pub(crate) struct LiveFile<'a> {
    image: &'a Image,
    content: Content,
    /// First frame and number of frames, rising.
    runs: Vec<(u64, u64)>,
    pages: u64,
    bits: u64,
    secondary: Vec<u8>,
}

const BITMAP: usize = 0x38;

impl<'a> LiveFile<'a> {
    pub(crate) fn new(image: &'a Image, content: Content) -> Self {
        let runs = runs(image, &content);
        let pages = runs.iter().map(|(_, count)| count).sum();
        let bits = image.physical().total.next_multiple_of(64);
        let mut secondary = blobs::secondary(image.build);
        secondary.resize(secondary.len().next_multiple_of(PAGE), 0);
        Self { image, content, runs, pages, bits, secondary }
    }

    fn first_page(&self) -> u64 {
        (HEADER_SIZE as u64 + BITMAP as u64 + self.bits / 8).next_multiple_of(PAGE as u64)
    }

    /// The whole file's length.
    pub(crate) fn length(&self) -> u64 {
        self.first_page() + self.pages * PAGE as u64 + self.secondary.len() as u64
    }

    /// Bytes of memory that the capture copies first.
    pub(crate) fn copied(&self) -> u64 {
        if self.content.stacks_only { 0 } else { self.pages * PAGE as u64 }
    }

    /// Everything but the header, in chunks of at most `chunk` bytes.
    pub(crate) fn write_body(&self, chunk: usize, sink: &mut dyn Sink) -> Result<(), u32> {
        let mut out = Chunks::new(chunk, self.content.encrypted, sink);
        self.write_bitmap(&mut out)?;
        self.write_pages(&mut out)?;
        if !self.content.drop_last_page {
            for page in self.secondary.chunks(PAGE) {
                out.page()?.copy_from_slice(page);
            }
        }
        out.flush()
    }

    fn write_bitmap(&self, out: &mut Chunks<'_>) -> Result<(), u32> {
        let mut runs = self.runs.iter().copied();
        let mut run = runs.next();
        let mut first_bit = 0;
        for page_offset in (HEADER_SIZE as u64..self.first_page()).step_by(PAGE) {
            let page = out.page()?;
            page.fill(0);
            let start = if page_offset == HEADER_SIZE as u64 { BITMAP } else { 0 };
            let end_bit = first_bit + ((PAGE - start) * 8) as u64;
            while let Some((frame, count)) = run {
                let stop = (frame + count).min(end_bit);
                for bit in frame.max(first_bit)..stop {
                    let at = (bit - first_bit) as usize;
                    page[start + at / 8] |= 1 << (at % 8);
                }
                if stop == end_bit {
                    break;
                }
                run = runs.next();
            }
            if start != 0 {
                self.put_bitmap_header(page);
            }
            first_bit = end_bit;
        }
        Ok(())
    }

    fn put_bitmap_header(&self, page: &mut [u8]) {
        put(page, 0, b"SDMPDUMP");
        put64(page, 0x20, self.first_page());
        put64(page, 0x28, self.pages);
        put64(page, 0x30, self.bits);
    }

    fn write_pages(&self, out: &mut Chunks<'_>) -> Result<(), u32> {
        let last = self.runs.last().map_or(0, |(frame, count)| frame + count - 1);
        for (first, count) in &self.runs {
            for frame in *first..first + count {
                if self.content.drop_last_page && frame == last {
                    continue;
                }
                self.image.physical().page(frame, out.page()?);
            }
        }
        Ok(())
    }

    /// The two header pages.
    pub(crate) fn header(&self, bugcheck: Bugcheck, ticks: u64, scenario: &str) -> Vec<u8> {
        let content = &self.content;
        let mut bits = attributes::LIVE;
        for (set, bit) in [
            (content.partial, attributes::PARTIAL),
            (content.stacks_only, attributes::SELECTIVE),
            (content.encrypted, attributes::ENCRYPTED),
        ] {
            bits |= if set { bit } else { 0 };
        }
        let up_time = ticks * u64::from(crate::population::TICK);
        Header {
            image: self.image,
            bugcheck,
            kind: LIVE_DUMP,
            attributes: bits,
            required: self.length(),
            time: crate::population::BOOT_TIME + up_time,
            up_time,
            mini_dump_fields: u32::from_le_bytes(*b"PAGE"),
            context: self.image.processor_context(0),
            scenario,
        }
        .bytes()
    }
}

/// Frames in the file, rising: fillers first, then the pages with structures.
fn runs(image: &Image, content: &Content) -> Vec<(u64, u64)> {
    let mut runs = Vec::new();
    for filler in FILLERS {
        let region = image.physical().region(filler);
        for (from, to) in filler_ranges(image, content, filler) {
            runs.extend(region.runs(from, to));
        }
    }
    let wanted = |slot: &Slot| slot.core || !content.stacks_only;
    for (number, slot) in image.physical().slots().iter().enumerate() {
        let frame = image.physical().frame_of_slot(number);
        match runs.last_mut() {
            _ if !wanted(slot) || image.missing.contains(&frame) => {}
            Some((first, count)) if *first + *count == frame => *count += 1,
            _ => runs.push((frame, 1)),
        }
    }
    runs
}

fn filler_ranges(image: &Image, content: &Content, filler: Filler) -> Vec<(u64, u64)> {
    let pages = image.physical().region(filler).pages;
    let wanted = match filler {
        _ if content.stacks_only => false,
        Filler::PageFrames | Filler::Pool => true,
        Filler::User => content.user,
        Filler::Hypervisor => content.hypervisor,
        Filler::NonessentialHypervisor => content.nonessential_hypervisor,
    };
    if !wanted {
        return Vec::new();
    }
    match filler {
        Filler::Pool if content.partial => vec![(0, pages * 3 / 5)],
        // User pages of protected processes are left out: interface specification, section 1.6.
        Filler::User => {
            let open = image.user_ranges().filter(|(protection, ..)| protection & 7 == 0);
            open.map(|(_, from, to)| (from, to)).collect()
        }
        _ => vec![(0, pages)],
    }
}

/// Collects pages into chunks.
struct Chunks<'a> {
    buffer: Vec<u8>,
    used: usize,
    offset: u64,
    encrypted: bool,
    sink: &'a mut dyn Sink,
}

impl<'a> Chunks<'a> {
    fn new(chunk: usize, encrypted: bool, sink: &'a mut dyn Sink) -> Self {
        Self { buffer: vec![0; chunk], used: 0, offset: HEADER_SIZE as u64, encrypted, sink }
    }

    /// Room for the next page, which the caller fills whole.
    fn page(&mut self) -> Result<&mut [u8], u32> {
        if self.used == self.buffer.len() {
            self.flush()?;
        }
        let at = self.used;
        self.used += PAGE;
        Ok(&mut self.buffer[at..at + PAGE])
    }

    fn flush(&mut self) -> Result<(), u32> {
        if self.used == 0 {
            return Ok(());
        }
        let bytes = &mut self.buffer[..self.used];
        if self.encrypted {
            scramble(self.offset, bytes);
        }
        self.sink.chunk(self.offset, bytes)?;
        self.offset += self.used as u64;
        self.used = 0;
        Ok(())
    }
}

/// Not encryption: only as unreadable as if it were.
fn scramble(offset: u64, bytes: &mut [u8]) {
    for (number, page) in bytes.chunks_exact_mut(PAGE).enumerate() {
        let mut key = [0; PAGE];
        crate::random::noise(!0, offset / PAGE as u64 + number as u64, &mut key);
        page.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    }
}
