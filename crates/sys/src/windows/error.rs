//! Win32 errors and NTSTATUS values as [`OsError`].

use machine::{OsError, OsErrorKind};
use windows_sys::Win32::Foundation as win;

/// The calling thread's last error.
pub(super) fn last(doing: impl Into<String>) -> OsError {
    win32(doing, last_code())
}

/// The calling thread's last error as a number.
pub(super) fn last_code() -> u32 {
    std::io::Error::last_os_error().raw_os_error().map_or(0, i32::cast_unsigned)
}

/// A Win32 error.
pub(super) fn win32(doing: impl Into<String>, code: u32) -> OsError {
    let words = std::io::Error::from_raw_os_error(code.cast_signed());
    OsError { kind: kind(code), code, ..OsError::from_io(doing, &words) }
}

/// An NTSTATUS, by the system's own map to Win32.
pub(super) fn status(doing: impl Into<String>, status: i32) -> OsError {
    // SAFETY: takes and gives numbers only.
    let code = unsafe { win::RtlNtStatusToDosError(status) };
    if code == win::ERROR_MR_MID_NOT_FOUND {
        return OsError {
            doing: doing.into(),
            kind: OsErrorKind::Other,
            code: 0,
            message: format!("NTSTATUS 0x{:08X}", status.cast_unsigned()),
        };
    }
    win32(doing, code)
}

/// Where there is no code.
pub(super) fn unsupported(doing: impl Into<String>, message: &str) -> OsError {
    OsError {
        doing: doing.into(),
        kind: OsErrorKind::Unsupported,
        code: 0,
        message: message.to_owned(),
    }
}

fn kind(code: u32) -> OsErrorKind {
    match code {
        win::ERROR_ACCESS_DENIED | win::ERROR_ELEVATION_REQUIRED => OsErrorKind::AccessDenied,
        win::ERROR_NOT_ALL_ASSIGNED | win::ERROR_PRIVILEGE_NOT_HELD => {
            OsErrorKind::PrivilegeNotHeld
        }
        win::ERROR_FILE_NOT_FOUND
        | win::ERROR_PATH_NOT_FOUND
        | win::ERROR_INVALID_DRIVE
        | win::ERROR_BAD_NETPATH
        | win::ERROR_BAD_NET_NAME
        | win::ERROR_DIRECTORY => OsErrorKind::NotFound,
        win::ERROR_FILE_EXISTS | win::ERROR_ALREADY_EXISTS => OsErrorKind::AlreadyExists,
        win::ERROR_SHARING_VIOLATION | win::ERROR_LOCK_VIOLATION | win::ERROR_BUSY => {
            OsErrorKind::InUse
        }
        win::ERROR_DISK_FULL
        | win::ERROR_HANDLE_DISK_FULL
        | win::ERROR_DISK_QUOTA_EXCEEDED
        | win::ERROR_FILE_TOO_LARGE => OsErrorKind::DiskFull,
        win::ERROR_WRITE_PROTECT => OsErrorKind::ReadOnly,
        win::ERROR_NOT_SUPPORTED
        | win::ERROR_INVALID_FUNCTION
        | win::ERROR_CALL_NOT_IMPLEMENTED => OsErrorKind::Unsupported,
        _ => OsErrorKind::Other,
    }
}
