//! Whole processes: how long they take, what they say, how much memory they have.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::timing::ROUNDS;

/// How long the whole process takes; its text is made, and nobody reads it.
pub(crate) fn took(mut command: Command) -> Duration {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().unwrap();
    let took = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

/// What it prints, as JSON.
pub(crate) fn json(mut command: Command) -> Value {
    let output = command.arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The most anonymous memory, in bytes, that any of so many runs was seen with;
/// none where the system does not say. Looked at every fifth of a millisecond:
/// what is shorter is not seen.
pub(crate) fn memory(command: impl Fn() -> Command) -> Option<u64> {
    (0..ROUNDS).filter_map(|_| peak(command())).max()
}

/// Seconds of processor time that all processes took which this one has waited for; none where
/// the system does not say. Other work on the machine hardly changes it. Counted in hundredths
/// of a second, so the difference over many runs counts (proc_pid_stat(5), cutime and cstime).
pub(crate) fn processor_time() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(13).take(2).flat_map(str::parse).collect();
    Some(ticks.iter().sum::<f64>() / 100.0)
}

fn peak(mut command: Command) -> Option<u64> {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = None;
    while child.try_wait().unwrap().is_none() {
        most = most.max(anonymous(&status));
        std::thread::sleep(Duration::from_micros(200));
    }
    most
}

fn anonymous(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
