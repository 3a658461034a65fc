//! What a status of the kernel means for a capture: class, words, whether to try again.

use nt::NtStatus;

use crate::{Class, Failure, StatusReport};

/// The status for a report.
pub(crate) fn report(status: NtStatus) -> StatusReport {
    StatusReport {
        ntstatus: format!("0x{:08X}", status.0),
        name: status.name().map(Into::into),
        win32: status.win32(),
        meaning: status
            .meaning()
            .map_or_else(|| "a status this version of livedump does not know".into(), Into::into),
        remedy: Some(status.remedy().map_or_else(
            || {
                "look the value up (`livedump explain`), try again, and report it if it stays"
                    .into()
            },
            Into::into,
        )),
    }
}

/// Another capture is under way, or the processors could not be stopped in time: worth another try.
pub(crate) fn is_busy(status: NtStatus) -> bool {
    matches!(status, NtStatus::RETRY | NtStatus::OPERATION_IN_PROGRESS)
}

/// The class of a status that is not a success.
pub(crate) fn class(status: NtStatus) -> Class {
    match status {
        NtStatus::ACCESS_DENIED | NtStatus::PRIVILEGE_NOT_HELD => Class::Elevation,
        NtStatus::CONTENT_BLOCKED | NtStatus::NOT_SUPPORTED => Class::Policy,
        NtStatus::RETRY | NtStatus::OPERATION_IN_PROGRESS => Class::Busy,
        NtStatus::REQUEST_ABORTED | NtStatus::INSUFFICIENT_RESOURCES | NtStatus::NO_MEMORY => {
            Class::Memory
        }
        NtStatus::CANCELLED | NtStatus::THREAD_IS_TERMINATING => Class::Cancelled,
        NtStatus::DEBUGGER_INACTIVE
        | NtStatus::INFO_LENGTH_MISMATCH
        | NtStatus::INVALID_PARAMETER
        | NtStatus::NOT_IMPLEMENTED
        | NtStatus::INVALID_INFO_CLASS => Class::Unsupported,
        _ if is_of_the_disk(status) => Class::Disk,
        _ => Class::Internal,
    }
}

/// Statuses that file systems and disks pass through.
fn is_of_the_disk(status: NtStatus) -> bool {
    const DISK: &[u32] = &[
        0xC000_007F, // DISK_FULL
        0xC000_0044, // QUOTA_EXCEEDED
        0xC000_0904, // FILE_TOO_LARGE
        0xC000_00A2, // MEDIA_WRITE_PROTECTED
        0xC000_0185, // IO_DEVICE_ERROR
        0xC000_000E, // NO_SUCH_DEVICE
        0xC000_009C, // DEVICE_DATA_ERROR
        0xC000_009D, // DEVICE_NOT_CONNECTED
        0xC000_00A3, // DEVICE_NOT_READY
        0xC000_0013, // NO_MEDIA_IN_DEVICE
        0xC000_00B5, // IO_TIMEOUT
        0xC000_00BE, // BAD_NETWORK_PATH
        0xC000_00C9, // NETWORK_NAME_DELETED
        0xC000_020C, // CONNECTION_DISCONNECTED
        0xC000_026E, // VOLUME_DISMOUNTED
        0xC000_0032, // DISK_CORRUPT_ERROR
        0xC000_0102, // FILE_CORRUPT_ERROR
    ];
    DISK.contains(&status.0)
}

/// STATUS_DEBUGGER_INACTIVE where no user pages were asked for.
const NO_SUCH_CALL: &str = "no Windows that livedump runs on is known to refuse this call so, but Wine does: `livedump doctor` says what this system is; if it is Windows, boot it with kernel debugging enabled, and please report this";

/// The failure a status is.
pub(crate) fn failure(status: NtStatus, doing: &str) -> Failure {
    let report = report(status);
    let failure = Failure::new(class(status), format!("{doing}: {status}: {}", report.meaning));
    match status {
        // Who asked for user pages is told to leave them out.
        NtStatus::DEBUGGER_INACTIVE => failure.remedy(NO_SUCH_CALL),
        _ => failure,
    }
    .status(report)
}
