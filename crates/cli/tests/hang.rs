//! `hang` on dumps of made-up machines, against what was planted in them:
//! nothing missed, nothing invented.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use inside::{Beside, Case, LAYOUTS, fixtures};

const SCENARIOS: [&str; 7] = [
    "deadlock",
    "stuck-irp",
    "mutant-owner-dead",
    "alpc-chain",
    "dpc-storm",
    "work-queue-full",
    "healthy",
];
const VARIANTS: [&str; 6] =
    ["kva-shadow", "encoded-block", "la57", "large-pages", "swapped-stacks", "stack-segments"];

#[test]
fn with_types_every_planted_wait_is_found_and_none_is_invented() {
    for scenario in SCENARIOS {
        for layout in LAYOUTS {
            let case = Case::of(scenario, layout);
            case.agrees(case.compare_hang(&case.ask("hang")));
        }
    }
}

#[test]
fn every_variant_of_the_machine_hangs_as_well() {
    for variant in VARIANTS {
        for layout in LAYOUTS {
            let case = Case::of(&format!("deadlock,{variant}"), layout);
            case.agrees(case.compare_hang(&case.ask("hang")));
        }
    }
}

#[test]
fn other_seeds_are_other_machines_with_the_same_answer() {
    for seed in 2..6 {
        for scenario in ["deadlock", "alpc-chain", "stuck-irp"] {
            let case = Case::of(&format!("{scenario},seed={seed}"), "b");
            case.agrees(case.compare_hang(&case.ask("hang")));
        }
    }
}

/// Seeds by which a request is reached in each of the ways that there are.
const REACHED: [(u64, &str); 4] =
    [(1, "user-event"), (2, "context"), (3, "stack"), (10, "beside-event")];

#[test]
fn a_request_on_no_list_is_found_by_the_stack_or_the_wait_of_who_waits_and_by_no_other_stack() {
    for (seed, reached) in REACHED {
        for layout in LAYOUTS.into_iter().chain([inside::ARM64]) {
            let case = Case::of(&format!("unlisted-irp,seed={seed}"), layout);
            assert_eq!(case.truth["requests"][0]["reached"], reached);
            let hang = case.ask("hang");
            case.agrees(case.compare_hang(&hang));
            let irp = &case.truth["requests"][0]["irp"];
            let told =
                inside::each(&hang["relations"]).filter(|one| one["object"]["kind"] == "irp");
            let told: Vec<_> = told.map(|one| &one["object"]["address"]).collect();
            assert_eq!(
                told,
                [irp],
                "one relation, and neither the witness's nor the one that is done"
            );
            assert!(case.tell("hang").contains("points to the request"));
        }
    }
}

#[test]
fn a_request_on_no_list_is_not_invented_where_pages_are_missing() {
    let mut found = 0;
    for ((seed, _), missing) in REACHED.into_iter().zip([30, 60, 100, 30]) {
        let scenario = format!("unlisted-irp,missing-pages={missing},seed={seed}");
        let case = Case::of(&scenario, "a");
        let Some(hang) = case.ask_what_is_left("hang") else { continue };
        found += inside::each(&hang["relations"]).count();
        case.agrees(case.compare_hang(&hang));
    }
    assert!(found > 0, "nothing is left, so this proves nothing");
}

#[test]
fn without_types_less_is_said_and_nothing_false() {
    for scenario in SCENARIOS {
        for layout in LAYOUTS {
            let case = Case::bare(scenario, layout);
            case.agrees(case.compare_hang(&case.ask("hang")));
        }
    }
}

#[test]
fn with_pages_missing_less_is_said_and_nothing_false() {
    let mut found = 0;
    for (seed, missing) in (1..16).zip([20, 50, 100, 200, 700].into_iter().cycle()) {
        let scenario = ["deadlock", "alpc-chain", "stuck-irp", "work-queue-full"][seed % 4];
        let scenario = format!("{scenario},missing-pages={missing},seed={seed}");
        let layout = LAYOUTS[seed % 3];
        for case in [Case::of(&scenario, layout), Case::bare(&scenario, layout)] {
            let Some(hang) = case.ask_what_is_left("hang") else { continue };
            found += inside::each(&hang["relations"]).count();
            case.agrees(case.compare_hang(&hang));
        }
    }
    assert!(found > 40, "only {found} relations are left, so this proves little");
}

#[test]
fn a_profile_serves_as_the_pdb_that_it_was_made_of() {
    for layout in LAYOUTS {
        let made = livedump::Bench::new();
        let pdb = format!("{}/ntkrnlmp.pdb", fixtures(layout));
        made.run(&format!("profile make {pdb} -o nt.json")).exits(0);
        let profile = made.path("nt.json").display().to_string();
        let case = Case::with("deadlock", layout, Beside::Profile(profile));
        case.agrees(case.compare_hang(&case.ask("hang")));
        case.agrees(case.compare_tables());
    }
}

