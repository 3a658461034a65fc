//! Physical memory: what is in each page frame, made when it is asked for.
//!
//! Nothing here is allocated for each page of RAM. Pages with a structure in
//! them are *slots*; what only fills memory (pool, page-frame database, user
//! pages) is a *region* whose contents follow from the page's number.

use crate::bytes::{put, put64};
use crate::image::entries::{Access, EntryFormat};
use crate::image::stack::Stacks;
use crate::random::noise;

pub(crate) const PAGE: usize = 4096;

/// What fills memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filler {
    PageFrames,
    Pool,
    User,
    Hypervisor,
    NonessentialHypervisor,
}

pub(crate) const FILLERS: [Filler; 5] = [
    Filler::PageFrames,
    Filler::Pool,
    Filler::User,
    Filler::Hypervisor,
    Filler::NonessentialHypervisor,
];

/// Pages of one kind, in runs with free pages behind each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region {
    pub(crate) first: u64,
    pub(crate) pages: u64,
    run: u64,
}

impl Region {
    fn new(first: u64, pages: u64) -> Self {
        Self { first, pages, run: 64.max(pages / 512) }
    }

    fn stride(&self) -> u64 {
        if self.run >= self.pages { self.run } else { self.run + self.run / 2 }
    }

    pub(crate) fn frame(&self, index: u64) -> u64 {
        self.first + index / self.run * self.stride() + index % self.run
    }

    /// One behind the last frame it may use.
    fn end(&self) -> u64 {
        self.first + self.pages.div_ceil(self.run) * self.stride()
    }

    /// Runs of frames that hold the pages `from..to` of this region.
    pub(crate) fn runs(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            if at >= to {
                return None;
            }
            let count = (self.run - at % self.run).min(to - at);
            let frame = self.frame(at);
            at += count;
            Some((frame, count))
        })
    }
}

/// How many pages each filler has.
pub(crate) struct Plan {
    pub(crate) total: u64,
    pub(crate) counts: [u64; 5],
}

/// What is in a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    Zero,
    /// Index into the store.
    Stored(u32),
    /// Code: noise.
    Code,
    /// A page table that maps a filler's pages in order.
    Table {
        filler: Filler,
        first: u64,
        count: u16,
    },
    /// The top page (0) of a thread's kernel stack, or the one below it (1).
    Stack {
        thread: u32,
        page: u8,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) content: Content,
    /// Part of a stacks-only dump.
    pub(crate) core: bool,
}

pub(crate) struct Physical {
    pub(crate) total: u64,
    pub(crate) seed: u64,
    pub(crate) format: EntryFormat,
    pub(crate) stacks: Stacks,
    regions: [Region; 5],
    first_slot: u64,
    slots: Vec<Slot>,
    store: Vec<u8>,
}

/// Frames below stay with the firmware.
const FIRST_FRAME: u64 = 0x100;

impl Physical {
    pub(crate) fn new(plan: &Plan, seed: u64, format: EntryFormat) -> Self {
        let mut next = FIRST_FRAME;
        let regions = FILLERS.map(|filler| {
            let region = Region::new(next, plan.counts[filler as usize]);
            next = region.end();
            region
        });
        Self {
            total: plan.total,
            seed,
            format,
            stacks: Stacks::default(),
            regions,
            first_slot: next,
            slots: Vec::new(),
            store: Vec::new(),
        }
    }

    pub(crate) fn region(&self, filler: Filler) -> &Region {
        &self.regions[filler as usize]
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(crate) fn frame_of_slot(&self, slot: usize) -> u64 {
        self.first_slot + slot as u64
    }

    pub(crate) fn add(&mut self, content: Content, core: bool) -> usize {
        self.slots.push(Slot { content, core });
        self.slots.len() - 1
    }

    /// The slot's own bytes, made writable; what it was served from is lost.
    pub(crate) fn stored(&mut self, slot: usize) -> &mut [u8] {
        let index = match self.slots[slot].content {
            Content::Stored(index) => index as usize,
            _ => {
                let index = self.store.len() / PAGE;
                self.store.resize(self.store.len() + PAGE, 0);
                self.slots[slot].content = Content::Stored(index as u32);
                index
            }
        };
        &mut self.store[index * PAGE..(index + 1) * PAGE]
    }

    /// Copies the slot's page.
    pub(crate) fn slot_page(&self, slot: usize, to: &mut [u8]) {
        match self.slots[slot].content {
            Content::Zero => to.fill(0),
            Content::Stored(index) => {
                let at = index as usize * PAGE;
                to.copy_from_slice(&self.store[at..at + PAGE]);
            }
            Content::Code => noise(self.seed, self.frame_of_slot(slot), to),
            Content::Table { filler, first, count } => self.table(filler, first, count, to),
            Content::Stack { thread, page } => {
                let bytes = self.stacks.contents(thread as usize);
                to.fill(0);
                // The bytes end at the stack's base: page 0 has their last 4096.
                let end = bytes.len().saturating_sub(usize::from(page) * PAGE);
                let part = &bytes[end.saturating_sub(PAGE)..end];
                put(to, PAGE - part.len(), part);
            }
        }
    }

    fn table(&self, filler: Filler, first: u64, count: u16, to: &mut [u8]) {
        let region = self.region(filler);
        let access = if filler == Filler::User { Access::User } else { Access::Data };
        to.fill(0);
        for at in 0..u64::from(count) {
            put64(to, at as usize * 8, self.format.leaf(region.frame(first + at), access));
        }
    }

    /// Copies the page of a frame.
    pub(crate) fn page(&self, frame: u64, to: &mut [u8]) {
        match frame.checked_sub(self.first_slot) {
            Some(slot) if (slot as usize) < self.slots.len() => self.slot_page(slot as usize, to),
            _ => noise(self.seed, frame, to),
        }
    }
}
