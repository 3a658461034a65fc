//! Whether an address is one that a call returns to.

use crate::image::dword;
use crate::{Code, Image};

/// Whether the instruction before an address is a call: `bl`, `blr`, or one
/// of `blr`'s forms that authenticate; `None` when it is not at hand.
pub(crate) fn follows_call(code: &dyn Code, image: &Image, rva: u32) -> Option<bool> {
    if !rva.is_multiple_of(4) {
        return Some(false);
    }
    let before = rva.checked_sub(4)?;
    dword(code, image, before).ok().map(is_call)
}

/// Where the `bl` before an address goes; `None` where there is none, or it is
/// not at hand.
pub(crate) fn call_target(code: &dyn Code, image: &Image, rva: u32) -> Option<u32> {
    let before = rva.checked_sub(4)?;
    let instruction = dword(code, image, before).ok()?;
    // 26 bits of a distance in instructions.
    let distance = (instruction << 6) as i32 >> 4;
    (instruction & 0xFC00_0000 == 0x9400_0000).then(|| before.wrapping_add_signed(distance))
}

fn is_call(instruction: u32) -> bool {
    let direct = instruction & 0xFC00_0000 == 0x9400_0000;
    let by_register = instruction & 0xFFFF_FC1F == 0xD63F_0000;
    // blraaz, blrabz, blraa, blrab.
    let authenticated = instruction & 0xFEFF_F800 == 0xD63F_0800;
    direct || by_register || authenticated
}

#[cfg(test)]
mod tests {
    use super::is_call;

    #[test]
    fn calls_of_every_form_are_calls() {
        for call in [0x9400_0010, 0x97FF_FFFF, 0xD63F_0100, 0xD63F_091F, 0xD73F_0901] {
            assert!(is_call(call), "{call:x}");
        }
    }

    #[test]
    fn other_instructions_are_none() {
        // b, br, ret, stp, nop
        for other in [0x1400_0010, 0xD61F_0100, 0xD65F_03C0, 0xA9BF_7BFD, 0xD503_201F] {
            assert!(!is_call(other), "{other:x}");
        }
    }
}
