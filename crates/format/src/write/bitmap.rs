//! The bits of a bitmap dump, written in windows.

use super::Error;
use super::job::Sink;
use crate::Run;

/// Bytes of the bitmap that are made at once.
const WINDOW: u64 = 64 * 1024;
const WINDOW_BITS: u64 = WINDOW * 8;

/// Makes the bits of runs in rising order. Windows without a bit are not
/// written: the file has zeros there already.
pub(super) struct Bits {
    /// File offset of the first bit.
    offset: u64,
    /// Number of the window's first bit.
    start: u64,
    window: Vec<u8>,
    dirty: bool,
    /// Bytes of the whole bitmap: the last window may be shorter.
    length: u64,
}

impl Bits {
    pub(super) fn new(offset: u64, bits: u64) -> Self {
        Self { offset, start: 0, window: vec![0; WINDOW as usize], dirty: false, length: bits / 8 }
    }

    /// Sets the bits of a run.
    pub(super) fn set(&mut self, run: &Run, out: &mut Sink<'_>) -> Result<(), Error> {
        let (mut bit, end) = (run.base, run.base + run.pages);
        while bit < end {
            let start = bit - bit % WINDOW_BITS;
            if start != self.start {
                self.flush(out)?;
                self.start = start;
            }
            let stop = end.min(start + WINDOW_BITS);
            set_bits(&mut self.window, (bit - start) as usize, (stop - start) as usize);
            self.dirty = true;
            bit = stop;
        }
        Ok(())
    }

    /// Writes the window.
    pub(super) fn flush(&mut self, out: &mut Sink<'_>) -> Result<(), Error> {
        if self.dirty {
            let at = self.start / 8;
            let length = WINDOW.min(self.length - at) as usize;
            out.write("the bitmap", self.offset + at, &self.window[..length])?;
            self.window.fill(0);
            self.dirty = false;
            // The bitmap of a large machine takes a while.
            out.advance(0)?;
        }
        Ok(())
    }
}

/// Sets the bits from `start` up to `end`, which is behind it.
fn set_bits(bytes: &mut [u8], start: usize, end: usize) {
    let (first, last) = (start / 8, (end - 1) / 8);
    let head = 0xFF << (start % 8);
    let tail = 0xFF >> (7 - (end - 1) % 8);
    if first == last {
        bytes[first] |= head & tail;
        return;
    }
    bytes[first] |= head;
    bytes[first + 1..last].fill(0xFF);
    bytes[last] |= tail;
}

#[cfg(test)]
mod tests {
    use super::set_bits;

    #[test]
    fn bits_are_set_from_the_first_to_before_the_last() {
        for start in 0..40 {
            for end in start + 1..=40 {
                let mut bytes = [0; 5];
                set_bits(&mut bytes, start, end);
                for bit in 0..40 {
                    let is = bytes[bit / 8] >> (bit % 8) & 1 == 1;
                    assert_eq!(is, (start..end).contains(&bit), "bit {bit} of {start}..{end}");
                }
            }
        }
    }
}
