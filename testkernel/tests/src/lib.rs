//! Runs the shipped `livedump.exe` on the test kernel and keeps what came of it.
//!
//! `cargo xtask test` starts these tests and says by `XTASK` which xtask to ask;
//! what runs is `windows-run`, as a developer would type it.
#![forbid(unsafe_code)]
// Only tests use it, and they may say what they expect.
#![allow(clippy::missing_panics_doc)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A run that takes longer hangs.
const LONGEST_RUN: &str = "240";
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// A folder of its own for one test: the exe's current folder, with the log of its calls.
pub struct Desk {
    folder: TempDir,
}

/// How a run ended.
pub struct Ended {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Asserts the exit code, and shows the output where it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{error}; stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr)
        })
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// An empty folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder for the test") }
    }

    /// Where a file of the folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The files in the folder, the log apart.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the test's folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> =
            names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| name != LOG);
        names.sort();
        names
    }

    /// Runs `livedump.exe ARGUMENTS` in a scenario, to its end.
    pub fn livedump(&self, scenario: &str, arguments: &[&str]) -> Ended {
        let mut command = self.command(&["--built", scenario], arguments);
        Ended::of(command.output().expect("xtask starts"))
    }

    /// Runs the program built for this system in the same folder.
    pub fn native(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(native_program());
        let command = command.args(arguments).current_dir(self.folder.path());
        Ended::of(command.stdin(Stdio::null()).output().expect("livedump starts"))
    }

    /// Starts `livedump.exe ARGUMENTS` in a scenario.
    pub fn start(&self, scenario: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(&["--built", scenario], arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Running { child: Some(child.expect("xtask starts")) }
    }

    /// The same, started as a shell script in the background starts it: with interrupts ignored.
    pub fn start_ignoring_interrupts(&self, scenario: &str, arguments: &[&str]) -> Running {
        let plain = self.command(&["--built", scenario], arguments);
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' INT; exec \"$@\"", "sh"]);
        command.arg(plain.get_program()).args(plain.get_args());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("TEST_KERNEL_LOG", self.path(LOG)).env_remove("NO_COLOR");
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Running { child: Some(child.expect("sh starts")) }
    }

    /// Starts the helper with many parked threads; returns it and its Windows process id.
    pub fn start_threads(&self, scenario: &str, number: usize) -> (Running, u32) {
        let mut command =
            self.command(&["--built", "--helper", "threads", scenario], &[&number.to_string()]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("xtask starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)
            .expect("a line");
        let pid = line.trim().parse().unwrap_or_else(|_| panic!("no process id: {line:?}"));
        (Running { child: Some(child) }, pid)
    }

    fn command(&self, options: &[&str], arguments: &[&str]) -> Command {
        let xtask = std::env::var_os("XTASK").expect("these tests are run by: cargo xtask test");
        let mut command = Command::new("timeout");
        command.args(["-k", "5", LONGEST_RUN]).arg(xtask).arg("windows-run").args(options);
        command.arg("--").args(arguments);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("TEST_KERNEL_LOG", self.path(LOG)).env_remove("NO_COLOR");
        command
    }

    /// The calls that crossed the ABI so far.
    pub fn calls(&self) -> Vec<Call> {
        let text = std::fs::read_to_string(self.path(LOG)).unwrap_or_default();
        text.lines()
            .map(|line| Call(serde_json::from_str(line).expect("a line of the log")))
            .collect()
    }

    /// Waits until a file has more than `size` bytes.
    pub fn wait_for(&self, name: &str, size: u64) {
        self.wait(name, || std::fs::metadata(self.path(name)).is_ok_and(|file| file.len() > size));
    }

    /// Waits until something is so.
    pub fn wait(&self, what: &str, so: impl Fn() -> bool) {
        let start = Instant::now();
        while !so() {
            assert!(start.elapsed() < LONGEST_WAIT, "still waiting for {what}");
            sleep(Duration::from_millis(20));
        }
    }

    /// The Unix process id of the `livedump.exe` that works in this folder.
    pub fn unix_pid(&self) -> u32 {
        let here = self.folder.path().canonicalize().expect("the test's folder");
        let processes = std::fs::read_dir("/proc").expect("/proc");
        let mut pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.find(|pid: &u32| is_livedump(*pid, &here))
            .expect("a livedump.exe in the test's folder")
    }

    /// Interrupts it, as Ctrl+C does.
    pub fn interrupt(&self) {
        self.signal("-INT");
    }

    /// Ends it at once, without a chance to clean up.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    fn signal(&self, signal: &str) {
        let pid = self.unix_pid().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill starts");
        assert!(status.success(), "kill {signal} {pid}");
    }
}

const LOG: &str = "calls.jsonl";

/// The launcher names livedump.exe too, but as an argument.
fn is_livedump(pid: u32, folder: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
    program.ends_with(b"livedump.exe")
        && std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder)
}

/// A program that runs; ended when dropped.
pub struct Running {
    child: Option<Child>,
}

impl Running {
    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let child = self.child.take().expect("it runs");
        Ended::of(child.wait_with_output().expect("it ends"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Helpers end when their input does.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// One call of NtSystemDebugControl, as the test kernel saw it.
#[derive(Debug)]
pub struct Call(pub Value);

impl Call {
    /// A number of the log's line.
    #[track_caller]
    pub fn number(&self, pointer: &str) -> u64 {
        let value = self.0.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("no number {pointer} in {}", self.0))
    }

    /// A truth of the log's line.
    #[track_caller]
    pub fn is(&self, pointer: &str) -> bool {
        let value = self.0.pointer(pointer).and_then(Value::as_bool);
        value.unwrap_or_else(|| panic!("no truth {pointer} in {}", self.0))
    }

    /// The bytes of the input structure.
    pub fn input(&self) -> Vec<u8> {
        self.bytes("/input")
    }

    /// Bytes that the log has in hexadecimal.
    #[track_caller]
    pub fn bytes(&self, pointer: &str) -> Vec<u8> {
        let text = self.0.pointer(pointer).and_then(Value::as_str);
        let text = text.unwrap_or_else(|| panic!("no bytes {pointer} in {}", self.0));
        let digits = (0..text.len()).step_by(2);
        digits.map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
    }

    /// 32 bits of the input structure.
    pub fn input32(&self, offset: usize) -> u32 {
        let bytes = self.input();
        u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("four bytes"))
    }

    /// 64 bits of the input structure.
    pub fn input64(&self, offset: usize) -> u64 {
        let bytes = self.input();
        u64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("eight bytes"))
    }
}

/// The program built for this system, to look at what the exe made.
pub fn native_livedump(arguments: &[&str], file: &Path) -> Ended {
    let mut command = Command::new(native_program());
    Ended::of(command.args(arguments).arg(file).output().expect("livedump starts"))
}

fn native_program() -> std::ffi::OsString {
    std::env::var_os("LIVEDUMP_NATIVE").expect("these tests are run by: cargo xtask test")
}
