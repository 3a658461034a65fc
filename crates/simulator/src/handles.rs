//! The caller's handles, where caller and kernel are one process.

use std::collections::HashMap;
use std::io;

use machine::{CancelToken, Target};

use crate::kernel::{EventObject, FileObject, Objects, ThreadObject};
use crate::status;

pub(crate) const FILE: u64 = 0x94;
pub(crate) const EVENT: u64 = 0x98;
/// Address that the caller's structures are said to be at.
pub(crate) const MEMORY: u64 = 0x0000_00d0_0010_0000;

const FILE_ALL_ACCESS: u32 = 0x1F_01FF;
const EVENT_ALL_ACCESS: u32 = 0x1F_0003;
const THREAD_ALL_ACCESS: u32 = 0x1F_FFFF;

/// Handles of one call.
#[derive(Default)]
pub(crate) struct InProcess<'a> {
    pub(crate) target: Option<&'a dyn Target>,
    pub(crate) cancel: Option<&'a dyn CancelToken>,
    /// Thread and process id by handle.
    pub(crate) threads: HashMap<u64, (u32, u32)>,
    /// What lies at [`MEMORY`].
    pub(crate) memory: Vec<u8>,
}

impl InProcess<'_> {
    fn kind_mismatch(&self, handle: u64) -> u32 {
        let known = (handle == FILE && self.target.is_some())
            || (handle == EVENT && self.cancel.is_some())
            || self.threads.contains_key(&handle);
        if known { status::OBJECT_TYPE_MISMATCH } else { status::INVALID_HANDLE }
    }
}

impl Objects for InProcess<'_> {
    fn file(&self, handle: u64) -> Result<FileObject, u32> {
        match self.target {
            // The target aligns by itself where it must.
            Some(_) if handle == FILE => {
                Ok(FileObject { granted: FILE_ALL_ACCESS, synchronous: true, sector: None })
            }
            _ => Err(self.kind_mismatch(handle)),
        }
    }

    fn write(&self, file: u64, offset: u64, bytes: &[u8]) -> Result<(), u32> {
        match self.target {
            Some(target) if file == FILE => {
                target.write_at(offset, bytes).map_err(|e| status_of(&e))
            }
            _ => Err(self.kind_mismatch(file)),
        }
    }

    fn event(&self, handle: u64) -> Result<EventObject, u32> {
        match self.cancel {
            Some(_) if handle == EVENT => Ok(EventObject { granted: EVENT_ALL_ACCESS }),
            _ => Err(self.kind_mismatch(handle)),
        }
    }

    fn is_set(&self, event: u64) -> bool {
        event == EVENT && self.cancel.is_some_and(CancelToken::is_cancelled)
    }

    fn thread(&self, handle: u64) -> Result<ThreadObject, u32> {
        let (tid, pid) = self.threads.get(&handle).ok_or_else(|| self.kind_mismatch(handle))?;
        Ok(ThreadObject { granted: THREAD_ALL_ACCESS, tid: *tid, pid: *pid })
    }

    fn read_memory(&self, address: u64, length: usize) -> Result<Vec<u8>, u32> {
        let start = address.checked_sub(MEMORY).ok_or(status::ACCESS_VIOLATION)? as usize;
        let bytes = start.checked_add(length).and_then(|end| self.memory.get(start..end));
        bytes.map(<[u8]>::to_vec).ok_or(status::ACCESS_VIOLATION)
    }
}

/// What the file system would have answered.
fn status_of(error: &io::Error) -> u32 {
    use io::ErrorKind as K;
    match error.kind() {
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => status::DISK_FULL,
        K::PermissionDenied | K::ReadOnlyFilesystem => status::ACCESS_DENIED,
        _ => status::IO_DEVICE_ERROR,
    }
}
