//! A run of named steps: a heading and a time for each, a table at the end.

use std::time::{Duration, Instant};

use anyhow::Result;

/// How a step ended.
pub(crate) enum Outcome {
    /// Done; a note for the table, or nothing.
    Passed(String),
    /// Not done, and why: a failure where nothing may be skipped.
    Skipped(String),
    /// Cannot be had on this machine, and why: said, and never a failure.
    Unavailable(String),
}

/// Done, nothing to note.
pub(crate) fn passed() -> Outcome {
    Outcome::Passed(String::new())
}

enum Mark {
    Passed,
    Skipped,
    Failed,
}

struct Row {
    name: String,
    mark: Mark,
    note: String,
    time: Duration,
}

/// The steps so far.
pub(crate) struct Steps {
    rows: Vec<Row>,
    started: Instant,
    skip_is_failure: bool,
}

impl Steps {
    /// No steps yet. `skip_is_failure`: a skipped step counts as failed.
    pub(crate) fn new(skip_is_failure: bool) -> Self {
        Self { rows: Vec::new(), started: Instant::now(), skip_is_failure }
    }

    /// Runs one step; true when it passed.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<Outcome>) -> bool {
        println!("\n=== {name}");
        let start = Instant::now();
        let (mark, note) = match step() {
            Ok(Outcome::Passed(note)) => (Mark::Passed, note),
            Ok(Outcome::Skipped(reason)) if self.skip_is_failure => {
                println!("FAILED, because nothing may be skipped: {reason}");
                (Mark::Failed, reason)
            }
            Ok(Outcome::Skipped(reason) | Outcome::Unavailable(reason)) => {
                println!("SKIPPED: {reason}");
                (Mark::Skipped, reason)
            }
            Err(error) => {
                println!("FAILED: {error:#}");
                (Mark::Failed, format!("{error:#}"))
            }
        };
        let time = start.elapsed();
        println!("=== {name}: {:.1} s", time.as_secs_f64());
        let good = matches!(mark, Mark::Passed);
        self.rows.push(Row { name: name.to_owned(), mark, note, time });
        good
    }

    /// Notes a step that cannot run because of an earlier one.
    pub(crate) fn leave_out(&mut self, name: &str, reason: &str) {
        self.run(name, || Ok(Outcome::Skipped(reason.to_owned())));
    }

    /// What a step came to, for a line of its own.
    pub(crate) fn note(&self, name: &str) -> Option<&str> {
        self.rows.iter().find(|row| row.name == name).map(|row| row.note.as_str())
    }

    /// Prints the table; true when no step failed.
    pub(crate) fn summary(&self) -> bool {
        println!("\n=== Summary");
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for row in &self.rows {
            let mark = match row.mark {
                Mark::Passed => "ok",
                Mark::Skipped => "SKIPPED",
                Mark::Failed => "FAILED",
            };
            let note = row.note.lines().next().unwrap_or("");
            let line =
                format!("{mark:<8} {:<width$} {:>7.1} s  {note}", row.name, row.time.as_secs_f64());
            println!("{}", line.trim_end());
        }
        let count =
            |wanted: fn(&Mark) -> bool| self.rows.iter().filter(|r| wanted(&r.mark)).count();
        let failed = count(|mark| matches!(mark, Mark::Failed));
        println!(
            "{} steps passed, {failed} failed, {} skipped, in {:.0} s",
            count(|mark| matches!(mark, Mark::Passed)),
            count(|mark| matches!(mark, Mark::Skipped)),
            self.started.elapsed().as_secs_f64()
        );
        failed == 0
    }
}
