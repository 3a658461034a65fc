//! Draws or tells what goes on during a capture.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use capture::{Event, Note, Observer, Phase, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::ProgressArg;
use crate::console;
use crate::render::{clean, json, size};

/// How often the line is drawn over.
const TICK: Duration = Duration::from_millis(120);

/// Who watches the capture, and which of its notes they have said.
pub(crate) struct Watching {
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) said: Said,
}

/// The notes that stand on standard error, word for word: the summary does not say them again.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<Note>>>);

impl Said {
    pub(crate) fn notes(&self) -> Vec<Note> {
        self.0.lock().map(|notes| notes.clone()).unwrap_or_default()
    }

    /// After it was written: what a capture that ends abruptly did not get to say is said at the end.
    fn add(&self, event: &Event) {
        if let (Event::Note(note), Ok(mut notes)) = (event, self.0.lock()) {
            notes.push(note.clone());
        }
    }
}

/// The observer that `--progress` asks for.
pub(crate) fn watching(when: ProgressArg) -> Watching {
    let said = Said::default();
    let observer: Arc<dyn Observer> = match when {
        ProgressArg::Json => Arc::new(Lines),
        ProgressArg::Auto if console::shows_errors() => Arc::new(Bar::new(said.clone())),
        ProgressArg::Auto => Arc::new(Plain(said.clone())),
        ProgressArg::None => Arc::new(Silent),
    };
    Watching { observer, said }
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

/// No console: what happens is told as it happens, how far it got is not.
struct Plain(Said);

impl Observer for Plain {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Batch { .. }) {
            return;
        }
        if let Some(text) = said(event) {
            console::complain(&format!("{text}\n"));
            self.0.add(event);
        }
    }
}

/// A line on the console that is drawn over, with what stays above it.
struct Bar(ProgressBar, Said);

impl Bar {
    fn new(said: Said) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style.tick_chars("|/-\\ "));
        }
        bar.enable_steady_tick(TICK);
        Self(bar, said)
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
                    self.1.add(other);
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

/// What stays to be read.
fn said(event: &Event) -> Option<String> {
    let text = match event {
        Event::Note(note) => {
            format!("{}: {}", if note.warning { "warning" } else { "note" }, note.text)
        }
        Event::Retry { status, retry, of, wait } => {
            format!("busy or throttled, {status}: trying again in {wait:.0} s ({retry} of {of})")
        }
        Event::Cancelling { reason, how_long } => format!("cancelling ({reason}): {how_long}"),
        // A set of one is no set.
        Event::Batch { number: 1, left: 0, .. } => return None,
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
            "busy or throttled, 0xC000022D (STATUS_RETRY): trying again in 2 s (2 of 5)"
        );
        let cancelling = Event::Cancelling { reason: "timeout".into(), how_long: "soon".into() };
        assert_eq!(said(&cancelling).unwrap(), "cancelling (timeout): soon");
        assert_eq!(said(&Event::Progress(progress())), None);
        assert_eq!(said(&Event::Batch { number: 1, threads: 4, left: 0 }), None);
        let batch = said(&Event::Batch { number: 2, threads: 9, left: 4 });
        assert_eq!(batch.unwrap(), "batch 2: 9 threads, 4 left after it");
    }
}
