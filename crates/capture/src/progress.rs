//! What goes on during a capture, told to whoever draws it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Note;

/// Sees a capture go by. Called on a thread of its own, never on the one that
/// cancels or times out: an observer may block without harm.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event);
}

/// Where a capture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Checking and creating the file.
    Planning,
    /// The kernel copies; nothing is written yet, a cancel waits until it does.
    Preparing,
    /// The kernel writes.
    Writing,
    /// The file is flushed to the device.
    Flushing,
    /// The file is verified.
    Verifying,
    /// Over.
    Done,
}

/// One thing that happened. Serialised as one JSON line by `--progress json`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A new phase.
    Phase {
        /// Which.
        phase: Phase,
        /// Seconds since the capture began, on the machine's clock.
        at: f64,
    },
    /// The file has grown, or time has passed.
    Progress(Progress),
    /// Something to tell the user now.
    Note(Note),
    /// The kernel was busy; it is tried again.
    Retry {
        /// The status, `0xC000022D (STATUS_RETRY)`.
        status: String,
        /// Which try comes next, from 1.
        retry: u32,
        /// Of how many.
        of: u32,
        /// Seconds until then.
        wait: f64,
    },
    /// Cancel was asked for.
    Cancelling {
        /// "interrupt", "timeout", "low disk".
        reason: String,
        /// How long it may take, in words.
        how_long: String,
    },
    /// A batch of a triage capture begins.
    Batch {
        /// Which, from 1.
        number: usize,
        /// Threads in it.
        threads: usize,
        /// Threads still to do after it.
        left: usize,
    },
}

/// How far the writing is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Progress {
    /// Where we are.
    pub phase: Phase,
    /// Seconds in this capture.
    pub elapsed: f64,
    /// Bytes in the file.
    pub bytes: u64,
    /// Bytes a second, over the writing so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Least seconds left by the estimate's lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_least: Option<f64>,
    /// Most seconds left by the estimate's upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_most: Option<f64>,
}

/// Seconds, for JSON.
pub(crate) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
