//! What a capture came to.

use capture::{
    Class, FileReport, Note, PhaseTimes, Report, ThreadReport, ThreadState, TriageReport,
};

use super::{Record, Table, doctor, exact_size, failure};
use crate::render::clean;
use crate::world;

/// The summary of a capture that left a dump under its name; "" where there is none.
/// Notes that were `said` while it ran are left out.
pub(crate) fn summary(report: &Report, said: &[Note]) -> String {
    if !report.files.iter().any(|file| file.complete_name) {
        return String::new();
    }
    let mut record = Record::default();
    record.line("result", result(report));
    record.simulated(report.simulated.as_deref());
    record.line("captured", captured(report));
    record.line("machine", doctor::machine(&report.machine));
    report.files.iter().for_each(|file| self::file(&mut record, file));
    record.maybe("set", report.set.as_deref());
    record.line("time", times(&report.times));
    record.line("calls", calls(report));
    unsaid(report, said).for_each(|note| record.line(kind(note), &note.text));
    if let Some(triage) = &report.triage {
        record.line("threads", counts(triage));
        record.text(&threads(triage));
    }
    for file in report.files.iter().filter(|file| file.complete_name) {
        record.line("open", world::opened_with(&file.path));
    }
    record.into_text()
}

/// What goes to standard error: why it failed, what was left behind all the same, and what is known of
/// the threads. Notes that were `said` while it ran are left out.
pub(crate) fn errors(report: &Report, said: &[Note]) -> String {
    let mut text = report.failure.as_ref().map(failure::text).unwrap_or_default();
    if report.files.iter().any(|file| file.complete_name) {
        return text;
    }
    for file in &report.files {
        let verdict =
            file.verification.as_ref().map_or("not verified", |found| found.summary.as_str());
        text.push_str(&format!(
            "kept: {} ({}), {}\n",
            clean(&file.path),
            exact_size(file.size),
            clean(verdict)
        ));
    }
    if let Some(triage) = report.triage.as_ref().filter(|triage| !triage.threads.is_empty()) {
        text.push_str(&format!("threads: {}\n{}", counts(triage), threads(triage)));
    }
    if report.attempts.len() > 1 {
        text.push_str(&format!("calls: {}\n", clean(&calls(report))));
    }
    for note in unsaid(report, said) {
        text.push_str(&format!("{}: {}\n", kind(note), clean(&note.text)));
    }
    text + &failure::simulated(report.simulated.as_deref())
}

fn result(report: &Report) -> String {
    let words = match report.class {
        Class::Done => "done and verified",
        Class::Partial if is_encrypted(report) => "captured, but encrypted",
        Class::Partial => "captured, but not complete",
        _ => "captured, but see the error",
    };
    format!("{words} (exit code {})", report.exit_code)
}

/// What is missing of an encrypted dump is the proof, not a part.
fn is_encrypted(report: &Report) -> bool {
    let mut found = report.files.iter().filter_map(|file| file.verification.as_ref());
    found.any(|verification| verification.verdict == format::Verdict::Encrypted)
}

fn captured(report: &Report) -> String {
    match &report.triage {
        Some(triage) => {
            let whole =
                triage.threads.iter().filter(|t| matches!(t.state, ThreadState::Full { .. }));
            format!(
                "{}: {} of its {} threads asked for, {} whole",
                report.content,
                triage.threads.len(),
                triage.threads_total,
                whole.count()
            )
        }
        None => report.content.clone(),
    }
}

fn file(record: &mut Record, file: &FileReport) {
    record.line(
        "file",
        if file.complete_name {
            file.path.clone()
        } else {
            format!("{} (kept, not finished)", file.path)
        },
    );
    record.line("size", exact_size(file.size));
    record.line(
        "verdict",
        file.verification.as_ref().map_or("not verified", |found| found.summary.as_str()),
    );
    record.maybe("sha256", file.sha256.as_deref());
    record.line("readable by", &file.readers);
    record.line("written", &file.written);
}

