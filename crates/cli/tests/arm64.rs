//! The machine of ARM64 against what was planted in it: the same questions,
//! other registers, other unwind data, other frames.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use inside::{ARM64, Case, each};

const SCENARIOS: [&str; 11] = [
    "healthy",
    "deadlock",
    "stuck-irp",
    "mutant-owner-dead",
    "alpc-chain",
    "dpc-storm",
    "work-queue-full",
    "deadlock,encoded-block",
    "stuck-irp,large-pages",
    "deadlock,swapped-stacks",
    "deadlock,stack-segments",
];

#[test]
fn with_types_lists_and_waits_are_what_was_planted() {
    for scenario in SCENARIOS {
        let case = Case::of(scenario, ARM64);
        case.agrees(case.compare_tables());
        case.agrees(case.compare_hang(&case.ask("hang")));
    }
}

#[test]
fn every_stack_is_the_machine_s_frame_by_frame() {
    for scenario in SCENARIOS {
        let case = Case::of(scenario, ARM64);
        case.agrees(case.compare_stacks(&case.ask("stacks")));
    }
}

#[test]
fn without_types_less_is_said_and_nothing_false() {
    for scenario in SCENARIOS {
        let case = Case::bare(scenario, ARM64);
        case.agrees(case.compare_tables());
        case.agrees(case.compare_hang(&case.ask("hang")));
        case.agrees(case.compare_stacks(&case.ask("stacks")));
    }
}

#[test]
fn a_pointer_to_the_frame_leads_from_the_switch_into_the_function_that_waits() {
    let case = Case::of("deadlock", ARM64);
    let stacks = case.ask("stacks");
    let mut switched = 0;
    for stack in each(&stacks["stacks"]).filter(|stack| stack["start"] == "switch frame") {
        assert!(each(&stack["frames"]).all(|frame| frame["trust"] == "certain"), "{stack:#}");
        assert_eq!(stack["frames"][0]["symbol"], "KiSwapContext", "{stack:#}");
        assert_eq!(stack["frames"][1]["symbol"], "KiSwapThread", "{stack:#}");
        switched += 1;
    }
    assert!(switched > 100, "{switched}");
}

#[test]
fn with_pages_missing_less_is_said_and_nothing_false() {
    let mut found = 0;
    for (seed, missing) in (1..9).zip([20, 50, 100, 400].into_iter().cycle()) {
        let scenario = format!("deadlock,missing-pages={missing},seed={seed}");
        for case in [Case::of(&scenario, ARM64), Case::bare(&scenario, ARM64)] {
            let Some(hang) = case.ask_what_is_left("hang") else { continue };
            found += each(&hang["relations"]).count();
            case.agrees(case.compare_hang(&hang));
            case.agrees(case.compare_stacks(&case.ask("stacks")));
        }
    }
    assert!(found > 20, "only {found} relations are left, so this proves little");
}
