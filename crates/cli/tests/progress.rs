//! Progress, interrupts and the end of the process.
#![forbid(unsafe_code)]

mod livedump;

use livedump::Bench;

#[test]
fn progress_as_json_is_one_object_a_line_on_standard_error() {
    let bench = Bench::new();
    let ran = bench.run("kernel --simulate=busy-then-ok --progress json x.dmp").exits(0);
    let schema = serde_json::from_str(&bench.run("schema progress").out).unwrap();
    let mut events = Vec::new();
    for line in ran.err.lines() {
        assert!(line.is_ascii());
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        livedump::schema::check(&schema, &event);
        events.push(event);
    }
    let phases: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "phase")
        .map(|event| event["phase"].clone())
        .collect();
    assert_eq!(phases.first().unwrap(), "planning");
    assert_eq!(phases.last().unwrap(), "done");
    assert!(
        phases.contains(&"writing".into()) && phases.contains(&"verifying".into()),
        "{phases:?}"
    );
    assert_eq!(events.iter().filter(|event| event["event"] == "retry").count(), 2);
    assert!(
        events
            .iter()
            .any(|event| event["event"] == "progress" && event["bytes"].as_u64() > Some(0))
    );
}

#[test]
fn without_a_console_nothing_is_drawn_and_none_draws_nothing() {
    let bench = Bench::new();
    for when in ["auto", "none", "NONE"] {
        let ran =
            bench.run(&format!("kernel --simulate --overwrite --progress {when} x.dmp")).exits(0);
        assert_eq!(ran.err, "", "{when}");
    }
}

#[test]
fn notes_are_said_on_standard_error_and_not_again_in_the_summary() {
    let ran = Bench::new().run("kernel --simulate -c x.dmp").exits(0);
    assert_eq!(ran.err.matches("reported to ignore").count(), 1, "{}", ran.err);
    assert!(!ran.out.contains("reported to ignore"), "{}", ran.out);
}

#[test]
fn notes_that_were_not_said_for_people_are_in_the_summary_or_behind_the_error() {
    let bench = Bench::new();
    for when in ["none", "json"] {
        let ran = bench.run(&format!("kernel --simulate -c --overwrite --progress {when} x.dmp"));
        assert!(ran.exits(0).out.contains("reported to ignore"), "{when}");
        let line = format!("kernel --simulate=always-busy -c --progress {when} y.dmp");
        let ran = bench.run(&line).exits(11);
        let errors = ran.err.lines().skip_while(|line| !line.starts_with("livedump: error: "));
        assert_eq!(errors.filter(|line| line.contains("reported to ignore")).count(), 1, "{when}");
    }
}

#[test]
fn retries_and_cancelling_are_told_in_lines_where_there_is_no_console() {
    let bench = Bench::new();
    let ran = bench.run("kernel --simulate=always-busy x.dmp").exits(11);
    for (retry, wait) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 15)] {
        let line = format!(
            "busy or throttled, 0xC000022D (STATUS_RETRY): trying again in {wait} s ({retry} of 5)"
        );
        assert!(ran.err.lines().any(|told| told == line), "{line}\nis not in\n{}", ran.err);
    }
    assert!(!ran.err.contains("preparing: "), "{}", ran.err);
    let ran = bench.run("kernel --simulate=stalled-volume --timeout 5 y.dmp").exits(7);
    let told = ran.err.lines().position(|line| line.starts_with("cancelling (timeout): "));
    let failed = ran.err.lines().position(|line| line.starts_with("livedump: error: "));
    assert!(told.is_some() && told < failed, "{}", ran.err);
    let silent = bench.run("kernel --simulate=always-busy --progress none x.dmp").exits(11);
    assert!(silent.err.starts_with("livedump: error: "), "{}", silent.err);
}

