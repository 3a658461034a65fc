//! Windows builds: their marketing names, and what the live-dump call is
//! reported to do from which build on.

/// First build of Windows 8.1, where the live-dump command appeared (phnt).
pub const WINDOWS_8_1: u32 = 9600;
/// Windows 10 version 1607 and Server 2016.
pub const WINDOWS_10_1607: u32 = 14393;
/// The oldest build livedump supports.
pub const OLDEST_SUPPORTED: u32 = WINDOWS_10_1607;
/// Windows 10 version 1803.
pub const WINDOWS_10_1803: u32 = 17134;
/// Windows 11 version 21H2.
pub const WINDOWS_11_21H2: u32 = 22000;
/// Windows 11 version 22H2.
pub const WINDOWS_11_22H2: u32 = 22621;
/// Windows 11 version 24H2 and Server 2025.
pub const WINDOWS_11_24H2: u32 = 26100;

/// (build, client name, server name); a name is empty where no such release exists.
const RELEASES: &[(u32, &str, &str)] = &[
    (6002, "Windows Vista SP2", "Windows Server 2008 SP2"),
    (7600, "Windows 7", "Windows Server 2008 R2"),
    (7601, "Windows 7 SP1", "Windows Server 2008 R2 SP1"),
    (9200, "Windows 8", "Windows Server 2012"),
    (9600, "Windows 8.1", "Windows Server 2012 R2"),
    (10240, "Windows 10 1507", ""),
    (10586, "Windows 10 1511", ""),
    (14393, "Windows 10 1607", "Windows Server 2016"),
    (15063, "Windows 10 1703", ""),
    (16299, "Windows 10 1709", "Windows Server 1709"),
    (17134, "Windows 10 1803", "Windows Server 1803"),
    (17763, "Windows 10 1809", "Windows Server 2019"),
    (18362, "Windows 10 1903", "Windows Server 1903"),
    (18363, "Windows 10 1909", "Windows Server 1909"),
    (19041, "Windows 10 2004", "Windows Server 2004"),
    (19042, "Windows 10 20H2", "Windows Server 20H2"),
    (19043, "Windows 10 21H1", ""),
    (19044, "Windows 10 21H2", ""),
    (19045, "Windows 10 22H2", ""),
    (20348, "", "Windows Server 2022"),
    (22000, "Windows 11 21H2", ""),
    (22621, "Windows 11 22H2", ""),
    (22631, "Windows 11 23H2", ""),
    (25398, "", "Windows Server 23H2"),
    (26100, "Windows 11 24H2", "Windows Server 2025"),
    (26200, "Windows 11 25H2", ""),
];

/// Marketing name of an exact `build` ("Windows 11 22H2", "Windows Server 2022");
/// `None` for builds that were never released under a name.
#[must_use]
pub fn marketing_name(build: u32, is_server: bool) -> Option<&'static str> {
    let row = RELEASES.binary_search_by_key(&build, |(number, ..)| *number).ok()?;
    let (_, client, server) = RELEASES[row];
    Some(if is_server { server } else { client }).filter(|name| !name.is_empty())
}

/// Whether the live-dump command exists: Windows 8.1 and later (phnt).
#[must_use]
pub const fn has_live_dump(build: u32) -> bool {
    build >= WINDOWS_8_1
}

/// Whether the 72-byte control structure is reported to be taken: Windows 11
/// 22H2 and later. Not certain: a caller must fall back to version 1.
#[must_use]
pub const fn has_live_dump_v2(build: u32) -> bool {
    build >= WINDOWS_11_22H2
}

/// Whether a selective (stacks only) live dump is reported to be possible.
/// phnt says Windows 11; the version 2 it needs is reported from 22H2 on, so
/// 21H2 is [`Reported::Unclear`].
#[must_use]
pub const fn selective_live_dump(build: u32) -> Reported {
    if build >= WINDOWS_11_22H2 {
        Reported::Yes
    } else if build >= WINDOWS_11_21H2 {
        Reported::Unclear
    } else {
        Reported::No
    }
}

/// Whether `AbortIfMemoryPressure` is known: Windows 10 1803 and later (phnt).
#[must_use]
pub const fn has_abort_on_memory_pressure(build: u32) -> bool {
    build >= WINDOWS_10_1803
}

/// Whether user pages are reported to be allowed without a kernel debugger:
/// 22621.1992 (July 2023 servicing) and later. `revision` is the update number
/// (UBR); an early or unknown revision of 22621 counts as not.
#[must_use]
pub const fn takes_user_pages(build: u32, revision: Option<u32>) -> bool {
    match (build, revision) {
        (..WINDOWS_11_22H2, _) => false,
        (WINDOWS_11_22H2, Some(1992..)) => true,
        (WINDOWS_11_22H2, _) => false,
        _ => true,
    }
}

/// Whether the call is reported to be refused inside a server silo
/// (process-isolated container): Windows 11 24H2-class builds.
#[must_use]
pub const fn refuses_server_silo(build: u32) -> bool {
    build >= WINDOWS_11_24H2
}

/// An answer about undocumented behaviour: what is reported, never certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reported {
    /// Reported to be so.
    Yes,
    /// Reported not to be so.
    No,
    /// Reports differ or are missing.
    Unclear,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_sorted_and_unique() {
        assert!(RELEASES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn one_build_is_named_by_its_product_type() {
        assert_eq!(marketing_name(26100, false), Some("Windows 11 24H2"));
        assert_eq!(marketing_name(26100, true), Some("Windows Server 2025"));
        assert_eq!(marketing_name(20348, false), None);
        assert_eq!(marketing_name(20348, true), Some("Windows Server 2022"));
        assert_eq!(marketing_name(19045, false), Some("Windows 10 22H2"));
    }

    #[test]
    fn unreleased_builds_have_no_name() {
        assert_eq!(marketing_name(25276, false), None);
        assert_eq!(marketing_name(0, false), None);
    }

    #[test]
    fn interface_eras_follow_the_build() {
        assert!(!has_live_dump(9200) && has_live_dump(9600));
        assert!(!has_live_dump_v2(22000) && has_live_dump_v2(22621));
        assert!(!has_abort_on_memory_pressure(16299) && has_abort_on_memory_pressure(17134));
        assert_eq!(
            [19045, 22000, 26100].map(selective_live_dump),
            [Reported::No, Reported::Unclear, Reported::Yes]
        );
    }

    #[test]
    fn user_pages_hang_on_the_revision_of_22621() {
        assert!(!takes_user_pages(22621, Some(1991)) && takes_user_pages(22621, Some(1992)));
        assert!(!takes_user_pages(22621, None) && takes_user_pages(22631, None));
        assert!(!takes_user_pages(20348, Some(9999)));
    }
}
