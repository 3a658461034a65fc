//! Kinds of dump files, and the machines they are of.
//!
//! Source: dump-formats specification, sections 1 and 2.

/// What kind of file, by the header's DumpType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Type 1: runs of pages, told in the header.
    Full,
    /// Type 2: the old kernel summary (its layout is UNCONFIRMED).
    Summary,
    /// Type 3: a header and nothing behind it.
    Header,
    /// Type 4 as the kernel writes it at a crash ("class A").
    Triage,
    /// Type 4 as made later, out of a larger dump ("class B").
    TriageLater,
    /// Type 5: a bitmap of pages, `FDMP`.
    BitmapFull,
    /// Type 6: a bitmap of pages, `SDMP`.
    BitmapKernel,
    /// Type 7: as 6 (UNCONFIRMED that any file carries it).
    Automatic,
    /// Type 8: ranges of kernel pages.
    KernelRanges,
    /// Type 9: ranges of kernel and user pages.
    KernelAndUserRanges,
    /// Type 0xA: ranges of all pages.
    CompleteRanges,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Full,
        Self::Summary,
        Self::Header,
        Self::Triage,
        Self::TriageLater,
        Self::BitmapFull,
        Self::BitmapKernel,
        Self::Automatic,
        Self::KernelRanges,
        Self::KernelAndUserRanges,
        Self::CompleteRanges,
    ];

    /// The header's DumpType.
    pub fn dump_type(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Summary => 2,
            Self::Header => 3,
            Self::Triage | Self::TriageLater => 4,
            Self::BitmapFull => 5,
            Self::BitmapKernel => 6,
            Self::Automatic => 7,
            Self::KernelRanges => 8,
            Self::KernelAndUserRanges => 9,
            Self::CompleteRanges => 0xA,
        }
    }

    /// Whether it has virtual blocks and no pages.
    pub fn is_triage(self) -> bool {
        self.dump_type() == 4
    }

    pub(crate) fn is_bitmap(self) -> bool {
        matches!(self, Self::BitmapFull | Self::BitmapKernel | Self::Automatic)
    }

    /// Types 8 and 9, whose list ends at page frame 0.
    pub(crate) fn ends_at_zero(self) -> bool {
        matches!(self, Self::KernelRanges | Self::KernelAndUserRanges)
    }

    /// Whether secondary data is known to follow.
    pub(crate) fn has_blobs(self) -> bool {
        self.is_triage() || self.is_bitmap() || self == Self::Full
    }
}

/// What the dump is of: header, page tables, structures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Machine {
    /// x64 with four levels of page tables.
    X64,
    /// x64 with five levels (LA57).
    X64FiveLevels,
    /// ARM64, 4 KiB granule.
    Arm64,
    /// x86 with 8-byte entries in three levels.
    X86Pae,
    /// x86 with 4-byte entries in two levels.
    X86,
    /// ARM32: header and bare pages only.
    Arm32,
    /// Itanium: header and bare pages only.
    Ia64,
}

impl Machine {
    /// Every machine.
    pub const ALL: [Self; 7] = [
        Self::X64,
        Self::X64FiveLevels,
        Self::Arm64,
        Self::X86Pae,
        Self::X86,
        Self::Arm32,
        Self::Ia64,
    ];

    /// The header's MachineImageType.
    pub fn image_type(self) -> u16 {
        match self {
            Self::X64 | Self::X64FiveLevels => 0x8664,
            Self::Arm64 => 0xAA64,
            Self::X86Pae | Self::X86 => 0x14C,
            Self::Arm32 => 0x1C4,
            Self::Ia64 => 0x200,
        }
    }

    /// Whether the header is DUMP_HEADER32.
    pub fn is_32_bit(self) -> bool {
        matches!(self, Self::X86Pae | Self::X86 | Self::Arm32)
    }

    /// Bytes of the header: where what follows it starts.
    pub fn header_size(self) -> u64 {
        if self.is_32_bit() { 0x1000 } else { 0x2000 }
    }

    /// Whether its page tables and structures are made here.
    pub fn has_system(self) -> bool {
        !matches!(self, Self::Arm32 | Self::Ia64)
    }

    pub(crate) fn is_x64(self) -> bool {
        matches!(self, Self::X64 | Self::X64FiveLevels)
    }

    pub(crate) fn pointer(self) -> usize {
        if self.is_32_bit() { 4 } else { 8 }
    }

    /// Offset and room of ContextRecord, offset of the exception record.
    pub(crate) fn context_place(self) -> (usize, usize, usize) {
        if self.is_32_bit() { (0x320, 1200, 0x7D0) } else { (0x348, 3000, 0xF00) }
    }
}
