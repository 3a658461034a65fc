//! `livedump verify`.

use std::path::Path;

use capture::{Class, Failure};
use format::{Level, Verdict, Verification};

use super::file::{self, Input};
use super::{Outcome, Said, answer, inside, wildcard};
use crate::args::{FilesArgs, OpenArgs, VerifyLevel};
use crate::render::failure;
use crate::render::verification::{VerifiedFile, VerifiedMember, VerifyReport, text};

pub(super) fn run(typed: &FilesArgs) -> Outcome {
    let level = match typed.level {
        VerifyLevel::Header => Level::Header,
        VerifyLevel::Structure => Level::Structure,
        VerifyLevel::Deep => Level::Deep,
    };
    let files: Vec<(Class, VerifiedFile)> =
        typed.files.iter().flat_map(|path| verified_all(path, level, &typed.open)).collect();
    let class = files
        .iter()
        .map(|(class, _)| *class)
        .max_by_key(|class| weight(*class))
        .unwrap_or(Class::Done);
    let files: Vec<VerifiedFile> = files.into_iter().map(|(_, file)| file).collect();
    let errors = if typed.output.json {
        String::new()
    } else {
        files.iter().filter_map(|f| f.failure.as_ref()).map(failure::text).collect()
    };
    let report =
        VerifyReport { schema: "livedump.verify/1".into(), exit_code: class.exit_code(), files };
    Ok(Said { errors, ..answer(typed.output.json, class, &report, text)? })
}

/// The file, or all that a pattern means.
fn verified_all(path: &Path, level: Level, how: &OpenArgs) -> Vec<(Class, VerifiedFile)> {
    let files = wildcard::expand(path);
    if files.is_empty() {
        let none = Failure::new(Class::NotFound, format!("no file matches '{}'", path.display()));
        return vec![verified(path, Err(none))];
    }
    files.iter().map(|path| looked_at(path, level, how)).collect()
}

/// One file, or a set of them.
fn looked_at(path: &Path, level: Level, how: &OpenArgs) -> (Class, VerifiedFile) {
    match file::input(path, how) {
        Ok(Input::One(file)) => {
            let (class, whole) = verified(path, Ok(format::verify(&file, level)));
            let readable = matches!(class, Class::Done | Class::Partial) && level == Level::Deep;
            let inside = if readable { inside::completeness(&file) } else { None };
            (class, VerifiedFile { inside, ..whole })
        }
        Ok(Input::Set(set)) => {
            let found = format::verify_set(&set, level);
            let names = set.moments().iter().map(|moment| moment.file.clone());
            let member = |(file, verification)| VerifiedMember { file, verification };
            let members = names.zip(found.files).map(member).collect();
            let (class, whole) = verified(path, Ok(found.whole));
            (class, VerifiedFile { members, ..whole })
        }
        Err(failure) => verified(path, Err(failure)),
    }
}

fn verified(path: &Path, found: Result<Verification, Failure>) -> (Class, VerifiedFile) {
    let class = match &found {
        Ok(verification) => class(verification.verdict),
        Err(failure) => failure.class,
    };
    let (verification, failure) = match found {
        Ok(verification) => (Some(verification), None),
        Err(failure) => (None, Some(failure)),
    };
    let path = path.display().to_string();
    let (exit_code, members) = (class.exit_code(), Vec::new());
    (class, VerifiedFile { path, exit_code, verification, failure, inside: None, members })
}

fn class(verdict: Verdict) -> Class {
    match verdict {
        Verdict::Good => Class::Done,
        Verdict::Partial => Class::Partial,
        _ => Class::Unverified,
    }
}

/// Of several files the worst counts: one that was not looked at at all, then a bad one, then a partial one.
fn weight(class: Class) -> u8 {
    match class {
        Class::Done => 0,
        Class::Partial => 1,
        Class::Unverified => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_has_the_exit_code_of_the_documents() {
        let codes = [
            (Verdict::Good, 0),
            (Verdict::Partial, 8),
            (Verdict::Damaged, 9),
            (Verdict::Unusable, 9),
            (Verdict::Encrypted, 9),
        ];
        for (verdict, code) in codes {
            assert_eq!(class(verdict).exit_code(), code, "{verdict}");
        }
    }
}
