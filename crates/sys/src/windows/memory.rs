//! What memory is used for: an estimate of a dump's size stands on it.

use machine::MemoryFacts;
use windows_sys::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SystemPerformanceInformation,
};
use windows_sys::Win32::System::ProcessStatus::{K32GetPerformanceInfo, PERFORMANCE_INFORMATION};

use super::processes::Snapshot;
use super::{error, wide};
use crate::bytes::u32_at;

/// Offsets in SYSTEM_PERFORMANCE_INFORMATION, in pages (phnt, `ntexapi.h`);
/// Microsoft's header keeps the structure opaque.
mod at {
    pub(super) const RESIDENT_SYSTEM_CODE: usize = 0x8C;
    pub(super) const RESIDENT_PAGED_POOL: usize = 0xA8;
    pub(super) const RESIDENT_SYSTEM_DRIVER: usize = 0xAC;
}

/// Room for every version of the structure.
const PERFORMANCE_ROOM: usize = 1024;

/// Reads all of it; what cannot be read goes to `unread`.
pub(super) fn facts(unread: &mut Vec<(String, String)>) -> MemoryFacts {
    let mut facts = MemoryFacts { page_size: 4096, ..MemoryFacts::default() };
    if let Err(why) = totals(&mut facts) {
        unread.push(("memory".into(), why));
    }
    if let Err(why) = resident(&mut facts) {
        unread.push(("resident kernel memory".into(), why));
    }
    match Snapshot::take() {
        Ok(snapshot) => working_sets(&mut facts, &snapshot),
        Err(failed) => unread.push(("working sets".into(), failed.to_string())),
    }
    facts
}

fn totals(facts: &mut MemoryFacts) -> Result<(), String> {
    let mut info = PERFORMANCE_INFORMATION::default();
    let size = wide::length(std::slice::from_ref(&info));
    // SAFETY: the structure is ours and its size is told.
    if unsafe { K32GetPerformanceInfo(&raw mut info, size) } == 0 {
        return Err(error::last("ask the memory's use").to_string());
    }
    facts.page_size = u32::try_from(info.PageSize).unwrap_or(4096);
    let bytes = |pages: usize| Some(pages as u64 * info.PageSize as u64);
    facts.total = bytes(info.PhysicalTotal);
    facts.available = bytes(info.PhysicalAvailable);
    facts.nonpaged_pool = bytes(info.KernelNonpaged);
    facts.committed = bytes(info.CommitTotal);
    facts.commit_limit = bytes(info.CommitLimit);
    facts.processes = Some(info.ProcessCount);
    facts.threads = Some(info.ThreadCount);
    Ok(())
}

fn resident(facts: &mut MemoryFacts) -> Result<(), String> {
    let mut words = [0_u64; PERFORMANCE_ROOM / 8];
    let mut length = 0_u32;
    // SAFETY: the buffer has the bytes that are told.
    let status = unsafe {
        NtQuerySystemInformation(
            SystemPerformanceInformation,
            words.as_mut_ptr().cast(),
            PERFORMANCE_ROOM as u32,
            &raw mut length,
        )
    };
    if status < 0 {
        return Err(error::status("ask what memory is resident", status).to_string());
    }
    let raw: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let raw = raw.get(..length as usize).unwrap_or(&raw);
    let page = u64::from(facts.page_size);
    let bytes = |at| u32_at(raw, at).map(|pages| u64::from(pages) * page);
    facts.resident_kernel_code = bytes(at::RESIDENT_SYSTEM_CODE);
    facts.resident_paged_pool = bytes(at::RESIDENT_PAGED_POOL);
    facts.resident_driver_code = bytes(at::RESIDENT_SYSTEM_DRIVER);
    Ok(())
}

fn working_sets(facts: &mut MemoryFacts, snapshot: &Snapshot) {
    let (mut all, mut private, mut threads) = (0_u64, 0_u64, 0_u32);
    for entry in snapshot.entries() {
        all = all.saturating_add(entry.process.working_set);
        private = private.saturating_add(entry.private_working_set);
        threads = threads.saturating_add(entry.process.threads);
    }
    facts.working_sets = Some(all);
    facts.private_working_sets = Some(private);
    facts.threads = facts.threads.or(Some(threads));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_adds_up() {
        let mut unread = Vec::new();
        let facts = facts(&mut unread);
        assert_eq!(unread, []);
        assert!(facts.available.unwrap() <= facts.total.unwrap());
        assert!(facts.private_working_sets.unwrap() <= facts.working_sets.unwrap());
        assert!(facts.threads.unwrap() >= facts.processes.unwrap());
        assert_eq!(facts.page_size, 4096);
    }
}
