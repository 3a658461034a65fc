//! Type 1: the runs of the header, back to back behind it.

use format::{Dump, Width};

use crate::folded::{force_type, unfold};

/// A folded file; its type becomes 1.
pub fn target(data: &[u8]) {
    let mut file = unfold(data);
    force_type(&mut file, &[1]);
    crate::facts::of(&file);
    let Ok(dump) = Dump::open(&file) else { return };
    let Ok(runs) = dump.runs() else { return };
    let (list, size, most) = match dump.header().width {
        Width::Bits64 => (0x98, 8, 43),
        Width::Bits32 => (0x6C, 4, 86),
    };
    assert!((1..=most).contains(&runs.list.len()));
    let number = |at: usize| {
        file[at..at + size].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    };
    let mut offset = dump.header().width.header_size();
    for (index, run) in runs.list.iter().enumerate() {
        let at = list + index * size * 2;
        assert_eq!((run.base, run.pages), (number(at), number(at + size)));
        assert_eq!(run.offset, offset);
        offset += run.pages * 4096;
    }
    assert_eq!(runs.end, offset);
    let overlap = runs.list.iter().enumerate().any(|(index, run)| {
        let before = &runs.list[..index];
        before.iter().any(|b| b.base < run.base + run.pages && run.base < b.base + b.pages)
    });
    // A run of no pages overlaps nothing, though it may lie inside another.
    if runs.list.iter().all(|run| run.pages > 0) {
        assert_eq!(overlap, runs.overlap().is_some());
    }
}
