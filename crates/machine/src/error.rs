//! An error of the operating system, real or simulated.

use std::fmt;

/// What kind of "no" it was, as far as callers act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OsErrorKind {
    /// Refused by an access check.
    AccessDenied,
    /// The token does not hold the privilege (ERROR_NOT_ALL_ASSIGNED).
    PrivilegeNotHeld,
    /// No such process, thread, file or folder.
    NotFound,
    /// The thing ended between two questions.
    Gone,
    /// It exists already.
    AlreadyExists,
    /// In use by somebody else.
    InUse,
    /// No space left, or a quota.
    DiskFull,
    /// The media is write protected or the folder is read only.
    ReadOnly,
    /// This operating system cannot do it.
    Unsupported,
    /// Anything else: the code says.
    Other,
}

/// What was being done, and the system's own code and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsError {
    /// What was being done: "open thread 4711".
    pub doing: String,
    /// The kind, for decisions.
    pub kind: OsErrorKind,
    /// Win32 error on Windows, errno elsewhere; 0 when there is none.
    pub code: u32,
    /// The system's own message, or ours where it has none.
    pub message: String,
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.message)?;
        if self.code != 0 {
            write!(f, " (error {})", self.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for OsError {}

impl OsError {
    /// Wraps a `std` error with what was being done.
    pub fn from_io(doing: impl Into<String>, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let kind = match error.kind() {
            K::NotFound | K::NotADirectory => OsErrorKind::NotFound,
            K::PermissionDenied => OsErrorKind::AccessDenied,
            K::AlreadyExists => OsErrorKind::AlreadyExists,
            K::StorageFull | K::QuotaExceeded | K::FileTooLarge => OsErrorKind::DiskFull,
            K::ReadOnlyFilesystem => OsErrorKind::ReadOnly,
            K::ResourceBusy | K::ExecutableFileBusy => OsErrorKind::InUse,
            K::Unsupported => OsErrorKind::Unsupported,
            _ => OsErrorKind::Other,
        };
        let code = error.raw_os_error().map_or(0, i32::cast_unsigned);
        let mut message = error.to_string();
        // The number has a field of its own.
        if let Some(at) = message.rfind(" (os error ") {
            message.truncate(at);
        }
        Self { doing: doing.into(), kind, code, message }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_systems_words_come_without_its_number() {
        let error = std::fs::metadata("/not/there/at/all").unwrap_err();
        let failed = super::OsError::from_io("look", &error);
        assert_eq!(failed.code, u32::try_from(error.raw_os_error().unwrap()).unwrap());
        assert_eq!(failed.to_string().matches("error").count(), 1);
    }
}
