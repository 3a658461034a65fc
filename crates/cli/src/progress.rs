//! Draws or tells what goes on during a capture.

use std::sync::Arc;
use std::time::Duration;

use capture::{Event, Observer, Phase, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::ProgressArg;
use crate::console;
use crate::render::{clean, json, size};

/// How often the line is drawn over.
const TICK: Duration = Duration::from_millis(120);

/// Who watches the capture, and whether they show its notes as they come.
pub(crate) struct Watching {
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) shows_notes: bool,
}

/// The observer that `--progress` asks for.
pub(crate) fn watching(when: ProgressArg) -> Watching {
    match when {
        ProgressArg::Json => Watching { observer: Arc::new(Lines), shows_notes: false },
        ProgressArg::Auto if console::shows_errors() => {
            Watching { observer: Arc::new(Bar::new()), shows_notes: true }
        }
        ProgressArg::Auto | ProgressArg::None => {
            Watching { observer: Arc::new(Silent), shows_notes: false }
        }
    }
}

/// Says nothing.
struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &Event) {}
}

/// One JSON object a line.
struct Lines;

impl Observer for Lines {
    fn event(&self, event: &Event) {
        console::complain(&json::line(event));
    }
}

/// A line on the console that is drawn over, with what stays above it.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style.tick_chars("|/-\\ "));
        }
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Observer for Bar {
    fn event(&self, event: &Event) {
        match event {
            Event::Phase { phase: Phase::Done, .. } => self.0.finish_and_clear(),
            Event::Phase { phase, .. } => self.0.set_message(doing(*phase)),
            Event::Progress(progress) => self.0.set_message(line(progress)),
            other => {
                if let Some(text) = said(other) {
                    self.0.suspend(|| console::complain(&format!("{text}\n")));
                }
            }
        }
    }
}

fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Planning => "planning",
        Phase::Preparing => "preparing: Windows copies, nothing is written yet",
        Phase::Writing => "writing",
        Phase::Flushing => "flushing to the device",
        Phase::Verifying => "verifying",
        Phase::Done => "done",
    }
}

/// `writing: 1.2 GiB, 310.0 MiB/s, 12 s, 5 s to 40 s left`
fn line(progress: &Progress) -> String {
    let mut parts = vec![size(progress.bytes)];
    if progress.bytes == 0 {
        parts.clear();
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // a rate is no more than a u64
    parts.extend(progress.rate.map(|rate| format!("{}/s", size(rate as u64))));
    parts.push(seconds(progress.elapsed));
    parts.extend(left(progress.left_least, progress.left_most));
    format!("{}: {}", doing(progress.phase), parts.join(", "))
}

fn left(least: Option<f64>, most: Option<f64>) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{} to {} left", seconds(least), seconds(most))),
        (Some(least), None) => Some(format!("at least {} left", seconds(least))),
        (None, Some(most)) => Some(format!("at most {} left", seconds(most))),
        (None, None) => None,
    }
}

/// `45 s`, `12 min 5 s`
fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.0} s");
    }
    format!("{:.0} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
}

/// What stays on the console.
fn said(event: &Event) -> Option<String> {
    let text = match event {
        Event::Note(note) => {
            format!("{}: {}", if note.warning { "warning" } else { "note" }, note.text)
        }
        Event::Retry { status, retry, of, wait } => {
            format!("Windows is busy, {status}: try {retry} of {of} in {wait:.0} s")
        }
        Event::Cancelling { reason, how_long } => format!("cancelling ({reason}): {how_long}"),
        Event::Batch { number, threads, left } => {
            format!("batch {number}: {threads} threads, {left} left after it")
        }
        Event::Phase { .. } | Event::Progress(_) => return None,
    };
    Some(clean(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress {
            phase: Phase::Writing,
            elapsed: 12.4,
            bytes: 1 << 30,
            rate: Some(64.0 * 1_048_576.0),
            left_least: Some(5.0),
            left_most: Some(125.0),
        }
    }

    #[test]
    fn the_line_tells_phase_bytes_rate_and_the_time_left_as_a_range() {
        assert_eq!(line(&progress()), "writing: 1.0 GiB, 64.0 MiB/s, 12 s, 5 s to 2 min 5 s left");
    }

    #[test]
    fn what_is_not_known_is_left_out_of_the_line() {
        let preparing = Progress {
            phase: Phase::Preparing,
            bytes: 0,
            rate: None,
            left_least: None,
            left_most: None,
            ..progress()
        };
        assert_eq!(line(&preparing), "preparing: Windows copies, nothing is written yet: 12 s");
    }

    #[test]
    fn retries_and_cancelling_are_told() {
        let retry =
            Event::Retry { status: "0xC000022D (STATUS_RETRY)".into(), retry: 2, of: 5, wait: 2.0 };
        assert_eq!(
            said(&retry).unwrap(),
            "Windows is busy, 0xC000022D (STATUS_RETRY): try 2 of 5 in 2 s"
        );
        let cancelling = Event::Cancelling { reason: "timeout".into(), how_long: "soon".into() };
        assert_eq!(said(&cancelling).unwrap(), "cancelling (timeout): soon");
        assert_eq!(said(&Event::Progress(progress())), None);
    }
}
