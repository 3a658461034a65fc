//! The filler: a header is written over a buffer of the dwords `PAGE`, so a
//! field that still holds it was never filled. (S)

use zerocopy::little_endian::{U32, U64};

/// `PAGE` as a little-endian dword.
pub(crate) const FILLER: u32 = 0x4547_4150;
const FILLER64: u64 = 0x4547_4150_4547_4150;

/// A field that may never have been filled.
pub(crate) trait Filled {
    /// What it was filled with.
    type Value;
    /// `None` for the filler.
    fn filled(self) -> Option<Self::Value>;
}

impl Filled for U32 {
    type Value = u32;
    fn filled(self) -> Option<u32> {
        Some(self.get()).filter(|value| *value != FILLER)
    }
}

impl Filled for U64 {
    type Value = u64;
    fn filled(self) -> Option<u64> {
        Some(self.get()).filter(|value| *value != FILLER64)
    }
}
