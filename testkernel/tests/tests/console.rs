//! Ctrl+C, and what comes out where it is redirected.

use std::thread::sleep;
use std::time::Duration;

use wine_tests::Desk;

#[test]
fn ctrl_c_cancels_and_leaves_nothing() {
    let desk = Desk::new();
    let running = desk.start("slow-writer", &["kernel", "live.dmp"]);
    desk.wait_for("live.dmp.partial", 0x10_0000);
    desk.interrupt();
    running.end().exits(7);
    assert!(desk.files().is_empty(), "{:?}", desk.files());
    assert_eq!(desk.calls()[0].number("/status"), 0xC000_0120);
}

#[test]
fn ctrl_c_cancels_also_where_interrupts_were_ignored_at_the_start() {
    let desk = Desk::new();
    let running = desk.start_ignoring_interrupts("slow-writer", &["kernel", "live.dmp"]);
    desk.wait_for("live.dmp.partial", 0x10_0000);
    desk.interrupt();
    running.end().exits(7);
    assert!(desk.files().is_empty(), "{:?}", desk.files());
}

/// The write hangs for two minutes: the kernel sees no cancel meanwhile.
#[test]
fn a_second_ctrl_c_does_not_wait_for_a_volume_that_hangs() {
    let desk = Desk::new();
    let running = desk.start("stalled-volume", &["kernel", "live.dmp"]);
    desk.wait_for("live.dmp.partial", 0x10_0000);
    // It hangs in the middle of the file, which is there long before.
    sleep(Duration::from_secs(2));
    desk.interrupt();
    sleep(Duration::from_secs(1));
    desk.interrupt();
    let ended = running.end().exits(7);
    assert!(ended.stderr.contains("only when the kernel returns"), "{}", ended.stderr);
    assert!(desk.files().is_empty(), "{:?}", desk.files());
}

#[test]
fn a_killed_process_leaves_at_most_the_partial_file() {
    let desk = Desk::new();
    let running = desk.start("slow-writer", &["kernel", "live.dmp"]);
    desk.wait_for("live.dmp.partial", 0x10_0000);
    desk.kill();
    assert_ne!(running.end().code, 0);
    assert_eq!(desk.files(), ["live.dmp.partial"]);
}

#[test]
fn a_time_out_cancels_as_ctrl_c_does() {
    let desk = Desk::new();
    desk.livedump("slow-writer", &["kernel", "--timeout", "3s", "live.dmp"]).exits(7);
    assert!(desk.files().is_empty(), "{:?}", desk.files());
    assert_eq!(desk.calls()[0].number("/status"), 0xC000_0120);
}

#[test]
fn redirected_output_has_no_progress_and_no_escapes() {
    let ended = Desk::new().livedump("healthy", &["kernel", "live.dmp"]).exits(0);
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    assert!(ended.stdout.contains("live.dmp"), "{}", ended.stdout);
}

#[test]
fn json_is_ascii_and_says_what_failed() {
    let ended = Desk::new().livedump("reports-off", &["kernel", "--json", "live.dmp"]).exits(12);
    assert!(ended.stdout.is_ascii());
    let text = ended.json().to_string();
    assert!(text.contains("STATUS_CONTENT_BLOCKED"), "{text}");
}

#[test]
fn wines_own_refusal_is_named() {
    let ended = Desk::new().livedump("wine", &["kernel", "live.dmp"]).exits(4);
    let text = ended.stdout + &ended.stderr;
    assert!(text.contains("0xC0000354") && !text.contains("user pages"), "{text}");
}

#[test]
fn the_version_needs_no_rights() {
    let ended = Desk::new().livedump("wine,not-elevated", &["--version"]).exits(0);
    assert!(ended.stdout.starts_with("livedump "), "{}", ended.stdout);
}

/// One test a row: what asks the machine and changes nothing.
macro_rules! answers {
    ($($name:ident: [$($word:literal),*], $says:literal;)*) => {
        $(#[test]
        fn $name() {
            let desk = Desk::new();
            let ended = desk.livedump("healthy", &[$($word),*]).exits(0);
            assert!(ended.stdout.contains($says), "{}", ended.stdout);
            assert!(desk.files().is_empty() && desk.calls().is_empty());
        })*
    };
}

answers! {
    processes_are_listed: ["ps"], "services.exe";
    doctor_says_what_can_be_taken: ["doctor"], "26100";
    estimate_says_how_large_it_gets: ["estimate"], "MiB";
    threads_of_a_process_are_listed: ["threads", "-p", "services.exe"], "TID";
    a_status_is_explained: ["explain", "0xC0000354"], "STATUS_DEBUGGER_INACTIVE";
}

#[test]
fn json_progress_goes_to_standard_error_also_where_it_is_no_console() {
    let desk = Desk::new();
    let ended = desk.livedump("healthy", &["kernel", "--progress", "json", "live.dmp"]).exits(0);
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with('{')).collect();
    assert!(!lines.is_empty(), "{}", ended.stderr);
    for line in lines {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}
