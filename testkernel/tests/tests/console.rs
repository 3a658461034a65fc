//! Ctrl+C, and what comes out where it is redirected.

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
    assert!(text.contains("0xC0000354"), "{text}");
}

#[test]
fn the_version_needs_no_rights() {
    let ended = Desk::new().livedump("wine,not-elevated", &["--version"]).exits(0);
    assert!(ended.stdout.starts_with("livedump "), "{}", ended.stdout);
}
