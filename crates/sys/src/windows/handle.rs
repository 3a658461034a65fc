//! Handles that close themselves.

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};

/// Takes over a handle that a call just made; `None` when it made none.
///
/// # Safety
/// `raw` is a handle that the caller owns, or one of the two values for none.
pub(super) unsafe fn own(raw: HANDLE) -> Option<OwnedHandle> {
    if raw.is_null() || raw == INVALID_HANDLE_VALUE {
        return None;
    }
    // SAFETY: the caller owns it and gives it up.
    Some(unsafe { OwnedHandle::from_raw_handle(raw) })
}

/// The number that the debug-control structures hold.
pub(super) fn number(handle: &impl AsRawHandle) -> usize {
    handle.as_raw_handle().addr()
}
