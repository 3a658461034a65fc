//! The computer we run on: files, volumes, interrupts, the event log. Real even under `--simulate`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::{OsError, Target, TargetError, TargetOptions, VolumeFacts, Wake};

/// The computer we run on.
pub trait Host: Send + Sync {
    /// Its name, for file-name templates.
    fn computer(&self) -> String;

    /// Wall-clock time, for names and reports.
    fn wall_time(&self) -> SystemTime;

    /// Offset of local time from UTC now, in seconds.
    fn utc_offset(&self) -> i32;

    /// The folder we were started in.
    fn current_folder(&self) -> Result<PathBuf, OsError>;

    /// The system's own folder (C:\Windows), where no dump is put unasked.
    fn system_folder(&self) -> Option<PathBuf>;

    /// A folder to write to when the current one is the system's own.
    fn fallback_folder(&self) -> PathBuf;

    /// What a path looks like to this system, without creating anything.
    fn path_facts(&self, path: &Path) -> PathFacts;

    /// The same folder without links and `..`; the path itself where that cannot be told.
    fn resolved(&self, folder: &Path) -> PathBuf;

    /// Whether both paths lead to one existing file: by links, by another
    /// case of letters, or because the file has two names.
    fn same_file(&self, one: &Path, other: &Path) -> bool {
        self.resolved(one) == self.resolved(other)
    }

    /// Folders that a cloud client synchronises.
    fn synced_folders(&self) -> Vec<SyncedFolder>;

    /// The volume that `folder` (existing) lies on.
    fn volume(&self, folder: &Path) -> Result<VolumeFacts, OsError>;

    /// Creates the target new, relative to its opened folder.
    fn create_target(&self, options: &TargetOptions) -> Result<Box<dyn Target>, TargetError>;

    /// A file's present length, by a handle of its own; `None` when it cannot be told.
    fn file_length(&self, path: &Path) -> Option<u64>;

    /// Arranges, by a handle of its own, that the file goes away, at the latest when its last handle closes.
    fn delete_later(&self, path: &Path) -> Result<(), OsError>;

    /// Starts listening for Ctrl+C, Ctrl+Break, console close, logoff and
    /// shutdown, also when the process was started with interrupts ignored.
    /// Every one counts up and raises `wake`.
    fn interrupts(&self, wake: Arc<Wake>) -> Result<Arc<dyn Interrupts>, OsError>;

    /// Resolves `--readable-by` to a SID: "me", or a SID that is checked for form.
    fn reader(&self, who: &str) -> Result<Reader, OsError>;

    /// Who we are: "DOMAIN\user".
    fn user(&self) -> Option<String>;

    /// Writes one record to the Application event log.
    fn write_event(&self, record: &EventRecord) -> Result<(), OsError>;

    /// Registers the event source; `false` unregisters. Needs elevation.
    fn register_event_source(&self, register: bool) -> Result<(), OsError>;
}

/// How often we were interrupted.
pub trait Interrupts: Send + Sync {
    /// Number of interrupts so far.
    fn count(&self) -> u32;
    /// The session is ending (console closed, logoff, shutdown): Windows will end us soon.
    fn session_ends(&self) -> bool;
    /// We are done: a handler that holds back the end of the process may let go.
    fn finished(&self);
}

/// What a path is to this system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFacts {
    /// Absolute and normalised, in the form to open it by (`\\?\` where long).
    pub full: PathBuf,
    /// The same in the form to show.
    pub shown: String,
    /// An existing folder.
    pub is_folder: bool,
    /// Exists, as anything.
    pub exists: bool,
    /// On a network share (UNC or mapped drive).
    pub is_network: bool,
    /// The drive letter does not exist in this session.
    pub missing_drive: Option<char>,
    /// Why this cannot be a file's name here, in words: reserved name, trailing dot, device path, ...
    pub refused: Option<String>,
}

/// A folder that synchronises to a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncedFolder {
    /// "OneDrive", "Dropbox", ...
    pub provider: String,
    /// The root.
    pub path: PathBuf,
}

/// Somebody who may read the dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The SID as text.
    pub sid: String,
    /// The account's name, when it can be told.
    pub account: Option<String>,
}

/// One capture, for the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Who took it.
    pub who: String,
    /// What: "live dump", "triage dump of svchost.exe (1234)".
    pub what: String,
    /// Where it is.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// Flags and options, as text.
    pub flags: String,
    /// How it ended: "good", "partial", the status.
    pub result: String,
}
