//! The commands that read and tell.
#![forbid(unsafe_code)]

mod livedump;

use livedump::Bench;
use serde_json::Value;

#[test]
fn every_answer_as_json_is_ascii_and_fits_its_published_schema() {
    let bench = Bench::new();
    bench.run("kernel --simulate x.dmp").exits(0);
    bench.write("junk.dmp", b"no dump at all");
    for (line, exit, schema) in [
        ("ps --simulate", 0, "livedump.ps/1"),
        ("threads --simulate -p notepad", 0, "livedump.threads/1"),
        ("threads --simulate -p nobody", 10, "livedump.failure/1"),
        ("doctor --simulate", 0, "livedump.doctor/1"),
        ("estimate --simulate -u", 0, "livedump.estimate/1"),
        ("verify x.dmp", 0, "livedump.verify/1"),
        ("verify x.dmp junk.dmp", 9, "livedump.verify/1"),
        ("verify x.dmp gone.dmp", 10, "livedump.verify/1"),
        ("info x.dmp", 0, "livedump.info/1"),
        ("info junk.dmp", 9, "livedump.failure/1"),
        ("info gone.dmp", 10, "livedump.failure/1"),
        ("explain 0x161 0x005461736b6d6772", 0, "livedump.explain/1"),
        ("explain NO_SUCH_CODE", 10, "livedump.failure/1"),
        ("kernel --simulate y.dmp", 0, "livedump.capture/1"),
        ("triage --simulate -p notepad z.dmp", 0, "livedump.capture/1"),
        ("triage --simulate -p nobody z2.dmp", 10, "livedump.capture/1"),
    ] {
        let (code, answer) = bench.json(line);
        assert_eq!(code, exit, "{line}: {answer:#}");
        assert_eq!(answer["schema"], schema, "{line}");
    }
}

#[test]
fn names_that_are_not_ascii_survive_as_escapes() {
    let bench = Bench::new();
    let (_, answer) = bench.json("verify gr\u{fc}n.dmp");
    assert_eq!(answer["files"][0]["path"], "gr\u{fc}n.dmp");
}

#[test]
fn a_level_says_how_far_verify_looks() {
    let bench = Bench::new();
    bench.run("kernel --simulate x.dmp").exits(0);
    let header = bench.run("verify --level header x.dmp").exits(0);
    assert!(!header.out.contains("bitmap.pages"), "{}", header.out);
    bench.run("verify --level structure x.dmp").exits(0).says("bitmap.pages");
    let structure = bench.run("verify x.dmp").exits(0);
    assert!(!structure.out.contains("memory.sum"), "{}", structure.out);
    bench.run("verify --level deep x.dmp").exits(0).says("memory.sum").says("kernel.base");
    bench.run("verify --level deepest x.dmp").exits(2);
}

#[test]
fn verify_exits_with_the_worst_of_its_files() {
    let bench = Bench::new();
    bench.run("kernel --simulate good.dmp").exits(0);
    bench.run("kernel --simulate=partial partial.dmp").exits(8);
    bench.run("kernel --simulate=encrypted encrypted.dmp").exits(8);
    bench.write("junk.dmp", &[7; 9000]);
    for (files, exit) in [
        ("good.dmp", 0),
        ("partial.dmp", 8),
        ("encrypted.dmp", 9),
        ("junk.dmp", 9),
        ("gone.dmp", 10),
        ("good.dmp partial.dmp", 8),
        ("junk.dmp partial.dmp good.dmp", 9),
        ("good.dmp gone.dmp junk.dmp", 10),
        (".", 10),
    ] {
        bench.run(&format!("verify {files}")).exits(exit);
    }
}

