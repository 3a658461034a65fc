//! What `triage` promises, on the simulated machine and the real file system.
#![allow(clippy::unwrap_used, dead_code, missing_docs)]

mod world;

use std::path::Path;
use std::sync::Arc;

use capture::{
    Class, Common, Pick, ProcessTarget, Report, ThreadCount, ThreadState, TriageOptions,
};
use world::{Seen, names, world};

fn options(folder: &Path, process: &str) -> TriageOptions {
    let process =
        process.parse().map_or_else(|_| ProcessTarget::Name(process.into()), ProcessTarget::Pid);
    TriageOptions {
        common: Common {
            file: Some(folder.join("t.dmp").display().to_string()),
            ..Common::default()
        },
        process,
        count: None,
        tids: Vec::new(),
        thread_name: None,
        pick: Pick::Main,
    }
}

fn take(scenario: &str, options: &TriageOptions) -> Report {
    capture::triage(&world(scenario), options, Arc::new(Seen::default()))
}

/// The process with most threads of all that can be opened.
fn largest(scenario: &str) -> u32 {
    let list = capture::processes(&world(scenario)).unwrap();
    list.processes
        .iter()
        .filter(|p| p.protection.is_none() && p.pid > 4)
        .max_by_key(|p| p.threads)
        .unwrap()
        .pid
}

#[test]
fn four_threads_are_taken_whole_and_each_is_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let report = take("healthy", &options(folder.path(), &largest("healthy").to_string()));
    assert_eq!(report.class, Class::Done, "{report:#?}");
    assert_eq!(names(folder.path()), ["t.dmp"]);
    let threads = report.triage.unwrap().threads;
    assert_eq!(threads.len(), 4);
    assert!(
        threads.iter().all(|t| matches!(t.state, ThreadState::Full { .. }) && t.file == Some(1))
    );
}

#[test]
fn four_thousand_threads_are_one_set_of_files_with_a_description() {
    let folder = tempfile::tempdir().unwrap();
    let pid = largest("many-threads");
    let mut options = options(folder.path(), &pid.to_string());
    options.count = Some(ThreadCount::All);
    let report = take("many-threads", &options);
    assert_eq!(report.class, Class::Done, "{:?} {:?}", report.failure, report.notes);
    let triage = report.triage.unwrap();
    assert!(triage.threads.len() >= 4000);
    assert!(triage.threads.iter().all(|t| matches!(t.state, ThreadState::Full { .. })));
    assert!(
        report.files.len() > 100
            && report.files.iter().all(|f| f.complete_name && f.taken.is_some())
    );
    assert_eq!(names(folder.path()).len(), report.files.len() + 1);
    let set: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("t.json")).unwrap()).unwrap();
    assert_eq!(set["files"][1]["file"], "t.2.dmp");
    assert_eq!(set["files"].as_array().unwrap().len(), report.files.len());
}

#[test]
fn a_result_that_is_too_full_is_taken_again_in_smaller_batches() {
    let folder = tempfile::tempdir().unwrap();
    let pid = largest("many-processors");
    let mut options = options(folder.path(), &pid.to_string());
    options.count = Some(ThreadCount::First(24));
    let report = take("many-processors", &options);
    let triage = report.triage.as_ref().unwrap();
    assert!(
        report.notes.iter().any(|n| n.warning && n.text.contains("64 logical processors")),
        "{:?}",
        report.notes
    );
    assert!(
        triage.threads.iter().all(|t| !matches!(t.state, ThreadState::NotInDump)),
        "{triage:#?}"
    );
}

#[test]
fn a_thread_that_does_not_answer_is_said_and_makes_it_partial() {
    let folder = tempfile::tempdir().unwrap();
    let world = world("stuck-thread");
    let list = capture::processes(&world).unwrap();
    let stuck =
        list.processes.iter().find(|p| p.name == "stuck.exe").expect("the scenario's process");
    let mut options = options(folder.path(), &stuck.pid.to_string());
    options.count = Some(ThreadCount::All);
    let report = capture::triage(&world, &options, Arc::new(Seen::default()));
    assert_eq!(report.class, Class::Partial, "{report:#?}");
    let states = report.triage.unwrap().threads;
    assert!(states.iter().any(|t| !matches!(t.state, ThreadState::Full { .. })));
    assert!(report.times.total >= 5.0);
    assert_eq!(names(folder.path()), ["t.dmp"]);
}

