//! The judges, and how each is set up. A new one is a line in [`all`] and a program that answers
//! like those in `xtask/oracles`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command;
use crate::project::Project;

/// Our own reader, against the same truth.
pub(crate) const OURS: &str = "livedump";
/// The crate, whose version is in `Cargo.lock`.
pub(crate) const CRATE: &str = "kdmp-parser (crate)";
pub(crate) const WHEEL: &str = "kdmp-parser 0.7.4 (wheel)";
pub(crate) const VOLATILITY: &str = "volatility3 2.28.0";
pub(crate) const LEECHCORE: &str = "LeechCore 2.23.3";

pub(crate) const VOLATILITY_PACKAGE: &str = "volatility3==2.28.0";
pub(crate) const LEECHCORE_PACKAGE: &str = "leechcorepyc==2.23.3";

const PACKAGES: [(&str, &str, &str); 3] = [
    (WHEEL, "kdmp.py", "kdmp-parser==0.7.4"),
    (VOLATILITY, "volatility.py", VOLATILITY_PACKAGE),
    (LEECHCORE, "leechcore.py", LEECHCORE_PACKAGE),
];

/// A program that is told a folder and answers in lines of JSON.
pub(crate) struct Judge {
    pub(crate) name: &'static str,
    pub(crate) command: Command,
}

/// Sets all of them up; what failed says why.
pub(crate) fn all(project: &Project, place: &Path, oracle: &Path) -> Vec<Result<Judge>> {
    let rust = |name, word| {
        let mut command = Command::new(oracle);
        command.arg(word);
        Ok(Judge { name, command })
    };
    let mut judges = vec![rust(OURS, "ours"), rust(CRATE, "kdmp-parser")];
    for (name, script, package) in PACKAGES {
        judges.push(python(place, &[package]).with_context(|| name.to_owned()).map(|python| {
            let mut command = Command::new(python);
            command.arg(project.root.join("xtask/oracles").join(script));
            Judge { name, command }
        }));
    }
    judges
}

/// The Python of a virtual environment in `place`, with packages.
pub(crate) fn python(place: &Path, packages: &[&str]) -> Result<PathBuf> {
    let python = environment(&place.join("python"))?;
    for package in packages {
        install(&python, package)?;
        if *package == LEECHCORE_PACKAGE {
            libusb(&python)?;
        }
    }
    Ok(python)
}

/// A virtual environment in the build folder; answers its Python.
fn environment(place: &Path) -> Result<PathBuf> {
    let python = place.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        let system = if cfg!(windows) { "python" } else { "python3" };
        command::run(Command::new(system).args(["-m", "venv"]).arg(place))
            .context("a virtual environment of Python 3 (Debian: python3-venv)")?;
    }
    Ok(python)
}

/// pip finds out by itself that a package is there.
fn install(python: &Path, package: &str) -> Result<()> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]);
    command::run(&mut pip)
}

/// The library that LeechCore's own one is linked to.
fn libusb(python: &Path) -> Result<()> {
    let there = || {
        let mut import = Command::new(python);
        import.args(["-c", "import leechcorepyc"]).stdin(Stdio::null()).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    if there() {
        return Ok(());
    }
    // Without its lists apt-get finds nothing; without root it says so itself.
    for words in [&["update", "-q"][..], &["install", "-q", "-y", "libusb-1.0-0"]] {
        command::run(Command::new("apt-get").args(words))
            .context("libusb-1.0 is missing, and only root can install it")?;
    }
    if !there() {
        bail!("leechcorepyc cannot be loaded, although libusb-1.0-0 is installed");
    }
    Ok(())
}
