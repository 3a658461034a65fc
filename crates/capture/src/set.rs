//! Several files that are one triage capture, and the `NAME.json` that describes them.

use std::io::Read;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::name;
use crate::new_file;
use crate::place::{self, Place};
use crate::session::Session;
use crate::{Class, Failure, FileReport, Note, TriageReport, World};

const SCHEMA: &str = "livedump.triage-set/1";

/// What `NAME.json` holds: a set of triage dumps, taken one after the other. Any field may be absent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TriageSet<'a> {
    /// "livedump.triage-set/1".
    pub schema: &'a str,
    /// The scenario, when the machine was a simulated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<&'a str>,
    /// The files are of different moments: relations across them are not proved.
    pub moments: usize,
    /// Files in order, by name, in this file's own folder.
    pub files: Vec<SetFile<'a>>,
    /// Process and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triage: Option<&'a TriageReport>,
}

/// One file of a set.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SetFile<'a> {
    /// File name, without a folder.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// When it was taken, ISO 8601 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<&'a str>,
    /// Threads that were asked for in it.
    pub tids: &'a [u32],
    /// "good", "partial".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<format::Verdict>,
    /// SHA-256 (`--hash`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<&'a str>,
}

/// Refuses, before the first call, a set whose later names are taken.
pub(crate) fn refuse_existing(
    world: &World,
    place: &Place,
    expected: usize,
    overwrite: bool,
) -> Result<(), Failure> {
    if expected < 2 {
        return Ok(());
    }
    refuse_foreign(world, place)?;
    if overwrite {
        return Ok(());
    }
    let names = (2..=expected)
        .map(|n| name::batch(&place.file.name, n))
        .chain([name::set(&place.file.name)]);
    for name in names {
        let facts = world.host.path_facts(&place.file.folder.join(name));
        if facts.exists {
            return Err(new_file::exists(&facts.shown));
        }
    }
    Ok(())
}

/// What an older, larger set of the same name has left behind. It is evidence
/// and stays, but must not be taken for a part of the new set.
pub(crate) fn left_over(world: &World, place: &Place, files: usize) -> Option<Note> {
    let facts = |name: &str| world.host.path_facts(&place.file.folder.join(name));
    let names = (files + 1..).map(|number| name::batch(&place.file.name, number.max(2)));
    let mut left: Vec<String> = names.take_while(|name| facts(name).exists).collect();
    let description = name::set(&place.file.name);
    if files < 2 && is_ours(&facts(&description).full) {
        left.push(description);
    }
    let (first, last) = (left.first()?, left.last()?);
    let which = match left.len() {
        1 => format!("{first} is"),
        2 => format!("{first} and {last} are"),
        number => format!("{first} to {last} ({number} files) are"),
    };
    Some(Note::warning(format!(
        "{which} left of an older set of this name, and no part of this capture"
    )))
}

/// `--overwrite` names a dump: a `NAME.json` that describes no set is somebody else's.
fn refuse_foreign(world: &World, place: &Place) -> Result<(), Failure> {
    let facts = world.host.path_facts(&place.file.folder.join(name::set(&place.file.name)));
    if facts.exists && !is_ours(&facts.full) {
        return Err(Failure::new(
            Class::Disk,
            format!("{} is needed for the description of the set, and is not one", facts.shown),
        )
        .remedy("name the dump otherwise, or move that file away"));
    }
    Ok(())
}

/// Whether a file is the description of a set.
fn is_ours(path: &Path) -> bool {
    let start = || {
        let mut start = Vec::new();
        std::fs::File::open(path)?.take(4096).read_to_end(&mut start)?;
        Ok::<_, std::io::Error>(start)
    };
    start().is_ok_and(|start| String::from_utf8_lossy(&start).contains(SCHEMA))
}

/// Writes `NAME.json`; returns its path.
pub(crate) fn describe(
    session: &mut Session,
    place: &Place,
    files: &[FileReport],
    overwrite: bool,
) -> Result<Option<String>, Failure> {
    let text = serde_json::to_vec_pretty(&TriageSet {
        schema: SCHEMA,
        simulated: session.report.simulated.as_deref(),
        moments: files.len(),
        files: files.iter().map(set_file).collect(),
        triage: session.report.triage.as_ref(),
    })
    .map_err(|e| Failure::new(Class::Internal, format!("the set could not be described: {e}")))?;
    let name = name::set(&place.file.name);
    let world = session.world.clone();
    refuse_foreign(&world, place)?;
    let mut notes = Vec::new();
    let target = place::create(&world, place, &name, text.len() as u64, &mut notes);
    session.notes(notes);
    let target = target?;
    let io =
        |e: std::io::Error| Failure::new(Class::Disk, format!("{name} could not be written: {e}"));
    target.write_at(0, &text).map_err(io)?;
    target.flush().map_err(io)?;
    let path = target.rename(&name, overwrite).map_err(|e| new_file::failure(&e))?;
    Ok(Some(new_file::shown(&path)))
}

fn set_file(file: &FileReport) -> SetFile<'_> {
    SetFile {
        // The report may be read on another system than it was written on.
        file: file.path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
        size: file.size,
        taken: file.taken.as_deref(),
        tids: &file.tids,
        verdict: file.verification.as_ref().map(|v| v.verdict),
        sha256: file.sha256.as_deref(),
    }
}
