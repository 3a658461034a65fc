//! Command lines that are refused, and how.
#![forbid(unsafe_code)]

mod livedump;

use livedump::Bench;

#[test]
fn no_arguments_show_the_short_help_and_are_a_usage_error() {
    let bench = Bench::new();
    let ran = bench.run("").exits(2);
    assert!(ran.err.contains("Commands:") && ran.err.contains("kernel") && ran.out.is_empty());
}

#[test]
fn every_way_to_ask_for_help_works_and_ends_well() {
    let bench = Bench::new();
    for line in [
        "--help",
        "-h",
        "/?",
        "-?",
        "help",
        "kernel --help",
        "kernel /?",
        "KERNEL -?",
        "triage -h",
        "Triage /?",
    ] {
        bench.run(line).exits(0).says("Usage: livedump");
    }
    bench
        .run("kernel --help")
        .says("hypervisor")
        .says("--abort-on-memory-pressure")
        .says("Examples:");
    bench.run("--help").says("Exit codes:").says("10 version 1607");
}

#[test]
fn every_command_has_its_own_help() {
    let bench = Bench::new();
    for command in [
        "triage",
        "kernel",
        "ps",
        "threads",
        "verify",
        "info",
        "read",
        "translate",
        "blobs",
        "doctor",
        "estimate",
        "explain",
        "completions",
        "man",
        "schema",
        "event-source",
    ] {
        bench
            .run(&format!("{command} --help"))
            .exits(0)
            .says(&format!("Usage: livedump {command}"));
    }
}

#[test]
fn lists_are_of_a_dump_or_of_a_machine_and_never_of_both() {
    let bench = Bench::new();
    for line in ["ps", "threads -p 4"] {
        bench.run(&format!("{line} --help")).exits(0).says("[DUMP]");
        bench.run(&format!("{line} --simulate x.dmp")).exits(2).complains("simulate");
    }
}

#[test]
fn the_version_is_told() {
    let bench = Bench::new();
    let ran = bench.run("--version").exits(0);
    assert_eq!(ran.out, concat!("livedump ", env!("CARGO_PKG_VERSION"), "\n"));
    bench.run("-V").exits(0);
}

/// Each line that is a usage error, and a word of what it says.
const REFUSED: &[(&str, &str)] = &[
    ("kernel --simulate -x", "unexpected argument '-x'"),
    ("kernel --simulate -x live.dmp", "unexpected argument '-x'"),
    ("kernel --simulate /c", "'/c' looks like an option"),
    ("kernel --simulate /U live.dmp", "'/U' looks like an option"),
    ("kernel --simulate /overwrite", "as --overwrite"),
    ("kernel --simulate \u{2013}u", "typographic dash"),
    ("kernel --simulate -", "standard output"),
    ("kernel --simulate a.dmp b.dmp", "two file names, 'a.dmp' and 'b.dmp'"),
    ("kernel --simulate u live.dmp", "two file names, 'u' and 'live.dmp'"),
    ("kernel --simulate -p 4 x.dmp", "-p belongs to triage"),
    ("kernel --simulate -t 4 x.dmp", "-t belongs to triage"),
    ("kernel --simulate --pick cpu x.dmp", "--pick belongs to triage"),
    ("triage --simulate -p 4 -c x.dmp", "-c belongs to kernel"),
    ("triage --simulate -p 4 -u x.dmp", "-u belongs to kernel"),
    ("triage --simulate -p 4 --stacks-only x.dmp", "--stacks-only belongs to kernel"),
    ("triage --simulate x.dmp", "livedump ps lists them"),
    ("triage --simulate -p 4 -t 0 x.dmp", "give 1 or more"),
    ("triage --simulate -p 4 -t abc x.dmp", "a number of threads"),
    ("triage --simulate -p 99999999999 x.dmp", "no process id is that large"),
    ("triage --simulate -p 4 --tid x x.dmp", "a thread id is a decimal number"),
    ("triage --simulate -p 4 a.dmp b.dmp", "two file names"),
    ("kernel --simulate --stacks-only -h x.dmp", "leave out -h"),
    ("kernel --simulate --stacks-only -u x.dmp", "leave out -u"),
    (
        "kernel --simulate --stacks-only --nonessential-hypervisor x.dmp",
        "leave out --nonessential-hypervisor",
    ),
    ("kernel --simulate --timeout 0 x.dmp", "more than 0"),
    ("kernel --simulate --timeout 5d x.dmp", "90s, 5m, 1h"),
    ("kernel --simulate --retry x x.dmp", "decimal number"),
    ("kernel --simulate --bugcheck xyz x.dmp", "bug-check code"),
    ("kernel --simulate --parameter \"live\" x.dmp", "0x hexadecimal or decimal"),
    (
        "kernel --simulate --parameter 1 --parameter 2 --parameter 3 --parameter 4 --parameter 5 x",
        "a header has 4",
    ),
    ("kernel --simulate --comment gr\u{fc}n x.dmp", "ASCII"),
    ("kernel --simulate --progress perhaps x.dmp", "[possible values: auto, json, none]"),
    ("kernel --simulate=no-such-scenario x.dmp", "no scenario is called"),
    ("kernel --simulate=memory=tiny x.dmp", "memory=tiny"),
    ("ps --overwrite", "--overwrite belongs to triage and kernel"),
    ("live.dmp", "livedump kernel live.dmp"),
    ("verify", "<FILE>"),
    ("man no-such-command", "no command is called"),
    ("explain 1 2 3 4 5 6", "unexpected"),
    ("kernel --simulate --parameter -1 x", "cannot be negative"),
    ("kernel --simulate --timeout -5 x", "cannot be negative"),
    ("triage --simulate -p -1 x", "cannot be negative"),
];