fn times(times: &PhaseTimes) -> String {
    let phases = [
        ("planning", times.planning),
        ("preparing", times.preparing),
        ("writing", times.writing),
        ("flushing", times.flushing),
        ("verifying", times.verifying),
    ];
    // Where the first byte was not seen, preparing and writing are one.
    let unseen = (times.calling > 0.0).then_some(("calling", times.calling));
    let seen = |(name, seconds): &(&str, f64)| {
        !(unseen.is_some() && *seconds == 0.0 && matches!(*name, "preparing" | "writing"))
    };
    let phases: Vec<String> = phases
        .into_iter()
        .filter(seen)
        .chain(unseen)
        .map(|(name, seconds)| format!("{name} {seconds:.3}"))
        .collect();
    format!("{:.3} s: {}", times.total, phases.join(", "))
}

/// `3: 0xC000022D (STATUS_RETRY) 2 times, 0x00000000 (STATUS_SUCCESS)`: how many, and what each was answered.
fn calls(report: &Report) -> String {
    let statuses: Vec<&str> =
        report.attempts.iter().map(|attempt| attempt.status.as_str()).collect();
    let runs: Vec<String> = statuses.chunk_by(|one, next| one == next).map(run).collect();
    format!("{}: {}", statuses.len(), runs.join(", "))
}

fn run(same: &[&str]) -> String {
    match same {
        [one] => (*one).to_owned(),
        _ => format!("{} {} times", same.first().unwrap_or(&""), same.len()),
    }
}

fn unsaid<'a>(report: &'a Report, said: &'a [Note]) -> impl Iterator<Item = &'a Note> {
    report.notes.iter().filter(|note| !said.contains(note))
}

fn kind(note: &Note) -> &'static str {
    if note.warning { "warning" } else { "note" }
}

/// `7 full, 1 object only`
fn counts(triage: &TriageReport) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for thread in &triage.threads {
        let word = word(&thread.state);
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let parts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    parts.join(", ")
}

fn word(state: &ThreadState) -> &'static str {
    match state {
        ThreadState::Full { .. } => "full",
        ThreadState::StackCut { .. } => "stack cut",
        ThreadState::ObjectOnly { .. } => "object only",
        ThreadState::IdsOnly => "ids only",
        ThreadState::NotInDump => "not in the dump",
        ThreadState::CouldNotOpen { .. } => "could not be opened",
        ThreadState::Gone => "gone",
    }
}

fn threads(triage: &TriageReport) -> String {
    let mut table = Table::new(&["TID", "STATE", "STACK", "OBJECT", "FILE", "NAME"]).right(&[0, 4]);
    for thread in &triage.threads {
        let (state, stack, object) = state(thread);
        let file = thread.file.map_or_else(|| "-".to_owned(), |file| file.to_string());
        let name = thread.name.clone().unwrap_or_else(|| "-".to_owned());
        table.row([thread.tid.to_string(), state, stack, object, file, name]);
    }
    table.into_text()
}

