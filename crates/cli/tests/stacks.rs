//! Lists and stacks of made-up machines' dumps, against what was planted.
#![forbid(unsafe_code)]

mod inside;
mod livedump;

use inside::{Case, LAYOUTS};

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
    for variant in ["healthy", "deadlock", "stuck-irp", "deadlock,encoded-block"] {
        for layout in LAYOUTS {
            let case = Case::bare(variant, layout);
            case.agrees(case.compare_stacks(&case.ask("stacks")));
        }
    }
}

#[test]
fn with_pages_missing_lists_and_stacks_hold_nothing_false() {
    for (seed, missing) in [(1, 20), (2, 100), (3, 400), (4, 1500), (5, 4000)] {
        let scenario = format!("deadlock,missing-pages={missing},seed={seed}");
        let layout = LAYOUTS[seed % 3];
        for case in [Case::of(&scenario, layout), Case::bare(&scenario, layout)] {
            for command in ["ps", "threads", "stacks"] {
                let ran = case.bench.run(&format!("{command} x.dmp"));
                if ran.code != 0 {
                    assert_eq!(ran.code, 9, "{}: {}", case.named, ran.err);
                    continue;
                }
                let answer = case.ask(command);
                case.agrees(match command {
                    "ps" => case.compare_processes(&answer),
                    "threads" => case.compare_threads(&answer),
                    _ => case.compare_stacks(&answer),
                });
            }
        }
    }
}
