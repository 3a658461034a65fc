//! The offset of local time, from the C library, which knows TZ and the zone files.

use std::ffi::{c_char, c_int, c_long};
use std::time::{SystemTime, UNIX_EPOCH};

/// `struct tm` as POSIX.1-2024, glibc, musl, macOS and the BSDs have it.
#[repr(C)]
struct Tm {
    fields: [c_int; 9],
    tm_gmtoff: c_long,
    tm_zone: *const c_char,
}

unsafe extern "C" {
    fn localtime_r(time: *const i64, result: *mut Tm) -> *mut Tm;
}

/// Seconds east of UTC now; 0 where it cannot be told.
pub(super) fn utc_offset() -> i32 {
    // Only where time_t is surely 64 bits wide.
    if cfg!(not(target_pointer_width = "64")) {
        return 0;
    }
    let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) else { return 0 };
    let Ok(now) = i64::try_from(now.as_secs()) else { return 0 };
    let mut result = Tm { fields: [0; 9], tm_gmtoff: 0, tm_zone: std::ptr::null() };
    // SAFETY: both pointers are to live values of the types the function takes.
    let answered = unsafe { localtime_r(&raw const now, &raw mut result) };
    if answered.is_null() { 0 } else { i32::try_from(result.tm_gmtoff).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn local_time_is_within_a_day_of_utc() {
        assert!(super::utc_offset().abs() <= 26 * 3600);
    }
}
