//! `livedump.exe triage` of a real process under Wine: the call's bytes, its handles, its dumps.

use wine_tests::{Desk, native_livedump};

const BUGCHECK_CODE: usize = 4;
const BUGCHECK_PARAMETERS: usize = 8;
const PROCESS_HANDLES: usize = 40;
const THREAD_HANDLES: usize = 44;
const HANDLES: usize = 48;
const THREAD_ALL_ACCESS: u64 = 0x1F_FFFF;
const LEAST_OUTPUT: u64 = 0x4_0000;
const MOST_OUTPUT: u64 = 0x10_0000;

#[test]
fn the_call_has_56_bytes_and_the_threads_of_the_process() {
    let desk = Desk::new();
    let (_threads, pid) = desk.start_threads("healthy", 8);
    let pid_text = pid.to_string();
    desk.livedump("healthy", &["triage", "-p", &pid_text, "triage.dmp"]).exits(0);
    let calls = desk.calls();
    let call = &calls[0];
    assert_eq!(call.number("/class"), 29);
    assert_eq!(call.number("/input_length"), 56);
    assert!((LEAST_OUTPUT..=MOST_OUTPUT).contains(&call.number("/output_length")));
    assert_eq!(call.input32(0), 0, "Flags");
    assert_eq!(call.input32(BUGCHECK_CODE), 0x161);
    assert_eq!(call.input64(BUGCHECK_PARAMETERS), u64::from_be_bytes(*b"livedump"));
    assert_eq!(call.input32(PROCESS_HANDLES), 0);
    assert_eq!(call.input32(THREAD_HANDLES), 4, "-t is 4 unless told otherwise");
    assert_ne!(call.input64(HANDLES), 0);
    let threads = call.0["threads"].as_array().unwrap();
    assert_eq!(threads.len(), 4);
    for thread in threads {
        assert_eq!(thread["type"], "Thread");
        assert_eq!(thread["access"], THREAD_ALL_ACCESS);
        assert_eq!(thread["pid"], pid);
    }
}

#[test]
fn the_dump_is_good_to_our_reader_on_another_system() {
    let desk = Desk::new();
    let (_threads, pid) = desk.start_threads("healthy", 8);
    desk.livedump("healthy", &["triage", "-p", &pid.to_string(), "triage.dmp"]).exits(0);
    assert_eq!(desk.files(), ["triage.dmp"]);
    native_livedump(&["verify"], &desk.path("triage.dmp")).exits(0);
}

#[test]
fn a_process_is_found_by_its_name() {
    let desk = Desk::new();
    desk.livedump("healthy", &["triage", "-p", "services.exe", "-t", "1", "triage.dmp"]).exits(0);
    assert_eq!(desk.files(), ["triage.dmp"]);
    assert_eq!(desk.calls()[0].input32(THREAD_HANDLES), 1);
}

#[test]
fn several_processes_of_one_name_are_listed_and_none_is_captured() {
    let desk = Desk::new();
    let (_one, one) = desk.start_threads("healthy", 1);
    let (_other, other) = desk.start_threads("healthy", 1);
    let ended = desk.livedump("healthy", &["triage", "-p", "threads.exe", "triage.dmp"]).exits(10);
    for pid in [one, other] {
        assert!(ended.stderr.contains(&pid.to_string()), "{pid} in {}", ended.stderr);
    }
    assert!(desk.files().is_empty() && desk.calls().is_empty());
}

#[test]
fn a_process_that_is_not_there_is_not_found() {
    let desk = Desk::new();
    desk.livedump("healthy", &["triage", "-p", "nobody.exe", "triage.dmp"]).exits(10);
    desk.livedump("healthy", &["triage", "-p", "4294967292", "triage.dmp"]).exits(10);
    assert!(desk.files().is_empty() && desk.calls().is_empty());
}

/// 4,000 threads and the main one, in as many batches as they need.
#[test]
fn all_threads_of_a_process_with_4000_are_captured() {
    let desk = Desk::new();
    let (_threads, pid) = desk.start_threads("healthy", 4000);
    let pid = pid.to_string();
    desk.livedump("healthy", &["triage", "-p", &pid, "-t", "all", "triage.dmp"]).exits(0);
    let files = desk.files();
    assert!(files.contains(&"triage.json".to_owned()), "{files:?}");
    let mut captured: Vec<u64> = Vec::new();
    for call in desk.calls() {
        let threads = call.0["threads"].as_array().unwrap();
        captured.extend(threads.iter().map(|thread| thread["tid"].as_u64().unwrap()));
    }
    captured.sort_unstable();
    captured.dedup();
    assert!(captured.len() >= 4001, "{} threads", captured.len());
    for file in files.iter().filter(|file| file.ends_with(".dmp")) {
        native_livedump(&["verify"], &desk.path(file)).exits(0);
    }
}

#[test]
fn without_elevation_no_thread_is_opened() {
    let desk = Desk::new();
    desk.livedump("not-elevated", &["triage", "-p", "explorer.exe", "triage.dmp"]).exits(3);
    assert!(desk.files().is_empty() && desk.calls().is_empty());
}
