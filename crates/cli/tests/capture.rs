//! Captures of the simulated machine, by the real exe.
#![forbid(unsafe_code)]

mod livedump;

use livedump::Bench;

/// LiveDump's own command lines, in every case it took them, and the exit code.
const LIVEDUMP_LINES: &[&str] = &[
    "kernel x.dmp",
    "KERNEL -C -D x.dmp",
    "Kernel -c -d -h x.dmp",
    "kernel -H -U x.dmp",
    "kernel x.dmp -h",
    "kernel -hc x.dmp",
    "-accepteula kernel x.dmp",
    "kernel /accepteula x.dmp",
    "triage -p 4004 x.dmp",
    "TRIAGE -P 4004 -T 2 x.dmp",
    "triage x.dmp -t 1 -p 4004",
    "Triage -t 16 -p 4004 x.dmp",
];

#[test]
fn every_livedump_command_line_takes_a_verified_dump() {
    for line in LIVEDUMP_LINES {
        let bench = Bench::new();
        let ran = bench.run(&format!("{line} --simulate"));
        assert_eq!(ran.code, 0, "{line}: {}{}", ran.out, ran.err);
        assert_eq!(bench.names(), ["x.dmp"], "{line}");
        bench.run("verify x.dmp").exits(0);
    }
}

#[test]
fn h_is_hypervisor_pages_for_kernel_and_help_for_triage() {
    let bench = Bench::new();
    bench.run("kernel -h --simulate x.dmp").exits(0).says("kernel memory, hypervisor pages");
    bench.run("triage -p 4004 -h --simulate y.dmp").exits(0).says("Usage: livedump triage");
    assert_eq!(bench.names(), ["x.dmp"]);
}

#[test]
fn c_and_d_are_passed_on_with_a_note() {
    let ran = Bench::new().run("kernel -c -d --simulate x.dmp").exits(0);
    assert_eq!(ran.err.matches("is reported to ignore it").count(), 2, "{}", ran.err);
}

#[test]
fn four_threads_unless_told_otherwise() {
    let bench = Bench::new();
    let (_, answer) = bench.json("triage --simulate -p explorer x.dmp");
    assert_eq!(answer["triage"]["threads"].as_array().unwrap().len(), 4);
    let (_, answer) = bench.json("triage --simulate -p explorer -t all y.dmp");
    assert_eq!(answer["triage"]["threads"].as_array().unwrap().len(), 16);
}

/// A scenario whose waits cost real time.
const REAL_TIME: &str = "slow-writer";

#[test]
fn every_scenario_ends_kernel_with_the_exit_code_that_the_list_tells() {
    let bench = Bench::new();
    let list = bench.run("kernel --simulate=list --json").exits(0).out;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let scenarios = list["scenarios"].as_array().unwrap();
    assert!(scenarios.len() > 20);
    for scenario in scenarios.iter().filter(|scenario| scenario["name"] != REAL_TIME) {
        let (name, flags) =
            (scenario["name"].as_str().unwrap(), scenario["flags"].as_str().unwrap());
        let bench = Bench::new();
        let (code, answer) = bench.json(&format!("kernel --simulate={name} {flags} x.dmp"));
        assert_eq!(
            i64::from(code),
            scenario["kernel_exit"].as_i64().unwrap(),
            "{name}: {answer:#}"
        );
        assert_eq!(answer["exit_code"], code, "{name}");
        assert_eq!(answer["simulated"], name, "{name}");
        let left: &[&str] = match code {
            0 | 8 => &["x.dmp"],
            9 => &["x.dmp.partial"],
            _ => &[],
        };
        assert_eq!(bench.names(), left, "{name}");
        assert_eq!(answer.get("failure").is_none(), matches!(code, 0 | 8), "{name}: {answer:#}");
    }
}

#[test]
fn a_refusal_of_the_kernel_is_told_with_status_name_meaning_and_remedy() {
    let bench = Bench::new();
    let (code, answer) = bench.json("kernel --simulate=always-busy x.dmp");
    let failure = &answer["failure"];
    assert_eq!((code, &failure["ntstatus"]), (11, &"0xC000022D".into()));
    assert_eq!(failure["name"], "STATUS_RETRY");
    assert!(failure["meaning"].is_string() && failure["remedy"].is_string(), "{failure}");
    assert_eq!(answer["attempts"].as_array().unwrap().len(), 6);
    let ran = bench.run("kernel --simulate=always-busy --retry 0 x.dmp").exits(11);
    assert!(
        ran.err.starts_with("livedump: error: ") && ran.err.contains("what to do: "),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("0xC000022D (STATUS_RETRY)") && ran.err.contains("simulated: always-busy")
    );
    assert!(ran.out.is_empty());
}

