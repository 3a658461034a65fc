//! Errors that are ours and not the system's.

use machine::OsError;

/// A folder's file cannot have this name.
pub(crate) fn bad_name(name: &str, why: &str) -> OsError {
    OsError {
        doing: format!("name a file {name:?}"),
        kind: machine::OsErrorKind::Other,
        code: 0,
        message: why.to_owned(),
    }
}
