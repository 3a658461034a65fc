//! Seeded numbers: the same scenario is the same machine, byte for byte.

/// SplitMix64: small, fast, good enough for contents nobody relies on.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(mix(seed ^ mix(stream.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.next() % from.len() as u64) as usize]
    }
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Fills a page with noise that depends on the seed and the page only. Four
/// chains side by side, several GB/s: 1 GiB of it is written in benchmarks.
pub(crate) fn noise(seed: u64, page: u64, to: &mut [u8]) {
    let mut random = Random(mix(seed ^ page.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let mut lanes = [random.next(), random.next(), random.next(), random.next()];
    for words in to.chunks_exact_mut(32) {
        for (lane, word) in lanes.iter_mut().zip(words.chunks_exact_mut(8)) {
            *lane = lane.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            word.copy_from_slice(&(*lane ^ (*lane >> 32)).to_le_bytes());
        }
    }
}
