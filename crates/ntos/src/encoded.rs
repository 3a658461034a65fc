//! A debugger block that the running system keeps encoded.
//!
//! On x64 since Windows 8 the block lies in memory encoded until a debugger or
//! a bug check decodes it. For every `u64`, with three values of the kernel
//! that only its symbols name (`dump-formats.md` 10.1; elf2dmp, volatility):
//!
//! ```text
//! clear = byteswap(rotate_left(encoded ^ KiWaitNever, r) ^ KdpDataBlockEncoded) ^ KiWaitAlways
//! r     = KiWaitNever & 63
//! ```
//!
//! All of it but the rotation is one constant: `clear = byteswap(rotate_left(encoded, r)) ^ C`.
//! One word whose clear value is known, the base of the kernel, gives `C` for
//! each of 64 rotations, and the tag, the size and the list heads that the
//! header names tell which rotation it was. No symbol is needed.

use nt::kdbg::{self, Field};

/// What is known of the block's words from elsewhere in the dump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// The base of the kernel: first entry of the list of loaded modules.
    pub kernel_base: Option<u64>,
    /// PsLoadedModuleList, as the header has it.
    pub ps_loaded_module_list: Option<u64>,
    /// PsActiveProcessHead, as the header has it.
    pub ps_active_process_head: Option<u64>,
}

/// A block that was decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The block in clear.
    pub bytes: Vec<u8>,
    /// By how many bits its words were rotated.
    pub rotation: u32,
    /// How many words that are known from elsewhere it shows, the one that
    /// the constant was taken from not counted.
    pub agreements: u32,
}

/// Sizes that a block is known to have had, or may grow to.
const SIZES: std::ops::RangeInclusive<u32> = kdbg::SIZE_MIN..=0x1000;

/// Decodes a block, of which at least 0x340 bytes are given.
///
/// `None` when no rotation shows the tag, a size that a block can have, a page
/// size of 4096, and at least one more known word; or when two rotations do
/// equally well, which proves neither.
pub fn decode(encoded: &[u8], known: &Known) -> Option<Decoded> {
    let known = known.words();
    let anchors = known.iter().filter_map(|(field, clear)| Some((word(encoded, *field)?, *clear)));
    let mut found: Vec<Decoded> = Vec::new();
    for (anchor, clear) in anchors {
        for rotation in 0..64 {
            let constant = clear ^ turned(anchor, rotation);
            if let Some(decoded) = attempt(encoded, rotation, constant, &known)
                && !found.iter().any(|other| other.bytes == decoded.bytes)
            {
                found.push(decoded);
            }
        }
    }
    let best = found.iter().map(|decoded| decoded.agreements).max()?;
    found.retain(|decoded| decoded.agreements == best);
    if found.len() == 1 { found.pop() } else { None }
}

impl Known {
    fn words(&self) -> Vec<(Field, u64)> {
        [
            (kdbg::KERN_BASE, self.kernel_base),
            (kdbg::PS_LOADED_MODULE_LIST, self.ps_loaded_module_list),
            (kdbg::PS_ACTIVEPROCESS_HEAD, self.ps_active_process_head),
        ]
        .into_iter()
        .filter_map(|(field, value)| Some((field, value?)))
        .collect()
    }
}

