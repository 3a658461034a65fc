//! What Windows writes into an entry that the processor does not take.

use std::fmt;

use crate::paging::Paging;
use crate::{PageFrame, VirtualAddress};

const SWIZZLE: u64 = 1 << 4;
const PROTOTYPE: u64 = 1 << 10;
const TRANSITION: u64 = 1 << 11;

/// What an entry that is not valid says of its page. The formats are those of
/// `_MMPTE` in the public type data of Windows' kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Absence {
    /// The whole entry is zero: nothing was ever there, or only the process's
    /// address descriptors (VADs) know.
    Zero,
    /// A page of zeros at its first touch; nothing is stored.
    DemandZero,
    /// Trimmed, but its content is still in memory. In a page table's entry:
    /// used as if valid. In an upper level's: the table is not followed.
    Transition {
        /// The page, as the entry stores it.
        frame: PageFrame,
    },
    /// Another entry, shared by all mappings of the page, knows.
    Prototype {
        /// Where the entry says that one lies; `None` on x86 without PAE,
        /// whose encoding is not known here.
        address: Option<VirtualAddress>,
    },
    /// A prototype that only the process's address descriptors (VADs) name.
    Vad,
    /// Written to a page file. With compressed memory, the second page file
    /// of a client is reported to be the compressed store.
    PageFile {
        /// Which page file.
        number: u8,
        /// Where in it, in pages. On x64 it may still carry the kernel's mask
        /// against L1TF when that mask is not known.
        offset: u64,
    },
    /// Not valid, in a format that is not known for this machine.
    Unknown,
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("zero"),
            Self::DemandZero => f.write_str("demand zero"),
            Self::Transition { frame } => write!(f, "in transition at frame {frame}"),
            Self::Prototype { address: Some(address) } => write!(f, "prototype at {address}"),
            Self::Prototype { address: None } => f.write_str("prototype"),
            Self::Vad => f.write_str("prototype known to the VAD only"),
            Self::PageFile { number, offset } => {
                write!(f, "in page file {number} at page {offset:#x}")
            }
            Self::Unknown => f.write_str("not valid, of a format not known"),
        }
    }
}

/// What helps to read entries that are not valid.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints {
    pub(crate) highest: Option<PageFrame>,
    pub(crate) invalid_pte_mask: Option<u64>,
}

/// A page named by an entry that is not valid, and whether a guess was needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recovered {
    pub(crate) frame: PageFrame,
    pub(crate) guessed: bool,
}

impl Hints {
    fn swizzled(paging: Paging, entry: u64) -> bool {
        matches!(paging, Paging::X64 | Paging::X64FiveLevel) && entry & SWIZZLE == 0
    }

    /// Whether the entry's upper bits rest on a mask that nobody told.
    pub(crate) fn unsure(&self, paging: Paging, entry: u64) -> bool {
        Self::swizzled(paging, entry) && self.invalid_pte_mask.is_none()
    }

    /// The entry without the mask against L1TF, as far as that is known.
    fn plain(&self, paging: Paging, entry: u64) -> u64 {
        match self.invalid_pte_mask {
            Some(mask) if Self::swizzled(paging, entry) => entry ^ mask,
            _ => entry,
        }
    }

    /// The page of an entry in transition; `None` when no machine with the
    /// known highest page can have it.
    pub(crate) fn transition(&self, paging: Paging, entry: u64) -> Option<Recovered> {
        let frame = PageFrame(self.plain(paging, entry) >> 12 & frame_bits(paging));
        let Some(highest) = self.highest else {
            return Some(Recovered { frame, guessed: self.unsure(paging, entry) });
        };
        if frame <= highest {
            // The kernel's mask lies above all memory, so a masked frame would too.
            return Some(Recovered { frame, guessed: false });
        }
        let below = u64::MAX.checked_shr(highest.0.leading_zeros()).unwrap_or(0);
        let frame = PageFrame(frame.0 & below);
        (self.unsure(paging, entry) && frame <= highest)
            .then_some(Recovered { frame, guessed: true })
    }

    /// Whether a frame can exist, as far as the highest is known.
    pub(crate) fn possible(&self, frame: PageFrame) -> bool {
        self.highest.is_none_or(|highest| frame <= highest)
    }
}

fn frame_bits(paging: Paging) -> u64 {
    match paging {
        Paging::X86 => 0xF_FFFF,
        Paging::X86Pae => 0x3FF_FFFF,
        _ => 0xFF_FFFF_FFFF,
    }
}

