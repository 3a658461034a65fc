//! A triage capture of several files, read as one.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may

mod livedump;

use livedump::Bench;
use serde_json::Value;

/// `x.json`, `x.dmp` and `x.2.dmp`.
fn captured() -> Bench {
    let bench = Bench::new();
    bench.run("triage --simulate=many-threads -p crowded -t 48 x.dmp");
    assert!(bench.names().contains(&"x.json".to_owned()), "{:?}", bench.names());
    bench
}

/// Where a file has its stack, which no other has at the same address.
fn stack(bench: &Bench, file: &str) -> String {
    bench.json(&format!("info {file}")).1["info"]["stack_pointer"].as_str().unwrap().to_owned()
}

fn edited(bench: &Bench, name: &str, edit: impl FnOnce(&mut Value)) {
    let text = std::fs::read(bench.path("x.json")).unwrap();
    let mut set: Value = serde_json::from_slice(&text).unwrap();
    edit(&mut set);
    bench.write(name, set.to_string().as_bytes());
}

#[test]
fn a_set_is_verified_as_one_with_a_check_for_each_file() {
    let bench = captured();
    let (code, answer) = bench.json("verify x.json --level deep");
    let set = &answer["files"][0];
    assert_eq!((code, &set["verification"]["verdict"]), (0, &"good".into()), "{answer:#}");
    assert_eq!(set["verification"]["kind"], "set of 2 triage dumps");
    let members = set["members"].as_array().unwrap();
    assert_eq!(members.len(), 2);
    assert!(members.iter().all(|member| member["verification"]["verdict"] == "good"));
    let ran = bench.run("verify x.json").exits(0);
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("set.file ")).count(), 2);
    assert!(ran.value("verdict").starts_with("good: a set of 2 triage dumps"), "{}", ran.out);
}

#[test]
fn the_worst_file_is_the_sets_verdict_and_a_missing_one_makes_it_partial() {
    let bench = captured();
    let whole = std::fs::read(bench.path("x.2.dmp")).unwrap();
    std::fs::remove_file(bench.path("x.2.dmp")).unwrap();
    let ran = bench.run("verify x.json").exits(8).says("x.2.dmp is missing");
    assert!(ran.value("verdict").starts_with("partial: x.2.dmp is missing"), "{}", ran.out);
    bench.json("verify x.json");
    bench.write("x.2.dmp", &whole[..whole.len() / 2]);
    let ran = bench.run("verify x.json").exits(9).says("x.2.dmp is damaged").says("set.size");
    assert!(ran.value("verdict").starts_with("damaged: x.2.dmp"), "{}", ran.out);
    bench.write("x.2.dmp", b"PK\x03\x04");
    bench.run("verify x.json").exits(9).says("zip archive");
    std::fs::remove_file(bench.path("x.2.dmp")).unwrap();
    std::fs::remove_file(bench.path("x.dmp")).unwrap();
    let ran = bench.run("verify x.json").exits(9);
    assert!(ran.value("verdict").starts_with("unusable"), "{}", ran.out);
    bench.run("info x.json").exits(9).complains("none of the files").complains("x.dmp");
    bench.run("read x.json 0xffff800000000000 8").exits(9).complains("none of the files");
}

#[test]
fn a_set_stands_among_other_files_with_one_line() {
    let bench = captured();
    let ran = bench.run("verify x.json x.dmp").exits(0);
    assert_eq!(ran.out.lines().filter(|line| line.contains(" good ")).count(), 2, "{}", ran.out);
}

#[test]
fn info_shows_a_set_as_one_with_a_line_for_each_file() {
    let bench = captured();
    let (_, first) = bench.json("info x.dmp");
    let (_, set) = bench.json("info x.json");
    for same in ["machine", "build", "processors"] {
        assert_eq!(set["info"][same], first["info"][same], "{same}");
    }
    assert!(set["info"]["file_length"].as_u64() > first["info"]["file_length"].as_u64());
    assert_eq!(set["files"].as_array().unwrap().len(), 2);
    assert!(set["files"][0]["tids"].as_array().unwrap().len() > 1, "{set:#}");
    std::fs::remove_file(bench.path("x.2.dmp")).unwrap();
    let ran = bench.run("info x.json").exits(0).says("not read    of the set, x.2.dmp: ");
    assert!(ran.value("kind").starts_with("set of 2 triage dumps"));
}

#[test]
fn what_any_file_of_a_set_holds_is_read_and_the_file_is_named() {
    let bench = captured();
    for file in ["x.dmp", "x.2.dmp"] {
        let (_, alone) = bench.json(&format!("blobs {file}"));
        assert_eq!(alone["schema"], "livedump.blobs/1");
    }
    let only = |file: &str| {
        // The first block of a thread's stack that only this file has.
        let (_, set) = bench.json("info x.json");
        let listed = set["files"].as_array().unwrap().iter().find(|listed| listed["file"] == file);
        assert!(listed.is_some(), "{set:#}");
        stack(&bench, file)
    };
    for file in ["x.dmp", "x.2.dmp"] {
        let at = only(file);
        let ran = bench.run(&format!("read x.json {at} 16")).exits(0);
        let alone = bench.run(&format!("read {} {at} 16", ran.value("from"))).exits(0);
        let lines = |text: &str| text.lines().next().unwrap().to_owned();
        assert_eq!(lines(&ran.out), lines(&alone.out));
        let (_, places) = bench.json(&format!("translate x.json {at}"));
        let places = places["places"].as_array().unwrap();
        assert!(places.iter().any(|place| place["file"] == file), "{places:?}");
    }
    let none = bench.run("translate x.json 0x1234").exits(0);
    assert_eq!(none.value("missing"), "no block of the dump has it");
    for line in ["read x.json 0x1000 8 --physical", "translate x.json 0x1000 --dtb 0x1000"] {
        bench.run(line).exits(4).complains("triage dump has blocks");
    }
}

#[test]
fn a_file_that_is_gone_does_not_keep_the_others_from_being_read() {
    let bench = captured();
    let at = stack(&bench, "x.dmp");
    std::fs::remove_file(bench.path("x.2.dmp")).unwrap();
    let ran = bench.run(&format!("read x.json {at} 16")).exits(0);
    assert_eq!(ran.value("from"), "x.dmp");
    let ran = ran.says("note        x.2.dmp is missing: ");
    assert!(!ran.out.contains("missing: x.2.dmp"), "{}", ran.out);
    bench.run(&format!("translate x.json {at}")).exits(0).says("x.2.dmp is missing");
}

#[test]
fn a_json_text_that_is_no_set_and_a_set_that_reaches_out_of_its_folder_are_no_dumps() {
    let bench = captured();
    bench.write("other.json", b"{\"a\": 1}");
    edited(&bench, "outside.json", |set| set["files"][0]["file"] = "../x.dmp".into());
    for file in ["other.json", "outside.json"] {
        bench.run(&format!("verify {file}")).exits(9).says("a JSON text that describes no set");
        bench.run(&format!("info {file}")).exits(9).complains("name its own NAME.json");
        bench.run(&format!("read {file} 0x1000 8")).exits(9);
    }
}
