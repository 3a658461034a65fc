//! Whether a set of triage dumps is good.

use map::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::check::Checks;
use super::{Check, Level, Verdict, Verification, verify};
use crate::set::Moment;
use crate::source::Source;
use crate::{Dump, DumpType, Error, File, Set, SetError};

/// What verification of a set found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SetVerification {
    /// The set as one: a check for each of its files.
    pub whole: Verification,
    /// The files, in their order; `None` for one that could not be opened.
    pub files: Vec<Option<Verification>>,
}

/// Verifies every file of a set. The worst verdict is the set's; a file that
/// is missing makes it partial, one that is not what was taken (by its size,
/// and at [`Level::Deep`] by its SHA-256) damages it.
pub fn verify_set(set: &Set, level: Level) -> SetVerification {
    let mut checks = Checks::default();
    let mut files = Vec::with_capacity(set.moments().len());
    for number in 0..set.moments().len() {
        files.push(member(set, number, level, &mut checks));
    }
    let found = || files.iter().flatten();
    let worst = found().map(|found: &Verification| found.verdict).max();
    // Files of which none is there are no set.
    let verdict = worst.map_or(Verdict::Unusable, |worst| worst.max(checks.verdict()));
    let kind = format!("set of {} triage dumps", files.len());
    let file_length = found().fold(0_u64, |sum, found| sum.saturating_add(found.file_length));
    let missing_bytes = found().filter_map(|found| found.missing_bytes).max();
    let summary = match checks.worst() {
        Some(worst) => format!("{verdict}: {}", worst.text),
        None => format!("{verdict}: a {kind} of {file_length} bytes"),
    };
    let level = found().map(|found| found.level).min().unwrap_or(level);
    let kind = Some(kind);
    let whole = Verification {
        verdict,
        level,
        summary,
        kind,
        file_length,
        missing_bytes,
        checks: checks.list,
    };
    SetVerification { whole, files }
}

fn member(set: &Set, number: usize, level: Level, checks: &mut Checks) -> Option<Verification> {
    let moment = set.moments().get(number)?;
    let name = &moment.file;
    let check = |name: &str, text: String| Check::new(name, text);
    let Some(file) = set.file(number) else {
        let why = set.problem(number).map(SetError::reason).unwrap_or_default();
        checks.warn(check("set.file", format!("{name} is missing: {why}")));
        return None;
    };
    let found = verify(file, level);
    let text = format!("{name} is {}", found.summary);
    match found.verdict {
        Verdict::Good => checks.pass(check("set.file", text)),
        Verdict::Partial => checks.warn(check("set.file", text)),
        _ => checks.fail(check("set.file", text)),
    }
    if let Some(size) = moment.size.filter(|size| *size != file.len()) {
        let text = format!("{name} has another size than when it was taken");
        let check = check("set.size", text).expected(format!("{size} bytes"));
        checks.fail(check.found(format!("{} bytes", file.len())));
    }
    if level == Level::Deep {
        unchanged(moment, file, checks);
    }
    let kind = Dump::open(file).map(|dump| dump.kind());
    if let Ok(kind) = kind
        && kind != DumpType::Triage
    {
        let text = format!("{name} is a {kind}, and no part of a triage capture");
        checks.fail(check("set.kind", text).expected(DumpType::Triage).found(kind));
    }
    Some(found)
}

/// Whether a file has the bytes that it had when it was taken, where the set tells its sum.
fn unchanged(moment: &Moment, file: &File, checks: &mut Checks) {
    let name = &moment.file;
    let Some(expected) = &moment.sha256 else {
        let text =
            format!("the set has no SHA-256 of {name}, so a change of its bytes is not seen");
        return checks.note(Check::new("set.sha256", text));
    };
    match sha256(file) {
        Err(error) => checks.error("set.sha256", &error),
        Ok(found) => {
            let check = |text: String| Check::new("set.sha256", text).at(0);
            let same = found.eq_ignore_ascii_case(expected);
            if same {
                checks.pass(check(format!("{name} has the bytes it was taken with")).found(found));
            } else {
                let text = format!("{name} has other bytes than when it was taken");
                checks.fail(check(text).expected(expected).found(found));
            }
        }
    }
}

/// As lower-case hex digits.
fn sha256(file: &File) -> Result<String, Error> {
    let mut sum = Sha256::new();
    Source::new(file).windows("the file's bytes", 0, file.len(), |_, window| {
        sum.update(window);
        true
    })?;
    Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
