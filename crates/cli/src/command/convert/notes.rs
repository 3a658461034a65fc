//! What should be known about a converted dump.

use capture::Note;
use format::Verification;
use format::write::Kind;

use super::Job;

/// Failed checks of a damaged source that are repeated.
const MOST_CHECKS: usize = 8;

pub(super) fn notes(job: &Job<'_, '_>, found: &Verification, more: &[Note]) -> Vec<String> {
    let mut notes: Vec<String> = more.iter().map(|note| note.text.clone()).collect();
    notes.push("its header says that it was made offline (DumpIsGeneratedOffline)".to_owned());
    notes.extend(kind(job));
    lost(job, &mut notes);
    if job.damaged {
        notes.push(format!("the source is {}", found.summary));
        let failed = capture::failed_checks(found);
        notes.extend(failed.iter().take(MOST_CHECKS).map(|check| format!("failed: {check}")));
    }
    if job.damaged || job.pages.lost() > 0 {
        notes.push("its header says so by its writer status (STATUS_PARTIAL_COPY)".to_owned());
    }
    if let Ok(left @ 1..) = job.source.left_out() {
        notes.push(format!(
            "{left} bytes behind the source's pages and secondary data were left out: they are \
             no whole part of it"
        ));
    }
    notes
}

/// Where its type promises something else than it holds.
fn kind(job: &Job<'_, '_>) -> Vec<String> {
    let from = job.source.dump().kind();
    let mut notes = Vec::new();
    match (from.is_complete(), job.kind()) {
        (false, Kind::Full | Kind::Bitmap) => notes.push(format!(
            "its type says complete, but what the {from} left out is not in it either"
        )),
        (true, Kind::KernelBitmap) => notes.push(format!(
            "its type says kernel, but all pages of the {from} are in it, those of programs too"
        )),
        _ => {}
    }
    if job.kind() == Kind::Full && from != Kind::Full.dump_type() {
        notes.push(
            "the header's list of the machine's memory is now the list of the stored pages"
                .to_owned(),
        );
    }
    notes
}

fn lost(job: &Job<'_, '_>, notes: &mut Vec<String>) {
    let pages = |number: u64| if number == 1 { "1 page".into() } else { format!("{number} pages") };
    let mut say = |number: u64, why: &str| {
        if number > 0 {
            notes.push(format!("{} of the source {why}: not in it, nor zeros", pages(number)));
        }
    };
    say(job.pages.behind_the_end(), "behind its end");
    say(job.pages.failed(), "that the system could not read");
}
