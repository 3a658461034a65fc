//! `livedump convert`.
#![forbid(unsafe_code)]

mod livedump;

use livedump::Bench;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.run("kernel --simulate live.dmp").exits(0);
    bench
}

#[test]
fn a_converted_dump_is_verified_before_it_has_its_name() {
    let bench = bench();
    for (kind, number) in [("bitmap", 5), ("kernel-bitmap", 6)] {
        let (code, answer) = bench.json(&format!("convert live.dmp {kind}.dmp --type {kind}"));
        assert_eq!((code, &answer["exit_code"]), (0, &0.into()));
        assert_eq!(answer["schema"], "livedump.convert/1");
        assert_eq!(answer["dump_type"], number);
        assert_eq!(answer["verification"]["verdict"], "good");
        assert_eq!(answer["verification"]["level"], "structure");
        bench.run(&format!("verify {kind}.dmp")).exits(0);
    }
    assert_eq!(bench.names(), ["bitmap.dmp", "kernel-bitmap.dmp", "live.dmp"]);
}

#[test]
fn what_a_converted_dump_holds_is_what_the_other_held() {
    let bench = bench();
    bench.run("convert live.dmp once.dmp --type bitmap").exits(0);
    bench.run("convert once.dmp twice.dmp --type kernel-bitmap").exits(0);
    let (_, mut live) = bench.json("info live.dmp");
    let (_, mut twice) = bench.json("info twice.dmp");
    for different in ["file_length", "attributes", "required_dump_space", "blobs"] {
        for answer in [&mut live, &mut twice] {
            let info = answer["info"].as_object_mut().unwrap();
            assert!(info.remove(different).is_some(), "{different}");
        }
    }
    assert_eq!(live["info"], twice["info"]);
}

#[test]
fn a_converted_dump_says_that_it_was_made_offline_and_a_live_one_stays_live() {
    let bench = bench();
    let ran = bench.run("convert live.dmp b.dmp --type bitmap").exits(0);
    ran.says("DumpIsGeneratedOffline").says("what the kernel bitmap dump left out");
    bench.run("info b.dmp").exits(0).says("live (nothing crashed)").says("simulated");
}

#[test]
fn too_many_runs_for_a_complete_dump_are_explained_and_a_bitmap_is_offered() {
    let bench = bench();
    let ran = bench.run("convert live.dmp full.dmp --type full").exits(4);
    ran.complains("room for 42 runs of pages").complains("say --type bitmap");
    assert_eq!(bench.names(), ["live.dmp"]);
}

#[test]
fn an_older_file_is_replaced_only_when_asked_and_the_source_never() {
    let bench = bench();
    bench.write("old.dmp", b"older");
    bench.run("convert live.dmp old.dmp --type bitmap").exits(5).complains("--overwrite");
    assert_eq!(std::fs::read(bench.path("old.dmp")).unwrap(), b"older");
    bench.run("convert live.dmp old.dmp --type bitmap --overwrite").exits(0);
    bench.run("verify old.dmp").exits(0);
    bench.run("convert live.dmp live.dmp --type bitmap --overwrite").exits(2);
    bench.run("convert live.dmp ./live.dmp --type bitmap --overwrite").exits(2);
    assert_eq!(bench.names(), ["live.dmp", "old.dmp"]);
}

#[test]
fn a_partial_of_an_earlier_run_is_left_alone() {
    let bench = bench();
    bench.write("b.dmp.partial", b"evidence");
    bench.run("convert live.dmp b.dmp --type bitmap").exits(0);
    assert_eq!(std::fs::read(bench.path("b.dmp.partial")).unwrap(), b"evidence");
    assert_eq!(bench.names(), ["b.dmp", "b.dmp.partial", "live.dmp"]);
}

#[test]
fn a_damaged_or_encrypted_dump_is_not_converted() {
    let bench = bench();
    let mut bytes = std::fs::read(bench.path("live.dmp")).unwrap();
    bytes.truncate(bytes.len() / 2);
    bench.write("cut.dmp", &bytes);
    bench.write("junk.dmp", b"no dump at all");
    bench.run("kernel --simulate=encrypted encrypted.dmp").exits(8);
    let before = bench.names();
    for source in ["cut.dmp", "junk.dmp", "encrypted.dmp"] {
        let ran = bench.run(&format!("convert {source} out.dmp --type bitmap"));
        ran.exits(9).complains("cannot be converted");
    }
    assert_eq!(bench.names(), before);
}

#[test]
fn a_partial_dump_stays_partial_in_its_exit_code() {
    let bench = bench();
    bench.run("kernel --simulate=partial partial.dmp").exits(8);
    let (code, answer) = bench.json("convert partial.dmp out.dmp --type bitmap");
    assert_eq!((code, &answer["verification"]["verdict"]), (8, &"partial".into()));
    bench.run("verify out.dmp").exits(8);
}

#[test]
fn a_dump_without_pages_has_nothing_to_convert() {
    let bench = bench();
    bench.run("triage --simulate -p notepad t.dmp").exits(0);
    let ran = bench.run("convert t.dmp out.dmp --type bitmap").exits(4);
    ran.complains("only dumps with pages of physical memory can be converted");
    assert_eq!(bench.names(), ["live.dmp", "t.dmp"]);
}

#[test]
fn a_folder_as_out_takes_the_name_of_in() {
    let bench = bench();
    std::fs::create_dir(bench.path("sub")).unwrap();
    bench.run("convert live.dmp sub --type bitmap").exits(0);
    bench.run("verify sub/live.dmp").exits(0);
    bench.run("convert live.dmp gone/x.dmp --type bitmap").exits(5).complains("create it first");
    bench.run("convert gone.dmp x.dmp --type bitmap").exits(10);
    bench.run("convert live.dmp x.dmp").exits(2);
    bench.run("convert live.dmp x.dmp --type triage").exits(2);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_leaves_only_a_partial_that_is_no_dump() {
    let bench = bench();
    let line = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" convert live.dmp out.dmp --type bitmap";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", line, livedump::EXE]).current_dir(bench.path("."));
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{errors}");
    assert!(errors.contains("out.dmp.partial is left"), "{errors}");
    assert_eq!(bench.names(), ["live.dmp", "out.dmp.partial"]);
    bench.run("info out.dmp.partial").exits(9);
}
