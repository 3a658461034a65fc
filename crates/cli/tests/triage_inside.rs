//! Live triage dumps from inside: their threads were woken to be photographed,
//! and those of several files at several times.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use std::collections::BTreeMap;

use inside::{LAYOUTS, each, fixtures};
use livedump::Bench;
use serde_json::Value;

/// What a planted thread's stack tells of its wait, by its wait reason.
const WAITS: [(u64, &str); 6] = [
    (4, "time to pass"),
    (6, "an object"),
    (15, "work to come"),
    (16, "a call of another process to come"),
    (27, "a resource"),
    (37, "a change at an address"),
];

/// `x.dmp`, or `x.json` with several files; and what the threads really wait for, by tid.
fn captured(machine: &str, capture: &str) -> (Bench, BTreeMap<u64, Value>) {
    let bench = Bench::new();
    bench.run(&format!("kernel --simulate={machine} --truth truth.json whole.dmp")).exits(0);
    bench.run(&format!("triage --simulate={machine} {capture} x.dmp")).exits(0);
    let text = std::fs::read_to_string(bench.path("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let threads = each(&truth["threads"]).map(|one| (one["tid"].as_u64().unwrap(), one.clone()));
    (bench, threads.collect())
}

fn tid(thread: &Value) -> u64 {
    thread["tid"].as_u64().unwrap()
}

#[test]
fn the_wait_of_a_thread_that_was_woken_is_read_from_its_stack_everywhere() {
    for layout in LAYOUTS {
        let (bench, truth) = captured(&format!("deadlock,layout={layout}"), "-p explorer -t all");
        let beside = format!("x.dmp --symbols {}", fixtures(layout));
        let ask = |command: &str| bench.json(&format!("{command} {beside}")).1;
        let (threads, stacks, hang) = (ask("threads"), ask("stacks"), ask("hang"));
        let mut told = 0;
        for one in each(&threads["threads"]) {
            let state = [&one["state"], &one["wait_reason"], &one["wait_milliseconds"]];
            assert!(state.iter().all(|value| value.is_null()), "the capture's own: {one}");
            assert!(each(&one["waits"]).next().is_none(), "left over: {one}");
            let reason = truth[&tid(one)]["wait_reason"].as_u64().unwrap();
            let what = WAITS.iter().find(|(number, _)| *number == reason).map(|(_, what)| *what);
            assert_eq!(one["waits_in"]["what"].as_str(), what, "{layout}: {one}");
            let stack = each(&stacks["stacks"]).find(|stack| tid(&stack["thread"]) == tid(one));
            assert_eq!(stack.unwrap()["waits_in"], one["waits_in"]);
            told += 1;
        }
        let grouped = each(&hang["waits_by_stack"]).map(|one| one["count"].as_u64().unwrap());
        assert_eq!((told, grouped.sum::<u64>()), (16, 16));
        let text = bench.run(&format!("hang {beside}")).exits(0).out;
        assert!(text.contains("called by nt!ExpWaitForResource: a resource"), "{text}");
        let text = bench.run(&format!("threads {beside}")).exits(0).out;
        assert!(text.contains("by its stack in KeRemoveQueueEx"), "{text}");
    }
}

#[test]
fn without_symbols_no_wait_is_read_from_names_that_may_be_another_functions() {
    let (bench, _) = captured("deadlock,layout=a", "-p explorer -t all");
    let (_, threads) = bench.json("threads x.dmp");
    assert!(each(&threads["threads"]).all(|one| one["waits_in"].is_null()), "{threads:#}");
}

#[test]
fn a_page_of_a_triage_dump_shows_the_waits_too() {
    let (bench, _) = captured("deadlock,layout=b", "-p explorer -t all");
    bench.run(&format!("hang x.dmp --symbols {} --html page.html", fixtures("b"))).exits(0);
    let page = std::fs::read_to_string(bench.path("page.html")).unwrap();
    assert!(page.contains("Waits that the stacks tell"), "{page}");
}
