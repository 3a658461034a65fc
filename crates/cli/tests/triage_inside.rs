//! Live triage dumps from inside: their threads were woken to be photographed,
//! and those of several files at several times.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use std::collections::BTreeMap;

use inside::{ARM64, LAYOUTS, each, fixtures};
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
    for layout in LAYOUTS.into_iter().chain([ARM64]) {
        let arch = if layout == ARM64 { "arm64" } else { "x64" };
        let machine = format!("deadlock,layout={layout},arch={arch}");
        let (bench, truth) = captured(&machine, "-p explorer -t all");
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

/// 48 threads in two files, `x.json` beside them.
fn set() -> Bench {
    let bench = Bench::new();
    bench.run("triage --simulate=many-threads,layout=a -p crowded -t 48 x.dmp").exits(0);
    assert!(bench.names().contains(&"x.2.dmp".to_owned()), "{:?}", bench.names());
    bench
}

#[test]
fn of_a_set_the_threads_of_every_file_are_told_each_with_its_file() {
    let bench = set();
    let beside = format!("--symbols {}", fixtures("a"));
    let tids = |file: &str| -> Vec<u64> {
        let (code, answer) = bench.json(&format!("threads {file} {beside}"));
        assert_eq!(code, 0);
        each(&answer["threads"]).map(tid).collect()
    };
    let (first, second, all) = (tids("x.dmp"), tids("x.2.dmp"), tids("x.json"));
    assert_eq!(all, [first.clone(), second.clone()].concat());
    assert_eq!(all.len(), 48);
    let (_, threads) = bench.json(&format!("threads x.json {beside}"));
    let (_, stacks) = bench.json(&format!("stacks x.json {beside}"));
    for answer in [each(&threads["threads"]), each(&stacks["stacks"])] {
        for (number, one) in answer.enumerate() {
            let file = if number < first.len() { "x.dmp" } else { "x.2.dmp" };
            assert_eq!(one["file"], file, "{one}");
        }
    }
    let asked: Vec<&Value> = each(&stacks["set"]).map(|one| &one["asked"]).collect();
    assert_eq!(asked, [true, true]);
    let last = second.last().unwrap();
    bench.run(&format!("stacks x.json {beside} --tid {last}")).exits(0).says(" in x.2.dmp");
    bench.run(&format!("stacks x.json {beside} --tid 1")).exits(10).complains("no such thread");
    bench.run(&format!("threads x.json {beside} -p nobody")).exits(10).complains("no such process");
    let text = bench.run(&format!("threads x.json {beside}")).exits(0);
    assert!(text.value("in").starts_with("x.dmp, taken 20"), "{}", text.out);
}

#[test]
fn hang_of_a_set_is_of_all_its_threads_and_says_that_files_are_different_moments() {
    let bench = set();
    let beside = format!("--symbols {}", fixtures("a"));
    let (code, hang) = bench.json(&format!("hang x.json {beside}"));
    assert_eq!((code, &hang["threads"]), (0, &48.into()));
    let grouped = each(&hang["unique_stacks"]).map(|one| one["count"].as_u64().unwrap());
    assert_eq!(grouped.sum::<u64>(), 48);
    let waits = each(&hang["waits_by_stack"]).map(|one| one["count"].as_u64().unwrap());
    assert_eq!(waits.sum::<u64>(), 48);
    assert!(each(&hang["relations"]).all(|one| one["grade"] != "proved"), "{hang:#}");
    let unasked: Vec<_> = each(&hang["unasked"]).filter_map(Value::as_str).collect();
    assert!(unasked.iter().any(|what| what.contains("different moments")), "{unasked:?}");
    let text = bench.run(&format!("hang x.json {beside}")).exits(0);
    assert!(
        text.value("set").starts_with("2 of 2 files, each a moment of its own"),
        "{}",
        text.out
    );
    assert_eq!(text.value("file"), "x.json");
}

#[test]
fn a_file_of_a_set_that_is_gone_or_no_dump_is_said_and_the_others_are_asked() {
    let bench = set();
    bench.write("x.dmp", b"no dump at all");
    let ran =
        bench.run("hang x.json").exits(0).says("not read    x.dmp: 'x.dmp' is no kernel dump");
    assert!(ran.value("set").starts_with("1 of 2 files"), "{}", ran.out);
    let (_, hang) = bench.json("hang x.json");
    assert_eq!(hang["threads"], 24);
    let (_, modules) = bench.json("modules x.json");
    assert_eq!(modules["path"], "x.2.dmp");
    std::fs::remove_file(bench.path("x.2.dmp")).unwrap();
    for command in ["hang", "threads", "stacks", "modules"] {
        bench.run(&format!("{command} x.json")).exits(9).complains("none of the files");
    }
}

#[test]
fn what_is_the_same_in_all_files_is_asked_of_the_first_and_that_is_said() {
    let bench = set();
    for command in ["modules", "unloaded", "ps", "processors"] {
        let ran = bench.run(&format!("{command} x.json")).exits(0);
        assert!(ran.value("set").starts_with("the first of 2 files"), "{}", ran.out);
    }
}
