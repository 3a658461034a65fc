//! The event-log record: who took what, where to, how it ended.

use machine::EventRecord;

use crate::session::Session;
use crate::{Class, Common, Note};

/// Writes one record for a real capture, unless it was asked not to; a failure is a warning.
pub(crate) fn record(session: &mut Session, common: &Common, flags: &str, class: Class) {
    if session.report.simulated.is_some() || common.no_event_log {
        return;
    }
    let record = record_of(session, flags, class);
    if let Err(e) = session.world.host.write_event(&record) {
        session.note(Note::warning(format!("no event-log record was written: {e}")));
    }
}

fn record_of(session: &Session, flags: &str, class: Class) -> EventRecord {
    let report = &session.report;
    let files: Vec<&str> = report.files.iter().map(|f| f.path.as_str()).collect();
    let verdicts: Vec<String> = report
        .files
        .iter()
        .filter_map(|f| f.verification.as_ref())
        .map(|v| v.summary.clone())
        .collect();
    let what = match &report.triage {
        Some(t) => format!("triage dump of {} ({})", t.process, t.pid),
        None => format!("live dump: {}", report.content),
    };
    EventRecord {
        who: session.world.host.user().unwrap_or_else(|| "unknown".into()),
        what,
        file: files.join("; "),
        size: report.files.iter().map(|f| f.size).sum(),
        flags: flags.to_owned(),
        result: if verdicts.is_empty() { ending(class).into() } else { verdicts.join("; ") },
    }
}

/// How a class reads in the record of a capture that left no file.
fn ending(class: Class) -> &'static str {
    match class {
        Class::Done => "good",
        Class::Partial => "partial",
        Class::Cancelled => "cancelled",
        _ => "failed",
    }
}
