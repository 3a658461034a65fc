//! Types 8, 9 and 0xA: ranges behind the header, in any order.

use format::{Dump, DumpType};

use crate::folded::{force_type, unfold};

/// A folded file; its type becomes one with ranges.
pub fn target(data: &[u8]) {
    let mut file = unfold(data);
    force_type(&mut file, &[9, 8, 0xA]);
    crate::facts::of(&file);
    let Ok(dump) = Dump::open(&file) else { return };
    let Ok(runs) = dump.runs() else { return };
    let list = dump.header().width.header_size() as usize + 0x30;
    let number = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    let mut offset = number(list - 0x18);
    assert_eq!(runs.start, offset);
    for (index, run) in runs.list.iter().enumerate() {
        let at = list + index * 16;
        assert!((at as u64) + 16 <= runs.start, "a range inside the pages");
        assert_eq!((run.base, run.pages, run.offset), (number(at), number(at + 8), offset));
        assert!(run.base != 0 || dump.kind() == DumpType::CompleteRanges);
        offset += run.pages * 4096;
    }
    assert_eq!(runs.end, offset);
}
