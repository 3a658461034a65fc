//! Stretches of memory that are unsorted and may overlap, made searchable.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use memory::VirtualAddress;

/// `size` bytes of virtual memory from `address` on, at `offset` in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Address of its first byte.
    pub address: VirtualAddress,
    /// File offset of its first byte.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

/// Something that covers a range of numbers: addresses, or pages.
pub(crate) trait Span {
    /// The part of the range that exists, in a file of `file` bytes.
    fn span(&self, file: u64) -> Range<u64>;
}

impl Span for Block {
    /// The part inside the file, below the end of the address space.
    fn span(&self, file: u64) -> Range<u64> {
        let in_file = file.saturating_sub(u64::from(self.offset)).min(u64::from(self.size));
        self.address.0..self.address.0.saturating_add(in_file)
    }
}

/// Disjoint segments in rising order, each part of one block. Where blocks
/// overlap, the one that comes first in the list is read. Two arrays rather
/// than one of pairs: 12 bytes a segment, for a million blocks.
#[derive(Debug, Default)]
pub(crate) struct Index {
    starts: Vec<u64>,
    /// The block of each segment, or [`GAP`].
    blocks: Vec<u32>,
    /// From `first` on, the first address that a block has, every `1 << shift`
    /// addresses: how many segments begin before. A search has only what is
    /// between two of them.
    coarse: Vec<u32>,
    first: u64,
    shift: u32,
    /// Bytes (or pages) that more than one block holds.
    pub(crate) overlap: u64,
}

/// Entries of [`Index::coarse`] at most: 16 KiB, and four for each segment.
const COARSE: u64 = 4096;

/// Marks a segment that no block covers.
const GAP: u32 = u32::MAX;

impl Index {
    /// Builds the index in O(n log n). There must be fewer than 2^32 - 1 blocks.
    pub(crate) fn new<S: Span>(blocks: &[S], file: u64) -> Self {
        let mut order: Vec<u32> = (0..blocks.len() as u32).collect();
        order.sort_unstable_by_key(|index| (blocks[*index as usize].span(file).start, *index));
        // A segment ends where a block begins or ends; room is taken once, so
        // that a large table is not copied while it grows.
        let segments = 2 * blocks.len() + 1;
        let index = Self {
            starts: Vec::with_capacity(segments),
            blocks: Vec::with_capacity(segments),
            ..Self::default()
        };
        let mut sweep = Sweep { blocks, file, active: BinaryHeap::new(), at: 0, index };
        for next in order {
            let range = blocks[next as usize].span(file);
            if range.is_empty() {
                continue;
            }
            sweep.advance(range.start);
            sweep.active.push(Reverse(next));
        }
        sweep.advance(u64::MAX);
        let overlap = total(blocks, file).saturating_sub(sweep.index.bytes());
        let mut index = Self { overlap, ..sweep.index };
        // Giving room back may copy: only where that is cheap and worth it.
        if index.starts.len() < segments / 2 + 1 {
            index.starts.shrink_to_fit();
            index.blocks.shrink_to_fit();
        }
        index.divide();
        index
    }

    fn divide(&mut self) {
        let leading_gap = usize::from(self.blocks.first() == Some(&GAP));
        let ends = self.starts.get(leading_gap).zip(self.starts.last());
        let Some((first, last)) = ends.map(|(first, last)| (*first, *last)) else { return };
        let (span, most) = (last - first, (4 * self.starts.len() as u64).min(COARSE));
        self.shift = (0..64).find(|shift| span >> shift < most).unwrap_or(63);
        let mut coarse: Vec<u32> = (0..=span >> self.shift)
            .map(|at| first + (at << self.shift))
            .map(|at| self.starts.partition_point(|start| *start < at) as u32)
            .collect();
        coarse.push(self.starts.len() as u32);
        (self.coarse, self.first) = (coarse, first);
    }

    fn push(&mut self, start: u64, block: u32) {
        if self.blocks.last() != Some(&block) {
            self.starts.push(start);
            self.blocks.push(block);
        }
    }

    /// The segment that holds `address`: its block and where the segment ends.
    #[inline]
    pub(crate) fn find(&self, address: u64) -> Option<(u32, u64)> {
        let at = address.checked_sub(self.first)? >> self.shift;
        let at = usize::try_from(at).ok()?.min(self.coarse.len().checked_sub(2)?);
        let (low, high) = (*self.coarse.get(at)? as usize, *self.coarse.get(at + 1)? as usize);
        let next = low + self.starts.get(low..high)?.partition_point(|start| *start <= address);
        let block = *self.blocks.get(next.checked_sub(1)?)?;
        let end = self.starts.get(next).copied().unwrap_or(u64::MAX);
        // Nothing holds the very last address, which no exclusive end can reach.
        (block != GAP && address < end).then_some((block, end))
    }

