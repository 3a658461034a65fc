//! A check and its outcome.

use std::fmt::{self, LowerHex};

use schemars::JsonSchema;
use serde::Serialize;

use super::Verdict;
use crate::Error;

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Worth knowing, no fault.
    Note,
    /// Something that should be there is not, or could not be checked: the file is partial.
    Warn,
    /// The file contradicts itself, or a piece of it is missing.
    Fail,
}

/// One check with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// Stable name: "header.type", "bitmap.pages", "triage.end_mark", ...
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
    /// File offset of what was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// One sentence.
    pub text: String,
}

impl Check {
    pub(super) fn new(name: &str, text: impl Into<String>) -> Self {
        let (name, text) = (name.to_owned(), text.into());
        Self { name, outcome: Outcome::Pass, offset: None, expected: None, found: None, text }
    }

    pub(super) fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    pub(super) fn expected(self, expected: impl ToString) -> Self {
        Self { expected: Some(expected.to_string()), ..self }
    }

    pub(super) fn found(self, found: impl ToString) -> Self {
        Self { found: Some(found.to_string()), ..self }
    }

    pub(super) fn found_hex(self, found: impl LowerHex) -> Self {
        Self { found: Some(format!("{found:#x}")), ..self }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)?;
        if let Some(offset) = self.offset {
            write!(f, " (file offset {offset:#x})")?;
        }
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => write!(f, ": expected {expected}, found {found}"),
            (None, Some(found)) => write!(f, ": {found}"),
            _ => Ok(()),
        }
    }
}

/// Collects checks; the worst outcome makes the verdict.
#[derive(Default)]
pub(super) struct Checks {
    pub(super) list: Vec<Check>,
    pub(super) missing_bytes: Option<u64>,
}

impl Checks {
    pub(super) fn add(&mut self, outcome: Outcome, check: Check) {
        self.list.push(Check { outcome, ..check });
    }

    pub(super) fn pass(&mut self, check: Check) {
        self.add(Outcome::Pass, check);
    }

    pub(super) fn note(&mut self, check: Check) {
        self.add(Outcome::Note, check);
    }

    pub(super) fn warn(&mut self, check: Check) {
        self.add(Outcome::Warn, check);
    }

    pub(super) fn fail(&mut self, check: Check) {
        self.add(Outcome::Fail, check);
    }

    /// A failed check out of an error of reading, with its place.
    pub(super) fn error(&mut self, name: &str, error: &Error) {
        self.fail(of_error(name, error));
        if let Error::Cut { offset, length, file, .. } = error {
            self.missing(offset.saturating_add(*length).saturating_sub(*file));
        }
    }

    /// Bytes that the file is too short; the largest number stands.
    pub(super) fn missing(&mut self, bytes: u64) {
        self.missing_bytes = self.missing_bytes.max(Some(bytes));
    }

    pub(super) fn verdict(&self) -> Verdict {
        let has = |outcome| self.list.iter().any(|check| check.outcome == outcome);
        match (has(Outcome::Fail), has(Outcome::Warn)) {
            (true, _) => Verdict::Damaged,
            (_, true) => Verdict::Partial,
            _ => Verdict::Good,
        }
    }

    /// What made the verdict: the first check of the worst outcome.
    pub(super) fn worst(&self) -> Option<&Check> {
        let first = |outcome| self.list.iter().find(|check| check.outcome == outcome);
        first(Outcome::Fail).or_else(|| first(Outcome::Warn))
    }
}

pub(super) fn of_error(name: &str, error: &Error) -> Check {
    let check = Check::new(name, error.to_string());
    match error {
        Error::Io { offset, .. } => check.at(*offset),
        Error::NotADump(identity) => check.at(0).expected("PAGEDU64 or PAGEDUMP").found(identity),
        Error::Cut { offset, length, file, .. } => check
            .at(*offset)
            .expected(format!("{length} bytes"))
            .found(format!("{} bytes", file.saturating_sub(*offset).min(*length))),
        Error::Value { offset, expected, found, .. } => {
            check.at(*offset).expected(expected).found(found)
        }
        Error::PagesShort { offset, needed, found } => {
            check.at(*offset).expected(format!("{needed} bytes")).found(format!("{found} bytes"))
        }
        Error::TooMany { offset, most, found, .. } => {
            check.at(*offset).expected(format!("at most {most}")).found(found)
        }
        _ => check,
    }
}