impl Absence {
    pub(crate) fn decode(paging: Paging, entry: u64, hints: &Hints) -> Self {
        if entry == 0 {
            return Self::Zero;
        }
        let plain = hints.plain(paging, entry);
        if entry & PROTOTYPE != 0 {
            return prototype(paging, entry, plain);
        }
        if entry & TRANSITION != 0 {
            return Self::Transition { frame: PageFrame(entry >> 12 & frame_bits(paging)) };
        }
        let number = match paging {
            Paging::X64 | Paging::X64FiveLevel => plain >> 12 & 0xF,
            Paging::X86Pae => plain >> 1 & 0xF,
            Paging::Arm64 => plain >> 6 & 0xF,
            Paging::X86 => return Self::Unknown,
        };
        match plain >> 32 {
            0 if number == 0 => Self::DemandZero,
            offset => Self::PageFile { number: number as u8, offset },
        }
    }
}

fn prototype(paging: Paging, entry: u64, plain: u64) -> Absence {
    let address = |entry: u64| match paging {
        Paging::X86Pae => (entry as i64 >> 32) as u64,
        _ => (entry as i64 >> 16) as u64,
    };
    // Debuggers call a prototype "VAD" when it points into the last 64 KiB,
    // where no prototype can lie: all ones, or all ones in the upper half.
    let last = |address: u64| match paging {
        Paging::X86Pae => address == u64::MAX,
        _ => address >= 0xFFFF_FFFF_FFFF_0000,
    };
    match paging {
        Paging::X86 => Absence::Prototype { address: None },
        _ if last(address(entry)) || last(address(plain)) => Absence::Vad,
        _ => Absence::Prototype { address: Some(VirtualAddress(address(plain))) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: u64 = 0x0000_2000_0000_0000;

    fn told() -> Hints {
        Hints { highest: Some(PageFrame(0x7FFFF)), invalid_pte_mask: Some(MASK) }
    }

    #[test]
    fn x64_entries_are_named_for_what_they_say() {
        let decode = |entry| Absence::decode(Paging::X64, entry, &Hints::default());
        assert_eq!(decode(0), Absence::Zero);
        assert_eq!(decode(0x80), Absence::DemandZero);
        assert_eq!(decode(0x0000_1234_0000_2090), Absence::PageFile { number: 2, offset: 0x1234 });
        assert_eq!(
            decode(0x0000_0001_2345_6890),
            Absence::Transition { frame: PageFrame(0x123456) }
        );
        assert_eq!(decode(0xFFFF_FFFF_0000_0420), Absence::Vad);
        assert_eq!(
            decode(0x8A00_1234_5678_0480),
            Absence::Prototype { address: Some(VirtualAddress(0xFFFF_8A00_1234_5678)) }
        );
    }

    #[test]
    fn pae_and_arm64_keep_the_page_file_elsewhere() {
        let hints = Hints::default();
        assert_eq!(
            Absence::decode(Paging::X86Pae, 0x55_0000_0084, &hints),
            Absence::PageFile { number: 2, offset: 0x55 }
        );
        assert_eq!(
            Absence::decode(Paging::Arm64, 0x55_0000_0088, &hints),
            Absence::PageFile { number: 2, offset: 0x55 }
        );
        assert_eq!(
            Absence::decode(Paging::X86Pae, 0x8F12_3450_0000_0400, &hints),
            Absence::Prototype { address: Some(VirtualAddress(0xFFFF_FFFF_8F12_3450)) }
        );
        assert_eq!(Absence::decode(Paging::X86, 0x55_0084, &hints), Absence::Unknown);
    }

    #[test]
    fn a_known_mask_is_taken_off_only_where_the_swizzle_bit_is_clear() {
        assert_eq!(Absence::decode(Paging::X64, MASK | 0x80, &told()), Absence::DemandZero);
        let page = PageFrame(0x1234);
        let sure = Some(Recovered { frame: page, guessed: false });
        assert_eq!(told().transition(Paging::X64, MASK | 0x0123_4880), sure);
        assert_eq!(told().transition(Paging::X64, 0x0123_4890), sure);
    }

    #[test]
    fn without_the_mask_bits_above_the_highest_page_are_cleared_and_called_a_guess() {
        let hints = Hints { highest: Some(PageFrame(0x7FFFF)), invalid_pte_mask: None };
        let guess = Some(Recovered { frame: PageFrame(0x1234), guessed: true });
        assert_eq!(hints.transition(Paging::X64, MASK | 0x0123_4880), guess);
        assert_eq!(hints.transition(Paging::X64, MASK | 0x0123_4890), None);
        assert_eq!(hints.transition(Paging::Arm64, 0x2_0000_0123_4880), None);
    }
}
