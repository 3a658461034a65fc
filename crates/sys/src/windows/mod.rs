//! Windows: every foreign thing in a file of its own, `host` and `machine` over them.

mod console;
mod debug_control;
mod descriptor;
mod environment;
mod error;
mod event;
mod event_log;
mod file;
mod handle;
mod host;
mod machine;
mod memory;
mod path;
mod policy;
mod processes;
mod registry;
mod sid;
mod synced_folders;
mod target;
mod threads;
mod time;
mod token;
mod version;
mod volume;
mod wait_probe;
mod wide;

use std::sync::Arc;

use ::machine::{Host, Machine, OsError};

pub(crate) fn host() -> Result<Arc<dyn Host>, OsError> {
    Ok(Arc::new(host::WindowsHost))
}

pub(crate) fn machine() -> Option<Result<Arc<dyn Machine>, OsError>> {
    Some(Ok(Arc::new(machine::WindowsMachine::new())))
}
