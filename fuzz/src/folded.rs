//! Dump files without what no reader looks at, so that a fuzzer's changes hit
//! something that counts.
//!
//! A folded file is: a byte for the width (bit 0: 32-bit), a byte that says
//! how many pages are added at the end, the parts of the header that mean
//! something, and what stands behind the header.

use std::ops::Range;

const FILLER: &[u8; 4] = b"PAGE";

/// The parts of a header that are kept, and its size.
fn parts(narrow: bool) -> (&'static [Range<usize>], usize) {
    // Between them are ContextRecord, whose content no reader judges, and filler.
    const WIDE: [Range<usize>; 3] = [0..0x98, 0x98..0x348, 0xF80..0x1080];
    const NARROW: [Range<usize>; 3] = [0..0x64, 0x64..0x320, 0x800..0x1000];
    if narrow { (&NARROW, 0x1000) } else { (&WIDE, 0x2000) }
}

/// A whole file out of a folded one; short ones end inside the header's parts.
pub fn unfold(data: &[u8]) -> Vec<u8> {
    let [first, pages, rest @ ..] = data else { return data.to_vec() };
    let (parts, size) = parts(first & 1 == 1);
    let mut file = FILLER.repeat(size / 4);
    let mut rest = rest;
    for part in parts {
        let (now, later) = rest.split_at(part.len().min(rest.len()));
        file[part.start..part.start + now.len()].copy_from_slice(now);
        rest = later;
    }
    file.extend_from_slice(rest);
    for page in 0..*pages {
        file.extend([page; 4096]);
    }
    file
}

/// A file folded, all pages but the last `pages` as they are; `None` for what is shorter than its header.
pub fn fold(file: &[u8], pages: u8) -> Option<Vec<u8>> {
    let narrow = file.get(4..8)? == b"DUMP";
    let (parts, size) = parts(narrow);
    let body = file.get(size..file.len().checked_sub(usize::from(pages) * 4096)?)?;
    let mut folded = vec![u8::from(narrow), pages];
    for part in parts {
        folded.extend_from_slice(&file[part.clone()]);
    }
    folded.extend_from_slice(body);
    Some(folded)
}

/// Sets the DumpType of a whole file to one of these, unless it is one.
pub fn force_type(file: &mut [u8], allowed: &[u32]) {
    let at = if file.get(4..8) == Some(b"DUMP") { 0xF88 } else { 0xF98 };
    let Some(field) = file.get_mut(at..at + 4) else { return };
    let value = u32::from_le_bytes(field.try_into().unwrap());
    if !allowed.contains(&value) {
        let value = allowed[value as usize % allowed.len()];
        field.copy_from_slice(&value.to_le_bytes());
    }
}
