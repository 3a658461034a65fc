//! `info` tells the short form of what `modules`, `ps`, `threads` and the like list.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use inside::{Case, LAYOUTS, each};
use livedump::Bench;
use serde_json::Value;

fn counted<'v>(info: &'v Value, what: &str) -> &'v Value {
    each(&info["inside"]["counts"]).find(|one| one["what"] == what).unwrap()
}

#[test]
fn without_any_file_beside_it_the_counts_are_those_of_the_long_lists() {
    for layout in LAYOUTS {
        let case = Case::bare("deadlock", layout);
        let info = case.ask("info");
        for (what, command) in [("modules", "modules"), ("processes", "ps"), ("threads", "threads")]
        {
            let all = each(&case.ask(command)[what]).count();
            let one = counted(&info, what);
            assert_eq!((&one["count"], &one["whole"]), (&all.into(), &true.into()), "{info:#}");
        }
        assert_eq!(counted(&info, "processors")["whole"], true);
        let layout: Vec<&Value> =
            each(&info["inside"]["layout"]).map(|one| &one["source"]).collect();
        assert_eq!(layout, ["debugger-block", "probed"]);
        assert!(case.bench.run("info x.dmp").value("layout").contains("debugger-block"));
    }
}

#[test]
fn what_is_not_found_is_said_and_is_no_failure() {
    let bench = Bench::new();
    bench.run("kernel --simulate=deadlock,layout=a,missing-pages=4000 x.dmp");
    let (code, info) = bench.json("info x.dmp");
    assert_eq!(code, 0);
    let lost = counted(&info, "threads");
    assert!(lost["count"].is_null() && lost["whole"] == false, "{info:#}");
    assert!(lost["how"].as_str().unwrap().contains("no thread was found"), "{info:#}");
    bench.run("info x.dmp").exits(0).says(" -  no thread was found");
}

#[test]
fn nothing_is_looked_for_in_an_encrypted_dump() {
    let bench = Bench::new();
    bench.run("kernel --simulate=encrypted x.dmp").exits(8);
    let (code, info) = bench.json("info x.dmp");
    assert_eq!(code, 0);
    assert!(info["inside"].is_null(), "{info:#}");
}

#[test]
fn threads_of_a_triage_dump_are_counted_where_they_lie_and_those_of_a_set_together() {
    let bench = Bench::new();
    bench.run("triage --simulate=many-threads -p crowded -t 48 x.dmp").exits(0);
    let of = |file: &str| bench.json(&format!("info {file}")).1;
    let (first, second, set) = (of("x.dmp"), of("x.2.dmp"), of("x.json"));
    let threads = |info: &Value| counted(info, "threads")["count"].as_u64().unwrap();
    assert_eq!(threads(&first) + threads(&second), 48);
    assert_eq!((threads(&set), &counted(&set, "threads")["whole"]), (48, &false.into()));
    assert_eq!(first["inside"]["threads_in_capture"], true);
    bench.run("info x.json").exits(0).says("of all files, each a moment of its own");
}

#[test]
fn a_file_that_claims_a_tebibyte_is_asked_as_quickly() {
    let bench = Bench::new();
    bench.run("kernel --simulate=deadlock,layout=b x.dmp").exits(0);
    let before = bench.json("info x.dmp").1;
    let file = std::fs::OpenOptions::new().write(true).open(bench.path("x.dmp")).unwrap();
    if file.set_len(1 << 40).is_err() {
        eprintln!("skipped: no sparse file of 1 TiB can be made here");
        return;
    }
    assert_eq!(bench.json("info x.dmp").1["inside"], before["inside"]);
}

/// Facts of the samples' own README, and what these dumps were seen to hold.
#[test]
fn of_real_crash_dumps_as_much_is_counted_as_they_hold() {
    let Some(samples) = std::env::var_os("LIVEDUMP_SAMPLES").map(std::path::PathBuf::from) else {
        eprintln!("skipped: LIVEDUMP_SAMPLES is not set");
        return;
    };
    let bench = Bench::new();
    for (file, counts) in [
        ("x64-19041-amdppm.dmp", [Some(0x97), Some(4), Some(5), Some(14), Some(16)]),
        ("arm64-22000-power-button.dmp", [Some(245), Some(11), Some(4), Some(10), Some(8)]),
        ("x64-7601-bad-pool-header.dmp", [Some(167), Some(13), None, Some(1), None]),
    ] {
        let path = samples.join("triage").join(file);
        let (code, info) = bench.json(&format!("info {}", path.display()));
        assert_eq!(code, 0);
        let found: Vec<_> =
            each(&info["inside"]["counts"]).map(|one| one["count"].as_u64()).collect();
        assert_eq!(found, counts, "{file}");
    }
}
