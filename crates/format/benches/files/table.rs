//! The tables that are pasted into `docs/benchmarks.md`.

use std::fs;
use std::process::Command;

/// One row: what was measured, and what was wished for.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: String,
    /// Whoever it is compared with, and its figure.
    pub(crate) against: String,
    pub(crate) ratio: String,
    pub(crate) wanted: String,
    pub(crate) met: Option<bool>,
}

pub(crate) fn print(title: &str, rows: &[Row]) {
    println!("\n### {title}\n");
    println!("| what | ours | against | ratio | wanted | |\n|---|---|---|---|---|---|");
    for Row { what, ours, against, ratio, wanted, met } in rows {
        let met = match met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        println!("| {what} | {ours} | {against} | {ratio} | {wanted} | {met} |");
    }
}

/// Seconds, in the unit that suits them.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.1} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// Bytes a second.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn rate(bytes: u64, seconds: f64) -> String {
    format!("{:.2} GB/s", bytes as f64 / seconds / 1e9)
}

#[allow(clippy::cast_precision_loss)]
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.2} MiB", bytes as f64 / (1 << 20) as f64)
}

pub(crate) fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}x") } else { format!("{ratio:.0}x") }
}

/// Date, command and machine, as far as this system tells.
pub(crate) fn circumstances() -> String {
    let date = said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]);
    let compiler = said("rustc", &["--version"]);
    format!(
        "Date: {date}. Command: `cargo bench -p {}`. Machine: {} processors ({}), {} of memory, \
         load average {} at the start. {compiler}.",
        env!("CARGO_PKG_NAME"),
        std::thread::available_parallelism().map_or(1, usize::from),
        line_of("/proc/cpuinfo", "model name"),
        line_of("/proc/meminfo", "MemTotal"),
        load(),
    )
}

/// How many wanted a processor in the last 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or("unknown".into());
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or("unknown".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

fn line_of(file: &str, key: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.split_once(':'));
    line.map_or("unknown".into(), |(_, value)| value.trim().to_owned())
}
