//! The system's list of processes and threads, one snapshot.

use machine::OsError;
use windows_sys::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SystemProcessInformation,
};
use windows_sys::Win32::Foundation::STATUS_INFO_LENGTH_MISMATCH;

use super::error;
use crate::process_list::{self, Entry};

/// What a machine with some hundred processes needs.
const FIRST: usize = 512 * 1024;
/// A list of a million threads is 80 MB; more is not believed.
const MOST: usize = 512 * 1024 * 1024;

/// The list as the kernel wrote it.
pub(super) struct Snapshot {
    words: Vec<u64>,
    bytes: usize,
}

impl Snapshot {
    pub(super) fn take() -> Result<Self, OsError> {
        if cfg!(not(target_pointer_width = "64")) {
            return Err(error::unsupported("list the processes", "this build is for 32 bits"));
        }
        let mut size = FIRST;
        loop {
            let (status, words, needed) = query(size);
            if status >= 0 {
                let bytes = needed.min(words.len() * 8);
                return Ok(Self { words, bytes });
            }
            if status != STATUS_INFO_LENGTH_MISMATCH || size >= MOST {
                return Err(error::status("list the processes", status));
            }
            // More may have started meanwhile.
            size = (needed + needed / 8).max(size * 2).min(MOST);
        }
    }

    /// The processes in it.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let (address, bytes) = (self.words.as_ptr().addr() as u64, self.bytes);
        // SAFETY: the vector's words are initialised, and `bytes` is no more than they have.
        let view = unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast::<u8>(), bytes) };
        process_list::entries(view, address)
    }
}

fn query(size: usize) -> (i32, Vec<u64>, usize) {
    let mut words = vec![0_u64; size.div_ceil(8)];
    let room = u32::try_from(words.len() * 8).unwrap_or(u32::MAX);
    let mut needed = 0_u32;
    // SAFETY: the buffer has at least the bytes that are told.
    let status = unsafe {
        NtQuerySystemInformation(
            SystemProcessInformation,
            words.as_mut_ptr().cast(),
            room,
            &raw mut needed,
        )
    };
    (status, words, needed as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_is_listed_with_its_threads() {
        let own = std::process::id();
        let snapshot = Snapshot::take().unwrap();
        let entry = snapshot.entries().find(|entry| entry.process.pid == own).unwrap();
        assert!(entry.process.name.ends_with(".exe"));
        assert!(entry.process.threads >= 1);
        assert_eq!(entry.threads().count(), entry.process.threads as usize);
        assert!(entry.threads().all(|thread| thread.pid == own));
    }
}
