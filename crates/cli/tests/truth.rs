//! `kernel --truth`: what was planted in a made-up machine, beside its dump.
#![forbid(unsafe_code)]

mod livedump;

use livedump::Bench;

#[test]
fn the_truth_of_a_planted_scenario_is_written_beside_the_dump() {
    let bench = Bench::new();
    bench.run("kernel --simulate=deadlock,layout=a --truth truth.json x.dmp").exits(0);
    let text = std::fs::read_to_string(bench.path("truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(truth["cycles"].as_array().unwrap().len(), 2);
    assert_eq!(bench.names(), ["truth.json", "x.dmp"]);
}

#[test]
fn the_truth_of_a_request_says_what_leads_to_it_and_how_far_that_is_provable() {
    let bench = Bench::new();
    for (scenario, reached, grade) in [
        ("stuck-irp", "list", "consistent"),
        ("unlisted-irp,seed=1", "user-event", "proved"),
        ("unlisted-irp,seed=2", "context", "consistent"),
        ("unlisted-irp,seed=3", "stack", "consistent"),
        ("unlisted-irp,seed=10", "beside-event", "proved"),
    ] {
        let line = format!("kernel --simulate={scenario} --truth {reached}.json {reached}.dmp");
        bench.run(&line).exits(0);
        let text = std::fs::read_to_string(bench.path(&format!("{reached}.json"))).unwrap();
        let truth: serde_json::Value = serde_json::from_str(&text).unwrap();
        let request = &truth["requests"][0];
        assert_eq!((&request["reached"], &request["grade"]), (&reached.into(), &grade.into()));
    }
}

#[test]
fn a_truth_that_exists_is_replaced_with_overwrite_alone_and_no_dump_is_taken_else() {
    let bench = Bench::new();
    bench.write("truth.json", b"older");
    bench.run("kernel --simulate=deadlock --truth truth.json x.dmp").exits(5);
    assert_eq!(std::fs::read(bench.path("truth.json")).unwrap(), b"older");
    assert_eq!(bench.names(), ["truth.json"]);
    bench.run("kernel --simulate=deadlock --truth truth.json --overwrite x.dmp").exits(0);
    assert!(std::fs::read(bench.path("truth.json")).unwrap().starts_with(b"{"));
}

#[test]
fn there_is_no_truth_of_a_real_machine_nor_of_a_scenario_without_one() {
    let bench = Bench::new();
    bench.run("kernel --truth truth.json x.dmp").exits(2);
    bench.run("kernel --simulate --truth truth.json x.dmp").exits(2).complains("layout=");
    assert!(bench.names().is_empty());
}

#[test]
fn the_truth_of_an_arm64_machine_names_its_architecture_and_its_kernel_s_layout() {
    let bench = Bench::new();
    bench.run("kernel --simulate=deadlock,arch=arm64 --truth truth.json x.dmp").exits(0);
    let text = std::fs::read_to_string(bench.path("truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&truth["architecture"], &truth["layout"]), (&"arm64".into(), &"22000".into()));
    assert_eq!(truth["cycles"].as_array().unwrap().len(), 2);
}

#[test]
fn a_kernel_of_another_architecture_s_layout_is_refused() {
    let bench = Bench::new();
    for machine in
        ["layout=a,arch=arm64", "layout=22000", "la57,arch=arm64", "kva-shadow,arch=arm64"]
    {
        bench.run(&format!("kernel --simulate={machine} x.dmp")).exits(2).complains("expected");
    }
    assert!(bench.names().is_empty());
}
