//! The bounded memory of a walk: which page table serves which region.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::PageFrame;

const SLOT_BITS: u32 = 10;
const TAG_BITS: u32 = 26;
const FRAME_BITS: u32 = 36;
const LARGE: u64 = 1 << 62;
const HELD: u64 = 1 << 63;

/// What serves one region of 2 MiB (4 MiB on x86 without PAE).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region {
    /// A page table, at this page.
    Table(PageFrame),
    /// A large page: the region begins at this page.
    Page(PageFrame),
}

/// 1,024 regions in 8 KiB, the newest of those that share a slot. An entry is
/// one atomic number that carries its own tag, so that threads share a cache
/// without a lock and never see half of another's entry.
#[derive(Debug)]
pub(crate) struct Cache(Box<[AtomicU64]>);

impl Cache {
    pub(crate) fn new() -> Self {
        Self((0..1 << SLOT_BITS).map(|_| AtomicU64::new(0)).collect())
    }

    /// Slot and tag: together they are the region's number, so no two regions
    /// share both. Folding spreads regions that differ in high bits only.
    #[inline]
    fn place(region: u64) -> (usize, u64) {
        let tag = region >> SLOT_BITS & ((1 << TAG_BITS) - 1);
        let slot = (region ^ tag ^ tag >> SLOT_BITS) & ((1 << SLOT_BITS) - 1);
        (slot as usize, tag)
    }

    #[inline]
    pub(crate) fn get(&self, region: u64) -> Option<Region> {
        let (slot, tag) = Self::place(region);
        let value = self.0.get(slot)?.load(Ordering::Relaxed);
        if value & HELD == 0 || value >> FRAME_BITS & ((1 << TAG_BITS) - 1) != tag {
            return None;
        }
        let frame = PageFrame(value & ((1 << FRAME_BITS) - 1));
        Some(if value & LARGE == 0 { Region::Table(frame) } else { Region::Page(frame) })
    }

    /// Remembers a region, unless its page lies above 256 TiB, for which an
    /// entry has no room.
    pub(crate) fn put(&self, region: u64, serves: Region) {
        let (slot, tag) = Self::place(region);
        let (frame, kind) = match serves {
            Region::Table(frame) => (frame, 0),
            Region::Page(frame) => (frame, LARGE),
        };
        if let Some(entry) = self.0.get(slot)
            && frame.0 >> FRAME_BITS == 0
        {
            entry.store(HELD | kind | tag << FRAME_BITS | frame.0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_regions_never_answer_for_each_other() {
        let cache = Cache::new();
        for bit in 0..36 {
            cache.put(1 << bit, Region::Table(PageFrame(bit)));
            let found = cache.get(1 << bit);
            assert_eq!(found, Some(Region::Table(PageFrame(bit))));
            for other in (0..36).filter(|other| *other != bit) {
                let found = cache.get(1 << other);
                assert!(found.is_none_or(|found| found == Region::Table(PageFrame(other))));
            }
        }
    }

    #[test]
    fn a_page_above_256_tib_is_not_remembered_cut_off() {
        let cache = Cache::new();
        cache.put(7, Region::Page(PageFrame(1 << 36)));
        assert_eq!(cache.get(7), None);
    }
}
