//! Physical memory, as a list: nothing is allocated for pages that are only told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bytes::{put, put64};
use crate::random::noise;

pub(crate) const PAGE: usize = 4096;

/// What a page frame holds.
#[derive(Debug, Clone)]
pub enum Page {
    /// Zeros; a hole in a file that can have holes.
    Zero,
    /// Every eight bytes are their own physical address.
    Addresses,
    /// Noise that follows from this seed and the page frame.
    Noise(u64),
    /// One byte, 4096 times.
    Fill(u8),
    /// These bytes, then zeros; what exceeds a page is dropped.
    Bytes(Arc<[u8]>),
    /// Whatever the function makes of the page frame; it gets zeros.
    Made(fn(u64, &mut [u8])),
}

impl Page {
    pub(crate) fn make(&self, frame: u64, to: &mut [u8]) {
        to.fill(0);
        match self {
            Self::Zero => {}
            Self::Addresses => {
                for at in (0..to.len()).step_by(8) {
                    put64(to, at, frame.wrapping_mul(PAGE as u64).wrapping_add(at as u64));
                }
            }
            Self::Noise(seed) => noise(*seed, frame, to),
            Self::Fill(byte) => to.fill(*byte),
            Self::Bytes(bytes) => put(to, 0, &bytes[..bytes.len().min(PAGE)]),
            Self::Made(make) => make(frame, to),
        }
    }
}

#[derive(Debug, Clone)]
struct Extent {
    first: u64,
    count: u64,
    page: Page,
}

impl Extent {
    fn end(&self) -> u64 {
        self.first + self.count
    }
}

/// Told extents, and single pages that stand before them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    extents: Vec<Extent>,
    pages: BTreeMap<u64, Vec<u8>>,
}

/// Consecutive pages of one origin.
pub(crate) enum Piece<'a> {
    Own(&'a [u8]),
    Told(&'a Page, u64),
}

impl Memory {
    /// [`Memory::settle`] has to follow.
    pub(crate) fn tell(&mut self, first: u64, count: u64, page: Page) {
        let count = count.min(u64::MAX / PAGE as u64 - first.min(u64::MAX / PAGE as u64));
        if count > 0 {
            self.extents.push(Extent { first, count, page });
        }
    }

    /// Sorts, and cuts what overlaps: the lower start wins.
    pub(crate) fn settle(&mut self) {
        self.extents.sort_by_key(|e| e.first);
        let mut end = 0;
        self.extents.retain_mut(|extent| {
            let cut = end.max(extent.first) - extent.first;
            extent.first += cut;
            extent.count = extent.count.saturating_sub(cut);
            end = end.max(extent.end());
            extent.count > 0
        });
    }

    /// A page of its own, zeros at first.
    pub(crate) fn own(&mut self, frame: u64) -> &mut [u8] {
        self.pages.entry(frame).or_insert_with(|| vec![0; PAGE])
    }

    pub(crate) fn own_page(&self, frame: u64) -> Option<&[u8]> {
        self.pages.get(&frame).map(Vec::as_slice)
    }

    /// What starts at `frame`, and how many pages it goes on for, `most` at most.
    pub(crate) fn piece(&self, frame: u64, most: u64) -> Option<(Piece<'_>, u64)> {
        if let Some(own) = self.pages.get(&frame) {
            return Some((Piece::Own(own), 1));
        }
        let extent = &self.extents[self.extents.partition_point(|e| e.end() <= frame)..];
        let extent = extent.first().filter(|e| e.first <= frame)?;
        let next_own = self.pages.range(frame..).next().map_or(u64::MAX, |(own, _)| *own);
        let end = extent.end().min(next_own);
        Some((Piece::Told(&extent.page, frame), (end - frame).min(most)))
    }

    /// Copies a page; false when there is none.
    pub(crate) fn page(&self, frame: u64, to: &mut [u8]) -> bool {
        match self.piece(frame, 1) {
            Some((Piece::Own(own), _)) => to.copy_from_slice(own),
            Some((Piece::Told(page, frame), _)) => page.make(frame, to),
            None => return false,
        }
        true
    }

    /// Every page that there is, as sorted (first, count) that do not touch.
    pub(crate) fn runs(&self) -> Vec<(u64, u64)> {
        let told = self.extents.iter().map(|e| (e.first, e.count));
        let mut all: Vec<_> = told.chain(self.pages.keys().map(|frame| (*frame, 1))).collect();
        all.sort_unstable();
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for (first, count) in all {
            match runs.last_mut() {
                Some((start, length)) if *start + *length >= first => {
                    *length = (*length).max(first + count - *start);
                }
                _ => runs.push((first, count)),
            }
        }
        runs
    }
}
