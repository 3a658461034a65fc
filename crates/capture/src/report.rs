//! The plain result of a capture, which the command line renders. Any field may be absent.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Class, EstimateReport, Failure, Finding, WaitUnit};

/// The result of `livedump kernel` and `livedump triage`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// "livedump.capture/1".
    pub schema: String,
    /// "kernel" or "triage".
    pub command: String,
    /// How it ended.
    pub class: Class,
    /// The exit code.
    pub exit_code: u8,
    /// The scenario, when the machine was a simulated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// Why it failed, or why it is not quite what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it began, ISO 8601, UTC.
    pub started: String,
    /// The machine.
    pub machine: MachineSummary,
    /// What was captured: "kernel memory, hypervisor pages".
    pub content: String,
    /// The files, in order. A `.partial` that was kept is one, with `complete_name` false.
    pub files: Vec<FileReport>,
    /// The description of a batch set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// What the kernel answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusReport>,
    /// Every call, retries included.
    pub attempts: Vec<Attempt>,
    /// Where the time went.
    pub times: PhaseTimes,
    /// What was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<EstimateReport>,
    /// What preflight found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Everything the user was told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Process and threads of a triage capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triage: Option<TriageReport>,
    /// The user interrupted twice: the kernel has not returned, the process must end now.
    #[serde(skip)]
    pub abandoned: bool,
}

/// Something the user is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// A warning, not only information.
    pub warning: bool,
    /// One sentence.
    pub text: String,
}

impl Note {
    /// Information.
    pub fn info(text: impl Into<String>) -> Self {
        Self { warning: false, text: text.into() }
    }

    /// A warning.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { warning: true, text: text.into() }
    }
}

/// A status of the kernel, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusReport {
    /// `0xC000022D`.
    pub ntstatus: String,
    /// `STATUS_RETRY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Win32 error it maps to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win32: Option<u32>,
    /// What it means here.
    pub meaning: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Which machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MachineSummary {
    /// Computer name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computer: Option<String>,
    /// "Windows 11 24H2 (10.0.26100.2314)".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<String>,
    /// "x64".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Logical processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<u32>,
    /// Physical memory, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
}

/// One file that a capture left.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileReport {
    /// Where it is.
    pub path: String,
    /// It has its final name; otherwise it is a `.partial`.
    pub complete_name: bool,
    /// Bytes.
    pub size: u64,
    /// What verification found; absent when it was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<format::Verification>,
    /// SHA-256 in lower-case hex (`--hash`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Who may read it.
    pub readers: String,
    /// "unbuffered" or "buffered".
    pub written: String,
    /// When this batch was taken, ISO 8601 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Thread ids in this file (triage).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tids: Vec<u32>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Attempt {
    /// `0x00000000 (STATUS_SUCCESS)`.
    pub status: String,
    /// Seconds it took on the machine's clock.
    pub seconds: f64,
    /// Structure length sent, in bytes.
    pub structure: u32,
}

/// Seconds for each phase, on the machine's clock but for flush, verify and own (real time).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct PhaseTimes {
    /// Before the call: checks, target.
    pub planning: f64,
    /// In the call, before the first byte.
    pub preparing: f64,
    /// In the call, writing.
    pub writing: f64,
    /// In the call, where the first byte was not seen: preparing and writing together.
    pub calling: f64,
    /// Flush to the device.
    pub flushing: f64,
    /// Verification.
    pub verifying: f64,
    /// Everything.
    pub total: f64,
}

/// Process and threads of a triage capture.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TriageReport {
    /// Process id.
    pub pid: u32,
    /// Image name.
    pub process: String,
    /// Threads the process had.
    pub threads_total: usize,
    /// How wait times were read.
    pub wait_unit: WaitUnit,
    /// The worst case that was announced, seconds.
    pub worst_case_seconds: u64,
    /// The picked threads, in the order they were picked.
    pub threads: Vec<ThreadReport>,
}

/// One thread of a triage capture.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ThreadReport {
    /// Thread id.
    pub tid: u32,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the dump has of it.
    pub state: ThreadState,
    /// Which file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<usize>,
}

/// What a dump has of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ThreadState {
    /// Thread object found, stored blocks cover its kernel stack.
    Full {
        /// Address of the thread object.
        object: String,
        /// Bytes of kernel stack in use.
        stack: u64,
    },
    /// Stored blocks cover only a part of its kernel stack.
    StackCut {
        /// Address of the thread object.
        object: String,
        /// Bytes stored.
        stored: u64,
        /// Bytes in use.
        stack: u64,
    },
    /// Thread object found, nothing of its stack.
    ObjectOnly {
        /// Address of the thread object.
        object: String,
    },
    /// Its ids stand in the dump, but no thread object could be proved around them.
    IdsOnly,
    /// Its ids are not in the dump.
    NotInDump,
    /// It could not be opened.
    CouldNotOpen {
        /// Why.
        error: String,
    },
    /// It had ended.
    Gone,
}
