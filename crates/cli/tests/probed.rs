//! Without types of the kernel: what threads wait for is found all the same,
//! by relations that only the right members have.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use std::collections::BTreeSet;

use inside::{Case, LAYOUTS, each, text};

/// Waiter, object and owner of planted relations of a kind, and of those that were found.
type Edges = BTreeSet<(u64, String, u64)>;

fn planted(case: &Case, kind: &str) -> Edges {
    each(&case.truth["edges"])
        .filter(|edge| text(&edge["kind"]) == kind)
        .filter_map(|edge| {
            let number = |what: &str| edge[what].as_u64();
            Some((number("waiter")?, text(&edge["object"]).to_owned(), number("owner")?))
        })
        .collect()
}

fn found(case: &Case, kind: &str) -> Edges {
    each(&case.ask("hang")["relations"])
        .filter(|relation| text(&relation["object"]["kind"]) == kind)
        .filter_map(|relation| {
            let tid = |who: &str| relation[who]["tid"].as_u64();
            Some((tid("waiter")?, text(&relation["object"]["address"]).to_owned(), tid("holder")?))
        })
        .collect()
}

fn all_found(scenario: &str, kind: &str) {
    for layout in LAYOUTS {
        let case = Case::bare(scenario, layout);
        let planted = planted(&case, kind);
        assert!(!planted.is_empty(), "{scenario} plants no {kind}");
        assert_eq!(found(&case, kind), planted, "{scenario} {layout}");
    }
}

#[test]
fn resources_are_found_with_their_owners_and_waiters() {
    all_found("deadlock", "resource");
    all_found("deadlock,seed=5,large-pages", "resource");
}

#[test]
fn a_deadlock_is_a_cycle_without_types_as_well() {
    for layout in LAYOUTS {
        let case = Case::bare("deadlock,encoded-block", layout);
        let hang = case.ask("hang");
        assert_eq!(hang["cycles"].as_array().unwrap().len(), 2, "{layout}: {}", hang["cycles"]);
        case.agrees(case.compare_hang(&hang));
    }
}

#[test]
fn mutants_are_found_whose_owner_has_ended() {
    all_found("mutant-owner-dead", "mutant");
    all_found("mutant-owner-dead,seed=4,kva-shadow", "mutant");
}

#[test]
fn every_object_of_every_wait_is_found_with_its_kind() {
    for layout in LAYOUTS {
        let case = Case::bare("healthy,seed=2", layout);
        let threads = case.ask("threads");
        let mut several = 0;
        for thread in each(&threads["threads"]) {
            let truth = case.thread_at(&thread["address"]).unwrap();
            let waits: Vec<_> = each(&thread["waits"]).collect();
            let found: BTreeSet<_> = waits.iter().map(|wait| text(&wait["object"])).collect();
            let planted: BTreeSet<_> = each(&truth["waits_for"]).map(text).collect();
            assert_eq!(found, planted, "{layout}: {thread}");
            assert!(waits.iter().all(|wait| !wait["kind"].is_null()), "{layout}: {thread}");
            several += usize::from(waits.len() > 1);
        }
        assert!(several > 1, "{layout}: no thread waits for several objects");
    }
}

#[test]
fn calls_are_followed_to_the_thread_that_took_the_message_and_no_grade_is_proved() {
    for seed in 1..4 {
        all_found(&format!("alpc-chain,seed={seed}"), "alpc-message");
    }
    let case = Case::bare("alpc-chain", "b");
    let hang = case.ask("hang");
    let calls = || each(&hang["relations"]).filter(|one| one["object"]["kind"] == "alpc-message");
    // The third is not taken: the process that owns the port has to answer.
    assert_eq!(calls().filter(|one| one["holder"]["kind"] == "process").count(), 1);
    assert!(calls().all(|one| one["grade"] == "consistent"));
    case.agrees(case.compare_hang(&hang));
}

#[test]
fn a_queue_whose_workers_all_wait_is_found() {
    for layout in LAYOUTS {
        let case = Case::bare("work-queue-full", layout);
        let hang = case.ask("hang");
        assert_eq!(hang["stuck_queues"].as_array().unwrap().len(), 1, "{layout}");
        assert_eq!(hang["stuck_queues"][0]["workers"], 8, "{layout}");
        case.agrees(case.compare_hang(&hang));
    }
}

#[test]
fn an_export_names_its_own_function_and_no_other() {
    for layout in LAYOUTS {
        let case = Case::bare("deadlock", layout);
        let stacks = case.ask("stacks");
        let mut named = 0;
        for stack in each(&stacks["stacks"]) {
            let Some(truth) = case.thread_at(&stack["thread"]["address"]) else { continue };
            for frame in each(&stack["frames"]).filter(|one| one["symbol_from"] == "export") {
                let mut planted = each(&truth["stack"]);
                let Some(planted) = planted.find(|one| one["pc"] == frame["address"]) else {
                    continue;
                };
                assert_eq!(frame["symbol"], planted["symbol"], "{layout}: {frame}");
                named += 1;
            }
        }
        assert!(named > 100, "{layout}: only {named} frames have the name of an export");
    }
}

#[test]
fn a_pdb_of_another_build_is_not_used_and_the_text_says_so() {
    let case = Case::bare("healthy", "a");
    let other = inside::fixtures("b");
    let text = case.tell(&format!("hang --symbols {other}"));
    assert!(text.contains("not used    "), "{text}");
    assert!(text.contains("another one: GUID"), "{text}");
    let text = case.tell("hang --symbols nowhere");
    assert!(text.contains("not used    nowhere: no such folder or file"), "{text}");
    let own = format!("{}/ntkrnlmp.pdb", inside::fixtures("a"));
    let text = case.tell(&format!("hang --symbols {own}"));
    assert!(text.contains("(by identity)") && !text.contains("not used"), "{text}");
    let text = case.tell(&format!("hang --symbols nowhere --symbols {own}"));
    assert!(text.contains("(by identity)") && text.contains("nowhere: no such"), "{text}");
}

#[test]
fn drivers_that_were_unloaded_are_listed_the_latest_first_with_and_without_types() {
    for layout in LAYOUTS {
        for case in [Case::bare("healthy", layout), Case::of("healthy", layout)] {
            let unloaded = case.ask("unloaded");
            let names: Vec<_> =
                each(&unloaded["unloaded"]).map(|one| text(&one["name"]).to_owned()).collect();
            assert_eq!(names, ["dump_storport.sys", "WdFilter.sys", "hwpolicy.sys"], "{layout}");
        }
    }
}
