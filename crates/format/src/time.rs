//! Windows' times.

use std::fmt;
use std::time::Duration;

/// A FILETIME: units of 100 ns since 1601-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileTime(pub u64);

/// 1601-01-01 to 1970-01-01, in seconds.
const TO_UNIX: i64 = 11_644_473_600;

impl FileTime {
    /// ISO 8601 in UTC, whole seconds; `None` for 0, which no clock says, and
    /// beyond the year 9999.
    pub fn iso8601(self) -> Option<String> {
        if self.0 == 0 {
            return None;
        }
        let seconds = i64::try_from(self.0 / 10_000_000).ok()? - TO_UNIX;
        Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
    }
}

impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.iso8601() {
            Some(text) => f.write_str(&text),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

/// A span in units of 100 ns, as the header has it.
pub(crate) fn span(units: u64) -> Duration {
    Duration::from_nanos(units % 10_000_000 * 100) + Duration::from_secs(units / 10_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filetime_is_shown_in_utc() {
        let time = FileTime(0x01d7_07f2_3dbb_3399);
        assert_eq!(time.iso8601().as_deref(), Some("2021-02-21T01:38:22Z"));
    }

    #[test]
    fn times_that_no_calendar_has_are_shown_raw() {
        assert_eq!(FileTime(0).iso8601(), None);
        assert_eq!(FileTime(u64::MAX).to_string(), "0xffffffffffffffff");
    }

    #[test]
    fn spans_keep_their_tenths_of_microseconds() {
        assert_eq!(span(37_470_001), Duration::from_nanos(3_747_000_100));
        assert!(span(u64::MAX).as_secs() > 0);
    }
}