#[test]
fn a_failure_after_several_calls_says_how_many_there_were() {
    let bench = Bench::new();
    bench
        .run("kernel --simulate=always-busy x.dmp")
        .exits(11)
        .complains("calls: 6: 0xC000022D (STATUS_RETRY) 6 times");
    let once = bench.run("kernel --simulate=always-busy --retry 0 x.dmp").exits(11);
    assert!(!once.err.contains("calls:"), "{}", once.err);
}

#[test]
fn an_unknown_status_is_told_with_its_value_and_what_to_do() {
    let ran = Bench::new().run("kernel --simulate=unknown-status x.dmp").exits(1);
    ran.complains("0xC0DEF00D").complains("what to do: ");
}

#[test]
fn an_existing_file_is_refused_before_the_call_naming_overwrite() {
    let bench = Bench::new();
    bench.write("x.dmp", b"older");
    bench.run("kernel --simulate x.dmp").exits(5).complains("--overwrite");
    assert_eq!(std::fs::read(bench.path("x.dmp")).unwrap(), b"older");
    bench.run("kernel --simulate --overwrite x.dmp").exits(0);
    bench.run("verify x.dmp").exits(0);
}

#[test]
fn a_partial_dump_is_kept_and_said_and_refused_where_a_complete_one_is_required() {
    let bench = Bench::new();
    bench
        .run("kernel --simulate=partial x.dmp")
        .exits(8)
        .says("not complete (exit code 8)")
        .says("verdict     partial");
    bench.run("verify x.dmp").exits(8);
    bench.run("kernel --simulate=partial --require-complete y.dmp").exits(8).complains("kept: ");
    assert_eq!(bench.names(), ["x.dmp", "y.dmp.partial"]);
}

#[test]
fn an_encrypted_dump_is_not_called_incomplete() {
    let ran = Bench::new().run("kernel --simulate=encrypted x.dmp").exits(8);
    assert_eq!(ran.value("result"), "captured, but encrypted (exit code 8)");
}

#[test]
fn what_windows_calls_a_success_and_verification_does_not_stays_as_partial() {
    let bench = Bench::new();
    let ran = bench
        .run("kernel --simulate=truncated x.dmp")
        .exits(9)
        .complains("kept: ")
        .complains("x.dmp.partial");
    assert!(ran.out.is_empty(), "{}", ran.out);
    assert_eq!(bench.names(), ["x.dmp.partial"]);
    bench.run("verify x.dmp.partial").exits(9);
}

#[test]
fn the_time_out_cancels_and_leaves_nothing_unless_asked_to() {
    let bench = Bench::new();
    bench.run("kernel --simulate=stalled-volume --timeout 5 x.dmp").exits(7).complains("timed out");
    assert_eq!(bench.names(), Vec::<String>::new());
    bench
        .run("kernel --simulate=stalled-volume --timeout 5s --keep-partial x.dmp")
        .exits(7)
        .complains("kept: ");
    assert_eq!(bench.names(), ["x.dmp.partial"]);
}

#[test]
fn the_summary_says_what_was_captured_how_long_how_large_how_good_and_how_to_open_it() {
    let bench = Bench::new();
    let ran = bench.run("kernel --simulate --hash live.dmp").exits(0);
    assert_eq!(ran.value("result"), "done and verified (exit code 0)");
    assert!(ran.value("simulated").starts_with("healthy"));
    assert_eq!(ran.value("captured"), "kernel memory");
    assert!(ran.value("machine").contains("Windows 11 24H2"));
    let length = std::fs::metadata(bench.path("live.dmp")).unwrap().len();
    assert!(ran.value("size").ends_with(&format!("({length} bytes)")));
    assert!(ran.value("verdict").starts_with("good: "));
    assert_eq!(ran.value("sha256").len(), 64);
    assert!(ran.value("time").contains("writing"));
    let path = ran.value("file").to_owned();
    let open = if cfg!(windows) {
        format!("windbg -z \"{path}\"")
    } else {
        "copy it to Windows, and there: windbg -z \"live.dmp\"".to_owned()
    };
    assert_eq!(ran.value("open"), open);
    assert!(ran.err.is_empty(), "{}", ran.err);
}

#[test]
fn header_values_and_comment_arrive_in_the_file() {
    let bench = Bench::new();
    let line = "kernel --simulate --bugcheck 0xE2 --parameter 0x10 --parameter 7 --comment ticket-4711 x.dmp";
    bench.run(line).exits(0);
    let info = bench.run("info x.dmp").exits(0);
    assert_eq!(info.value("code"), "0xE2 (MANUALLY_INITIATED_CRASH)");
    assert_eq!(info.value("parameter 1"), "0000000000000010");
    assert_eq!(info.value("parameter 2"), "0000000000000007");
    assert!(
        info.value("comment").contains("ticket-4711")
            && info.value("comment").contains("simulated")
    );
}

#[test]
fn without_values_the_header_has_the_live_dump_code_and_spells_livedump() {
    let bench = Bench::new();
    bench.run("kernel --simulate x.dmp").exits(0);
    let info = bench.run("info x.dmp").exits(0);
    assert_eq!(info.value("code"), "0x161 (LIVE_SYSTEM_DUMP)");
    let first = info.value("parameter 1");
    assert!(first.starts_with("6c69766564756d70") && first.ends_with("livedump"), "{first}");
}

