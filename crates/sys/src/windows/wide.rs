//! UTF-16 text, as Windows takes and gives it.

use std::ffi::{OsStr, OsString};
use std::os::windows::ffi::{OsStrExt, OsStringExt};

/// With the closing NUL.
pub(super) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// Up to the first NUL.
pub(super) fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(until_nul(units))
}

/// Up to the first NUL, nothing lost.
pub(super) fn os_text(units: &[u16]) -> OsString {
    OsString::from_wide(until_nul(units))
}

fn until_nul(units: &[u16]) -> &[u16] {
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    &units[..end]
}

/// Length of a buffer for a call that takes 32 bits.
pub(super) fn length<T>(buffer: &[T]) -> u32 {
    u32::try_from(size_of_val(buffer)).unwrap_or(u32::MAX)
}
