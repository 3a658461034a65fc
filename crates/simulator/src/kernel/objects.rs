//! What the kernel's side asks of whoever holds the handles.

/// A file object behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileObject {
    /// Granted access mask.
    pub granted: u32,
    /// Opened for synchronous I/O.
    pub synchronous: bool,
    /// Opened without buffering: offsets, lengths and addresses must be multiples of this.
    pub sector: Option<u32>,
}

/// An event object behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventObject {
    /// Granted access mask.
    pub granted: u32,
}

/// A thread object behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadObject {
    /// Granted access mask.
    pub granted: u32,
    /// Thread id.
    pub tid: u32,
    /// Its process.
    pub pid: u32,
}

/// The caller's handles and memory. Errors are NTSTATUS values.
pub trait Objects {
    /// References a file. STATUS_INVALID_HANDLE or STATUS_OBJECT_TYPE_MISMATCH where it is none.
    ///
    /// # Errors
    /// The object manager's status.
    fn file(&self, handle: u64) -> Result<FileObject, u32>;

    /// Writes at an offset of the file.
    ///
    /// # Errors
    /// The file system's status.
    fn write(&self, file: u64, offset: u64, bytes: &[u8]) -> Result<(), u32>;

    /// References an event.
    ///
    /// # Errors
    /// The object manager's status.
    fn event(&self, handle: u64) -> Result<EventObject, u32>;

    /// Whether the event is set, without waiting.
    fn is_set(&self, event: u64) -> bool;

    /// References a thread.
    ///
    /// # Errors
    /// The object manager's status.
    fn thread(&self, handle: u64) -> Result<ThreadObject, u32>;

    /// Copies the caller's memory.
    ///
    /// # Errors
    /// STATUS_ACCESS_VIOLATION where it cannot be read.
    fn read_memory(&self, address: u64, length: usize) -> Result<Vec<u8>, u32>;
}
