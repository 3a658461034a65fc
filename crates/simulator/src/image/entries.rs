//! Page-table entries of the two architectures.
//!
//! Source: dump-formats specification, section 11.

use machine::Architecture;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Data,
    Code,
    User,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryFormat {
    X64,
    Arm64,
}

const X64_PRESENT_ACCESSED_DIRTY: u64 = 0x61;
const X64_WRITE: u64 = 0x2;
const X64_USER: u64 = 0x4;
const X64_GLOBAL: u64 = 0x100;
const X64_NO_EXECUTE: u64 = 1 << 63;
const ARM64_PAGE_OR_TABLE: u64 = 0x3;
const ARM64_ACCESSED_SHARED: u64 = 0x700;
const ARM64_USER: u64 = 0x40;
const ARM64_DIRTY: u64 = 1 << 55;
const ARM64_NO_EXECUTE: u64 = 0b11 << 53;

impl EntryFormat {
    pub(crate) fn of(architecture: Architecture) -> Self {
        if architecture == Architecture::Arm64 { Self::Arm64 } else { Self::X64 }
    }

    /// An entry that points to another table.
    pub(crate) fn table(self, frame: u64, user: bool) -> u64 {
        match self {
            Self::X64 => {
                let user = if user { X64_USER } else { 0 };
                frame << 12 | X64_PRESENT_ACCESSED_DIRTY | X64_WRITE | user
            }
            Self::Arm64 => frame << 12 | ARM64_PAGE_OR_TABLE | ARM64_ACCESSED_SHARED | ARM64_DIRTY,
        }
    }

    /// An entry one level higher that points to a page of 2 MiB.
    pub(crate) fn large(self, frame: u64, access: Access) -> u64 {
        const X64_LARGE: u64 = 0x80;
        const ARM64_TABLE: u64 = 0x2;
        match self {
            Self::X64 => self.leaf(frame, access) | X64_LARGE,
            Self::Arm64 => self.leaf(frame, access) & !ARM64_TABLE,
        }
    }

    /// An entry that points to a page of 4 KiB.
    pub(crate) fn leaf(self, frame: u64, access: Access) -> u64 {
        frame << 12
            | match (self, access) {
                (Self::X64, Access::Data) => {
                    X64_PRESENT_ACCESSED_DIRTY | X64_WRITE | X64_GLOBAL | X64_NO_EXECUTE
                }
                (Self::X64, Access::Code) => X64_PRESENT_ACCESSED_DIRTY | X64_GLOBAL,
                (Self::X64, Access::User) => X64_PRESENT_ACCESSED_DIRTY | X64_WRITE | X64_USER,
                (Self::Arm64, Access::Data) => {
                    ARM64_PAGE_OR_TABLE | ARM64_ACCESSED_SHARED | ARM64_DIRTY | ARM64_NO_EXECUTE
                }
                (Self::Arm64, Access::Code) => ARM64_PAGE_OR_TABLE | ARM64_ACCESSED_SHARED,
                (Self::Arm64, Access::User) => {
                    ARM64_PAGE_OR_TABLE | ARM64_ACCESSED_SHARED | ARM64_DIRTY | ARM64_USER
                }
            }
    }
}
