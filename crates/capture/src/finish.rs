//! After the kernel said success: comment, flush, verification, hash, and only then the final name.

use std::io;
use std::time::Instant;

use format::Verification;
use format::header::{COMMENT_OFFSET, COMMENT_SIZE, comment_field, set_comment};
use machine::{Buffering, Target};
use sha2::{Digest, Sha256};

use crate::new_file::{self, shown};
use crate::progress::seconds;
use crate::session::Session;
use crate::{Class, Common, Failure, FileReport, Note, Phase, verdict};

/// Bytes that are hashed at a time.
const PIECE: usize = 1 << 20;

/// What a file holds, before it is named.
pub(crate) struct Checked {
    pub(crate) file: FileReport,
    /// The class by its verdict, or why it must not get its name.
    pub(crate) class: Result<Class, Failure>,
}

/// Writes the comment, flushes, verifies and hashes. An `Err` is I/O that failed: the `.partial` stays.
pub(crate) fn check(
    session: &mut Session,
    target: &dyn Target,
    common: &Common,
) -> Result<Checked, Failure> {
    let whole = write_comment(target, common.comment.as_deref())
        .map_err(|e| io_failure(target, "the comment", &e))?;
    if !whole {
        session.note(Note::warning(
            "the comment was cut: \"simulated\" stands before it in a field of 127 characters",
        ));
    }
    session.phase(Phase::Flushing);
    let flushing = Instant::now();
    target.flush().map_err(|e| io_failure(target, "flushing", &e))?;
    session.report.times.flushing += seconds(flushing.elapsed());
    session.phase(Phase::Verifying);
    let verifying = Instant::now();
    let verification = verdict::verify(target)?;
    session.report.times.verifying += seconds(verifying.elapsed());
    let sha256 = if common.hash {
        hash(session, target).map_err(|e| io_failure(target, "hashing", &e))?
    } else {
        None
    };
    if session.interrupted() {
        session.answered = session.interrupts.count();
        session.note(Note::info("the interrupt came when the dump was already taken: it is kept"));
    }
    let class = verdict::class(&verification, common.require_complete);
    Ok(Checked { file: file_report(target, Some(verification), sha256), class })
}

fn io_failure(target: &dyn Target, doing: &str, error: &io::Error) -> Failure {
    Failure::new(Class::Disk, format!("{doing} failed on {}: {error}", target.path().display()))
        .remedy("the .partial is kept; look at the disk, then capture again")
}

/// The file as the report has it.
pub(crate) fn file_report(
    target: &dyn Target,
    verification: Option<Verification>,
    sha256: Option<String>,
) -> FileReport {
    let facts = target.facts();
    let nobody_kept_out = || "whoever reaches it: no access list was set".to_owned();
    let readers = facts.readers.clone().unwrap_or_else(nobody_kept_out);
    let written = match facts.buffering {
        Buffering::Unbuffered => "unbuffered",
        Buffering::Buffered => "buffered",
    };
    FileReport {
        path: shown(&target.path()),
        complete_name: false,
        size: target.len().unwrap_or(0),
        verification,
        sha256,
        readers,
        written: written.into(),
        taken: None,
        tids: Vec::new(),
    }
}

/// Puts the comment into the header of a file that has one. What the machine
/// itself wrote there ("simulated") stays in front. False: the comment was cut.
fn write_comment(target: &dyn Target, comment: Option<&str>) -> io::Result<bool> {
    let Some(comment) = comment else { return Ok(true) };
    let mut signature = [0; 8];
    let mut field = [0; COMMENT_SIZE];
    let has_header =
        target.read_at(0, &mut signature)? == signature.len() && signature == *b"PAGEDU64";
    if !has_header || target.read_at(COMMENT_OFFSET, &mut field)? < field.len() {
        // Verification is about to say so.
        return Ok(true);
    }
    let (field, whole) = new_comment(comment_field(&field).as_deref(), comment);
    target.write_at(COMMENT_OFFSET, &field)?;
    Ok(whole)
}

/// The new comment field, and whether all of the comment fits; the front of
/// what was there is never lost to a long text.
fn new_comment(old: Option<&str>, comment: &str) -> ([u8; COMMENT_SIZE], bool) {
    let text = match old.filter(|o| o.starts_with("simulated")) {
        Some(old) => format!("{old} | {comment}"),
        None => comment.to_owned(),
    };
    let fitting: String = text.chars().take(COMMENT_SIZE - 1).collect();
    let whole = fitting == text;
    (set_comment(&fitting).unwrap_or([0; COMMENT_SIZE]), whole)
}

/// SHA-256; `None` when an interrupt made it not worth waiting for.
fn hash(session: &Session, target: &dyn Target) -> io::Result<Option<String>> {
    use std::fmt::Write;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut offset = 0;
    loop {
        if session.interrupted() {
            return Ok(None);
        }
        let read = target.read_at(offset, &mut piece)?;
        if read == 0 {
            break;
        }
        hasher.update(&piece[..read]);
        offset += read as u64;
    }
    Ok(Some(hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })))
}

/// Gives the file its final name. An `Err` leaves it where the message says.
pub(crate) fn name(
    target: &dyn Target,
    file: &mut FileReport,
    name: &str,
    overwrite: bool,
) -> Result<(), Failure> {
    match new_file::give_name(target, name, overwrite) {
        Ok(path) => {
            file.path = path;
            file.complete_name = true;
            Ok(())
        }
        Err(not) => {
            file.path = not.path;
            file.complete_name = not.complete_name;
            Err(not.failure)
        }
    }
}

/// Removes what a failed or cancelled capture left, unless it is to be kept.
pub(crate) fn discard(session: &mut Session, target: &dyn Target, common: &Common) {
    if common.keep_partial {
        session.report.files.push(file_report(target, None, None));
        return;
    }
    if let Err(e) = target.delete() {
        session.note(Note::warning(format!("{} could not be deleted: {e}", shown(&target.path()))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_dump_stays_simulated_whatever_the_comment() {
        let (field, whole) = new_comment(Some("simulated: healthy"), &"x".repeat(127));
        assert!(!whole && new_comment(Some("simulated"), "x").1);
        let text = comment_field(&field).unwrap();
        assert!(text.starts_with("simulated: healthy | xxx"));
        assert_eq!(text.len(), 127);
    }
}