#[test]
fn a_protected_process_is_refused_before_any_thread_is_opened() {
    let list = capture::processes(&world("healthy")).unwrap().processes;
    for process in ["System", "csrss.exe", "MsMpEng.exe"] {
        // By PID: of csrss.exe there is one in each session.
        let pid = list.iter().find(|p| p.name == process).unwrap().pid;
        let folder = tempfile::tempdir().unwrap();
        let report = take("healthy", &options(folder.path(), &pid.to_string()));
        assert_eq!(report.class, Class::Policy, "{process}: {report:#?}");
        assert!(report.failure.unwrap().remedy.unwrap().contains("--stacks-only"));
        assert!(names(folder.path()).is_empty());
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    for process in ["0", "999999", "nobody.exe"] {
        assert_eq!(
            take("healthy", &options(folder.path(), process)).class,
            Class::NotFound,
            "{process}"
        );
    }
    let ambiguous = take("healthy", &options(folder.path(), "svchost.exe"));
    assert_eq!(ambiguous.class, Class::NotFound);
    assert!(ambiguous.failure.unwrap().details.len() > 1);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn threads_that_cannot_be_opened_are_said_by_id() {
    let folder = tempfile::tempdir().unwrap();
    let pid = largest("threads-denied");
    let mut options = options(folder.path(), &pid.to_string());
    options.count = Some(ThreadCount::All);
    let report = take("threads-denied", &options);
    assert_eq!(report.class, Class::Partial, "{:?}", report.failure);
    let threads = report.triage.unwrap().threads;
    assert!(threads.iter().any(|t| matches!(t.state, ThreadState::CouldNotOpen { .. })));
    assert!(threads.iter().any(|t| matches!(t.state, ThreadState::Full { .. })));
}

#[test]
fn require_complete_withholds_the_name_from_a_partial_triage() {
    let folder = tempfile::tempdir().unwrap();
    let pid = largest("threads-denied");
    let mut options = options(folder.path(), &pid.to_string());
    options.count = Some(ThreadCount::All);
    options.common.require_complete = true;
    let report = take("threads-denied", &options);
    assert_eq!(report.class, Class::Partial);
    assert!(
        names(folder.path()).iter().all(|n| !n.ends_with(".dmp")),
        "{:?}",
        names(folder.path())
    );
}

#[test]
fn policies_of_live_dumps_do_not_refuse_a_triage_dump() {
    let folder = tempfile::tempdir().unwrap();
    let report = take("reports-off", &options(folder.path(), &largest("reports-off").to_string()));
    assert_eq!(report.class, Class::Done, "{report:#?}");
    let report = take("not-elevated", &options(folder.path(), "explorer.exe"));
    assert_eq!(report.class, Class::Elevation);
}

#[test]
fn the_unit_of_wait_times_is_found_out_each_time() {
    let list =
        capture::threads(&world("healthy"), &ProcessTarget::Pid(largest("healthy"))).unwrap();
    assert_eq!(list.wait_unit, capture::WaitUnit::TickStamp);
    assert!(list.threads.iter().filter(|t| t.state == "Waiting").all(|t| t.wait_ms.is_some()));
}

#[test]
fn what_a_call_took_is_kept_when_the_time_was_up_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path(), "stuck.exe");
    options.count = Some(ThreadCount::All);
    options.common.timeout = Some(std::time::Duration::from_secs(3));
    let report = take("stuck-thread", &options);
    assert_eq!(report.class, Class::Partial, "{:?}", report.failure);
    assert_eq!(names(folder.path()), ["t.dmp"]);
    assert!(
        report.notes.iter().any(|n| n.text.contains("before the cancel")),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_foreign_json_is_not_replaced_even_with_overwrite() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("t.json");
    std::fs::write(&json, br#"{"mine":1}"#).unwrap();
    let mut options = options(folder.path(), "crowded.exe");
    options.count = Some(ThreadCount::First(60));
    options.common.overwrite = true;
    assert_eq!(take("many-threads", &options).class, Class::Disk);
    assert_eq!(std::fs::read(&json).unwrap(), br#"{"mine":1}"#);
    std::fs::remove_file(&json).unwrap();
    assert_eq!(take("many-threads", &options).class, Class::Done);
    assert_eq!(take("many-threads", &options).class, Class::Done);
}

#[test]
fn files_of_an_older_larger_set_stay_and_are_said_to_be_no_part_of_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path(), "crowded.exe");
    options.common.overwrite = true;
    let count = |count| TriageOptions { count: Some(ThreadCount::First(count)), ..options.clone() };
    let first = take("many-threads", &count(120));
    assert!(first.files.len() > 2 && first.notes.iter().all(|n| !n.text.contains("older set")));
    let larger = names(folder.path());
    let said = |report: &Report| -> String {
        let note = report.notes.iter().find(|note| note.text.contains("older set"));
        note.filter(|note| note.warning).map(|note| note.text.clone()).unwrap_or_default()
    };
    let second = take("many-threads", &count(4));
    assert_eq!((second.class, second.files.len()), (Class::Done, 1));
    assert!(said(&second).contains("t.2.dmp to t.json"), "{:?}", second.notes);
    assert_eq!(names(folder.path()), larger);
    let third = take("many-threads", &count(60));
    assert!(third.files.len() > 1 && third.files.len() < first.files.len());
    let next = format!("t.{}.dmp", third.files.len() + 1);
    assert!(said(&third).contains(&next) && !said(&third).contains("json"), "{:?}", third.notes);
    assert_eq!(names(folder.path()), larger);
}

#[test]
fn a_process_that_ends_meanwhile_is_not_found_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let report = take("process-exits", &options(folder.path(), "notepad.exe"));
    assert_eq!(report.class, Class::NotFound, "{:?}", report.failure);
    assert!(names(folder.path()).is_empty());
}