/// State, stack and thread object.
fn state(thread: &ThreadReport) -> (String, String, String) {
    let none = || "-".to_owned();
    let word = word(&thread.state);
    match &thread.state {
        ThreadState::Full { object, stack } => {
            (word.into(), format!("{stack} bytes"), object.clone())
        }
        ThreadState::StackCut { object, stored, stack } => {
            (word.into(), format!("{stored} of {stack} bytes"), object.clone())
        }
        ThreadState::ObjectOnly { object } => (word.into(), none(), object.clone()),
        ThreadState::CouldNotOpen { error } => (format!("{word}: {error}"), none(), none()),
        ThreadState::IdsOnly | ThreadState::NotInDump | ThreadState::Gone => {
            (word.into(), none(), none())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::{Attempt, Failure, MachineSummary, WaitUnit};

    fn report() -> Report {
        let file = FileReport {
            path: "C:\\dumps\\x.dmp".into(),
            complete_name: true,
            size: 14_893_056,
            verification: None,
            sha256: None,
            readers: "SYSTEM and Administrators".into(),
            written: "unbuffered".into(),
            taken: None,
            tids: Vec::new(),
        };
        let attempt = |status: &str| Attempt { status: status.into(), seconds: 1.0, structure: 72 };
        Report {
            schema: "livedump.capture/1".into(),
            command: "kernel".into(),
            class: Class::Done,
            exit_code: 0,
            simulated: Some("healthy".into()),
            failure: None,
            started: "2026-01-01T00:00:00Z".into(),
            machine: MachineSummary::default(),
            content: "kernel memory".into(),
            files: vec![file],
            set: None,
            status: None,
            attempts: vec![
                attempt("0xC000022D (STATUS_RETRY)"),
                attempt("0x00000000 (STATUS_SUCCESS)"),
            ],
            times: PhaseTimes { total: 2.5, writing: 1.25, ..PhaseTimes::default() },
            estimate: None,
            findings: Vec::new(),
            notes: vec![Note::warning("be careful")],
            triage: None,
            abandoned: false,
        }
    }

    #[test]
    fn the_summary_says_what_how_long_how_large_how_good_and_how_to_open_it() {
        let text = summary(&report(), &[]);
        for line in [
            "result      done and verified (exit code 0)",
            "simulated   healthy (a made-up machine: nothing here is real)",
            "captured    kernel memory",
            "file        C:\\dumps\\x.dmp",
            "size        14.2 MiB (14893056 bytes)",
            "verdict     not verified",
            "time        2.500 s: planning 0.000, preparing 0.000, writing 1.250, flushing 0.000, verifying 0.000",
            "calls       2: 0xC000022D (STATUS_RETRY), 0x00000000 (STATUS_SUCCESS)",
            "warning     be careful",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
        }
        assert!(!summary(&report(), &[Note::warning("be careful")]).contains("be careful"));
        assert_eq!(errors(&report(), &[]), "");
    }

    #[test]
    fn a_failed_capture_says_why_and_which_partial_was_kept() {
        let mut failed = report();
        failed.class = Class::Unverified;
        failed.failure = Some(Failure::new(Class::Unverified, "verification says no"));
        failed.files[0].path = "/d/x.dmp.partial".into();
        failed.files[0].complete_name = false;
        assert_eq!(summary(&failed, &[]), "");
        let text = errors(&failed, &[]);
        assert!(
            text.starts_with(
                "livedump: error: verification says no\nkept: /d/x.dmp.partial (14.2 MiB"
            ),
            "{text}"
        );
        assert!(text.contains("warning: be careful\nsimulated: healthy\n"), "{text}");
        assert!(!errors(&failed, &failed.notes).contains("be careful"));
    }

    #[test]
    fn a_failed_capture_shows_the_threads_that_were_looked_at() {
        let thread = |tid, state| ThreadReport { tid, name: None, state, file: None };
        let mut failed = report();
        failed.files.clear();
        failed.failure = Some(Failure::new(Class::Partial, "not complete"));
        failed.triage = Some(TriageReport {
            pid: 4,
            process: "a.exe".into(),
            threads_total: 2,
            wait_unit: WaitUnit::Unknown,
            worst_case_seconds: 10,
            threads: vec![
                thread(77, ThreadState::Gone),
                thread(78, ThreadState::ObjectOnly { object: "ffff800012345678".into() }),
            ],
        });
        let text = errors(&failed, &[]);
        assert!(text.contains("threads: 1 gone, 1 object only\n"), "{text}");
        assert!(text.contains("77  gone ") && text.contains("78  object only "), "{text}");
        failed.triage.as_mut().unwrap().threads.clear();
        assert!(!errors(&failed, &[]).contains("TID"));
    }

    #[test]
    fn calls_are_counted_and_equal_answers_put_together() {
        let mut failed = report();
        failed.files.clear();
        failed.attempts.insert(0, failed.attempts[0].clone());
        let text = errors(&failed, &[]);
        let line = "calls: 3: 0xC000022D (STATUS_RETRY) 2 times, 0x00000000 (STATUS_SUCCESS)\n";
        assert!(text.contains(line), "{text}");
        failed.attempts.truncate(1);
        assert!(!errors(&failed, &[]).contains("calls"));
    }
}
