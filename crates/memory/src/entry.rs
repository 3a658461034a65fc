//! What an entry of a page table says to the processor.

use crate::PhysicalAddress;
use crate::paging::{EntryName, Paging, Step};

/// What the page tables allow at an address, combined over all their levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Access {
    /// Writing is allowed, at least to the kernel.
    pub writable: bool,
    /// User mode may touch it.
    pub user: bool,
    /// Instructions may be fetched by the mode the page is for: user mode
    /// when `user`, the kernel otherwise.
    pub executable: bool,
}

/// The rights still left after the levels seen so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rights {
    write: bool,
    user: bool,
    kernel_execute: bool,
    user_execute: bool,
}

impl Rights {
    pub(crate) const ALL: Self =
        Self { write: true, user: true, kernel_execute: true, user_execute: true };

    pub(crate) fn access(self) -> Access {
        let executable = if self.user { self.user_execute } else { self.kernel_execute };
        Access { writable: self.write, user: self.user, executable }
    }

    /// These rights, less what the entry forbids.
    pub(crate) fn through(self, paging: Paging, step: &Step, entry: u64, leaf: bool) -> Self {
        let bit = |number: u32| entry >> number & 1 == 1;
        let own = match paging {
            // The four entries of a PAE root carry no rights: those bits are reserved.
            Paging::X86Pae if step.name == EntryName::Ppe => Self::ALL,
            Paging::X86 => {
                Self { write: bit(1), user: bit(2), kernel_execute: true, user_execute: true }
            }
            Paging::X64 | Paging::X64FiveLevel | Paging::X86Pae => Self {
                write: bit(1),
                user: bit(2),
                kernel_execute: !bit(63),
                user_execute: !bit(63),
            },
            // Bit 7 set says "not dirty" as often as "read only": bit 55 is
            // where Windows keeps whether a write would be let through.
            Paging::Arm64 if leaf => Self {
                write: !bit(7) || bit(55),
                user: bit(6),
                kernel_execute: !bit(53),
                user_execute: !bit(54),
            },
            Paging::Arm64 => Self {
                write: !bit(62),
                user: !bit(61),
                kernel_execute: !bit(59),
                user_execute: !bit(60),
            },
        };
        Self {
            write: self.write && own.write,
            user: self.user && own.user,
            kernel_execute: self.kernel_execute && own.kernel_execute,
            user_execute: self.user_execute && own.user_execute,
        }
    }
}

/// An entry as the processor takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hardware {
    /// The next table lies here.
    Table(PhysicalAddress),
    /// A page of the level's own size begins here.
    Page(PhysicalAddress),
    /// The valid bit is clear: the rest belongs to Windows.
    NotValid,
    /// Valid, but with a bit set or clear that this level does not have.
    Reserved,
}

impl Hardware {
    pub(crate) fn decode(paging: Paging, step: &Step, entry: u64) -> Self {
        if entry & 1 == 0 {
            return Self::NotValid;
        }
        match paging {
            _ if step.name == EntryName::Pte => {
                paging.shape().page(entry).map_or(Self::Reserved, Self::Page)
            }
            Paging::Arm64 => Self::arm64(step, entry),
            _ => Self::intel(paging, step, entry),
        }
    }

    fn intel(paging: Paging, step: &Step, entry: u64) -> Self {
        let frame = paging.shape().frame;
        let large = entry & 0x80 != 0;
        match step.name {
            // Bits 13 to 20 are bits 32 to 39 of the address (PSE-36).
            EntryName::Pde if large && paging == Paging::X86 => {
                let high = (entry >> 13 & 0xFF) << 32;
                Self::Page(PhysicalAddress(entry & 0xFFC0_0000 | high))
            }
            // The low bits of a large frame are flags: bit 12 is PAT.
            EntryName::Pde if large => {
                Self::Page(PhysicalAddress(entry & frame & !(step.span() - 1)))
            }
            EntryName::Ppe if large && paging != Paging::X86Pae => {
                Self::Page(PhysicalAddress(entry & frame & !(step.span() - 1)))
            }
            EntryName::Pxe | EntryName::Pml5e if large => Self::Reserved,
            _ => Self::Table(PhysicalAddress(entry & frame)),
        }
    }

    fn arm64(step: &Step, entry: u64) -> Self {
        let table = entry & 2 != 0;
        let address = entry & Paging::Arm64.shape().frame;
        match step.name {
            EntryName::Ppe | EntryName::Pde if !table => {
                Self::Page(PhysicalAddress(address & !(step.span() - 1)))
            }
            _ if table => Self::Table(PhysicalAddress(address)),
            _ => Self::Reserved,
        }
    }
}