#[test]
fn a_file_may_be_a_folder_a_template_or_left_out() {
    let bench = Bench::new();
    bench.run("kernel --simulate").exits(0);
    std::fs::create_dir(bench.path("dumps")).unwrap();
    bench.run("kernel --simulate dumps").exits(0);
    bench.run("triage --simulate -p notepad {process}-{pid}-{seq}.dmp").exits(0);
    let names = bench.names();
    assert!(
        names.iter().any(|name| name.contains("-kernel-") && name.ends_with(".dmp")),
        "{names:?}"
    );
    assert!(names.contains(&"notepad-4004-1.dmp".to_owned()), "{names:?}");
    assert_eq!(livedump::names(&bench.path("dumps")).len(), 1);
}

#[test]
fn an_absolute_path_is_a_path_and_not_an_option() {
    let bench = Bench::new();
    let path = bench.path("x.dmp");
    bench.run_words(&["kernel", "--simulate", path.to_str().unwrap()]).exits(0);
    assert_eq!(bench.names(), ["x.dmp"]);
}

#[test]
fn what_begins_with_a_hyphen_is_a_file_name_behind_two_hyphens() {
    let bench = Bench::new();
    bench.run("kernel --simulate -- -x.dmp").exits(0);
    assert_eq!(bench.names(), ["-x.dmp"]);
}

#[test]
fn a_process_is_found_by_name_and_several_of_one_name_are_listed() {
    let bench = Bench::new();
    bench.run("triage --simulate -p NOTEPAD x.dmp").exits(0).says("notepad.exe (4004)");
    let ran = bench.run("triage --simulate -p svchost y.dmp").exits(10).complains("-p PID");
    assert!(
        ran.err.lines().filter(|line| line.contains("svchost.exe (")).count() >= 2,
        "{}",
        ran.err
    );
    bench.run("triage --simulate -p nobody y.dmp").exits(10);
    bench.run("triage --simulate -p 0 y.dmp").exits(10);
    assert_eq!(bench.names(), ["x.dmp"]);
}

#[test]
fn a_protected_process_is_refused_with_its_level_and_another_way() {
    let ran = Bench::new().run("triage --simulate -p csrss.exe x.dmp");
    assert_eq!(ran.code, 10, "two of that name: {}", ran.err);
    let ran = Bench::new().run("triage --simulate=protected-process -p lsass.exe x.dmp").exits(12);
    ran.complains("Lsa").complains("kernel --stacks-only");
}

#[test]
fn each_thread_is_one_line_with_its_id_first_and_what_the_dump_has_of_it() {
    let ran = Bench::new().run("triage --simulate -p notepad -t all x.dmp").exits(0);
    let table = ran.out.lines().skip_while(|line| !line.trim_start().starts_with("TID")).skip(1);
    let threads: Vec<_> = table.take_while(|line| !line.starts_with("open")).collect();
    assert_eq!(threads.len(), 5, "{}", ran.out);
    for line in threads {
        let mut words = line.split_whitespace();
        assert!(
            words.next().unwrap().parse::<u32>().is_ok() && words.next() == Some("full"),
            "{line}"
        );
    }
}

#[test]
fn threads_that_are_not_in_the_dump_are_counted_and_cost_the_good_end() {
    let bench = Bench::new();
    let ran = bench.run("triage --simulate=stuck-thread -p stuck -t all x.dmp").exits(8);
    assert_eq!(ran.value("threads"), "1 object only, 7 full");
    assert!(
        bench
            .run("triage --simulate -p notepad y.dmp")
            .exits(0)
            .value("threads")
            .ends_with(" full")
    );
}

#[test]
fn a_refused_triage_dump_shows_what_became_of_each_thread() {
    let bench = Bench::new();
    for (scenario, process, counts) in [
        ("stuck-thread", "stuck.exe", "1 object only, 7 full"),
        ("thread-gone", "notepad", "2 gone"),
    ] {
        let line = format!(
            "triage --simulate={scenario} -p {process} -t all --require-complete {scenario}.dmp"
        );
        let ran = bench.run(&line).exits(8).complains(counts).complains("TID  STATE");
        let threads = ran.err.lines().filter(|line| line.contains(" full ")).count();
        assert!(threads >= 3, "{}", ran.err);
    }
}

#[test]
fn many_threads_become_a_set_of_files_with_a_description() {
    let bench = Bench::new();
    let ran = bench.run("triage --simulate=many-threads -p crowded -t 200 x.dmp");
    assert!(ran.value("set").ends_with("x.json"), "{}", ran.out);
    let names = bench.names();
    assert!(
        ["x.2.dmp", "x.dmp", "x.json"].iter().all(|name| names.contains(&(*name).to_owned())),
        "{names:?}"
    );
}
