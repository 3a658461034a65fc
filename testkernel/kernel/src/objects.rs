//! The caller's real handles and memory, as the simulated kernel asks for them.

use simulator::{EventObject, FileObject, Objects, ThreadObject};

use crate::{handles, process};

const STATUS_ACCESS_VIOLATION: u32 = 0xC000_0005;
const STATUS_OBJECT_TYPE_MISMATCH: u32 = 0xC000_0024;

/// What unbuffered I/O has to be aligned to. Wine does not mind; Windows does.
const SECTOR: u32 = 512;

/// The handles of this process.
pub(crate) struct Handles;

impl Objects for Handles {
    fn file(&self, handle: u64) -> Result<FileObject, u32> {
        let granted = granted(handle, "File")?;
        let mode = handles::file_mode(handle as usize)?;
        Ok(FileObject {
            granted,
            synchronous: mode.synchronous,
            sector: mode.unbuffered.then_some(SECTOR),
        })
    }

    fn write(&self, file: u64, offset: u64, bytes: &[u8]) -> Result<(), u32> {
        handles::write(file as usize, offset, bytes)
    }

    fn event(&self, handle: u64) -> Result<EventObject, u32> {
        Ok(EventObject { granted: granted(handle, "Event")? })
    }

    fn is_set(&self, event: u64) -> bool {
        handles::is_set(event as usize).unwrap_or(false)
    }

    fn thread(&self, handle: u64) -> Result<ThreadObject, u32> {
        let granted = granted(handle, "Thread")?;
        let (pid, tid) = handles::thread(handle as usize).ok_or(STATUS_OBJECT_TYPE_MISMATCH)?;
        Ok(ThreadObject { granted, tid, pid })
    }

    fn read_memory(&self, address: u64, length: usize) -> Result<Vec<u8>, u32> {
        process::read(address as usize, length).ok_or(STATUS_ACCESS_VIOLATION)
    }
}

fn granted(handle: u64, kind: &str) -> Result<u32, u32> {
    let granted = handles::granted_access(handle as usize)?;
    if handles::type_name(handle as usize)? == kind {
        Ok(granted)
    } else {
        Err(STATUS_OBJECT_TYPE_MISMATCH)
    }
}
