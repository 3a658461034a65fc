//! The Windows half's tools: the target, the linker and Wine, set up by `scripts/setup-windows-cross.sh`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command;
use crate::paths;
use crate::project::Project;

/// The target that is shipped.
pub(crate) const GNU: &str = "x86_64-pc-windows-gnu";
/// What most Windows users build with: checked, not linked.
pub(crate) const MSVC: &str = "x86_64-pc-windows-msvc";

/// A machine that can build for Windows and run the result.
pub(crate) struct Cross {
    /// `$WINCROSS_DIR`.
    pub(crate) folder: PathBuf,
    /// The compiler to use where rustup's own will not do.
    rustc: Option<PathBuf>,
}

impl Cross {
    /// Sets up what is missing; the error says what cannot be had.
    pub(crate) fn set_up(project: &Project) -> Result<Self> {
        if !cfg!(target_os = "linux") {
            bail!("the Windows half needs Linux and Wine");
        }
        let folder = folder()?;
        let mut script = Command::new("bash");
        script.arg(project.root.join("scripts/setup-windows-cross.sh"));
        run_script(script.env("WINCROSS_DIR", &folder))?;
        Self::in_folder(folder)
    }

    /// What was set up before; an error when nothing was.
    pub(crate) fn present() -> Result<Self> {
        let folder = folder()?;
        if !folder.join("env.sh").exists() {
            bail!("not set up: run scripts/setup-windows-cross.sh first");
        }
        Self::in_folder(folder)
    }

    fn in_folder(folder: PathBuf) -> Result<Self> {
        let mut shell = Command::new("bash");
        shell.args(["-c", r#"unset RUSTC; . "$0" && printf %s "${RUSTC-}""#]);
        let rustc = command::output(shell.arg(folder.join("env.sh")))?;
        let rustc = (!rustc.is_empty()).then(|| PathBuf::from(rustc));
        Ok(Self { folder, rustc })
    }

    /// Waits until no other `xtask` on this machine uses the prefixes; they are
    /// ours until what is returned is dropped, or this process ends.
    pub(crate) fn turn(&self) -> Result<File> {
        let path = self.folder.join("turn");
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        wait_for(&file).with_context(|| path.display().to_string())?;
        Ok(file)
    }

    /// Starts a Windows program under Wine: `wine-run PROGRAM ARGUMENTS`.
    pub(crate) fn wine_run(&self) -> PathBuf {
        self.folder.join("bin/wine-run")
    }

    /// A cargo that builds for Windows and runs under Wine.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = command::cargo();
        cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", self.wine_run());
        if let Some(rustc) = &self.rustc {
            cargo.env("RUSTC", rustc);
        }
        cargo
    }

    /// Builds for Windows go through a compiler of another release than rustup's: clippy cannot follow.
    pub(crate) fn is_other_release(&self) -> bool {
        self.rustc.is_some()
    }

    /// Whether `cargo check` for a target can find its std.
    pub(crate) fn has_std(&self, target: &str) -> Result<bool> {
        let rustc = self.rustc.clone().unwrap_or_else(|| "rustc".into());
        let mut rustc = Command::new(rustc);
        let folder = command::output(rustc.args(["--print=target-libdir", "--target", target]))?;
        let Ok(entries) = std::fs::read_dir(folder.trim()) else { return Ok(false) };
        let mut names =
            entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()));
        Ok(names.any(|name| name.starts_with("libstd-") && name.ends_with(".rlib")))
    }

    /// Builds the shipped exe; returns its path.
    pub(crate) fn build_exe(&self, project: &Project) -> Result<PathBuf> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--release", "-p", "livedump", "--target", GNU]);
        paths::remap(&mut cargo, project)?;
        command::run(&mut cargo)?;
        Ok(exe(project))
    }
}

#[cfg(unix)]
fn wait_for(file: &File) -> Result<()> {
    use rustix::fs::{FlockOperation, flock};
    if flock(file, FlockOperation::NonBlockingLockExclusive).is_err() {
        eprintln!("another xtask runs Wine tests: waiting for its end");
        flock(file, FlockOperation::LockExclusive)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn wait_for(_: &File) -> Result<()> {
    bail!("the Windows half needs Linux and Wine")
}

/// Where the shipped exe is built.
pub(crate) fn exe(project: &Project) -> PathBuf {
    project.target.join(GNU).join("release/livedump.exe")
}

fn folder() -> Result<PathBuf> {
    if let Some(set) = std::env::var_os("WINCROSS_DIR") {
        return Ok(set.into());
    }
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => Path::new(&std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(cache.join("wincross"))
}

/// Shows what the script says and keeps its error.
fn run_script(script: &mut Command) -> Result<()> {
    let mut child = script
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("bash could not be started")?;
    let mut reason = None;
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            eprintln!("{line}");
            if let Some(error) = line.strip_prefix("wincross: ERROR: ") {
                reason = Some(error.to_owned());
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("set-up: {}", reason.unwrap_or_else(|| format!("the script failed ({status})")));
    }
    Ok(())
}
