//! Images made by hand.

use super::{Images, Loaded};

/// Where they are loaded.
pub const BASE: u64 = 0xFFFF_F800_0000_0000;

/// An x64 image: code at 0x1000, the table at 0x100, unwind data at 0x200.
pub struct Builder {
    pub bytes: Vec<u8>,
    pub entries: Vec<[u32; 3]>,
    pub next: u32,
}

impl Builder {
    pub fn new() -> Self {
        Self { bytes: vec![0xCC; 0x3000], entries: Vec::new(), next: 0x200 }
    }

    /// Unwind data of a version and flags; answers where it lies.
    pub fn info(&mut self, head: [u8; 4], slots: &[[u8; 2]], chained: Option<[u32; 3]>) -> u32 {
        let at = self.next;
        let mut data = head.to_vec();
        slots.iter().for_each(|slot| data.extend(slot));
        if slots.len() % 2 == 1 {
            data.extend([0, 0]);
        }
        chained.into_iter().flatten().for_each(|word| data.extend(word.to_le_bytes()));
        self.bytes[at as usize..][..data.len()].copy_from_slice(&data);
        self.next += (data.len() as u32 + 3) & !3;
        at
    }

    pub fn function(mut self, begin: u32, end: u32, prologue: u8, slots: &[[u8; 2]]) -> Self {
        let unwind = self.info([1, prologue, slots.len() as u8, 0], slots, None);
        self.entries.push([begin, end, unwind]);
        self
    }

    pub fn code(mut self, at: u32, code: &[u8]) -> Self {
        self.bytes[at as usize..][..code.len()].copy_from_slice(code);
        self
    }

    pub fn build(mut self) -> Images {
        for (index, entry) in self.entries.iter().enumerate() {
            for (word, value) in entry.iter().enumerate() {
                let at = 0x100 + 12 * index + 4 * word;
                self.bytes[at..][..4].copy_from_slice(&value.to_le_bytes());
            }
        }
        let size = 12 * self.entries.len() as u32;
        Images(vec![Loaded::by_hand(BASE, self.bytes, (0x100, size))])
    }
}
