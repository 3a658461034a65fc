//! What kind of dump, of what machine.

use std::fmt;

use memory::VirtualAddress;

/// `DumpType` of the header. (H), and (R kdmp-parser) for 8 to 0xA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DumpType {
    /// 1: all of physical memory, in runs.
    Full,
    /// 2: the kernel memory dump of Windows 2000 to 7.
    Summary,
    /// 3: a header and nothing else.
    HeaderOnly,
    /// 4: a small memory dump: blocks of virtual memory.
    Triage,
    /// 5: a complete or active dump since Windows 8: pages by a bitmap.
    BitmapFull,
    /// 6: a kernel, automatic or live dump since Windows 8: pages by a bitmap.
    BitmapKernel,
    /// 7: a configuration value; UNCONFIRMED that a file ever carries it. Read like 6.
    Automatic,
    /// 8: WinDbg's `.dump /k`.
    KernelRanges,
    /// 9: WinDbg's `.dump /ka`.
    KernelAndUserRanges,
    /// 0xA: WinDbg's `.dump /f`.
    CompleteRanges,
    /// Anything else.
    Unknown(u32),
}

impl From<u32> for DumpType {
    fn from(value: u32) -> Self {
        match value {
            1 => Self::Full,
            2 => Self::Summary,
            3 => Self::HeaderOnly,
            4 => Self::Triage,
            5 => Self::BitmapFull,
            6 => Self::BitmapKernel,
            7 => Self::Automatic,
            8 => Self::KernelRanges,
            9 => Self::KernelAndUserRanges,
            0xA => Self::CompleteRanges,
            other => Self::Unknown(other),
        }
    }
}

impl DumpType {
    /// The number in the file.
    pub fn value(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Summary => 2,
            Self::HeaderOnly => 3,
            Self::Triage => 4,
            Self::BitmapFull => 5,
            Self::BitmapKernel => 6,
            Self::Automatic => 7,
            Self::KernelRanges => 8,
            Self::KernelAndUserRanges => 9,
            Self::CompleteRanges => 0xA,
            Self::Unknown(value) => value,
        }
    }

    /// Whether the pages are found by a bitmap.
    pub fn is_bitmap(self) -> bool {
        matches!(self, Self::BitmapFull | Self::BitmapKernel | Self::Automatic)
    }

    /// Whether WinDbg wrote it, and the pages are found by a list of ranges.
    pub fn is_ranges(self) -> bool {
        matches!(self, Self::KernelRanges | Self::KernelAndUserRanges | Self::CompleteRanges)
    }

    /// Whether it promises all of the machine's memory, and not a choice of it.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Full | Self::BitmapFull | Self::CompleteRanges)
    }
}

impl fmt::Display for DumpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "complete memory dump",
            Self::Summary => "summary dump of an old Windows",
            Self::HeaderOnly => "header-only dump",
            Self::Triage => "triage dump",
            Self::BitmapFull => "complete bitmap dump",
            Self::BitmapKernel => "kernel bitmap dump",
            Self::Automatic => "automatic bitmap dump",
            Self::KernelRanges => "kernel range dump",
            Self::KernelAndUserRanges => "kernel and user range dump",
            Self::CompleteRanges => "complete range dump",
            Self::Unknown(value) => return write!(f, "dump of unknown type {value:#x}"),
        })
    }
}

/// Whether the dumped Windows was a 32-bit or a 64-bit one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// `PAGEDUMP`: a header of 0x1000 bytes.
    Bits32,
    /// `PAGEDU64`: a header of 0x2000 bytes.
    Bits64,
}

impl Width {
    /// Bytes of the header.
    pub fn header_size(self) -> u64 {
        match self {
            Self::Bits32 => 0x1000,
            Self::Bits64 => 0x2000,
        }
    }

    /// Bytes of a pointer.
    pub fn pointer_size(self) -> usize {
        match self {
            Self::Bits32 => 4,
            Self::Bits64 => 8,
        }
    }

    /// Whether an address lies where the kernel lives. (32-bit: from 2 GiB
    /// on; with /3GB, user memory reaches beyond.)
    pub fn is_kernel(self, address: VirtualAddress) -> bool {
        match self {
            Self::Bits32 => self.address(address.0).0 >> 31 == 1,
            Self::Bits64 => address.is_kernel(),
        }
    }

    /// An address as the machine has it: what 32-bit dumps extend by its sign
    /// is cut off again. What is no such address is kept.
    pub fn address(self, value: u64) -> VirtualAddress {
        let extended = i64::from(value as u32 as i32) as u64;
        VirtualAddress(match self {
            Self::Bits32 if value == extended => u64::from(value as u32),
            _ => value,
        })
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bits32 => "32-bit",
            Self::Bits64 => "64-bit",
        })
    }
}

/// `MachineImageType`: the machine values of PE images. (H)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Machine {
    /// 0x14C.
    X86,
    /// 0x8664.
    X64,
    /// 0x1C4.
    Arm32,
    /// 0xAA64.
    Arm64,
    /// 0x200.
    Ia64,
    /// Anything else.
    Unknown(u32),
}

impl From<u32> for Machine {
    fn from(value: u32) -> Self {
        match value {
            0x14C => Self::X86,
            0x8664 => Self::X64,
            0x1C4 => Self::Arm32,
            0xAA64 => Self::Arm64,
            0x200 => Self::Ia64,
            other => Self::Unknown(other),
        }
    }
}

impl Machine {
    /// Whether it has 32 or 64 bits; `None` where that is not known.
    pub fn width(self) -> Option<Width> {
        match self {
            Self::X86 | Self::Arm32 => Some(Width::Bits32),
            Self::X64 | Self::Arm64 | Self::Ia64 => Some(Width::Bits64),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86 => "x86",
            Self::X64 => "x64",
            Self::Arm32 => "ARM32",
            Self::Arm64 => "ARM64",
            Self::Ia64 => "IA64",
            Self::Unknown(value) => return write!(f, "unknown machine {value:#x}"),
        })
    }
}
