//! The executable that is measured as a whole.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The released executable, built for this run; none when that fails.
pub(crate) fn program() -> Option<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--quiet", "-p", "livedump", "--bin", "livedump"]);
    if !build.status().is_ok_and(|status| status.success()) {
        eprintln!("livedump could not be built: nothing is said of the whole process");
        return None;
    }
    // target/tmp is beside target/release.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    Some(target.join("release").join(format!("livedump{}", std::env::consts::EXE_SUFFIX)))
}
