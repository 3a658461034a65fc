//! Lock entries: push locks and other locks that a thread's own table names.

use memory::VirtualAddress;
use serde::Serialize;

use crate::kernel::Kernel;
use crate::reader::at;

/// Bits of a lock's address that are flags (`KLOCK_ENTRY_LOCK_STATE`).
const FLAGS: u64 = 3;
/// `InTree`, in the highest bit: an address of the kernel has it set anyway.
const HIGHEST: u64 = 1 << 63;

/// A lock that a thread holds or waits for, as its table of locks has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LockEntry {
    /// The entry.
    #[serde(serialize_with = "crate::hex")]
    pub entry: VirtualAddress,
    /// The lock.
    #[serde(serialize_with = "crate::hex")]
    pub lock: VirtualAddress,
    /// Whether the thread has it.
    pub acquired: bool,
    /// Whether the thread waits for it.
    pub waiting: bool,
}

impl Kernel<'_> {
    /// The locks in a thread's table. Empty when the table is not known: the
    /// kernel does not track every lock, so that nothing follows from a lock
    /// that is missing here.
    pub fn lock_entries(&self, thread: VirtualAddress) -> Vec<LockEntry> {
        let Some((array, stride)) = self.lock_entry_array() else { return Vec::new() };
        let count = array.size.checked_div(stride).unwrap_or(0).min(64);
        let entries = (0..count).map(|number| at(thread, array.offset + number * stride));
        entries.filter_map(|entry| self.lock_entry(entry)).collect()
    }

    fn lock_entry(&self, entry: VirtualAddress) -> Option<LockEntry> {
        let layout = &self.layout().lock_entry;
        let state = self.reader().integer(at(entry, layout.lock?.offset), 8).ok()?;
        let lock = VirtualAddress((state & !FLAGS) | HIGHEST);
        let set = |member| self.member(entry, member).is_some_and(|value| value & 1 != 0);
        let (acquired, waiting) = (set(layout.acquired), set(layout.waiting));
        (state & !FLAGS & !HIGHEST != 0 && self.reader().is_kernel(lock) && (acquired || waiting))
            .then_some(LockEntry { entry, lock, acquired, waiting })
    }
}
