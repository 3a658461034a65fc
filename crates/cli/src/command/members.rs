//! The files of a set of triage dumps, as one memory.

use std::path::Path;

use capture::{Class, Failure};
use format::{Dump, Set, Triage};
use memory::VirtualAddress;

use super::place::{self, Question};
use super::{Refused, file};

/// One file of a set.
pub(super) struct Member<'s> {
    pub(super) name: String,
    pub(super) source: &'s map::File,
    pub(super) triage: Triage<'s>,
    /// The address that was asked for, as its machine has it.
    pub(super) address: u64,
    pub(super) simulated: bool,
    /// What should be known of the others.
    pub(super) notes: Vec<String>,
}

/// The file that holds the most of a range: of several the first.
pub(super) fn best<'s>(
    path: &Path,
    set: &'s Set,
    question: &Question,
) -> Result<Member<'s>, Refused> {
    let mut best: Option<(u64, usize)> = None;
    let (mut notes, mut holders) = (Vec::new(), Vec::new());
    for number in 0..set.moments().len() {
        // One at a time: a file may have a million blocks.
        let member = match open(path, set, number, question)? {
            Ok(member) => member,
            Err(why) => {
                notes.push(why);
                continue;
            }
        };
        let held = member.triage.covered(VirtualAddress(member.address), question.length);
        if held > 0 {
            holders.push(member.name);
        }
        if best.is_none_or(|(most, _)| held > most) {
            best = Some((held, number));
        }
    }
    let Some((_, number)) = best else { return Err(none(path, notes).into()) };
    let found = open(path, set, number, question)?;
    let mut found = found.map_err(|why| none(path, vec![why]))?;
    holders.retain(|name| *name != found.name);
    if !holders.is_empty() {
        notes.insert(0, format!("of other moments, also in {}", holders.join(", ")));
    }
    found.notes = notes;
    Ok(found)
}

/// A file of the set; or why it cannot be read.
pub(super) fn open<'s>(
    path: &Path,
    set: &'s Set,
    number: usize,
    question: &Question,
) -> Result<Result<Member<'s>, String>, clap::Error> {
    let name = set.moments().get(number).map(|moment| moment.file.clone()).unwrap_or_default();
    let Some(source) = set.file(number) else {
        let why = set.problem(number).map(format::SetError::reason).unwrap_or_default();
        return Ok(Err(format!("{name} is missing: {why}")));
    };
    let opened = Dump::open(source).and_then(|dump| Ok((dump.triage()?, dump)));
    let (triage, dump) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return Ok(Err(file::unreadable(&path.with_file_name(&name), &error).message));
        }
    };
    let address = place::in_triage(question, dump.header().width)?;
    let simulated = dump.header().is_simulated();
    Ok(Ok(Member { name, source, triage, address, simulated, notes: Vec::new() }))
}

/// None of the files can be read.
pub(super) fn none(path: &Path, why: Vec<String>) -> Failure {
    let text = format!("none of the files of the set '{}' can be read", path.display());
    Failure::new(Class::Unverified, text)
        .details(why)
        .remedy("put the files of the set beside it, as they were taken")
}
