//! The file a dump goes to.

use std::io;
use std::path::{Path, PathBuf};

use crate::OsError;

/// How the target is to be created.
#[derive(Debug, Clone)]
pub struct TargetOptions {
    /// The folder, absolute, opened first. Its last component must not be a reparse point.
    pub folder: PathBuf,
    /// The file's name in that folder. Created new, never opened.
    pub name: String,
    /// Bytes to allocate at once, so that lack of space shows now; the length stays 0.
    pub allocate: u64,
    /// SID that may read the file besides SYSTEM and Administrators (`--readable-by`).
    pub reader: Option<String>,
    /// Ask for unbuffered write-through; the fall-back is buffered.
    pub unbuffered: bool,
}

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buffering {
    /// Unbuffered, write-through.
    Unbuffered,
    /// Through the system's cache.
    Buffered,
}

/// How the target came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// How it is written.
    pub buffering: Buffering,
    /// Who may read it, in words, where the access list that was asked for is
    /// on it: "SYSTEM, Administrators". `None`: whoever reaches the file.
    pub readers: Option<String>,
    /// What was not possible, in words for the user: "the volume keeps no access lists".
    pub warnings: Vec<String>,
}

/// Why a target could not be created, or not renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetError {
    /// A file of that name exists.
    Exists(PathBuf),
    /// The folder does not exist.
    NoFolder(PathBuf),
    /// The folder is a link, junction or other reparse point.
    ReparsePoint(PathBuf),
    /// Not enough space for what was to be allocated.
    NoSpace(OsError),
    /// The name in the way is held open by somebody.
    InUse(PathBuf),
    /// Anything else.
    Os(OsError),
}

/// An open target. Reads and writes take any offset and length: where the file
/// is unbuffered the implementation aligns.
pub trait Target: Send + Sync {
    /// Where it is now, the `.partial` until it is renamed.
    fn path(&self) -> PathBuf;
    /// HANDLE value on Windows, 0 elsewhere.
    fn raw(&self) -> usize;
    /// How it came out.
    fn facts(&self) -> &TargetFacts;
    /// Its length. Goes through this handle: not while the kernel writes.
    fn len(&self) -> io::Result<u64>;
    /// True when the length is 0.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Reads at an offset; short only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all of `bytes` at an offset.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Sets the length, which gives back what was allocated beyond it.
    fn set_len(&self, length: u64) -> io::Result<()>;
    /// Says that what is never written shall take no room on the disk. Where
    /// that need not be said, or cannot be had, nothing happens.
    fn set_sparse(&self) {}
    /// Flushes data and metadata to the device.
    fn flush(&self) -> io::Result<()>;
    /// Renames it, on its own handle, to `name` in the same folder; replaces
    /// only when asked to. Returns the new path.
    fn rename(&self, name: &str, replace: bool) -> Result<PathBuf, TargetError>;
    /// Deletes it. It is gone when this returns or when the handle closes.
    fn delete(&self) -> Result<(), OsError>;
}

/// What kind of volume it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VolumeKind {
    /// A local disk.
    Fixed,
    /// A USB stick or the like.
    Removable,
    /// A network share.
    Network,
    /// A memory disk.
    Memory,
    /// Could not be found out.
    #[default]
    Unknown,
}

/// The volume a target lies on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeFacts {
    /// Mount point or share, as the user would name it.
    pub name: String,
    /// "NTFS", "ReFS", "FAT32", "exFAT", "ext4", ...
    pub file_system: Option<String>,
    /// Kind.
    pub kind: VolumeKind,
    /// Bytes free to us (a quota counts).
    pub free: Option<u64>,
    /// Bytes free on the volume, whoever may use them.
    pub free_total: Option<u64>,
    /// Size of the volume.
    pub total: Option<u64>,
    /// Largest file it can hold, where the file system is known to have a limit that matters.
    pub largest_file: Option<u64>,
    /// Keeps access lists.
    pub access_lists: Option<bool>,
    /// Sector size for unbuffered I/O.
    pub sector: u32,
}

impl VolumeFacts {
    /// The same volume under another name.
    pub fn at(mut self, path: &Path) -> Self {
        self.name = path.display().to_string();
        self
    }
}
