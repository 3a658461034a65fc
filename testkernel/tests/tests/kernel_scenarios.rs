//! `livedump.exe kernel` in each scenario: exit code, and what is left in the folder.

use wine_tests::Desk;

/// One test a row: scenario, options, exit code, files left.
macro_rules! scenarios {
    ($($name:ident: $scenario:literal, [$($option:literal),*] => $code:literal, [$($file:literal),*];)*) => {
        $(#[test]
        fn $name() {
            let desk = Desk::new();
            let ended = desk.livedump($scenario, &["kernel", $($option,)* "live.dmp"]);
            ended.exits($code);
            assert_eq!(desk.files(), [$($file),*] as [&str; _]);
        })*
    };
}

scenarios! {
    a_healthy_machine_is_captured: "healthy", [] => 0, ["live.dmp"];
    windows_10_is_captured: "windows-10", [] => 0, ["live.dmp"];
    windows_10_1607_is_captured: "windows-10-1607", [] => 0, ["live.dmp"];
    many_processors_do_not_matter_to_a_live_dump: "many-processors", [] => 0, ["live.dmp"];
    a_new_build_that_refuses_the_long_structure_gets_the_short_one: "v1-only", [] => 0, ["live.dmp"];
    a_busy_machine_is_asked_again: "busy-then-ok", [] => 0, ["live.dmp"];
    a_machine_that_stays_busy_is_given_up: "always-busy", ["--retry", "1"] => 11, [];
    processors_that_do_not_stop_are_given_up: "capture-timeout", ["--retry", "0"] => 11, [];
    a_partial_dump_is_kept_and_said: "partial", [] => 8, ["live.dmp"];
    a_partial_dump_is_no_result_where_a_complete_one_is_required:
        "partial", ["--require-complete"] => 8, ["live.dmp.partial"];
    an_encrypted_dump_is_kept_and_said: "encrypted", [] => 8, ["live.dmp"];
    memory_pressure_makes_a_partial_dump: "memory-pressure", [] => 8, ["live.dmp"];
    memory_pressure_ends_a_capture_that_asked_for_it:
        "memory-pressure", ["--abort-on-memory-pressure"] => 6, [];
    too_little_memory_leaves_nothing: "low-memory", [] => 6, [];
    a_full_disk_leaves_nothing: "disk-full-mid-write", [] => 5, [];
    a_full_disk_leaves_the_partial_file_on_request:
        "disk-full-mid-write", ["--keep-partial"] => 5, ["live.dmp.partial"];
    a_file_system_limit_leaves_nothing: "fat32", [] => 5, [];
    reports_switched_off_are_a_policy: "reports-off", [] => 12, [];
    live_dumps_forbidden_are_a_policy: "policy-off", [] => 12, [];
    a_container_is_refused: "container", [] => 4, [];
    without_elevation_nothing_is_made: "not-elevated", [] => 3, [];
    user_pages_need_a_debugger_on_an_old_build: "debugger-inactive", ["-u"] => 4, [];
    a_status_that_nobody_knows_is_an_error: "unknown-status", [] => 1, [];
    a_success_without_a_header_fails_verification: "bad-header", [] => 9, ["live.dmp.partial"];
    a_success_with_a_page_missing_fails_verification: "truncated", [] => 9, ["live.dmp.partial"];
    wines_own_kernel_has_no_live_dumps: "wine", [] => 4, [];
}

#[test]
fn without_elevation_the_kernel_is_not_even_asked() {
    let desk = Desk::new();
    desk.livedump("not-elevated", &["kernel", "live.dmp"]).exits(3);
    assert!(desk.calls().is_empty());
}

#[test]
fn a_busy_machine_is_asked_until_it_answers() {
    let desk = Desk::new();
    desk.livedump("busy-then-ok", &["kernel", "live.dmp"]).exits(0);
    let statuses: Vec<u64> = desk.calls().iter().map(|call| call.number("/status")).collect();
    assert_eq!(statuses, [0xC000_022D, 0xC000_022D, 0]);
}

#[test]
fn an_existing_file_is_neither_opened_nor_asked_for() {
    let desk = Desk::new();
    std::fs::write(desk.path("live.dmp"), "evidence").unwrap();
    let ended = desk.livedump("healthy", &["kernel", "live.dmp"]).exits(5);
    assert!(ended.stderr.contains("--overwrite"), "{}", ended.stderr);
    assert!(desk.calls().is_empty());
    assert_eq!(std::fs::read(desk.path("live.dmp")).unwrap(), b"evidence");
}

#[test]
fn an_existing_file_is_replaced_on_request() {
    let desk = Desk::new();
    std::fs::write(desk.path("live.dmp"), "evidence").unwrap();
    desk.livedump("healthy", &["kernel", "--overwrite", "live.dmp"]).exits(0);
    assert!(std::fs::read(desk.path("live.dmp")).unwrap().starts_with(b"PAGEDU64"));
}

/// Wine takes event-log records and keeps none: what is seen here is that the call does no harm.
#[test]
fn the_event_log_record_is_no_trouble_whether_it_is_wanted_or_not() {
    for options in
        [&["kernel", "--json", "a.dmp"][..], &["kernel", "--json", "--no-event-log", "b.dmp"]]
    {
        let ended = Desk::new().livedump("healthy", options).exits(0);
        assert!(!ended.json().to_string().contains("event-log"), "{}", ended.stdout);
    }
}
