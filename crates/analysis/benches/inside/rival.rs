//! ntoseye, another reader of Windows kernel dumps, at a fixed version.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::frames::Frame;

pub(crate) const NAME: &str = "ntoseye 0.52.0";
const PACKAGE: &str = "ntoseye==0.52.0";

pub(crate) struct Rival {
    program: PathBuf,
    home: PathBuf,
    /// Nobody listens there.
    nowhere: SocketAddr,
}

impl Rival {
    /// Installs it into the target folder, or says why not.
    pub(crate) fn new() -> Result<Self, String> {
        let nowhere = nowhere()?;
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(NAME.replace(' ', "-"));
        let program = place.join("bin/ntoseye");
        if !program.exists() {
            succeed(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
            let mut pip = Command::new(place.join("bin/python"));
            succeed(pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                PACKAGE,
            ]))?;
        }
        let home = place.join("home");
        fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        let rival = Self { program, home, nowhere };
        succeed(&mut rival.version())?;
        Ok(rival)
    }

    /// It has a server of its own that cannot be taken from its list; it is asked through the
    /// proxy, and nobody listens there either. Nothing of the environment reaches it.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let nowhere = format!("http://{}", self.nowhere);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &self.home);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, &nowhere).env(name.to_lowercase(), &nowhere);
        }
        command.env("NTOSEYE_PDB_SERVERS", &nowhere);
        command
    }

    pub(crate) fn version(&self) -> Command {
        let mut command = self.command();
        command.arg("--version");
        command
    }

    /// Modules and stack, without a prompt.
    pub(crate) fn modules_and_stack(&self, dump: &Path, symbols: Option<&Path>) -> Command {
        let mut command = self.command();
        command.arg("--dump").arg(dump).args(["--batch", "-c", "lm", "-c", "k"]);
        if let Some(symbols) = symbols {
            command.arg("--sympath-append").arg(symbols);
        }
        command
    }

    /// What it shows: how many modules, and the frames of the stack.
    pub(crate) fn shows(&self, dump: &Path, symbols: Option<&Path>) -> (usize, Vec<Frame>) {
        let output = self.modules_and_stack(dump, symbols).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let modules = text.lines().filter_map(module).count();
        (modules, text.lines().filter_map(frame).collect())
    }
}

/// "fffff8047ba00000  fffff8047ca46000  nt ..."
fn module(line: &str) -> Option<()> {
    let mut words = line.split_whitespace();
    let (start, end) = (address(words.next()?)?, address(words.next()?)?);
    (start < end).then_some(())
}

/// "17 ffff850429892740  fffff8047bd6b110  nt+0x36b110  \[scan\]"
fn frame(line: &str) -> Option<Frame> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (number, stack_pointer, ip, site) =
        (words.first()?, words.get(1)?, words.get(2)?, words.get(3)?);
    number.parse::<u32>().ok()?;
    Some(Frame {
        address: address(ip)?,
        stack_pointer: address(stack_pointer)?,
        scan: words.contains(&"[scan]"),
        named: site.contains('!'),
    })
}

fn address(word: &str) -> Option<u64> {
    if word.len() == 16 { u64::from_str_radix(word, 16).ok() } else { None }
}

/// A loopback address that refuses: it was bound a moment ago and is not any more.
fn nowhere() -> Result<SocketAddr, String> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = bound.map_err(|error| error.to_string())?;
    match TcpStream::connect(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(address),
        _ => Err("no loopback address that refuses".into()),
    }
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().last().unwrap_or("it failed and said nothing").to_owned())
}
