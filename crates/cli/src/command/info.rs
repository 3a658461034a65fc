//! `livedump info`.

use std::path::Path;

use analysis::Contents;
use capture::Class;
use format::{Info, Set};

use super::file::{self, Input};
use super::{Outcome, Refused, answer, inside, members};
use crate::args::FileArgs;
use crate::render::info::{InfoReport, SetFile, text};

pub(super) fn run(typed: &FileArgs) -> Outcome {
    let path = typed.file.display().to_string();
    let schema = "livedump.info/1".into();
    let (info, inside, files) = match file::input(&typed.file, &typed.open)? {
        Input::One(bytes) => {
            let info = format::info(&bytes);
            let info = info.map_err(|error| file::unreadable(&typed.file, &error))?;
            (info, inside::contents(&bytes), Vec::new())
        }
        Input::Set(set) => of_set(&typed.file, &set)?,
    };
    let report = InfoReport { schema, path, info, inside, files };
    answer(typed.output.json, Class::Done, &report, text)
}

/// What the first file says of the machine, the sums of all, and a line for each.
fn of_set(path: &Path, set: &Set) -> Result<(Info, Option<Contents>, Vec<SetFile>), Refused> {
    let mut whole: Option<Info> = None;
    let mut inside: Option<Contents> = None;
    let mut files = Vec::new();
    for (number, moment) in set.moments().iter().enumerate() {
        let read = match set.file(number) {
            Some(file) => format::info(file)
                .map_err(|error| file::unreadable(Path::new(&moment.file), &error).message),
            None => Err(set.problem(number).map(format::SetError::reason).unwrap_or_default()),
        };
        let mut listed = SetFile {
            file: moment.file.clone(),
            taken: moment.taken.clone(),
            tids: moment.tids.clone(),
            size: None,
            blocks: None,
            problem: None,
        };
        match read {
            Ok(info) => {
                (listed.size, listed.blocks) = (Some(info.file_length), info.blocks);
                let next = set.file(number).and_then(inside::contents);
                inside = match (inside, next) {
                    (Some(inside), Some(next)) => Some(threads_of_both(inside, &next)),
                    (inside, next) => inside.or(next),
                };
                whole = Some(match whole {
                    None => info,
                    Some(whole) => together(whole, &info),
                });
            }
            Err(why) => listed.problem = Some(why),
        }
        files.push(listed);
    }
    let problem = |file: &SetFile| Some(format!("{}: {}", file.file, file.problem.as_ref()?));
    let problems: Vec<String> = files.iter().filter_map(problem).collect();
    let Some(mut whole) = whole else { return Err(members::none(path, problems).into()) };
    whole.kind = format!("set of {} triage dumps", files.len());
    whole.simulated |= set.simulated.is_some();
    whole.unread.extend(problems.iter().map(|problem| format!("of the set, {problem}")));
    Ok((whole, inside, files))
}

/// The threads of one file are not in the others; all else is the first file's.
fn threads_of_both(mut whole: Contents, next: &Contents) -> Contents {
    let threads = next.counts.iter().find(|one| one.what == "threads").and_then(|one| one.count);
    for one in whole.counts.iter_mut().filter(|one| one.what == "threads") {
        one.count = match (one.count, threads) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        one.whole = false;
        one.how = "of all files, each a moment of its own".into();
    }
    whole
}

/// Sums; all else is the first file's.
fn together(whole: Info, next: &Info) -> Info {
    let sum = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
    let mut memory_classes = whole.memory_classes;
    for (class, other) in memory_classes.iter_mut().zip(&next.memory_classes) {
        class.bytes = class.bytes.saturating_add(other.bytes);
    }
    Info {
        memory_classes,
        file_length: whole.file_length.saturating_add(next.file_length),
        blocks: sum(whole.blocks, next.blocks),
        bytes_stored: sum(whole.bytes_stored, next.bytes_stored),
        required_dump_space: None,
        simulated: whole.simulated || next.simulated,
        ..whole
    }
}
