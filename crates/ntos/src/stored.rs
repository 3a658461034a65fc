//! Threads of a triage dump: no list leads to those of one process, they lie in its blocks.

use format::KernelMemory;
use memory::{PAGE_SIZE, VirtualAddress};

use crate::kernel::Kernel;
use crate::reader::at;

/// How far into a block an object may begin: behind its headers.
const HEADERS: u64 = 0x100;
/// Objects are aligned to this.
const ALIGNMENT: u64 = 0x10;
/// Bytes of a kernel stack at most.
const LARGEST_STACK: u64 = 1 << 20;
/// Threads of a triage dump that are listed at most. (The kernel puts some
/// dozens into one.)
const MOST: usize = 1 << 14;

/// The threads that lie in a triage dump's blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredThreads {
    /// Where they lie, by address.
    pub addresses: Vec<VirtualAddress>,
    /// Whether there are so many blocks or threads that not all were looked at.
    pub is_cut: bool,
}

impl Kernel<'_> {
    /// The threads whose objects lie in the blocks of a triage dump: stack
    /// bounds that are pages and hold the saved stack pointer, and a pointer
    /// to a process. Empty for other kinds of dump.
    pub fn stored_threads(&self) -> StoredThreads {
        let KernelMemory::Triage(triage) = self.memory() else { return StoredThreads::default() };
        let mut found: Vec<VirtualAddress> = Vec::new();
        let mut is_cut = false;
        let reader = self.reader();
        for block in triage.blocks() {
            is_cut = found.len() == MOST || self.is_exhausted();
            if is_cut {
                break;
            }
            let places = (0..HEADERS.min(block.size.into())).step_by(ALIGNMENT as usize);
            let start = block.address.0.next_multiple_of(ALIGNMENT);
            let mut place = places.map(|offset| at(VirtualAddress(start), offset));
            found.extend(place.find(|place| reader.step() && self.is_thread(*place)));
        }
        found.sort();
        found.dedup();
        StoredThreads { addresses: found, is_cut }
    }

    fn is_thread(&self, place: VirtualAddress) -> bool {
        let layout = &self.layout().kernel_thread;
        let pointer = |member| self.pointer(place, member);
        let (Some(base), Some(limit), Some(saved)) =
            (pointer(layout.stack_base), pointer(layout.stack_limit), pointer(layout.kernel_stack))
        else {
            return false;
        };
        let bounds = limit < base && base.0 - limit.0 <= LARGEST_STACK;
        let pages = base.0.is_multiple_of(PAGE_SIZE) && limit.0.is_multiple_of(PAGE_SIZE);
        bounds
            && pages
            && (limit..base).contains(&saved)
            && pointer(self.owner_member()).is_some_and(|process| process != place)
    }

    /// The process that a thread points to.
    pub fn owner_of(&self, thread: VirtualAddress) -> Option<VirtualAddress> {
        self.pointer(thread, self.owner_member())
    }
}
