//! The address newtypes.

use std::fmt;

/// Bytes in a page: 4096 on x86, x64 and ARM64 Windows.
pub const PAGE_SIZE: u64 = 4096;

/// An address in physical memory, in bytes. Shown as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PhysicalAddress(pub u64);

/// An address in virtual memory, in bytes. Shown as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VirtualAddress(pub u64);

/// The number of a physical page ("PFN"): its address divided by 4096. Shown as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PageFrame(pub u64);

macro_rules! common {
    ($($name:ident),*) => {$(
        impl $name {
            /// The one `count` further on; `None` past the end of the number range.
            #[inline]
            pub fn checked_add(self, count: u64) -> Option<Self> {
                self.0.checked_add(count).map(Self)
            }

            /// The one `count` before.
            pub fn checked_sub(self, count: u64) -> Option<Self> {
                self.0.checked_sub(count).map(Self)
            }

            /// How far this lies after `start`; `None` when it lies before it.
            pub fn checked_offset_from(self, start: Self) -> Option<u64> {
                self.0.checked_sub(start.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl fmt::LowerHex for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::LowerHex::fmt(&self.0, f)
            }
        }

        impl From<u64> for $name {
            fn from(value: u64) -> Self {
                Self(value)
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    )*};
}

common!(PhysicalAddress, VirtualAddress, PageFrame);

macro_rules! paged {
    ($($name:ident),*) => {$(
        impl $name {
            /// The first address of its page.
            pub fn page(self) -> Self {
                Self(self.0 & !(PAGE_SIZE - 1))
            }

            /// How far into its page it lies, 0 to 4095.
            #[inline]
            pub fn page_offset(self) -> u64 {
                self.0 & (PAGE_SIZE - 1)
            }

            /// How many bytes from here to the end of its page, 1 to 4096.
            #[inline]
            pub fn left_in_page(self) -> u64 {
                PAGE_SIZE - self.page_offset()
            }
        }
    )*};
}

paged!(PhysicalAddress, VirtualAddress);

impl PhysicalAddress {
    /// The page it lies in.
    #[inline]
    pub fn frame(self) -> PageFrame {
        PageFrame(self.0 / PAGE_SIZE)
    }
}

impl PageFrame {
    /// Where the page begins; `None` for a number that no address can have.
    pub fn address(self) -> Option<PhysicalAddress> {
        self.0.checked_mul(PAGE_SIZE).map(PhysicalAddress)
    }
}

impl VirtualAddress {
    /// Whether bits 48 to 63 repeat bit 47: what 4-level paging can address.
    pub fn is_canonical(self) -> bool {
        self.is_canonical_at(48)
    }

    /// Whether the bits above an address width (48, or 57 with 5-level
    /// paging) repeat its highest bit. A width of 0 or above 64 counts as 64.
    #[inline]
    pub fn is_canonical_at(self, width: u32) -> bool {
        let unused = match width {
            1..=64 => 64 - width,
            _ => 0,
        };
        (((self.0 << unused) as i64) >> unused) as u64 == self.0
    }

    /// Whether it lies in the upper half, where the kernel of a 64-bit Windows lives.
    pub fn is_kernel(self) -> bool {
        self.0 >> 63 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_show_as_16_lower_case_hex_digits() {
        assert_eq!(VirtualAddress(0xFFFF_F804_7C60_0B20).to_string(), "fffff8047c600b20");
        assert_eq!(PhysicalAddress(0x1AD000).to_string(), "00000000001ad000");
    }

    #[test]
    fn canonical_addresses_repeat_their_highest_bit() {
        assert!(VirtualAddress(0x0000_7FFF_FFFF_FFFF).is_canonical());
        assert!(!VirtualAddress(0x0000_8000_0000_0000).is_canonical());
        assert!(VirtualAddress(0xFFFF_8000_0000_0000).is_canonical());
        assert!(!VirtualAddress(0xFF00_0000_0000_0000).is_canonical());
        assert!(VirtualAddress(0xFF00_0000_0000_0000).is_canonical_at(57));
    }

    #[test]
    fn page_arithmetic_never_wraps() {
        assert_eq!(PhysicalAddress(0x1FFF).frame(), PageFrame(1));
        assert_eq!(PhysicalAddress(0x1FFF).left_in_page(), 1);
        assert_eq!(PageFrame(1 << 52).address(), None);
        assert_eq!(VirtualAddress(u64::MAX).checked_add(1), None);
        assert_eq!(VirtualAddress(5).checked_offset_from(VirtualAddress(6)), None);
    }
}
