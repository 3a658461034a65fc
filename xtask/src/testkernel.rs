//! The test kernel: builds it, makes the Wine prefixes it lives in, and runs the shipped exe on it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::project::Project;
use crate::windows::{self, Cross, GNU};

const OVERRIDES: &str = "bcryptprimitives=n,b;mscoree,mshtml,winemenubuilder.exe=";
const STAND_IN: &str = "bcryptprimitives.dll";
const SYSTEM32: &str = "drive_c/windows/system32";
/// The parts that run under Wine; `tests` runs here.
const PARTS: [&str; 4] = ["stand-in", "kernel", "launcher", "threads"];

/// A prefix of its own for what a scenario says by policy: name, key, value, data.
const POLICIES: [(&str, &str, &str, u32); 2] = [
    (
        "reports-off",
        r"HKLM\SYSTEM\CurrentControlSet\Control\CrashControl\FullLiveKernelReports",
        "FullLiveReportsMax",
        0,
    ),
    ("policy-off", r"HKLM\SYSTEM\CurrentControlSet\Control\LiveDump", "AllowLiveDump", 0),
];

/// The built test kernel and its prefixes.
pub(crate) struct TestKernel {
    wine_run: PathBuf,
    /// Where the DLLs and helper programs are.
    pub(crate) programs: PathBuf,
    prefixes: PathBuf,
    exe: PathBuf,
}

/// The package with the tests that run on it.
pub(crate) const TESTS: &str = "wine-tests";

/// The manifest of the test kernel's workspace.
pub(crate) fn manifest(project: &Project) -> PathBuf {
    project.root.join("testkernel/Cargo.toml")
}

/// Its build folder, inside the project's.
pub(crate) fn target(project: &Project) -> PathBuf {
    project.target.join("testkernel")
}

/// `-p` for each part that is built for Windows.
pub(crate) fn parts() -> impl Iterator<Item = &'static str> {
    PARTS.into_iter().flat_map(|part| ["-p", part])
}

impl TestKernel {
    /// What was built before.
    pub(crate) fn built(project: &Project, cross: &Cross) -> Self {
        Self {
            wine_run: cross.wine_run(),
            programs: target(project).join(GNU).join("release"),
            prefixes: cross.folder.join("testkernel"),
            exe: windows::exe(project),
        }
    }

    /// Builds the DLLs and programs and brings the prefixes up to date.
    pub(crate) fn build(project: &Project, cross: &Cross) -> Result<Self> {
        let mut cargo = cross.cargo();
        cargo.args(["build", "--release", "--target", GNU, "--manifest-path"]);
        cargo.arg(manifest(project)).args(parts()).arg("--target-dir").arg(target(project));
        command::run(&mut cargo)?;
        let kernel = Self::built(project, cross);
        std::fs::create_dir_all(&kernel.prefixes)?;
        let origin = cross.folder.join("prefix");
        kernel.make_prefix("plain", &origin)?;
        for (name, key, value, data) in POLICIES {
            if kernel.make_prefix(name, &origin)? {
                kernel.set_policy(name, key, value, data)?;
            }
        }
        Ok(kernel)
    }

    /// Copies the prefix by hard links (it has 262 MB, and files in it are replaced, not
    /// rewritten) and puts the stand-in in its place. True when it is new.
    fn make_prefix(&self, name: &str, origin: &Path) -> Result<bool> {
        let prefix = self.prefixes.join(name);
        let stamp = std::fs::read(origin.join(".wincross")).context("no Wine prefix")?;
        let fresh = std::fs::read(prefix.join(".testkernel")).ok().as_deref() != Some(&stamp);
        if fresh {
            if prefix.exists() {
                std::fs::remove_dir_all(&prefix)?;
            }
            command::run(Command::new("cp").arg("-al").args([origin, prefix.as_path()]))?;
        }
        let ours = std::fs::read(self.programs.join(STAND_IN)).context(STAND_IN)?;
        let theirs = prefix.join(SYSTEM32).join(STAND_IN);
        if std::fs::read(&theirs).ok().as_deref() != Some(&ours) {
            // Removed first: the file is the original prefix's too.
            let _ = std::fs::remove_file(&theirs);
            std::fs::write(&theirs, ours)?;
        }
        if fresh {
            std::fs::write(prefix.join(".testkernel"), stamp)?;
        }
        Ok(fresh)
    }

    fn set_policy(&self, prefix: &str, key: &str, value: &str, data: u32) -> Result<()> {
        let mut reg = self.wine(prefix);
        reg.args([
            "reg",
            "add",
            key,
            "/v",
            value,
            "/t",
            "REG_DWORD",
            "/d",
            &data.to_string(),
            "/f",
        ]);
        command::run(&mut reg)
    }

    /// Wine in one of the prefixes, without the test kernel.
    pub(crate) fn wine(&self, prefix: &str) -> Command {
        let mut wine = Command::new(&self.wine_run);
        wine.env("WINEPREFIX", self.prefixes.join(prefix)).env("WINEDLLOVERRIDES", OVERRIDES);
        wine.env_remove("TEST_KERNEL_DLL");
        wine
    }

    /// The shipped exe on the test kernel. `wine` is no scenario: it is Wine's own kernel side.
    pub(crate) fn livedump(&self, scenario: &str, arguments: &[OsString]) -> Command {
        let names = || scenario.split(',');
        let policy = POLICIES.iter().find(|policy| names().any(|name| name == policy.0));
        let mut wine = self.wine(policy.map_or("plain", |policy| policy.0));
        if !names().any(|name| name == "wine") {
            let dll = self.programs.join("testkernel.dll");
            wine.env("TEST_KERNEL_DLL", windows_path(&dll)).env("TEST_KERNEL_SCENARIO", scenario);
        }
        if let Some(log) = std::env::var_os("TEST_KERNEL_LOG") {
            wine.env("TEST_KERNEL_LOG", windows_path(Path::new(&log)));
        }
        // Wine gives full tokens to the children of an elevated program only.
        if !names().any(|name| name == "not-elevated") {
            wine.arg(self.programs.join("launcher.exe"));
        }
        wine.arg(&self.exe).args(arguments);
        wine
    }
}

/// A path as a program under Wine takes it.
fn windows_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    if path.starts_with('/') { format!("Z:{}", path.replace('/', "\\")) } else { path.into_owned() }
}