#[test]
fn the_worst_case_is_told_before_a_triage_capture_begins() {
    let ran = Bench::new().run("triage --simulate=stuck-thread -p stuck -t all x.dmp").exits(8);
    assert!(ran.err.contains("40 s in the worst case"), "{}", ran.err);
    assert!(!ran.out.contains("worst case"), "{}", ran.out);
}

#[cfg(unix)]
#[allow(clippy::unwrap_used)] // as clippy.toml allows in tests, whose helpers it does not see
mod unix {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Command, Stdio};

    use super::livedump::{Bench, EXE};

    /// Starts a capture that takes real time, and returns when bytes are written.
    fn writing(mut command: Command) -> (Child, BufReader<std::process::ChildStderr>) {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut events = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !(line.contains("\"writing\"") && line.contains("\"progress\"")) {
            line.clear();
            assert!(events.read_line(&mut line).unwrap() > 0, "it ended before it wrote");
        }
        (child, events)
    }

    fn signal(child: &Child, signal: &str) {
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    const SLOW: [&str; 5] = ["kernel", "--simulate=slow-writer", "--progress", "json", "x.dmp"];

    #[test]
    fn an_interrupt_cancels_and_leaves_nothing() {
        let bench = Bench::new();
        let (mut child, mut events) = writing(bench.command(&SLOW));
        signal(&child, "-INT");
        let mut rest = String::new();
        events.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7), "{rest}");
        assert!(rest.contains("\"cancelling\"") && rest.contains("livedump: error: "), "{rest}");
        assert_eq!(bench.names(), Vec::<String>::new());
    }

    #[test]
    fn an_interrupt_cancels_also_when_the_process_was_started_with_interrupts_ignored() {
        let bench = Bench::new();
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' INT; exec \"$0\" \"$@\"", EXE]).args(SLOW);
        shell.current_dir(bench.path("."));
        let (mut child, mut events) = writing(shell);
        signal(&child, "-INT");
        events.read_to_string(&mut String::new()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!(bench.names(), Vec::<String>::new());
    }

    /// Reads events until the file stops growing.
    fn stalled(events: &mut impl BufRead) {
        let mut last = None;
        let mut same = 0;
        while same < 4 {
            let mut line = String::new();
            assert!(events.read_line(&mut line).unwrap() > 0, "it ended before it stalled");
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            if let Some(bytes) = event["bytes"].as_u64() {
                same = if last == Some(bytes) { same + 1 } else { 0 };
                last = Some(bytes);
            }
        }
    }

    #[test]
    fn a_second_interrupt_ends_the_process_while_the_volume_is_stalled_and_leaves_nothing() {
        let bench = Bench::new();
        let mut words = SLOW;
        words[1] = "--simulate=slow-writer,stalled-volume";
        let (mut child, mut events) = writing(bench.command(&words));
        stalled(&mut events);
        signal(&child, "-INT");
        let mut line = String::new();
        while !line.contains("\"cancelling\"") {
            line.clear();
            assert!(
                events.read_line(&mut line).unwrap() > 0,
                "the first interrupt was not answered"
            );
        }
        signal(&child, "-INT");
        let mut rest = String::new();
        events.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7), "{rest}");
        assert!(rest.contains("only when the kernel returns"), "{rest}");
        assert_eq!(bench.names(), Vec::<String>::new());
    }

    #[test]
    fn a_killed_process_leaves_at_most_a_partial() {
        let bench = Bench::new();
        let (mut child, _events) = writing(bench.command(&SLOW));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(bench.names(), ["x.dmp.partial"]);
    }

    #[test]
    fn a_reader_that_goes_away_is_no_panic_and_no_error() {
        let bench = Bench::new();
        let mut child = bench
            .command(&["ps", "--simulate=processes=5000"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(errors, "");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_answer_that_did_not_arrive_is_no_good_end() {
        let bench = Bench::new();
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = bench
            .command(&["schema", "kernel"])
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(5));
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("standard output could not be written")
        );
    }
}
