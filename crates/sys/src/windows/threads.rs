//! Threads and processes by handle: opening them, and what costs a query of its own.

use std::os::windows::io::{AsRawHandle, OwnedHandle};

use machine::{OsError, OsErrorKind, Protection, ThreadDetails, ThreadHandle};
use windows_sys::Wdk::System::Threading as wdk;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL,
    STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_INFO_CLASS,
};
use windows_sys::Win32::System::Threading::{
    OpenProcess, OpenThread, PROCESS_QUERY_LIMITED_INFORMATION, THREAD_ALL_ACCESS,
    THREAD_QUERY_INFORMATION, THREAD_QUERY_LIMITED_INFORMATION,
};

use super::{error, handle};
use crate::bytes::{u16_at, u64_at};

/// THREADINFOCLASS ThreadNameInformation (phnt). GetThreadDescription is not in
/// 1607's kernel32, so importing it would keep us from starting there.
const THREAD_NAME_INFORMATION: i32 = 38;

/// Bytes that hold nearly every name.
const USUAL_NAME: usize = 256;

fn open(tid: u32, access: u32) -> Result<OwnedHandle, OsError> {
    // SAFETY: takes numbers; the handle is ours.
    let opened = unsafe { handle::own(OpenThread(access, 0, tid)) };
    opened.ok_or_else(|| missing(error::last(format!("open thread {tid}"))))
}

/// "Invalid parameter" is how Windows says that there is no such id.
fn missing(error: OsError) -> OsError {
    if error.code != ERROR_INVALID_PARAMETER {
        return error;
    }
    OsError { kind: OsErrorKind::NotFound, message: "there is none of that id".into(), ..error }
}

/// With the access that the triage call is reported to demand.
pub(super) fn open_all_access(tid: u32) -> Result<ThreadHandle, OsError> {
    let owner = open(tid, THREAD_ALL_ACCESS)?;
    Ok(ThreadHandle { tid, raw: handle::number(&owner), owner: Box::new(owner) })
}

/// Name and Win32 start address, each absent where refused.
pub(super) fn details(tid: u32) -> ThreadDetails {
    let thread = open(tid, THREAD_QUERY_INFORMATION)
        .or_else(|_| open(tid, THREAD_QUERY_LIMITED_INFORMATION))
        .ok();
    ThreadDetails {
        name: thread.as_ref().and_then(name),
        win32_start_address: thread.as_ref().and_then(start),
    }
}

/// The answer's bytes, or its status.
fn query(thread: &OwnedHandle, class: i32, room: usize) -> Result<Vec<u8>, i32> {
    let mut words = vec![0_u64; room.div_ceil(8)];
    let mut length = 0_u32;
    // SAFETY: the handle is open, the buffer has the bytes that are told.
    let status = unsafe {
        wdk::NtQueryInformationThread(
            thread.as_raw_handle(),
            class,
            words.as_mut_ptr().cast(),
            u32::try_from(room).unwrap_or(0),
            &raw mut length,
        )
    };
    if status < 0 {
        return Err(status);
    }
    Ok(words.iter().flat_map(|word| word.to_ne_bytes()).take(room).collect())
}

/// A UNICODE_STRING, and its text behind it in the same buffer.
fn name(thread: &OwnedHandle) -> Option<String> {
    const HEAD: usize = size_of::<windows_sys::Win32::Foundation::UNICODE_STRING>();
    let answer = match query(thread, THREAD_NAME_INFORMATION, HEAD + USUAL_NAME) {
        Err(STATUS_BUFFER_TOO_SMALL | STATUS_BUFFER_OVERFLOW | STATUS_INFO_LENGTH_MISMATCH) => {
            query(thread, THREAD_NAME_INFORMATION, HEAD + usize::from(u16::MAX))
        }
        answer => answer,
    };
    let answer = answer.ok()?;
    let length = usize::from(u16_at(&answer, 0)?);
    let text = answer.get(HEAD..HEAD + length)?;
    let units = text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let name: String =
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    (!name.is_empty()).then_some(name)
}

fn start(thread: &OwnedHandle) -> Option<u64> {
    let size = size_of::<usize>();
    let mut answer = query(thread, wdk::ThreadQuerySetWin32StartAddress, size).ok()?;
    answer.resize(8, 0);
    u64_at(&answer, 0).filter(|address| *address != 0)
}

/// PS_PROTECTION, asked with the least access that there is.
pub(super) fn protection(pid: u32) -> Result<Option<Protection>, OsError> {
    let doing = || format!("ask the protection of process {pid}");
    // SAFETY: takes numbers; the handle is ours.
    let process = unsafe { handle::own(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid)) };
    let process = process.ok_or_else(|| missing(error::last(doing())))?;
    let mut level = 0_u8;
    let mut length = 0_u32;
    // SAFETY: the handle is open, the answer is one byte.
    let status = unsafe {
        wdk::NtQueryInformationProcess(
            process.as_raw_handle(),
            wdk::ProcessProtectionInformation,
            (&raw mut level).cast(),
            1,
            &raw mut length,
        )
    };
    match status {
        STATUS_INVALID_INFO_CLASS => Ok(None),
        status if status < 0 => {
            let failed = error::status(doing(), status);
            // A Windows (or Wine) that does not know the question cannot say.
            if failed.kind == OsErrorKind::Unsupported { Ok(None) } else { Err(failed) }
        }
        _ => Ok(Some(Protection(level))),
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::System::Threading::GetCurrentThreadId;

    use super::*;

    /// No thread has it: ids are multiples of four.
    const NOBODY: u32 = 0xFFFF_FFF1;

    #[test]
    fn a_named_thread_tells_its_name_and_start_however_long() {
        named("ein Fädchen");
        named(&"a very long name ".repeat(100));
    }

    fn named(name: &str) {
        let (send, receive) = std::sync::mpsc::channel();
        let (end, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                // SAFETY: takes nothing.
                send.send(unsafe { GetCurrentThreadId() }).unwrap();
                let _ = wait.recv();
            })
            .unwrap();
        let found = details(receive.recv().unwrap());
        drop(end);
        thread.join().unwrap();
        assert_eq!(found.name.as_deref(), Some(name));
        assert!(found.win32_start_address.is_some());
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert_eq!(open_all_access(NOBODY).err().unwrap().kind, OsErrorKind::NotFound);
        assert_eq!(protection(NOBODY).unwrap_err().kind, OsErrorKind::NotFound);
        assert_eq!(details(NOBODY), ThreadDetails::default());
    }

    #[test]
    fn our_own_thread_opens_and_our_process_is_not_protected() {
        // SAFETY: takes nothing.
        let own = unsafe { GetCurrentThreadId() };
        let opened = open_all_access(own).unwrap();
        assert_eq!(opened.tid, own);
        assert_ne!(opened.raw, 0);
        // Wine does not know the question.
        assert!(protection(std::process::id()).unwrap().is_none_or(|level| !level.is_protected()));
    }
}
