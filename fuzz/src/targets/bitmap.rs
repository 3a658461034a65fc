//! Types 2, 5, 6 and 7: the pages of the set bits, in rising order.

use format::Dump;
use memory::PageFrame;

use crate::folded::{force_type, unfold};

/// Bits that are counted one by one.
const COUNTED: u64 = 1 << 16;

/// A folded file; its type becomes one with a bitmap.
pub fn target(data: &[u8]) {
    let mut file = unfold(data);
    force_type(&mut file, &[6, 5, 7, 2]);
    crate::facts::of(&file);
    let Ok(dump) = Dump::open(&file) else { return };
    let Ok(bitmap) = dump.bitmap() else { return };
    let start = bitmap.bits_offset() as usize;
    let bytes = &file[start..start + bitmap.bits_length() as usize];
    let set = |bit: &u64| bytes[(bit / 8) as usize] >> (bit % 8) & 1 == 1;
    if bitmap.bits() > COUNTED {
        return;
    }
    let frames: Vec<u64> = (0..bitmap.bits()).filter(set).collect();
    assert_eq!(bitmap.count().unwrap(), frames.len() as u64);
    let Ok(pages) = dump.pages() else { return };
    for (rank, frame) in frames.iter().enumerate() {
        let offset = bitmap.first_page_offset().checked_add(rank as u64 * 4096);
        let held = offset.filter(|at| at.checked_add(4096).is_some_and(|e| e <= file.len() as u64));
        assert_eq!(pages.offset(PageFrame(*frame)).unwrap(), held);
    }
}
