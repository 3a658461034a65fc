//! What a handle is, what it grants, and what can be done through it.

use crate::nt::{self, Handle, IoStatusBlock};

const STATUS_SUCCESS: u32 = 0;
const STATUS_INVALID_PARAMETER: u32 = 0xC000_000D;

const OBJECT_BASIC_INFORMATION: u32 = 0;
const OBJECT_TYPE_INFORMATION: u32 = 2;
const FILE_MODE_INFORMATION: u32 = 16;
const EVENT_BASIC_INFORMATION: u32 = 0;

const FILE_WRITE_THROUGH: u32 = 0x2;
const FILE_NO_INTERMEDIATE_BUFFERING: u32 = 0x8;
const FILE_SYNCHRONOUS_IO_ALERT: u32 = 0x10;
const FILE_SYNCHRONOUS_IO_NONALERT: u32 = 0x20;

/// The rights that a handle grants; a status when it is no handle.
pub(crate) fn granted_access(handle: Handle) -> Result<u32, u32> {
    let mut basic = [0u32; 14];
    // SAFETY: OBJECT_BASIC_INFORMATION has 56 bytes.
    let status = unsafe {
        nt::NtQueryObject(
            handle,
            OBJECT_BASIC_INFORMATION,
            basic.as_mut_ptr().cast(),
            size_of_val(&basic) as u32,
            std::ptr::null_mut(),
        )
    };
    answer(status, basic[1])
}

/// The name of the object's type: "File", "Event", "Thread".
pub(crate) fn type_name(handle: Handle) -> Result<String, u32> {
    // OBJECT_TYPE_INFORMATION begins with a UNICODE_STRING that points behind it.
    let mut buffer = [0u64; 64];
    // SAFETY: the buffer is as long as told, and aligned.
    let status = unsafe {
        nt::NtQueryObject(
            handle,
            OBJECT_TYPE_INFORMATION,
            buffer.as_mut_ptr().cast(),
            size_of_val(&buffer) as u32,
            std::ptr::null_mut(),
        )
    };
    answer(status, ())?;
    let bytes = (buffer[0] & 0xFFFF) as usize;
    let name = crate::process::read(buffer[1] as usize, bytes).ok_or(STATUS_INVALID_PARAMETER)?;
    let units: Vec<u16> =
        name.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Ok(String::from_utf16_lossy(&units))
}

/// How a file was opened.
#[derive(Clone, Copy, Default)]
pub(crate) struct FileMode {
    pub(crate) synchronous: bool,
    pub(crate) unbuffered: bool,
    pub(crate) write_through: bool,
}

/// Asks a file handle how it was opened.
pub(crate) fn file_mode(handle: Handle) -> Result<FileMode, u32> {
    let mut mode = 0u32;
    let mut io = IoStatusBlock::default();
    // SAFETY: FILE_MODE_INFORMATION is one ULONG.
    let status = unsafe {
        nt::NtQueryInformationFile(
            handle,
            &raw mut io,
            (&raw mut mode).cast(),
            size_of_val(&mode) as u32,
            FILE_MODE_INFORMATION,
        )
    };
    let has = |bits: u32| mode & bits != 0;
    answer(
        status,
        FileMode {
            synchronous: has(FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT),
            unbuffered: has(FILE_NO_INTERMEDIATE_BUFFERING),
            write_through: has(FILE_WRITE_THROUGH),
        },
    )
}

/// Writes at an offset.
pub(crate) fn write(handle: Handle, offset: u64, bytes: &[u8]) -> Result<(), u32> {
    let mut io = IoStatusBlock::default();
    let at = offset as i64;
    // SAFETY: all pointers are to locals or to the slice, whose length is told.
    let status = unsafe {
        nt::NtWriteFile(
            handle,
            0,
            std::ptr::null(),
            std::ptr::null(),
            &raw mut io,
            bytes.as_ptr().cast(),
            bytes.len() as u32,
            &raw const at,
            std::ptr::null(),
        )
    };
    answer(status, ())
}

/// Whether an event is set. Does not reset it.
pub(crate) fn is_set(handle: Handle) -> Result<bool, u32> {
    // EVENT_BASIC_INFORMATION: type, state.
    let mut event = [0u32; 2];
    // SAFETY: the structure has 8 bytes.
    let status = unsafe {
        nt::NtQueryEvent(
            handle,
            EVENT_BASIC_INFORMATION,
            event.as_mut_ptr().cast(),
            size_of_val(&event) as u32,
            std::ptr::null_mut(),
        )
    };
    answer(status, event[1] != 0)
}

/// Process and thread id of a thread.
pub(crate) fn thread(handle: Handle) -> Option<(u32, u32)> {
    // SAFETY: any value is taken; what is no thread answers 0.
    let (pid, tid) = unsafe { (nt::GetProcessIdOfThread(handle), nt::GetThreadId(handle)) };
    (tid != 0).then_some((pid, tid))
}

fn answer<T>(status: i32, value: T) -> Result<T, u32> {
    match status.cast_unsigned() {
        STATUS_SUCCESS => Ok(value),
        other => Err(other),
    }
}
