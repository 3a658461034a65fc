//! `NTSTATUS`: names, meanings, and what a status means for a dump call.

mod common;
mod dump_call;
mod names;

use core::fmt;

use common::COMMON;
use dump_call::DUMP_CALL;
use names::NAMES;

/// An `NTSTATUS` as the kernel returns it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtStatus(pub u32);

/// The two top bits of a status ([MS-ERREF] 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// 0.
    Success,
    /// 1.
    Informational,
    /// 2.
    Warning,
    /// 3.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "success",
            Self::Informational => "informational",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// The statuses of the dump commands; further ones are found by value.
#[allow(missing_docs, reason = "the names are Windows' own, without STATUS_")]
impl NtStatus {
    pub const SUCCESS: Self = Self(0);
    pub const MORE_ENTRIES: Self = Self(0x0000_0105);
    pub const UNSUCCESSFUL: Self = Self(0xC000_0001);
    pub const NOT_IMPLEMENTED: Self = Self(0xC000_0002);
    pub const INVALID_INFO_CLASS: Self = Self(0xC000_0003);
    pub const INFO_LENGTH_MISMATCH: Self = Self(0xC000_0004);
    pub const INVALID_HANDLE: Self = Self(0xC000_0008);
    pub const INVALID_PARAMETER: Self = Self(0xC000_000D);
    pub const NO_MEMORY: Self = Self(0xC000_0017);
    pub const ACCESS_DENIED: Self = Self(0xC000_0022);
    pub const OBJECT_TYPE_MISMATCH: Self = Self(0xC000_0024);
    pub const THREAD_IS_TERMINATING: Self = Self(0xC000_004B);
    pub const PRIVILEGE_NOT_HELD: Self = Self(0xC000_0061);
    pub const DISK_FULL: Self = Self(0xC000_007F);
    pub const INSUFFICIENT_RESOURCES: Self = Self(0xC000_009A);
    pub const NOT_SUPPORTED: Self = Self(0xC000_00BB);
    pub const CANCELLED: Self = Self(0xC000_0120);
    pub const RETRY: Self = Self(0xC000_022D);
    pub const REQUEST_ABORTED: Self = Self(0xC000_0240);
    pub const DEBUGGER_INACTIVE: Self = Self(0xC000_0354);
    pub const OPERATION_IN_PROGRESS: Self = Self(0xC000_0476);
    pub const CONTENT_BLOCKED: Self = Self(0xC000_0804);
}

impl NtStatus {
    /// The severity in the two top bits.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self.0 >> 30 {
            0 => Severity::Success,
            1 => Severity::Informational,
            2 => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// `NT_SUCCESS`: success and informational statuses. A partial dump
    /// ([`Self::MORE_ENTRIES`]) is one.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 >> 31 == 0
    }

    /// Windows' name ("STATUS_ACCESS_DENIED"); `None` if this table lacks it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        common(self).map(|row| row.1).or_else(|| {
            let row = NAMES.binary_search_by_key(&self.0, |row| row.0).ok()?;
            Some(NAMES[row].1)
        })
    }

    /// What it means: as the answer of a dump command if that is known, else in general.
    #[must_use]
    pub fn meaning(self) -> Option<&'static str> {
        self.meaning_for_dump_call().or_else(|| self.general_meaning())
    }

    /// What it means whoever returned it.
    #[must_use]
    pub fn general_meaning(self) -> Option<&'static str> {
        common(self).map(|row| row.3)
    }

    /// What it means, or is reported to mean, as the answer of a dump command.
    #[must_use]
    pub fn meaning_for_dump_call(self) -> Option<&'static str> {
        dump_call(self).map(|row| row.1)
    }

    /// What to do when a dump command answers with it.
    #[must_use]
    pub fn remedy(self) -> Option<&'static str> {
        dump_call(self).map(|row| row.2)
    }

    /// The Win32 code it usually maps to; `RtlNtStatusToDosError` wins where it is at hand.
    #[must_use]
    pub fn win32(self) -> Option<u32> {
        match common(self)? {
            (0, ..) => Some(0),
            (_, _, 0, _) => None,
            (_, _, code, _) => Some(*code),
        }
    }

    /// The status of that name, in any case, with or without `STATUS_`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let bare = strip_prefix(name, "STATUS_");
        let is_it = |candidate: &str| strip_prefix(candidate, "STATUS_").eq_ignore_ascii_case(bare);
        let common = COMMON.iter().map(|row| (row.0, row.1));
        common
            .chain(NAMES.iter().copied())
            .find(|(_, name)| is_it(name))
            .map(|(value, _)| Self(value))
    }
}