#[test]
fn what_is_no_kernel_dump_is_named_for_what_it_is_with_what_to_do() {
    let bench = Bench::new();
    for (bytes, name, advice) in [
        (&b"MDMP\x93\xa7\0\0"[..], "user-mode minidump", "WinDbg"),
        (b"\x7fELF\x02\x01", "ELF file", "dump-guest-memory -w"),
        (b"PK\x03\x04", "zip archive", "unpack it"),
        (b"MSCF\0\0\0\0", "cabinet", "unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "7-zip", "unpack it"),
        (b"Rar!\x1a\x07", "rar", "unpack it"),
        (b"\x1f\x8b\x08", "gzip", "unpack it"),
        (b"Raw_Dmp!\0\0", "UEFI offline dump", "OfflineCrashDumpUefi"),
        (b"HIBR\0\0\0\0", "hibernation file", "running machine"),
        (b"", "empty file", "copy the dump again"),
        (&[0; 9000], "begins with zeros", "again"),
        (b"<html><body>404</body></html>", "HTML", "download it again"),
        (b"Microsoft (R) Windows Debugger\r\n", "a text", "beside it"),
        (b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0", "PDB", "beside it"),
        (b"MZ\x90\0", "program", "beside it"),
        (b"\xd2\xbe\xd2\xbe\0\0", "VMware", "vmss2core"),
        (b"EMiL\x01\0\0\0", "LiME", "forensics"),
        (b"\x53\xff\x00\xf0", "raw memory image", "forensics"),
        (b"\x90\x91\x92", "begins with 909192", "forensics"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
    ] {
        bench.write("x.dmp", bytes);
        bench.run("info x.dmp").exits(9).complains(name).complains(advice);
        let verified = bench.run("verify x.dmp").exits(9).says(name).says(advice);
        assert!(verified.value("verdict").starts_with("unusable: "), "{}", verified.out);
    }
    bench.run("info .").exits(10).complains("it is a folder").complains("name a file in it");
}

#[test]
fn every_check_as_json_has_its_place_and_what_is_wrong_has_what_was_expected_and_found() {
    let bench = Bench::new();
    for seed in simulator::files::seeds() {
        if !["full-x64", "bitmap-full-x64", "triage-x64"]
            .iter()
            .any(|kind| seed.name.starts_with(kind))
        {
            continue;
        }
        bench.write("x.dmp", &seed.bytes());
        let (_, answer) = bench.json("verify x.dmp");
        for check in answer["files"][0]["verification"]["checks"].as_array().unwrap() {
            let place = check["offset"].is_u64() || check["found"].is_string();
            assert!(place, "{}: {check}", seed.name);
            if check["outcome"] == "fail" {
                let evidence = check["found"].is_string() || check["expected"].is_string();
                assert!(evidence && check["offset"].is_u64(), "{}: {check}", seed.name);
            }
        }
    }
}

#[test]
fn verify_of_one_file_shows_every_check_and_of_several_a_line_for_each() {
    let bench = Bench::new();
    bench.run("kernel --simulate a.dmp").exits(0);
    let one = bench.run("verify a.dmp").exits(0).says("bitmap.pages").says("header.signature");
    assert!(one.value("verdict").starts_with("good: "));
    let several = bench.run("verify a.dmp a.dmp").exits(0);
    assert_eq!(
        several.out.lines().filter(|line| line.starts_with("a.dmp")).count(),
        2,
        "{}",
        several.out
    );
    let gone = bench.run("verify gone.dmp").exits(10).complains("'gone.dmp' cannot be opened");
    assert!(gone.out.is_empty());
}

#[test]
fn verify_expands_patterns_where_the_shell_does_not() {
    let bench = Bench::new();
    bench.run("kernel --simulate a.dmp").exits(0);
    std::fs::copy(bench.path("a.dmp"), bench.path("B.DMP")).unwrap();
    bench.write("c.txt", b"no dump");
    if cfg!(windows) {
        let ran = bench.run("verify *.dmp").exits(0);
        assert_eq!(ran.out.lines().filter(|line| line.contains("good")).count(), 2, "{}", ran.out);
        bench.run("verify *.nothing").exits(10).complains("no file matches '*.nothing'");
    } else {
        bench.run("verify *.dmp").exits(10).complains("'*.dmp' cannot be opened");
    }
}

#[test]
fn info_tells_that_a_dump_was_simulated_and_what_it_holds() {
    let bench = Bench::new();
    bench.run("kernel --simulate x.dmp").exits(0);
    let info = bench.run("info x.dmp").exits(0);
    assert!(info.value("simulated").contains("simulated machine"));
    assert!(info.value("kind").contains("bitmap dump"));
    assert!(info.value("traits").contains("live"));
    assert_eq!(info.value("DirectoryTableBase").len(), 16);
    assert!(
        info.value("PsLoadedModuleList")
            .chars()
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    );
}

#[test]
fn processes_and_threads_are_one_line_each_with_the_id_first() {
    let bench = Bench::new();
    let ps = bench.run("ps --simulate").exits(0);
    let system: Vec<_> =
        ps.out.lines().find(|line| line.ends_with("System")).unwrap().split_whitespace().collect();
    assert_eq!(system[0], "4");
    let threads = bench
        .run("threads --simulate -p NOTEPAD.EXE")
        .exits(0)
        .says("notepad.exe (4004), 5 threads");
    let rows = threads
        .out
        .lines()
        .filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()))
        .count();
    assert_eq!(rows, 5, "{}", threads.out);
}

#[test]
fn wait_times_are_the_same_however_the_system_serves_them() {
    let bench = Bench::new();
    for (scenario, unit) in [("healthy", "tick-stamp"), ("wait-durations", "")] {
        let (_, answer) = bench.json(&format!("threads --simulate={scenario} -p notepad"));
        assert!(answer["wait_unit"].as_str().unwrap().starts_with(unit), "{answer:#}");
        assert!(
            answer["threads"].as_array().unwrap().iter().any(|thread| thread["wait_ms"].is_u64()),
            "{answer:#}"
        );
    }
}

#[test]
fn doctor_answers_for_each_kind_of_dump() {
    let bench = Bench::new();
    let (_, answer) = bench.json("doctor --simulate=not-elevated");
    let kinds = answer["kinds"].as_array().unwrap();
    assert!(kinds.len() >= 4 && kinds.iter().all(|kind| kind["possible"] == false), "{answer:#}");
    let text =
        bench.run("doctor --simulate=not-elevated").exits(0).says("blocking").says("what to do: ");
    assert!(
        text.out.lines().any(|line| line.starts_with("triage ") && line.contains(" no ")),
        "{}",
        text.out
    );
}

#[test]
fn estimate_compares_with_disk_and_memory_and_user_pages_add() {
    let bench = Bench::new();
    let lower = |line: &str| bench.json(line).1["lower"].as_u64().unwrap();
    assert!(lower("estimate --simulate -u") > lower("estimate --simulate"));
    assert!(lower("estimate --simulate --stacks-only") < lower("estimate --simulate"));
    bench.run("estimate --simulate=partial").exits(0).says("partial");
    bench
        .run("estimate --simulate")
        .exits(0)
        .says("at least")
        .says("at most")
        .says("disk")
        .says("memory");
}

#[test]
fn explain_knows_codes_names_statuses_and_says_what_it_does_not_know() {
    let bench = Bench::new();
    bench.run("explain 0x161 0x005461736b6d6772").exits(0).says("LIVE_SYSTEM_DUMP").says("Taskmgr");
    bench.run("EXPLAIN status_retry").exits(0).says("0xC000022D");
    bench.run("explain -1073741267").exits(0).says("STATUS_RETRY");
    bench.run("explain 161").exits(0).says("0x161 (LIVE_SYSTEM_DUMP)");
    bench.run("explain 0xE0AB1234").exits(0).says("unknown");
    bench.run("explain NO_SUCH_NAME").exits(10).complains("no bug check, live dump or status");
}

#[test]
fn every_simulated_answer_says_so() {
    let bench = Bench::new();
    for line in [
        "ps",
        "threads -p notepad",
        "doctor",
        "estimate",
        "kernel a.dmp",
        "triage -p notepad b.dmp",
    ] {
        let ran = bench.run(&format!("{line} --simulate")).exits(0);
        assert!(ran.value("simulated").starts_with("healthy"), "{}", ran.out);
    }
}

#[test]
fn every_failure_of_a_simulated_machine_says_so() {
    let bench = Bench::new();
    for (line, scenario) in [
        ("threads -p 9999 --simulate", "healthy"),
        ("threads -p 9999 --simulate=partial", "partial"),
        ("triage -p 9999 --simulate x.dmp", "healthy"),
    ] {
        bench.run(line).complains(&format!("simulated: {scenario}\n"));
        assert_eq!(bench.json(line).1["simulated"], scenario, "{line}");
    }
    assert!(bench.json("info gone.dmp").1.get("simulated").is_none());
}

#[test]
fn the_scenarios_are_listed_on_any_command_and_on_none() {
    let bench = Bench::new();
    for line in ["--simulate=list", "triage --simulate=list", "KERNEL --Simulate=LIST x.dmp"] {
        bench.run(line).exits(0).says("busy-then-ok").says("memory=1g");
    }
    assert_eq!(bench.names(), Vec::<String>::new());
}

#[test]
fn completions_and_manual_pages_come_for_every_shell_and_command() {
    let bench = Bench::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        bench.run(&format!("completions {shell}")).exits(0).says("livedump");
    }
    bench.run("man").exits(0).says(".TH livedump 1");
    for command in ["kernel", "triage", "verify", "event-source"] {
        bench.run(&format!("man {command}")).exits(0).says(&format!(".TH livedump-{command} 1"));
    }
}

