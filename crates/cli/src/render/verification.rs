//! Whether files are good.

use analysis::Completeness;
use analysis::completeness::Answer;
use capture::Failure;
use format::{Check, Outcome, Verification};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Record, Table, exact_size};

/// The result of `livedump verify`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct VerifyReport {
    /// "livedump.verify/1".
    pub(crate) schema: String,
    /// The exit code: that of the worst file.
    pub(crate) exit_code: u8,
    /// The files, in the order given.
    pub(crate) files: Vec<VerifiedFile>,
}

/// One file.
#[derive(Serialize, JsonSchema)]
pub(crate) struct VerifiedFile {
    /// As given.
    pub(crate) path: String,
    /// The exit code that this file alone would have.
    pub(crate) exit_code: u8,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verification: Option<Verification>,
    /// Why it could not be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// At level deep: what can be asked of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inside: Option<Completeness>,
    /// Of a set of triage dumps, its files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<VerifiedMember>,
}

/// One file of a set.
#[derive(Serialize, JsonSchema)]
pub(crate) struct VerifiedMember {
    /// Its name, as the set's description has it.
    pub(crate) file: String,
    /// What was found; absent when it could not be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verification: Option<Verification>,
}

/// `livedump verify`: all of one file, a line for each of several.
pub(crate) fn text(report: &VerifyReport) -> String {
    match report.files.as_slice() {
        [VerifiedFile { path, verification: Some(verification), inside, .. }] => {
            one(path, verification) + &inside.as_ref().map(asked).unwrap_or_default()
        }
        // Why is on standard error.
        [_] => String::new(),
        files => several(files),
    }
}

fn one(path: &str, verification: &Verification) -> String {
    let mut record = Record::default();
    record.line("file", path);
    record.line("verdict", &verification.summary);
    record.maybe("kind", verification.kind.as_deref());
    record.line("size", exact_size(verification.file_length));
    record.maybe("missing", verification.missing_bytes.map(exact_size));
    let mut table = Table::new(&["CHECK", "OUTCOME", "OFFSET", "WHAT"]);
    for check in &verification.checks {
        let offset = check.offset.map_or_else(|| "-".to_owned(), |offset| format!("{offset:#x}"));
        table.row([check.name.clone(), outcome(check.outcome).to_owned(), offset, what(check)]);
    }
    record.text(&table.into_text());
    record.into_text()
}

/// What can be asked of a dump, a line a question.
fn asked(inside: &Completeness) -> String {
    let mut record = Record::default();
    let mut table = Table::new(&["ASK FOR", "ANSWER", "WHY"]);
    for question in &inside.questions {
        let answer = match question.answer {
            Answer::Yes => "yes",
            Answer::Partly => "partly",
            Answer::No => "no",
        };
        let why = question.why.clone().unwrap_or_default();
        table.row([question.question.clone(), answer.to_owned(), why]);
    }
    record.text("\n");
    record.text(&table.into_text());
    let stacks = &inside.stacks;
    record.line(
        "stacks",
        format!(
            "{} readable, {} incomplete, {} not resident, {} running, {} of ended threads, {} not found",
            stacks.readable,
            stacks.incomplete,
            stacks.not_resident,
            stacks.running,
            stacks.none,
            stacks.unknown
        ),
    );
    super::inside::incomplete(&mut record, &inside.lists);
    record.into_text()
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Note => "note",
        Outcome::Warn => "warn",
        Outcome::Fail => "fail",
        _ => "unknown",
    }
}

fn what(check: &Check) -> String {
    match (&check.expected, &check.found) {
        (Some(expected), Some(found)) if check.outcome != Outcome::Pass => {
            format!("{}: expected {expected}, found {found}", check.text)
        }
        (None, Some(found)) if check.outcome == Outcome::Pass => {
            format!("{}: {found}", check.text)
        }
        (None, Some(found)) => format!("{}: found {found}", check.text),
        _ => check.text.clone(),
    }
}

fn several(files: &[VerifiedFile]) -> String {
    let mut table = Table::new(&["FILE", "VERDICT", "SIZE", "WHY"]);
    for file in files {
        let (verdict, size, why) = match (&file.verification, &file.failure) {
            (Some(found), _) => {
                let verdict = found.verdict.to_string();
                let why = found.summary.strip_prefix(&format!("{verdict}: "));
                let why = why.unwrap_or(&found.summary).to_owned();
                (verdict, exact_size(found.file_length), why)
            }
            (None, Some(failure)) => {
                ("not read".to_owned(), "-".to_owned(), failure.message.clone())
            }
            (None, None) => ("not read".to_owned(), "-".to_owned(), "-".to_owned()),
        };
        table.row([file.path.clone(), verdict, size, why]);
    }
    table.into_text()
}
