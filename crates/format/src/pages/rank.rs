//! Ranks of a bitmap: how many bits are set before a bit.

use std::io;

use crate::bitmap::ones;
use crate::source::Source;
use crate::{Bitmap, Error};

/// Bits of the smallest block that the directory counts: a cache line.
const LEAST_SHIFT: u32 = 9;

/// Entries of the directory: 32 MiB of them, whatever a file claims.
const MOST_ENTRIES: u64 = 2 << 20;

/// Bytes of the largest block: of the largest bitmap there is.
const LARGEST_BLOCK: usize = (crate::MAX_BITS / MOST_ENTRIES / 8) as usize;

/// A bitmap up to here is held in memory when the file is not mapped.
const HELD: u64 = 8 << 20;

enum Bits<'a> {
    Mapped(&'a [u8]),
    Held(Vec<u8>),
    /// Read by position, at this file offset.
    InFile(Source<'a>, u64),
}

/// What is counted of a block.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// Bits set before it.
    before: u64,
    /// Of a block of 512 bits: those set in it before its words 1 to 7, nine
    /// bits each, so that a rank takes one word of the bitmap.
    words: u64,
}

impl Entry {
    /// Bits set before a bit of the block, which lies in this word of it;
    /// `None` when it is not set.
    #[inline]
    fn rank(&self, frame: u64, word: u64) -> Option<u64> {
        // The block's first word asks for the one bit that no other has, and that is 0.
        let number = (frame >> 6).wrapping_sub(1) & 7;
        let before = self.words >> (9 * number) & 0x1FF;
        let bit = 1_u64 << (frame % 64);
        let within = u64::from((word & (bit - 1)).count_ones());
        (word & bit != 0).then_some(self.before + before + within)
    }
}

/// A bitmap and its directory: an entry for each block of `1 << shift` bits.
pub(super) struct Ranked<'a> {
    bits: Bits<'a>,
    /// The bitmap's whole words, where they lie in memory and the directory
    /// counts each of them: the fast way.
    words: &'a [[u8; 8]],
    count_of_bits: u64,
    shift: u32,
    directory: Vec<Entry>,
    set: u64,
}

impl<'a> Ranked<'a> {
    /// One pass over the bitmap.
    pub(super) fn new(bitmap: &Bitmap<'a>) -> Result<Self, Error> {
        let mut shift = LEAST_SHIFT;
        while bitmap.bits() >> shift >= MOST_ENTRIES {
            shift += 1;
        }
        let block = 1_usize << (shift - 3);
        let mut directory = Vec::with_capacity((bitmap.bits() >> shift) as usize + 1);
        let mut set = 0;
        let mut seen = 0_u64;
        bitmap.windows(|start, window| {
            for part in window.chunks(block) {
                let (all, words) = counted(part);
                // The bitmap's last byte comes in a window of its own.
                if seen.is_multiple_of(block as u64) {
                    directory.push(Entry { before: set, words });
                }
                set += all;
                seen += part.len() as u64;
            }
            debug_assert_eq!(seen, start + window.len() as u64);
        })?;
        let bits = bits(bitmap)?;
        let whole = (bitmap.bits() / 64) as usize;
        let words = match bits {
            Bits::Mapped(bits) if shift == LEAST_SHIFT => bits.as_chunks().0.get(..whole),
            _ => None,
        };
        let words = words.unwrap_or_default();
        Ok(Self { bits, words, count_of_bits: bitmap.bits(), shift, directory, set })
    }

    /// How many bits are set.
    pub(super) fn count(&self) -> u64 {
        self.set
    }

    /// How many bits are set before bit `frame`, which is set itself: the fast
    /// way. `None` says nothing, or that [`Ranked::rank`] knows.
    #[inline]
    pub(super) fn quick(&self, frame: u64) -> Option<u64> {
        let word = u64::from_le_bytes(*self.words.get(usize::try_from(frame >> 6).ok()?)?);
        let entry = self.directory.get((frame >> LEAST_SHIFT) as usize)?;
        entry.rank(frame, word)
    }

    /// How many bits are set before bit `frame`; `None` when it is not set itself.
    pub(super) fn rank(&self, frame: u64) -> io::Result<Option<u64>> {
        if frame >= self.count_of_bits {
            return Ok(None);
        }
        let entry = self.directory.get((frame >> self.shift) as usize).copied();
        let entry = entry.unwrap_or_default();
        if self.shift != LEAST_SHIFT {
            return self.rank_in_large(frame, entry.before);
        }
        Ok(entry.rank(frame, self.word(frame)?))
    }