fn word(block: &[u8], field: Field) -> Option<u64> {
    let bytes = block.get(field.offset.into()..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

fn turned(encoded: u64, rotation: u32) -> u64 {
    encoded.rotate_left(rotation).swap_bytes()
}

fn attempt(
    encoded: &[u8],
    rotation: u32,
    constant: u64,
    known: &[(Field, u64)],
) -> Option<Decoded> {
    let clear = |field| Some(turned(word(encoded, field)?, rotation) ^ constant);
    // The tag and the size share a word.
    let tag_and_size = clear(Field { width: 8, ..kdbg::OWNER_TAG_FIELD })?;
    let size = (tag_and_size >> 32) as u32;
    let plausible = tag_and_size as u32 == kdbg::OWNER_TAG
        && SIZES.contains(&size)
        && size.is_multiple_of(8)
        && clear(kdbg::MM_PAGE_SIZE)? == memory::PAGE_SIZE;
    let shown = known.iter().filter(|(field, value)| clear(*field) == Some(*value)).count() as u32;
    let agreements = shown.checked_sub(1).filter(|agreements| *agreements > 0)?;
    if !plausible {
        return None;
    }
    let bytes = encoded
        .as_chunks::<8>()
        .0
        .iter()
        .take(size as usize / 8)
        .flat_map(|word| (turned(u64::from_le_bytes(*word), rotation) ^ constant).to_le_bytes())
        .collect();
    Some(Decoded { bytes, rotation, agreements })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: Known = Known {
        kernel_base: Some(0xFFFF_F804_1A40_0000),
        ps_loaded_module_list: Some(0xFFFF_F804_1B02_9D30),
        ps_active_process_head: Some(0xFFFF_F804_1B01_5E60),
    };

    /// A block in clear, made here and not by the decoder's view of it.
    fn clear(filler: u64) -> Vec<u8> {
        let mut block: Vec<u8> = (0..0x380u64 / 8)
            .flat_map(|n| (filler.rotate_left(n as u32) ^ (n << 40)).to_le_bytes())
            .collect();
        let mut put = |at: usize, value: u64| {
            block[at..at + 8].copy_from_slice(&value.to_le_bytes());
        };
        put(0x10, u64::from(u32::from_le_bytes(*b"KDBG")) | 0x380 << 32);
        put(0x18, KNOWN.kernel_base.unwrap());
        put(0x48, KNOWN.ps_loaded_module_list.unwrap());
        put(0x50, KNOWN.ps_active_process_head.unwrap());
        put(0x138, 0x1000);
        block
    }

    /// What the kernel does, step by step as the specification has it.
    fn encode(block: &[u8], never: u64, always: u64, flag: u64) -> Vec<u8> {
        let words = block.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        words
            .flat_map(|word| {
                let turned =
                    ((word ^ always).swap_bytes() ^ flag).rotate_right(never as u8 as u32 % 64);
                (turned ^ never).to_le_bytes()
            })
            .collect()
    }

    proptest! {
        #[test]
        fn any_keys_are_found_from_the_words_alone(
            never: u64, always: u64, flag: u64, filler: u64,
        ) {
            let block = clear(filler);
            let encoded = encode(&block, never, always, flag);
            let decoded = decode(&encoded, &KNOWN);
            prop_assert_eq!(decoded.map(|decoded| decoded.bytes), Some(block));
        }

        #[test]
        fn a_wrong_word_elsewhere_in_the_dump_does_not_mislead(
            never: u64, always: u64, flag: u64, wrong: u64,
        ) {
            let block = clear(7);
            let encoded = encode(&block, never, always, flag);
            let known = Known { kernel_base: Some(wrong), ..KNOWN };
            let decoded = decode(&encoded, &known);
            prop_assert_eq!(decoded.map(|decoded| decoded.bytes), Some(block));
        }

        #[test]
        fn other_memory_is_not_taken_for_a_block(words in proptest::collection::vec(any::<u64>(), 0x70)) {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            prop_assert_eq!(decode(&bytes, &KNOWN), None);
        }

        /// Everything right but the tag, the page size or both list heads.
        #[test]
        fn a_decoy_is_refused(never: u64, always: u64, flag: u64, which in 0..3, change in 1u64..) {
            let mut block = clear(9);
            let mut spoil = |at: usize| {
                let word = u64::from_le_bytes(block[at..at + 8].try_into().unwrap());
                block[at..at + 8].copy_from_slice(&(word ^ change).to_le_bytes());
            };
            match which {
                0 => spoil(0x138),
                1 => { spoil(0x48); spoil(0x50) }
                _ => { block[0x10] ^= 1; }
            }
            prop_assert_eq!(decode(&encode(&block, never, always, flag), &KNOWN), None);
        }
    }

    #[test]
    fn what_is_too_short_is_refused() {
        for length in [0, 7, 0x18, 0x58, 0x13F] {
            assert_eq!(decode(&clear(1)[..length], &KNOWN), None);
        }
    }
}
