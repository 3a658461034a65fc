//! Dumps of simulated machines that hang, made by the executable itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::run::json;

/// A made dump, deleted with its folder when it is dropped.
pub(crate) struct Made {
    program: PathBuf,
    path: PathBuf,
    _folder: TempDir,
}

impl Made {
    /// Two cycles in a machine of so many GiB and threads, with 300 processes.
    pub(crate) fn new(program: &Path, gib: u32, threads: u32) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().join("made.dmp");
        let machine = format!(
            "--simulate=deadlock,layout=19041,memory={gib}g,processes=300,threads={threads}"
        );
        let output = Command::new(program).args(["kernel", &machine]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let made = Self { program: program.to_owned(), path, _folder: folder };
        // A wrong answer may be as quick as it likes.
        for found in [made.with_symbols("hang"), made.asked("hang")].map(json) {
            assert_eq!(found["cycles"].as_array().map(Vec::len), Some(2), "two were planted");
        }
        made
    }

    /// A command, without symbols.
    pub(crate) fn asked(&self, word: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(word).arg(&self.path).env_remove("_NT_SYMBOL_PATH");
        command
    }

    /// The same, with the PDB of the simulated kernel.
    pub(crate) fn with_symbols(&self, word: &str) -> Command {
        let mut command = self.asked(word);
        command.arg("--symbols").arg(fixtures().join("x64-19041"));
        command
    }
}

/// The simulated kernels, with the script that makes them.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../simulator/fixtures")
}