    /// The 64 bits around a bit, as far as there are so many.
    fn word(&self, frame: u64) -> io::Result<u64> {
        let at = (frame / 64 * 8) as usize;
        let of = |bits: &[u8]| match bits.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(word) => u64::from_le_bytes(*word),
            None => partial(bits.get(at..).unwrap_or_default()),
        };
        match &self.bits {
            Bits::Mapped(bits) => Ok(of(bits)),
            Bits::Held(bits) => Ok(of(bits)),
            Bits::InFile(source, offset) => {
                let mut word = [0; 8];
                let length = (self.count_of_bits.div_ceil(8) - at as u64).min(8) as usize;
                let read = source.fill("the bitmap", offset + at as u64, &mut word[..length]);
                read.map_err(io::Error::other)?;
                Ok(u64::from_le_bytes(word))
            }
        }
    }

    /// The same where blocks are too large for an entry to count their words.
    fn rank_in_large(&self, frame: u64, before: u64) -> io::Result<Option<u64>> {
        let first = ((frame >> self.shift) << (self.shift - 3)) as usize;
        let last = (frame / 8) as usize;
        let rank = |bytes: Option<&[u8]>| Some(before + within(bytes?, frame)?);
        match &self.bits {
            Bits::Mapped(bits) => Ok(rank(bits.get(first..=last))),
            Bits::Held(bits) => Ok(rank(bits.get(first..=last))),
            Bits::InFile(source, offset) => {
                let mut buffer = [0; LARGEST_BLOCK];
                let part = &mut buffer[..last - first + 1];
                let read = source.fill("the bitmap", offset + first as u64, part);
                read.map_err(io::Error::other)?;
                Ok(rank(Some(part)))
            }
        }
    }

    /// Shows the runs of set bits until `see` answers false: first bit, bits, rank of the first.
    pub(super) fn runs(&self, mut see: impl FnMut(u64, u64, u64) -> bool) -> Result<(), Error> {
        let mut walk = Walk { start: None, rank: 0, ended: false };
        let length = self.count_of_bits.div_ceil(8);
        let mut show = |at: u64, window: &[u8]| {
            for (index, byte) in window.iter().enumerate() {
                walk.byte((at + index as u64) * 8, *byte, self.count_of_bits, &mut see);
                if walk.ended {
                    return false;
                }
            }
            true
        };
        match &self.bits {
            Bits::Mapped(bits) => {
                show(0, bits);
            }
            Bits::Held(bits) => {
                show(0, bits);
            }
            Bits::InFile(source, offset) => source.windows("the bitmap", *offset, length, show)?,
        }
        walk.end(self.count_of_bits, &mut see);
        Ok(())
    }
}

fn bits<'a>(bitmap: &Bitmap<'a>) -> Result<Bits<'a>, Error> {
    let (source, offset) = (bitmap.source(), bitmap.bits_offset());
    let length = bitmap.bits_length();
    if let Some(bits) = usize::try_from(length).ok().and_then(|size| source.slice(offset, size)) {
        return Ok(Bits::Mapped(bits));
    }
    match length {
        ..=HELD => source.vec("the bitmap", offset, length).map(Bits::Held),
        _ => Ok(Bits::InFile(source, offset)),
    }
}

/// A word of which the bitmap has fewer than eight bytes.
fn partial(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Bits set in a block and, of one of 512 bits, before each of its words but the first.
fn counted(block: &[u8]) -> (u64, u64) {
    const FULL: u64 = 64 | 128 << 9 | 192 << 18 | 256 << 27 | 320 << 36 | 384 << 45 | 448 << 54;
    const BITS: u64 = 1 << LEAST_SHIFT;
    // Memory comes in large runs: most blocks are all set, or all clear.
    match <&[u8; BITS as usize / 8]>::try_from(block) {
        Ok([0xFF, .., 0xFF]) if block.iter().all(|byte| *byte == 0xFF) => return (BITS, FULL),
        Ok([0, .., 0]) if block.iter().all(|byte| *byte == 0) => return (0, 0),
        _ => {}
    }
    let (all, rest) = block.as_chunks::<8>();
    let (mut set, mut packed) = (0, 0);
    for (number, word) in all.iter().enumerate() {
        set += u64::from(u64::from_le_bytes(*word).count_ones());
        // Also before a word that the block has only a part of.
        if number < 7 {
            packed |= set << (9 * number);
        }
    }
    (set + ones(rest), packed)
}

/// Bits set in `bytes`, whose last byte has bit `frame`, before that bit.
#[inline]
fn within(bytes: &[u8], frame: u64) -> Option<u64> {
    let (last, before) = bytes.split_last()?;
    let bit = 1_u8 << (frame % 8);
    (last & bit != 0).then(|| ones(before) + u64::from((last & (bit - 1)).count_ones()))
}

/// A run of set bits that is being followed.
struct Walk {
    /// First bit of the run, and its rank.
    start: Option<(u64, u64)>,
    rank: u64,
    ended: bool,
}

impl Walk {
    fn byte(&mut self, at: u64, byte: u8, bits: u64, see: &mut impl FnMut(u64, u64, u64) -> bool) {
        match (byte, self.start) {
            (0, None) => return,
            (0xFF, Some(_)) if at + 8 <= bits => {
                self.rank += 8;
                return;
            }
            _ => {}
        }
        for bit in at..(at + 8).min(bits) {
            if byte >> (bit - at) & 1 == 1 {
                self.start = self.start.or(Some((bit, self.rank)));
                self.rank += 1;
            } else {
                self.end(bit, see);
            }
        }
    }

    fn end(&mut self, bit: u64, see: &mut impl FnMut(u64, u64, u64) -> bool) {
        if let Some((start, rank)) = self.start.take()
            && !self.ended
        {
            self.ended = !see(start, bit - start, rank);
        }
    }
}
