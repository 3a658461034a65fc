//! This computer: the foreign calls behind safe owned types.
//!
//! One file wraps one foreign thing. The whole platform boundary is here: a
//! platform module gives [`host()`] and [`machine()`], and nothing else of it is
//! seen outside. What can be a pure function (name rules, security
//! descriptors, parsing what the kernel answered) stands beside the platforms
//! and is tested on every OS.
//!
//! No policy and no words for users here, beyond naming what failed.

#[cfg(any(windows, test))]
mod aligned;
#[cfg(any(windows, test))]
mod bytes;
#[cfg(any(windows, test))]
mod clock;
#[cfg(any(windows, test))]
mod debug_structures;
mod error;
mod interrupts;
#[cfg(any(windows, test))]
mod names;
#[cfg(any(windows, test))]
mod process_list;
#[cfg(any(windows, test))]
mod sddl;
mod synced;

#[cfg(not(windows))]
#[path = "unix/mod.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod platform;

use std::path::Path;
use std::sync::Arc;

use machine::{Host, Machine, OsError, TargetError};

/// The computer we run on.
///
/// # Errors
/// None today; a platform may need one.
pub fn host() -> Result<Arc<dyn Host>, OsError> {
    platform::host()
}

/// This machine as one that can be dumped: `None` where it is not Windows.
///
/// # Errors
/// When the machine cannot be asked at all.
pub fn machine() -> Option<Result<Arc<dyn Machine>, OsError>> {
    platform::machine()
}

/// Whether this build runs on Windows, where live capture is possible.
pub const IS_WINDOWS: bool = cfg!(windows);

/// Whether a file lies on a share, or on a disk that can be taken out: reading
/// a map of it may end the process. On Windows doubt counts as such a place.
pub fn may_go_away(path: &Path) -> bool {
    use machine::VolumeKind::{Fixed, Memory, Network, Removable};
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    // A link leads to where the file really is.
    let real = full.canonicalize().unwrap_or(full);
    let volume = host().ok().zip(real.parent()).and_then(|(host, folder)| host.volume(folder).ok());
    match volume.map(|volume| volume.kind) {
        Some(Fixed | Memory) => false,
        Some(Network | Removable) => true,
        _ => IS_WINDOWS,
    }
}

/// Bytes that may be put behind a dump's name: a batch number, then ".99.partial".
const ROOM: usize = 16;

/// A target's name leads to nowhere but its folder.
fn plain_name(name: &str) -> Result<(), TargetError> {
    let climbs = name.contains(['/', '\0']) || (IS_WINDOWS && name.contains('\\'));
    if climbs || matches!(name, "" | "." | "..") {
        return Err(TargetError::Os(error::bad_name(
            name,
            "it is not the name of a file in a folder",
        )));
    }
    Ok(())
}
