//! Ranks of a bitmap: how many bits are set before a bit.

use std::io;

use crate::bitmap::ones;
use crate::source::Source;
use crate::{Bitmap, Error};

/// Bits of the smallest block that the directory counts: a cache line.
const LEAST_SHIFT: u32 = 9;

/// Entries of the directory: 32 MiB of them, whatever a file claims.
const MOST_ENTRIES: u64 = 4 << 20;

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

/// A bitmap and its directory: for each block of `1 << shift` bits, how many
/// bits are set before it.
pub(super) struct Ranked<'a> {
    bits: Bits<'a>,
    count_of_bits: u64,
    shift: u32,
    directory: Vec<u64>,
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
                // The bitmap's last byte comes in a window of its own.
                if seen.is_multiple_of(block as u64) {
                    directory.push(set);
                }
                set += ones(part);
                seen += part.len() as u64;
            }
            debug_assert_eq!(seen, start + window.len() as u64);
        })?;
        let bits = bits(bitmap)?;
        Ok(Self { bits, count_of_bits: bitmap.bits(), shift, directory, set })
    }

    /// How many bits are set.
    pub(super) fn count(&self) -> u64 {
        self.set
    }

    /// How many bits are set before bit `frame`; `None` when it is not set itself.
    #[inline]
    pub(super) fn rank(&self, frame: u64) -> io::Result<Option<u64>> {
        if frame >= self.count_of_bits {
            return Ok(None);
        }
        let block = frame >> self.shift;
        let first = (block << (self.shift - 3)) as usize;
        let last = (frame / 8) as usize;
        let before = self.directory.get(block as usize).copied().unwrap_or_default();
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
