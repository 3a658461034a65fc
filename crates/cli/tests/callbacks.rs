//! Threads that wait in the kernel below a callback into user mode: the stack
//! that the callback left is followed, where it proves itself.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use std::collections::BTreeMap;

use inside::{ARM64, Case, LAYOUTS, each, text};
use serde_json::Value;

const ALL: [&str; 4] = [LAYOUTS[0], LAYOUTS[1], LAYOUTS[2], ARM64];

fn calls_back(thread: &&Value) -> bool {
    each(&thread["stack"]).any(|frame| frame["symbol"] == "KeUserModeCallback")
}

/// Stacks that go on below a callback.
fn crossed(stacks: &Value) -> Vec<&Value> {
    let boundary =
        |stack: &&Value| each(&stack["frames"]).any(|frame| frame["boundary"] == "user-callback");
    each(&stacks["stacks"]).filter(boundary).collect()
}

fn are_followed(case: &Case) {
    let stacks = case.ask("stacks");
    case.agrees(case.compare_stacks(&stacks));
    let planted = each(&case.truth["threads"]).filter(calls_back).count();
    let found = crossed(&stacks);
    assert!(planted > 0);
    assert_eq!(found.len(), planted);
    for stack in found {
        let frames: Vec<&Value> = each(&stack["frames"]).collect();
        let first = frames.iter().position(|frame| frame["found"] == "callback").unwrap();
        assert_eq!(frames[first]["boundary"], "user-callback", "{stack:#}");
        assert_eq!(stack["whole"], true, "{stack:#}");
        assert!(frames.iter().all(|frame| frame["trust"] == "certain"), "{stack:#}");
    }
}

#[test]
fn a_stack_goes_on_where_user_mode_was_called_and_that_is_marked() {
    for layout in ALL {
        let case = Case::of("user-callbacks", layout);
        case.agrees(case.compare_tables());
        are_followed(&case);
        assert!(case.tell("stacks").contains("-- user mode was called from here --"));
    }
}

#[test]
fn without_types_the_stack_before_is_found_by_what_it_must_be() {
    for layout in ALL {
        are_followed(&Case::bare("user-callbacks", layout));
    }
}

#[test]
fn beside_expanded_stacks_each_boundary_is_what_it_is() {
    for layout in ALL {
        let case = Case::of("deadlock,stack-segments,user-callbacks", layout);
        are_followed(&case);
        let stacks = case.ask("stacks");
        let expanded = each(&stacks["stacks"])
            .filter(|stack| each(&stack["frames"]).any(|frame| frame["boundary"] == "thread"));
        assert!(expanded.count() > 0, "{layout}");
    }
}

/// No address on the stack that was left is one that the call returns to.
#[test]
fn a_callback_that_does_not_prove_itself_ends_the_walk_and_says_so() {
    let case = Case::of("user-callbacks", "a");
    let mut bytes = std::fs::read(case.bench.path("x.dmp")).unwrap();
    let mut changed = 0;
    for thread in each(&case.truth["threads"]).filter(calls_back) {
        let returns = each(&thread["stack"]).find(|one| one["symbol"] == "KeUserModeCallback");
        let value = u64::from_str_radix(text(&returns.unwrap()["pc"]), 16).unwrap();
        let places = bytes.windows(8).enumerate().filter(|(_, at)| *at == value.to_le_bytes());
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        for place in places {
            bytes[place..place + 8].copy_from_slice(&(value + 1).to_le_bytes());
            changed += 1;
        }
    }
    assert!(changed > 0);
    case.bench.write("y.dmp", &bytes);
    let stacks = case.ask_of("stacks", "y.dmp");
    assert_eq!(crossed(&stacks).len(), 0);
    for thread in each(&case.truth["threads"]).filter(calls_back) {
        let of = |stack: &&Value| stack["thread"]["tid"] == thread["tid"];
        let stack = each(&stacks["stacks"]).find(of).unwrap();
        assert!(text(&stack["end"]).contains("in a callback of the kernel"), "{stack:#}");
        assert_eq!(stack["whole"], false, "{stack:#}");
    }
}

/// Where threads came from that are said to be from user mode.
fn user_modes(stacks: &Value) -> BTreeMap<String, String> {
    let of = |stack: &Value| {
        let end = text(&stack["end"]).to_owned();
        let said = end.starts_with("in user mode at") && !end.contains("callback");
        said.then(|| (text(&stack["thread"]["address"]).to_owned(), end))
    };
    each(&stacks["stacks"]).filter_map(of).collect()
}

#[test]
fn with_pages_missing_no_frame_below_a_callback_is_false() {
    for (seed, missing) in (1..7).zip([20, 100, 400].into_iter().cycle()) {
        let scenario = format!("user-callbacks,missing-pages={missing},seed={seed}");
        let whole = format!("user-callbacks,seed={seed}");
        let pairs = [
            (Case::of(&scenario, "b"), Case::of(&whole, "b")),
            (Case::bare(&scenario, ARM64), Case::bare(&whole, ARM64)),
        ];
        for (case, whole) in pairs {
            let Some(stacks) = case.ask_what_is_left("stacks") else { continue };
            case.agrees(case.compare_stacks(&stacks));
            let ends = user_modes(&whole.ask("stacks"));
            for (thread, end) in user_modes(&stacks) {
                assert_eq!(Some(&end), ends.get(&thread), "{thread}");
            }
        }
    }
}