impl fmt::Display for NtStatus {
    /// `0xC0000022 (STATUS_ACCESS_DENIED)`, or the number alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)?;
        self.name().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> &'a str {
    match text.get(..prefix.len()) {
        Some(start) if start.eq_ignore_ascii_case(prefix) => &text[prefix.len()..],
        _ => text,
    }
}

fn common(status: NtStatus) -> Option<&'static common::Row> {
    COMMON.binary_search_by_key(&status.0, |row| row.0).ok().map(|row| &COMMON[row])
}

fn dump_call(status: NtStatus) -> Option<&'static (u32, &'static str, &'static str)> {
    DUMP_CALL.binary_search_by_key(&status.0, |row| row.0).ok().map(|row| &DUMP_CALL[row])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_share_no_code() {
        assert!(COMMON.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(DUMP_CALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(NAMES.iter().all(|(value, _)| common(NtStatus(*value)).is_none()));
    }

    #[test]
    fn names_are_unique() {
        let all: Vec<&str> =
            COMMON.iter().map(|row| row.1).chain(NAMES.iter().map(|row| row.1)).collect();
        let unique: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
        assert!(COMMON.len() >= 300);
    }

    #[test]
    fn every_status_of_a_dump_call_has_a_name_a_meaning_and_a_remedy() {
        for value in [
            0,
            0x105,
            0xC000_0022,
            0xC000_0354,
            0xC000_0004,
            0xC000_000D,
            0xC000_0804,
            0xC000_00BB,
            0xC000_022D,
            0xC000_0240,
            0xC000_0476,
            0xC000_009A,
            0xC000_0017,
            0xC000_0120,
            0xC000_004B,
            0xC000_007F,
            0xC000_0001,
            0xC000_0002,
            0xC000_0003,
            0xC000_0008,
            0xC000_0024,
        ] {
            let status = NtStatus(value);
            assert!(status.name().is_some(), "{value:#x}");
            assert!(status.meaning_for_dump_call().is_some(), "{value:#x}");
            assert!(status.remedy().is_some_and(|text| !text.is_empty()), "{value:#x}");
        }
    }

    #[test]
    fn a_partial_dump_is_a_success() {
        assert!(NtStatus::MORE_ENTRIES.is_success());
        assert_eq!(NtStatus::MORE_ENTRIES.severity(), Severity::Success);
        assert_eq!(NtStatus::MORE_ENTRIES.win32(), Some(234));
    }

    #[test]
    fn severity_is_in_the_top_bits() {
        assert_eq!(NtStatus(0x4000_0000).severity(), Severity::Informational);
        assert!(NtStatus(0x4000_0000).is_success());
        assert_eq!(NtStatus(0x8000_0005).severity(), Severity::Warning);
        assert!(!NtStatus(0x8000_0005).is_success());
        assert_eq!(NtStatus::ACCESS_DENIED.severity(), Severity::Error);
    }

    #[test]
    fn a_status_prints_its_number_and_name() {
        assert_eq!(NtStatus::ACCESS_DENIED.to_string(), "0xC0000022 (STATUS_ACCESS_DENIED)");
        assert_eq!(NtStatus(0xC123_4567).to_string(), "0xC1234567");
    }

    #[test]
    fn win32_codes_follow_the_usual_map() {
        assert_eq!(NtStatus(0xC000_0005).win32(), Some(998));
        assert_eq!(NtStatus::SUCCESS.win32(), Some(0));
        assert_eq!(NtStatus::OPERATION_IN_PROGRESS.win32(), Some(329));
        assert_eq!(NtStatus::CONTENT_BLOCKED.win32(), Some(1296));
        assert_eq!(NtStatus(0xC000_0374).win32(), None);
    }

    #[test]
    fn names_are_found_in_any_case_with_or_without_the_prefix() {
        assert_eq!(NtStatus::from_name("STATUS_RETRY"), Some(NtStatus::RETRY));
        assert_eq!(NtStatus::from_name("access_violation"), Some(NtStatus(0xC000_0005)));
        assert_eq!(NtStatus::from_name("STATUS_"), None);
        assert_eq!(NtStatus::from_name("überlauf"), None);
    }
}
