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
const STAMP: &str = ".testkernel";
const SYSTEM32: &str = "drive_c/windows/system32";
/// The parts that run under Wine; `tests` runs here.
const PARTS: [&str; 4] = ["stand-in", "kernel", "launcher", "threads"];

const VERSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const REPORTS: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\CrashControl\FullLiveKernelReports";
const CONTROL: &str = r"HKLM\SYSTEM\CurrentControlSet\Control";
const LIVE_DUMP: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\LiveDump";

/// A Wine prefix: what the machine is that a scenario's kernel runs on.
struct Prefix {
    name: &'static str,
    /// The scenarios that need it; the first prefix is everybody else's.
    scenarios: &'static [&'static str],
    /// Wine tells programs the version that its registry has.
    build: &'static str,
    /// What its registry has: key, value, data.
    value: Option<(&'static str, &'static str, &'static str)>,
}

const PREFIXES: [Prefix; 6] = [
    Prefix { name: "windows-11", scenarios: &[], build: "26100", value: None },
    Prefix {
        name: "windows-10",
        scenarios: &["windows-10", "debugger-inactive"],
        build: "19045",
        value: None,
    },
    Prefix {
        name: "windows-10-1607",
        scenarios: &["windows-10-1607"],
        build: "14393",
        value: None,
    },
    Prefix {
        name: "reports-off",
        scenarios: &["reports-off"],
        build: "26100",
        value: Some((REPORTS, "FullLiveReportsMax", "0")),
    },
    Prefix {
        name: "policy-off",
        scenarios: &["policy-off"],
        build: "26100",
        value: Some((LIVE_DUMP, "AllowLiveDump", "0")),
    },
    Prefix {
        name: "container",
        scenarios: &["container"],
        build: "26100",
        value: Some((CONTROL, "ContainerType", "1")),
    },
];

impl Prefix {
    fn of(scenario: &str) -> &'static Self {
        let needs =
            |prefix: &&Self| scenario.split(',').any(|name| prefix.scenarios.contains(&name));
        PREFIXES.iter().find(needs).unwrap_or(&PREFIXES[0])
    }
}

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
        for prefix in &PREFIXES {
            kernel.make_prefix(prefix, &origin)?;
        }
        Ok(kernel)
    }

    /// Copies the prefix by hard links (it has 262 MB) and puts the stand-in in its place.
    fn make_prefix(&self, prefix: &Prefix, origin: &Path) -> Result<()> {
        let folder = self.prefixes.join(prefix.name);
        let origin_is =
            std::fs::read_to_string(origin.join(".wincross")).context("no Wine prefix")?;
        let stamp = format!("{origin_is}build={} value={:?}\n", prefix.build, prefix.value);
        let fresh = std::fs::read_to_string(folder.join(STAMP)).ok().as_ref() != Some(&stamp);
        if fresh {
            if folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            command::run(Command::new("cp").arg("-al").args([origin, folder.as_path()]))?;
            unlink_registry(&folder)?;
        }
        let ours = std::fs::read(self.programs.join(STAND_IN)).context(STAND_IN)?;
        let theirs = folder.join(SYSTEM32).join(STAND_IN);
        if std::fs::read(&theirs).ok().as_deref() != Some(&ours) {
            // Removed first: the file is the original prefix's too.
            let _ = std::fs::remove_file(&theirs);
            std::fs::write(&theirs, ours)?;
        }
        if fresh {
            for value in ["CurrentBuild", "CurrentBuildNumber"] {
                self.registry(prefix, VERSION, value, "REG_SZ", prefix.build)?;
            }
            if let Some((key, value, data)) = prefix.value {
                self.registry(prefix, key, value, "REG_DWORD", data)?;
            }
            std::fs::write(folder.join(STAMP), stamp)?;
        }
        Ok(())
    }

    fn registry(
        &self,
        prefix: &Prefix,
        key: &str,
        value: &str,
        kind: &str,
        data: &str,
    ) -> Result<()> {
        let mut reg = self.wine(prefix);
        reg.args(["reg", "add", key, "/v", value, "/t", kind, "/d", data, "/f"]);
        command::output(&mut reg).map(drop)
    }

    /// Wine in one of the prefixes, without the test kernel.
    fn wine(&self, prefix: &Prefix) -> Command {
        let mut wine = Command::new(&self.wine_run);
        wine.env("WINEPREFIX", self.prefixes.join(prefix.name)).env("WINEDLLOVERRIDES", OVERRIDES);
        wine.env_remove("TEST_KERNEL_DLL");
        wine
    }

    /// A helper program beside the exe, on the same machine.
    pub(crate) fn helper(&self, name: &str, scenario: &str, arguments: &[OsString]) -> Command {
        let mut wine = self.wine(Prefix::of(scenario));
        wine.arg(self.programs.join(format!("{name}.exe"))).args(arguments);
        wine
    }

    /// The shipped exe on the test kernel. `wine` is no scenario: it is Wine's own kernel side.
    pub(crate) fn livedump(&self, scenario: &str, arguments: &[OsString]) -> Command {
        let names = || scenario.split(',');
        let mut wine = self.wine(Prefix::of(scenario));
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

/// The registry must not stay one with the original's: Wine rewrites a file in place
/// that has more than one name.
fn unlink_registry(prefix: &Path) -> Result<()> {
    for entry in std::fs::read_dir(prefix)? {
        let file = entry?.path();
        if file.is_file() {
            let bytes = std::fs::read(&file)?;
            std::fs::remove_file(&file)?;
            std::fs::write(&file, bytes)?;
        }
    }
    Ok(())
}

/// A path as a program under Wine takes it.
fn windows_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    if path.starts_with('/') { format!("Z:{}", path.replace('/', "\\")) } else { path.into_owned() }
}
