//! Numbers out of an input; zeros behind its end.

/// What is left of an input.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// The next `length` bytes, or what is left.
    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (now, later) = self.0.split_at(length.min(self.0.len()));
        self.0 = later;
        now
    }

    /// The next number of `size` bytes, little endian.
    fn number(&mut self, size: usize) -> u64 {
        self.bytes(size).iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// The next byte.
    pub fn u8(&mut self) -> u8 {
        self.number(1) as u8
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> u16 {
        self.number(2) as u16
    }

    /// The next eight bytes.
    pub fn u64(&mut self) -> u64 {
        self.number(8)
    }

    /// One of these, by the next byte.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.u8()) % from.len()]
    }

    /// Whether anything is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
