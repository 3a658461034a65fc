//! Lists and stacks of made-up machines' dumps, against what was planted.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use inside::{Case, LAYOUTS, each};
use serde_json::Value;

const VARIANTS: [&str; 8] = [
    "healthy",
    "deadlock",
    "deadlock,kva-shadow",
    "deadlock,encoded-block",
    "deadlock,la57",
    "stuck-irp,large-pages",
    "deadlock,swapped-stacks",
    "deadlock,stack-segments",
];

#[test]
fn with_types_processes_threads_modules_and_processors_are_the_machine_s() {
    for variant in VARIANTS {
        for layout in LAYOUTS {
            let case = Case::of(variant, layout);
            case.agrees(case.compare_tables());
        }
    }
}

#[test]
fn with_types_every_stack_is_the_machine_s_frame_by_frame() {
    for variant in VARIANTS.into_iter().chain(["dpc-storm", "alpc-chain", "work-queue-full"]) {
        for layout in LAYOUTS {
            let case = Case::of(variant, layout);
            case.agrees(case.compare_stacks(&case.ask("stacks")));
        }
    }
}

#[test]
fn without_types_lists_are_found_by_probing_and_right() {
    for variant in VARIANTS {
        for layout in LAYOUTS {
            let case = Case::bare(variant, layout);
            case.agrees(case.compare_tables());
        }
    }
}

#[test]
fn without_types_stacks_are_unwound_all_the_same() {
    for variant in [
        "healthy",
        "stuck-irp",
        "deadlock,encoded-block",
        "deadlock,swapped-stacks",
        "deadlock,stack-segments",
        "dpc-storm",
    ] {
        for layout in LAYOUTS {
            let case = Case::bare(variant, layout);
            case.agrees(case.compare_stacks(&case.ask("stacks")));
        }
    }
}

#[test]
fn with_pages_missing_lists_and_stacks_hold_nothing_false() {
    let mut found = 0;
    for (seed, missing) in (1..16).zip([20, 50, 100, 200, 700].into_iter().cycle()) {
        let scenario = format!("deadlock,missing-pages={missing},seed={seed}");
        let layout = LAYOUTS[seed % 3];
        for case in [Case::of(&scenario, layout), Case::bare(&scenario, layout)] {
            for command in ["ps", "threads", "stacks"] {
                let Some(answer) = case.ask_what_is_left(command) else { continue };
                found += 1;
                case.agrees(match command {
                    "ps" => case.compare_processes(&answer),
                    "threads" => case.compare_threads(&answer),
                    _ => case.compare_stacks(&answer),
                });
            }
        }
    }
    assert!(found > 40, "only {found} answers are left, so this proves little");
}

/// The same machine as the live dump's truth is of, photographed thread by thread.
#[test]
fn threads_of_a_triage_dump_are_unwound_from_the_capture_s_frames_which_are_set_aside() {
    for layout in LAYOUTS {
        let case = Case::of("deadlock", layout);
        let line = format!("triage --simulate=deadlock,layout={layout} -p lsass.exe -t all t.dmp");
        case.bench.run(&line).exits(0);
        let stacks = case.ask_of("stacks", "t.dmp");
        let threads: Vec<_> = each(&stacks["stacks"]).collect();
        assert!(threads.len() > 5, "{layout}: {} threads", threads.len());
        for stack in threads {
            let capture = |frame: &&Value| frame["capture"] == true;
            let of_capture = each(&stack["frames"]).filter(capture).count();
            assert_eq!(of_capture, 3, "{stack:#}");
            let own: Vec<_> = each(&stack["frames"]).skip(of_capture + 1).map(place).collect();
            let truth = case.thread_at(&stack["thread"]["address"]).unwrap();
            // Its innermost three were left when it woke.
            let planted: Vec<_> = each(&truth["stack"]).skip(3).map(place).collect();
            assert_eq!(own, planted, "{stack:#}");
            assert!(each(&stack["frames"]).all(|frame| frame["trust"] == "certain"), "{stack:#}");
        }
        case.bench
            .run("stacks t.dmp")
            .exits(0)
            .says("capture     threads ran the capture's own call");
    }
}

#[test]
fn wait_blocks_of_a_triage_dump_prove_nothing_and_hang_says_so() {
    let case = Case::of("deadlock", "a");
    case.bench.run("triage --simulate=deadlock,layout=a -p lsass.exe -t all t.dmp").exits(0);
    let hang = case.ask_of("hang", "t.dmp");
    assert!(each(&hang["relations"]).all(|one| one["grade"] != "proved"), "{hang:#}");
    assert_eq!(hang["not_provable"].as_array().unwrap().len(), 0, "reasons are left over too");
    assert!(hang["waiting_threads"].is_null() && each(&hang["longest"]).next().is_none());
    let said =
        each(&hang["unasked"]).any(|what| what.as_str().unwrap().contains("the capture woke them"));
    assert!(said, "{:#}", hang["unasked"]);
}

#[test]
fn a_walk_off_a_processor_s_stack_goes_on_at_the_interrupted_thread_and_marks_where() {
    for layout in LAYOUTS {
        let case = Case::of("dpc-storm", layout);
        let processors = case.ask("processors");
        let storm = case.truth["dpc"]["processor"].clone();
        let busy = each(&processors["processors"]).find(|one| one["number"] == storm).unwrap();
        let boundaries: Vec<_> =
            each(&busy["frames"]).filter_map(|frame| frame["boundary"].as_str()).collect();
        assert_eq!(boundaries, ["thread"], "{busy:#}");
        let thread = case.truth["processors"][storm.as_u64().unwrap() as usize]["thread"].clone();
        let planted: Vec<_> = each(&case.thread_at(&thread).unwrap()["stack"]).map(place).collect();
        let found: Vec<_> = each(&busy["frames"]).map(place).collect();
        assert_eq!(found, planted, "{busy:#}");
    }
}

#[test]
fn an_expanded_stack_is_followed_to_the_one_it_was_expanded_from() {
    for layout in LAYOUTS {
        let case = Case::of("deadlock,stack-segments", layout);
        let stacks = case.ask("stacks");
        let crossed = each(&stacks["stacks"])
            .filter(|stack| each(&stack["frames"]).any(|frame| frame["boundary"] == "thread"));
        let expanded = each(&case.truth["threads"]).filter(|thread| {
            each(&thread["stack"]).any(|frame| frame["symbol"] == "KeExpandKernelStackAndCalloutEx")
        });
        let count = expanded.count();
        assert!(count > 0);
        assert_eq!(crossed.count(), count, "{layout}");
    }
}

fn place(frame: &Value) -> (String, String) {
    let text = |first: &str, second: &str| {
        frame[first].as_str().or(frame[second].as_str()).unwrap().to_owned()
    };
    (text("pc", "address"), text("sp", "stack_pointer"))
}