#[test]
fn a_profile_of_another_build_is_refused_with_the_reason() {
    let case = Case::bare("deadlock", "a");
    let pdb = format!("{}/ntkrnlmp.pdb", fixtures("b"));
    case.bench.run(&format!("profile make {pdb} -o b.json")).exits(0);
    let bare = case.ask("hang");
    let (code, refused) = case.bench.json("hang x.dmp --profile b.json");
    assert_eq!(code, 0);
    assert!(refused["kernel"]["profile_refused"].is_string(), "{}", refused["kernel"]);
    assert_eq!(refused["relations"], bare["relations"]);
    assert_eq!(refused["kernel"]["layout"], bare["kernel"]["layout"]);
    case.bench.run("hang x.dmp --profile b.json").exits(0).says("profile     not used: ");
}

#[test]
fn a_healthy_machine_is_said_to_have_nobody_waiting_for_another() {
    for layout in LAYOUTS {
        let case = Case::of("healthy", layout);
        let text = case.tell("hang");
        assert!(text.contains("no thread was found that waits for another"), "{text}");
    }
}

#[test]
fn a_thread_that_ended_is_named_and_said_to_have_ended() {
    let case = Case::of("mutant-owner-dead", "a");
    let hang = case.ask("hang");
    let root = inside::each(&hang["chains"])
        .map(|chain| &chain["root"])
        .find(|root| root["kind"] == "gone-thread")
        .unwrap();
    let truth = case.thread_at(&root["address"]).unwrap();
    assert_eq!((&root["tid"], &root["pid"]), (&truth["tid"], &truth["pid"]));
    assert_eq!(root["terminated"], true);
    assert!(case.tell("hang").contains("which ended"), "{hang:#}");
}

#[test]
fn an_encoded_block_is_decoded_and_said_to_have_been() {
    let case = Case::bare("healthy,encoded-block", "b");
    assert_eq!(case.ask("hang")["kernel"]["debugger_block"], "decoded");
}

#[test]
fn a_crash_is_told_with_its_code_its_stack_and_whom_that_speaks_against() {
    let Some(samples) = std::env::var_os("LIVEDUMP_SAMPLES").map(std::path::PathBuf::from) else {
        eprintln!("skipped: LIVEDUMP_SAMPLES is not set");
        return;
    };
    let bench = livedump::Bench::new();
    let dump = samples.join("triage/x64-19041-amdppm.dmp").display().to_string();
    let symbols = samples.join("symbols").display().to_string();
    let (code, hang) = bench.json(&format!("hang {dump} --symbols {symbols}"));
    assert_eq!(code, 0);
    assert_eq!(hang["crash"]["code"], 0x1000_007E);
    assert_eq!(hang["crash"]["name"], "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED");
    assert_eq!(hang["crash"]["parameters"][1]["value"], "fffff8048b58334c");
    assert_eq!(hang["context"]["fault"], true);
    assert_eq!(hang["context"]["blamed"]["module"], "amdppm");
    assert_eq!(hang["context"]["blamed"]["grade"], "consistent");
    let text = bench.run(&format!("hang {dump} --symbols {symbols}")).exits(0).out;
    assert!(text.contains("no proof of guilt"), "{text}");
}

#[test]
fn a_machine_that_ran_on_is_never_said_to_have_crashed() {
    let case = Case::of("deadlock", "a");
    let hang = case.ask("hang");
    assert!(hang["crash"].is_null());
    assert_eq!(hang["context"]["fault"], false);
    assert!(!case.tell("hang").contains("crashed"));
}

/// `docs/hang.md` shows real output: every line of it that is not cut is there.
#[test]
fn the_worked_examples_are_what_is_really_printed() {
    let root = format!("{}/../..", env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(format!("{root}/docs/hang.md")).unwrap();
    let symbols = format!("{};{}", fixtures("19041"), fixtures("drivers"));
    let mut examples = 0;
    for block in document.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let bench = livedump::Bench::new();
        let mut printed = String::new();
        for line in block.lines() {
            match line.strip_prefix("$ livedump ") {
                Some(command) => {
                    let words: Vec<&str> = command.split_whitespace().collect();
                    let mut command = bench.command(&words);
                    let output = command.env("_NT_SYMBOL_PATH", &symbols).output().unwrap();
                    assert!(output.status.success(), "{line}");
                    printed = String::from_utf8(output.stdout).unwrap();
                }
                None if line == "..." || line.starts_with("$ export") => {}
                None => assert!(printed.contains(line), "not printed: {line}\n{printed}"),
            }
        }
        examples += usize::from(!printed.is_empty());
    }
    assert_eq!(examples, SCENARIOS.len());
}
