//! Runs the real exe in a folder of its own.
#![allow(dead_code)] // not every test file needs all of it
#![allow(clippy::unwrap_used, clippy::panic)] // as clippy.toml allows in tests, whose helpers it does not see

pub(crate) mod schema;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The exe under test.
pub(crate) const EXE: &str = env!("CARGO_BIN_EXE_livedump");

/// A folder that goes away with the test.
pub(crate) struct Bench(tempfile::TempDir);

/// What one run came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A command in this folder that has not run yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(EXE);
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs the words of a line.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = self.command(words).output().unwrap();
        Ran {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8(stdout).unwrap().replace("\r\n", "\n"),
            err: String::from_utf8(stderr).unwrap().replace("\r\n", "\n"),
        }
    }

    /// Runs a line with `--json` and checks the answer against the published schema.
    pub(crate) fn json(&self, line: &str) -> (i32, serde_json::Value) {
        let ran = self.run(&format!("{line} --json"));
        assert!(ran.out.is_ascii(), "{line}: {}", ran.out);
        assert_eq!(ran.out.lines().count(), 1, "{line}: {}{}", ran.out, ran.err);
        let value = serde_json::from_str(&ran.out).unwrap();
        let command = line.split_whitespace().next().unwrap().to_lowercase();
        let published = self.run(&format!("schema {command}"));
        schema::check(&serde_json::from_str(&published.out).unwrap(), &value);
        (ran.code, value)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.0.path())
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Ran {
    /// Asserts the exit code and shows all when it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nout: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text:?} is not in the output:\n{}", self.out);
        self
    }

    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in the errors:\n{}", self.err);
        self
    }

    /// The value of a `key  value` line.
    #[track_caller]
    pub(crate) fn value(&self, key: &str) -> &str {
        let value = self.out.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no line {key:?} in\n{}", self.out)).trim_start()
    }
}
