//! Local time, and the kernel's ticks.

use machine::TickClock;
use windows_sys::Win32::System::SystemInformation::GetSystemTimeAdjustment;
use windows_sys::Win32::System::SystemServices::{TIME_ZONE_ID_DAYLIGHT, TIME_ZONE_ID_STANDARD};
use windows_sys::Win32::System::Time::{
    GetTimeZoneInformation, TIME_ZONE_ID_INVALID, TIME_ZONE_INFORMATION,
};

/// KUSER_SHARED_DATA.TickCount (ntddk.h); the page lies at this address in every process.
const TICK_COUNT: usize = 0x7FFE_0320;
/// 15.625 ms, what nearly every machine has.
const USUAL_TICK: u32 = 156_250;

/// Seconds east of UTC now.
pub(super) fn utc_offset() -> i32 {
    let mut zone = TIME_ZONE_INFORMATION::default();
    // SAFETY: the structure is ours.
    let now = unsafe { GetTimeZoneInformation(&raw mut zone) };
    if now == TIME_ZONE_ID_INVALID {
        return 0;
    }
    let season = match now {
        TIME_ZONE_ID_STANDARD => zone.StandardBias,
        TIME_ZONE_ID_DAYLIGHT => zone.DaylightBias,
        _ => 0,
    };
    zone.Bias.saturating_add(season).saturating_mul(-60)
}

/// The kernel's tick count now. GetTickCount64 is it in milliseconds, rounded; stamps need it whole.
pub(super) fn ticks() -> TickClock {
    // SAFETY: the kernel maps this page, readable, at this address into every process, and never unmaps it.
    let ticks = unsafe { std::ptr::with_exposed_provenance::<u64>(TICK_COUNT).read_volatile() };
    let (mut adjustment, mut increment, mut disabled) = (0, 0, 0);
    // SAFETY: the three numbers are ours.
    let done = unsafe {
        GetSystemTimeAdjustment(&raw mut adjustment, &raw mut increment, &raw mut disabled)
    };
    let known = done != 0 && increment != 0;
    TickClock { ticks, tick_100ns: if known { increment } else { USUAL_TICK } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_go_forward_and_have_a_length() {
        let before = ticks();
        std::thread::sleep(std::time::Duration::from_millis(50));
        let after = ticks();
        assert!(after.ticks > before.ticks);
        assert!((1_000..=1_000_000).contains(&after.tick_100ns));
    }

    #[test]
    fn local_time_is_within_a_day_of_utc() {
        assert!(utc_offset().abs() <= 26 * 3600);
    }
}
