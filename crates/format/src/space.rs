//! The kernel's address space, through the dump's own page tables.

use std::borrow::Borrow;

use memory::{PageFrame, Paging, PhysicalMemory, ReadError, Space, VirtualAddress, VirtualMemory};

use crate::{DebuggerSizes, Dump, DumpType, Error, Machine, Pages, Runs, Triage};

/// Bytes of a debugger block that are read: the shortest known one has 0x340. (S)
pub(crate) const DEBUGGER_BLOCK: usize = 0x340;

/// The virtual memory of the kernel in a dump, whatever its kind.
pub enum KernelMemory<'a> {
    /// Through page tables.
    Pages(Box<Space<Pages<'a>>>),
    /// The blocks of a triage dump.
    Triage(Box<Triage<'a>>),
}

impl VirtualMemory for KernelMemory<'_> {
    fn read_virtual(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        match self {
            Self::Pages(space) => space.read_virtual(address, buffer),
            Self::Triage(triage) => triage.read_virtual(address, buffer),
        }
    }
}

/// How much speaks for a way of reading the page tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Proof {
    /// Nothing that is known is found.
    None,
    /// An address out of the header translates.
    Address,
    /// The list of loaded modules leads back to its head.
    List,
    /// The debugger block is in clear.
    DebuggerBlock,
    /// It names a base of the kernel, where an image begins.
    Kernel,
}

impl<'a> Dump<'a> {
    /// Virtual memory as the kernel sees it.
    pub fn kernel_memory(&self) -> Result<KernelMemory<'a>, Error> {
        match self.kind() {
            DumpType::Triage => Ok(KernelMemory::Triage(Box::new(self.triage()?))),
            _ => Ok(KernelMemory::Pages(Box::new(self.space()?))),
        }
    }

    /// The address space of the header's DirectoryTableBase. For another one,
    /// of a process: [`Space::at`].
    pub fn space(&self) -> Result<Space<Pages<'a>>, Error> {
        let pages = self.pages()?;
        let paging = self.choose_paging(&pages)?;
        self.space_of(pages, paging)
    }

    /// Whether what is read are pages as they were in memory: something that
    /// the header names is found through them.
    pub(crate) fn shows_pages(&self, pages: &Pages<'a>) -> bool {
        let spaces = self.pagings().iter().map(|paging| self.space_of(pages, *paging));
        spaces.flatten().any(|space| self.proof(&space) >= Proof::List)
    }

    /// The header says PAE but not five levels: with more than one way, the
    /// one that most speaks for is taken.
    fn choose_paging(&self, pages: &Pages<'a>) -> Result<Paging, Error> {
        let ways = self.pagings();
        let machine = self.header().machine_image_type;
        let [first, rest @ ..] = ways else { return Err(Error::NoTranslation { machine }) };
        let proof = |paging| self.space_of(pages, paging).map(|space| self.proof(&space));
        let mut best = (*first, if rest.is_empty() { Proof::None } else { proof(*first)? });
        for paging in rest {
            let found = proof(*paging)?;
            if found > best.1 {
                best = (*paging, found);
            }
        }
        Ok(best.0)
    }

    /// How page tables of the machine can be built, the likeliest first.
    fn pagings(&self) -> &'static [Paging] {
        match (self.header().machine_image_type, self.header().pae_enabled) {
            (Machine::X64, _) => &[Paging::X64, Paging::X64FiveLevel],
            (Machine::Arm64, _) => &[Paging::Arm64],
            (Machine::X86, Some(true)) => &[Paging::X86Pae],
            (Machine::X86, Some(false)) => &[Paging::X86],
            (Machine::X86, None) => &[Paging::X86Pae, Paging::X86],
            _ => &[],
        }
    }

    fn space_of<P>(&self, pages: P, paging: Paging) -> Result<Space<P>, Error>
    where
        P: PhysicalMemory + Borrow<Pages<'a>>,
    {
        let base = self.header().directory_table_base.filter(|base| paging.root(*base).0 != 0);
        let base = base.ok_or_else(|| Error::Value {
            what: "DirectoryTableBase",
            offset: 0x10,
            expected: "the physical address of a page table".into(),
            found: self.header().directory_table_base.map_or("none".into(), |b| format!("{b:#x}")),
        })?;
        let highest = self.highest_frame(pages.borrow());
        let space = Space::new(pages, paging, base);
        Ok(match highest {
            Some(highest) => space.with_highest_frame(highest),
            None => space,
        })
    }

    /// The machine's last page, as far as the dump tells. A choice of pages
    /// may end before it, so WinDbg's ranges of kernel pages do not tell.
    fn highest_frame(&self, pages: &Pages<'_>) -> Option<PageFrame> {
        let frames = match self.kind() {
            DumpType::KernelRanges | DumpType::KernelAndUserRanges => {
                Runs::installed(self.source(), self.header().width)?.1
            }
            _ => pages.frames(),
        };
        frames.checked_sub(1).map(PageFrame)
    }

    fn proof(&self, memory: &dyn VirtualMemory) -> Proof {
        let header = self.header();
        let mut block = [0; DEBUGGER_BLOCK];
        let read = |address: Option<VirtualAddress>, bytes: &mut [u8]| {
            address.is_some_and(|address| memory.read_virtual(address, bytes).is_ok())
        };
        if read(header.kd_debugger_data_block, &mut block)
            && let Some(sizes) = DebuggerSizes::of(&block)
        {
            let mut start = [0; 2];
            let image = read(sizes.kernel_base, &mut start) && &start == b"MZ";
            return if image { Proof::Kernel } else { Proof::DebuggerBlock };
        }
        match header.ps_loaded_module_list {
            Some(head) if self.closes(memory, head) => Proof::List,
            Some(head) if memory.read_virtual(head, &mut [0]).is_ok() => Proof::Address,
            _ => Proof::None,
        }
    }

    /// Whether the first entry of a list points back to the list's head.
    fn closes(&self, memory: &dyn VirtualMemory, head: VirtualAddress) -> bool {
        let width = self.header().width;
        let pointer = |address: VirtualAddress| {
            let mut bytes = [0; 8];
            memory.read_virtual(address, &mut bytes[..width.pointer_size()]).ok()?;
            Some(VirtualAddress(u64::from_le_bytes(bytes)))
        };
        let first = pointer(head).filter(|first| width.is_kernel(*first) && *first != head);
        let back = first.and_then(|first| first.checked_add(width.pointer_size() as u64));
        back.and_then(pointer) == Some(width.address(head.0))
    }
}
