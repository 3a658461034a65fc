//! Times as text: ISO 8601 in UTC for reports, compact local time for names.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::Offset;

/// `2026-11-22T23:15:04Z`.
pub(crate) fn iso(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .map_or_else(|_| "unknown".into(), |t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// `20261122-231504`, local.
pub(crate) fn compact(time: SystemTime, utc_offset: i32) -> String {
    let offset = Offset::from_seconds(utc_offset).unwrap_or(Offset::UTC);
    Timestamp::try_from(time).map_or_else(
        |_| "unknown".into(),
        |t| offset.to_datetime(t).strftime("%Y%m%d-%H%M%S").to_string(),
    )
}

/// A FILETIME (100 ns since 1601 UTC) as ISO 8601; `None` for 0 and what no calendar holds.
pub(crate) fn filetime(value: u64) -> Option<String> {
    const UNIX_EPOCH_100NS: i64 = 116_444_736_000_000_000;
    if value == 0 {
        return None;
    }
    let since = i64::try_from(value).ok()?.checked_sub(UNIX_EPOCH_100NS)?;
    let t = Timestamp::from_nanosecond(i128::from(since) * 100).ok()?;
    Some(t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn times_read_as_iso_8601_in_utc_and_names_as_local() {
        let t = UNIX_EPOCH + Duration::from_secs(1_613_871_502);
        assert_eq!(iso(t), "2021-02-21T01:38:22Z");
        assert_eq!(compact(t, 3600), "20210221-023822");
    }

    #[test]
    fn a_filetime_that_no_calendar_holds_is_absent() {
        assert_eq!(filetime(0), None);
        assert_eq!(filetime(u64::MAX), None);
        assert_eq!(filetime(132_583_451_020_000_000).as_deref(), Some("2021-02-21T01:38:22Z"));
    }
}