    /// The disjoint segments, in rising order: which block, from where to where.
    pub(crate) fn segments(&self) -> impl Iterator<Item = (u32, Range<u64>)> + '_ {
        let ends = self.starts.iter().skip(1).copied().chain([u64::MAX]);
        let all = self.starts.iter().zip(ends).zip(&self.blocks);
        all.filter(|(_, block)| **block != GAP).map(|((start, end), block)| (*block, *start..end))
    }

    /// How many bytes of `range` some block covers.
    pub(crate) fn covered(&self, range: Range<u64>) -> u64 {
        let first = self.starts.partition_point(|start| *start <= range.start).saturating_sub(1);
        let mut covered = 0;
        for at in first..self.starts.len() {
            let start = self.starts[at].max(range.start);
            let end = self.starts.get(at + 1).copied().unwrap_or(u64::MAX).min(range.end);
            if self.starts[at] >= range.end {
                break;
            }
            if self.blocks[at] != GAP {
                covered += end.saturating_sub(start);
            }
        }
        covered
    }

    fn bytes(&self) -> u64 {
        self.covered(0..u64::MAX)
    }
}

/// Bytes of the blocks, as far as the file has them; overlaps count twice.
pub(crate) fn total<S: Span>(blocks: &[S], file: u64) -> u64 {
    let sizes = blocks.iter().map(|block| block.span(file));
    sizes.fold(0, |sum, range| sum.saturating_add(range.end - range.start))
}

/// A sweep over the addresses: `active` holds the blocks that began at or before `at`.
struct Sweep<'b, S> {
    blocks: &'b [S],
    file: u64,
    active: BinaryHeap<Reverse<u32>>,
    at: u64,
    index: Index,
}

impl<S: Span> Sweep<'_, S> {
    /// Writes the segments up to `to`.
    fn advance(&mut self, to: u64) {
        while self.at < to {
            let Some(Reverse(block)) = self.active.peek().copied() else {
                self.index.push(self.at, GAP);
                break;
            };
            let end = self.blocks[block as usize].span(self.file).end;
            if end <= self.at {
                self.active.pop();
                continue;
            }
            self.index.push(self.at, block);
            self.at = end.min(to);
        }
        self.at = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: u64, offset: u32, size: u32) -> Block {
        Block { address: VirtualAddress(address), offset, size }
    }

    #[test]
    fn the_first_block_of_the_list_wins_where_two_overlap() {
        let index = Index::new(&[block(0x30, 0, 0x20), block(0x10, 0x100, 0x40)], 0x1000);
        assert_eq!(index.find(0x0F), None);
        assert_eq!(index.find(0x10), Some((1, 0x30)));
        assert_eq!(index.find(0x30), Some((0, 0x50)));
        assert_eq!(index.find(0x50), None);
        assert_eq!(index.overlap, 0x20);
    }

    #[test]
    fn a_block_shows_again_behind_one_that_covers_its_middle() {
        let index = Index::new(&[block(0x20, 0, 0x10), block(0x10, 0x100, 0x40)], 0x1000);
        assert_eq!(index.find(0x18), Some((1, 0x20)));
        assert_eq!(index.find(0x2F), Some((0, 0x30)));
        assert_eq!(index.find(0x4F), Some((1, 0x50)));
    }

    #[test]
    fn any_address_is_found_in_the_first_block_that_holds_it() {
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % below
        };
        for (start, spread) in [(0, 600), (0xFFFF_8000_0000_0000, 9_000), (77, 1 << 30)] {
            let blocks: Vec<Block> =
                (0..300).map(|_| block(start + next(spread), 0, next(90) as u32)).collect();
            let index = Index::new(&blocks, u64::MAX);
            let near = blocks.iter().flat_map(|b| [b.address.0, b.address.0 + u64::from(b.size)]);
            for address in near.flat_map(|at| [at.saturating_sub(1), at, at + 1]) {
                let first = blocks.iter().position(|b| {
                    address.checked_sub(b.address.0).is_some_and(|at| at < b.size.into())
                });
                let found = index.find(address).map(|(block, _)| block as usize);
                assert_eq!(found, first, "{address:#x}");
            }
        }
    }

    #[test]
    fn coverage_counts_each_byte_once() {
        let blocks = [block(0x10, 0, 0x10), block(0x18, 0, 0x10), block(0x40, 0, 0x10)];
        let index = Index::new(&blocks, 0x1000);
        assert_eq!(index.covered(0..0x100), 0x28);
        assert_eq!(index.covered(0x1C..0x48), 0x14);
        assert_eq!(index.covered(0x28..0x40), 0);
        assert_eq!(index.covered(0x1C..0x1C), 0);
    }

    #[test]
    fn what_lies_outside_the_file_or_wraps_is_not_there() {
        let blocks =
            [block(0x10, 0xFF0, 0x40), block(0x100, 0x2000, 8), block(u64::MAX - 3, 0, 64)];
        let index = Index::new(&blocks, 0x1000);
        assert_eq!(index.find(0x1F), Some((0, 0x20)));
        assert_eq!(index.find(0x20), None);
        assert_eq!(index.find(0x100), None);
        assert_eq!(index.find(u64::MAX - 3), Some((2, u64::MAX)));
        assert_eq!(index.find(u64::MAX), None);
        assert_eq!(index.covered(0..u64::MAX), 0x13);
    }
}
