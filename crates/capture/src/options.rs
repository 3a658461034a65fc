//! What a capture is asked to do: the meaning of the command line, not its form.

use std::time::Duration;

use machine::Pages;

/// Options of both kinds of dump.
#[derive(Debug, Clone)]
pub struct Common {
    /// File, folder or template as typed; `None`: make a name in the current folder.
    pub file: Option<String>,
    /// Bug-check code for the header; `None`: the customary one.
    pub bugcheck: Option<u32>,
    /// Parameters 1 to 4 for the header, as many as given; none: parameter 1 spells "livedump".
    pub parameters: Vec<u64>,
    /// Cancel after this long.
    pub timeout: Option<Duration>,
    /// How often to try again when the kernel is busy.
    pub retries: u32,
    /// Replace an existing file, at the rename.
    pub overwrite: bool,
    /// For the header's comment field: ASCII, at most 127 characters.
    pub comment: Option<String>,
    /// A partial dump is a failure.
    pub require_complete: bool,
    /// Keep the `.partial` of a failed or cancelled capture.
    pub keep_partial: bool,
    /// "me" or a SID.
    pub readable_by: Option<String>,
    /// Hash the file (SHA-256).
    pub hash: bool,
    /// Write no event-log record.
    pub no_event_log: bool,
    /// Allow a folder that synchronises to a cloud.
    pub allow_synced: bool,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            file: None,
            bugcheck: None,
            parameters: Vec::new(),
            timeout: None,
            retries: 5,
            overwrite: false,
            comment: None,
            require_complete: false,
            keep_partial: false,
            readable_by: None,
            hash: false,
            no_event_log: false,
            allow_synced: false,
        }
    }
}

/// `livedump kernel`.
#[derive(Debug, Clone, Default)]
pub struct KernelOptions {
    /// Options of both kinds.
    pub common: Common,
    /// Which pages, and how. `nonessential_hypervisor` implies `hypervisor`;
    /// `kernel_stacks_only` excludes hypervisor and user pages.
    pub pages: Pages,
}

/// `livedump triage`.
#[derive(Debug, Clone)]
pub struct TriageOptions {
    /// Options of both kinds.
    pub common: Common,
    /// Whose stacks.
    pub process: ProcessTarget,
    /// How many threads; `None`: 4, or all that `tids` and `thread_name` name.
    pub count: Option<ThreadCount>,
    /// Exactly these threads.
    pub tids: Vec<u32>,
    /// Only threads whose name matches this glob (`*`, `?`, any case).
    pub thread_name: Option<String>,
    /// In which order threads are picked.
    pub pick: Pick,
}

/// A process by id or image name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessTarget {
    /// Process id.
    Pid(u32),
    /// Image name, any case, ".exe" may be left out.
    Name(String),
}

/// How many threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadCount {
    /// At most so many.
    First(u32),
    /// Every one.
    All,
}

/// The order in which threads are picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pick {
    /// The main thread, then waits that tell most, then the rest by wait time.
    #[default]
    Main,
    /// Longest waits first.
    LongestWait,
    /// Most processor time first.
    Cpu,
}
