//! Every OS that is not Windows: the host is real, there is no machine to dump.

mod file_systems;
mod host;
mod local_time;
mod path;
mod signals;
mod target;
mod user;
mod volume;

use std::sync::Arc;

use machine::{Host, Machine, OsError};

pub(crate) fn host() -> Result<Arc<dyn Host>, OsError> {
    Ok(Arc::new(host::UnixHost))
}

pub(crate) fn machine() -> Option<Result<Arc<dyn Machine>, OsError>> {
    None
}

/// What was being done when the system said no.
fn failed(doing: impl Into<String>, errno: rustix::io::Errno) -> OsError {
    OsError::from_io(doing, &errno.into())
}