#[test]
fn what_cannot_be_meant_is_a_usage_error_that_says_so_and_leaves_nothing() {
    let bench = Bench::new();
    for (line, word) in REFUSED {
        let ran = bench.run(line);
        assert_eq!(ran.code, 2, "{line}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(word), "{line}: {word:?} is not in {}", ran.err);
        assert!(ran.out.is_empty(), "{line}: {}", ran.out);
    }
    assert_eq!(bench.names(), Vec::<String>::new());
}

#[test]
fn a_code_that_is_empty_is_a_usage_error() {
    for code in ["", "  "] {
        let ran = Bench::new().run_words(&["explain", code]).exits(2);
        ran.complains("the code is empty").complains("Usage: livedump explain");
    }
}

#[test]
fn a_comment_of_127_characters_fits_and_one_of_128_does_not() {
    let bench = Bench::new();
    let comment = "c".repeat(127);
    bench.run(&format!("kernel --simulate --comment {comment} x.dmp")).exits(0);
    bench
        .run(&format!("kernel --simulate --comment {comment}c y.dmp"))
        .exits(2)
        .complains("takes 127");
}

#[test]
fn a_usage_error_stays_text_when_json_was_asked_for() {
    let bench = Bench::new();
    let ran = bench.run("kernel --simulate --json a b").exits(2).complains("two file names");
    assert!(ran.out.is_empty());
}

#[cfg(not(windows))]
#[test]
fn without_windows_one_line_says_where_capture_runs_and_what_to_do_instead() {
    let bench = Bench::new();
    for line in [
        "kernel x.dmp",
        "KERNEL x.dmp",
        "triage -p 4 x.dmp",
        "ps",
        "threads -p 4",
        "doctor",
        "estimate",
    ] {
        let ran = bench
            .run(line)
            .exits(4)
            .complains("runs on Windows")
            .complains("--simulate")
            .complains("verify");
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.out.is_empty());
    }
    let (code, answer) = bench.json("kernel x.dmp");
    assert_eq!((code, &answer["exit_code"]), (4, &4.into()));
    assert_eq!(bench.names(), Vec::<String>::new());
}

#[cfg(not(windows))]
#[test]
fn the_event_source_belongs_to_windows() {
    Bench::new().run("event-source register").exits(4).complains("only Windows has one");
}
