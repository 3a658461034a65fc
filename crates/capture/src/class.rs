//! How a command ended, one class for each exit code of the house.

use schemars::JsonSchema;
use serde::Serialize;

/// How a command ended. The numbers are the frozen exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Class {
    /// Done and verified.
    Done = 0,
    /// Our own fault, or a status that has no class of its own.
    Internal = 1,
    /// The command line.
    Usage = 2,
    /// Not elevated, or a privilege is missing.
    Elevation = 3,
    /// Not supported here.
    Unsupported = 4,
    /// Disk: no space, no file, no folder.
    Disk = 5,
    /// Memory.
    Memory = 6,
    /// Cancelled or timed out.
    Cancelled = 7,
    /// Captured but partial, or a requirement not met.
    Partial = 8,
    /// Verification failed.
    Unverified = 9,
    /// Process, thread or file not found, or gone.
    NotFound = 10,
    /// Busy or throttled.
    Busy = 11,
    /// Refused by policy or protection.
    Policy = 12,
    /// Delivery failed, the local file is fine.
    Delivery = 13,
}

impl Class {
    /// The exit code.
    pub fn exit_code(self) -> u8 {
        self as u8
    }

    /// Done only when both are.
    pub(crate) fn max_partial(self, other: Self) -> Self {
        if self == Self::Done { other } else { self }
    }
}