#[test]
fn the_list_of_scenarios_fits_its_published_schema() {
    let bench = Bench::new();
    let schema: Value = serde_json::from_str(&bench.run("schema scenarios").exits(0).out).unwrap();
    let list = serde_json::from_str(&bench.run("--simulate=list --json").exits(0).out).unwrap();
    livedump::schema::check(&schema, &list);
}

/// What the first column of `--help` lists under a heading.
fn commands(bench: &Bench) -> Vec<String> {
    let help = bench.run("--help").exits(0).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = listed.take_while(|line| !line.is_empty());
    let words = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let words: Vec<String> =
        words.filter(|word| !["", "help"].contains(word)).map(str::to_owned).collect();
    assert!(words.len() >= 13, "{help}");
    words
}

fn long_options(help: &str) -> Vec<&str> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.flat_map(|line| line.split([' ', ',', '=', '[']).take(3));
    words.filter(|word| word.starts_with("--")).collect()
}

#[test]
fn manual_pages_and_completions_have_every_option_and_every_json_has_a_schema() {
    let bench = Bench::new();
    let completions = bench.run("completions bash").exits(0).out;
    for command in commands(&bench) {
        assert!(completions.contains(&command), "{command}");
        let help = bench.run(&format!("{command} --help")).exits(0).out;
        let page = bench.run(&format!("man {command}")).exits(0).out.replace('\\', "");
        let options = long_options(&help);
        assert!(options.contains(&"--help"), "{help}");
        for option in &options {
            assert!(page.contains(option), "man {command}: {option}");
            assert!(completions.contains(option), "completions: {option}");
        }
        if options.contains(&"--json") {
            bench.run(&format!("schema {command}")).exits(0);
        }
    }
}

#[test]
fn json_is_one_line_of_ascii_when_it_is_piped() {
    let bench = Bench::new();
    let ran = bench.run("verify --json gr\u{fc}n-\u{1f600}.dmp").exits(10);
    assert!(ran.out.is_ascii() && ran.out.lines().count() == 1, "{}", ran.out);
    assert!(ran.out.contains("gr\\u00fcn-\\ud83d\\ude00.dmp"), "{}", ran.out);
}

#[test]
fn no_color_takes_the_colours_away() {
    let bench = Bench::new();
    let errors = |variables: &[(&str, &str)]| {
        let mut command = bench.command(&["kernel", "--no-such-option"]);
        command.env_remove("NO_COLOR").envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    assert!(errors(&[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(!errors(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(!errors(&[]).contains('\u{1b}'));
}

#[test]
fn every_schema_is_a_schema() {
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
        "scenarios",
        "progress",
    ] {
        let schema: Value =
            serde_json::from_str(&bench.run(&format!("schema {command}")).exits(0).out).unwrap();
        assert!(schema["$schema"].is_string(), "{command}");
    }
}
