//! Policy values that bear on a capture. Read, never written.

use machine::{OsError, Policy};

use super::registry::{self, Root};

const CONTROL: &str = r"SYSTEM\CurrentControlSet\Control";

/// Reads all of them; what cannot be read goes to `unread`.
pub(super) fn policy(unread: &mut Vec<(String, String)>) -> Policy {
    let mut value = |key: &str, name: &str| {
        let read: Result<_, OsError> =
            registry::dword(Root::Machine, &format!(r"{CONTROL}\{key}"), name);
        read.unwrap_or_else(|error| {
            unread.push((name.to_owned(), error.to_string()));
            None
        })
    };
    let reports = r"CrashControl\FullLiveKernelReports";
    Policy {
        full_live_reports_max: value(reports, "FullLiveReportsMax"),
        allow_live_dump: value("LiveDump", "AllowLiveDump"),
        dump_encryption_enabled: value("CrashControl", "DumpEncryptionEnabled"),
        system_throttle_threshold: value(reports, "SystemThrottleThreshold"),
        component_throttle_threshold: value(reports, "ComponentThrottleThreshold"),
    }
}
