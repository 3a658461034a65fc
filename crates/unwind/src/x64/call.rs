//! Whether an address is one that a call returns to.

use crate::image::bytes;
use crate::{Code, Image};

/// Whether the instruction before an address can be a call; `None` when its
/// bytes are not at hand. Every call ends where it returns to, so the bytes
/// are looked at backwards in each length that a call can have: `E8` with a
/// 32-bit distance (retpolines and guarded calls are these too), and `FF /2`
/// with any operand, with or without prefixes before it.
pub(crate) fn follows_call(code: &dyn Code, image: &Image, rva: u32) -> Option<bool> {
    // The longest form has 7 bytes; a section may begin less far back.
    for length in [7, 6, 5, 3, 2] {
        let Some(start) = rva.checked_sub(length) else { continue };
        let mut before = vec![0; length as usize];
        if rva <= image.size && code.read(image, start, &mut before).is_ok() {
            return Some(ends_in_call(&before));
        }
    }
    None
}

/// Where the direct call before an address goes; `None` where there is none,
/// or it is not at hand.
pub(crate) fn call_target(code: &dyn Code, image: &Image, rva: u32) -> Option<u32> {
    let [operation, distance @ ..]: [u8; 5] = bytes(code, image, rva.checked_sub(5)?).ok()?;
    (operation == 0xE8).then(|| rva.wrapping_add_signed(i32::from_le_bytes(distance)))
}

fn ends_in_call(before: &[u8]) -> bool {
    let tail = |length: usize| before.len().checked_sub(length).and_then(|at| before.get(at..));
    if tail(5).is_some_and(|bytes| bytes.first() == Some(&0xE8)) {
        return true;
    }
    [2, 3, 4, 6, 7].iter().filter_map(|length| tail(*length)).any(is_indirect)
}

/// Whether exactly these bytes are `FF /2`.
fn is_indirect(bytes: &[u8]) -> bool {
    let [0xFF, modrm, rest @ ..] = bytes else { return false };
    let (mode, operation, operand) = (modrm >> 6, modrm >> 3 & 7, modrm & 7);
    if operation != 2 {
        return false;
    }
    let sib = mode != 3 && operand == 4;
    let base = rest.first().map(|sib| sib & 7);
    let distance = match (mode, operand) {
        (0, 5) | (2, _) => 4,
        (0, 4) if base == Some(5) => 4,
        (1, _) => 1,
        _ => 0,
    };
    rest.len() == usize::from(sib) + distance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_every_length_are_calls() {
        let calls: [&[u8]; 9] = [
            &[0xE8, 1, 2, 3, 4],
            &[0xFF, 0xD0],
            &[0x41, 0xFF, 0xD3],
            &[0xFF, 0x10],
            &[0xFF, 0x53, 0x18],
            &[0x41, 0xFF, 0x54, 0x24, 0x18],
            &[0x48, 0xFF, 0x15, 9, 9, 9, 9],
            &[0xFF, 0x90, 9, 9, 9, 9],
            &[0xFF, 0x94, 0x24, 9, 9, 9, 9],
        ];
        for call in calls {
            let behind_others = [&[0x90; 7], call].concat();
            assert!(ends_in_call(&behind_others), "{call:x?}");
        }
    }

    #[test]
    fn other_instructions_are_none() {
        let others: [&[u8]; 5] =
            [&[0xFF, 0xE0], &[0xE9, 1, 2, 3, 4], &[0xC3], &[0x48, 0x89, 0x5C, 0x24, 8], &[0xCC; 7]];
        for other in others {
            let behind_others = [&[0x90; 7], other].concat();
            assert!(!ends_in_call(&behind_others), "{other:x?}");
        }
    }
}
