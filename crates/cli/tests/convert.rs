//! `livedump convert`.
#![forbid(unsafe_code)]

mod livedump;

use livedump::Bench;
use simulator::files::{Blob, FileSpec, Hazard, Kind, Machine, Page};

fn made(machine: Machine) -> FileSpec {
    FileSpec::new(Kind::Full, machine)
        .pages(0x2000, 70, Page::Addresses)
        .pages(0x3000, 3, Page::Noise(7))
        .pages(0x4000, 40, Page::Zero)
}

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
fn what_cannot_be_read_as_pages_is_not_converted_and_named_for_what_it_is() {
    let bench = bench();
    let mut bytes = std::fs::read(bench.path("live.dmp")).unwrap();
    // Whatever is left of so little may as well be compressed.
    bytes.truncate(0x8000);
    bench.write("cut.dmp", &bytes);
    bench.write("junk.dmp", b"no dump at all");
    bench.write("elf.dmp", b"\x7fELF\x02\x01\x01 and so on, a core of something else");
    bench.run("kernel --simulate=encrypted encrypted.dmp").exits(8);
    let before = bench.names();
    for (source, says) in [
        ("cut.dmp", "cut or compressed"),
        ("junk.dmp", "is no kernel dump"),
        ("elf.dmp", "ELF"),
        ("encrypted.dmp", "decrypt it first"),
    ] {
        bench.run(&format!("convert {source} out.dmp --type bitmap")).exits(9).complains(says);
    }
    assert_eq!(bench.names(), before);
}

#[test]
fn of_a_cut_dump_all_is_converted_that_is_there_and_the_result_says_so_itself() {
    let bench = Bench::new();
    let file = made(Machine::X64).build();
    let mut bytes = file.bytes();
    let stored = &file.truth().stored;
    let pages: u64 = stored.iter().map(|run| run.count).sum();
    let end = stored.iter().map(|run| run.offset + run.count * 4096).max().unwrap();
    bytes.truncate(end as usize - 3 * 4096 - 7);
    bench.write("cut.dmp", &bytes);
    let (code, answer) = bench.json("convert cut.dmp out.dmp --type bitmap");
    assert_eq!(
        (code, &answer["pages_behind_the_end"], &answer["pages_unreadable"]),
        (8, &4.into(), &0.into())
    );
    assert_eq!(answer["pages"], pages - 4);
    let notes = answer["notes"].to_string();
    assert!(notes.contains("4 pages of the source behind its end"), "{notes}");
    assert!(notes.contains("4 of ") && notes.contains("pages are missing"), "{notes}");
    let ran = bench.run("verify out.dmp").exits(8);
    ran.says("STATUS_PARTIAL_COPY");
    bench.run("convert cut.dmp text.dmp --type full").exits(8).says("lost        4 pages");
}

#[test]
fn a_damaged_dump_is_converted_and_stays_marked() {
    let bench = Bench::new();
    let spec = made(Machine::X64).with(Hazard::OverlappingRuns);
    bench.write("overlap.dmp", &spec.build().bytes());
    bench.run("verify overlap.dmp").exits(9);
    let ran = bench.run("convert overlap.dmp out.dmp --type bitmap").exits(8);
    ran.says("note        the source is damaged").says("is in two runs");
    bench.run("verify out.dmp").exits(8);
}

#[test]
fn the_same_dump_makes_the_same_bytes_and_full_to_bitmap_to_full_is_the_same_dump() {
    let bench = Bench::new();
    for machine in [Machine::X64, Machine::Arm64, Machine::X86Pae] {
        let name = format!("{machine:?}");
        bench.write(&format!("{name}.dmp"), &made(machine).build().bytes());
        let convert = |from: &str, to: &str, kind: &str| {
            bench.run(&format!("convert {from} {to} --type {kind}")).exits(0);
            std::fs::read(bench.path(to)).unwrap()
        };
        let first = convert(&format!("{name}.dmp"), &format!("{name}-1"), "full");
        let again = convert(&format!("{name}.dmp"), &format!("{name}-2"), "full");
        assert!(first == again, "{name}");
        convert(&format!("{name}-1"), &format!("{name}-3"), "bitmap");
        assert!(convert(&format!("{name}-3"), &format!("{name}-4"), "full") == first, "{name}");
        let mapped = convert(&format!("{name}.dmp"), &format!("{name}-5"), "kernel-bitmap");
        let line = format!("convert {name}.dmp {name}-6 --type kernel-bitmap --no-map");
        bench.run(&line).exits(0);
        assert!(std::fs::read(bench.path(&format!("{name}-6"))).unwrap() == mapped, "{name}");
    }
}

#[test]
fn what_stands_behind_the_secondary_data_is_left_out_and_said() {
    let bench = Bench::new();
    let mut bytes =
        made(Machine::X64).blobs(vec![Blob::padded([0x22; 16], vec![5; 100])]).build().bytes();
    bytes.extend_from_slice(&[0; 0x1000]);
    bench.write("tail.dmp", &bytes);
    let (code, answer) = bench.json("convert tail.dmp out.dmp --type bitmap");
    assert_eq!((code, &answer["left_out_bytes"]), (0, &0x1000.into()));
    assert!(answer["secondary_bytes"].as_u64() > Some(100), "{answer}");
    assert!(answer["notes"].to_string().contains("4096 bytes behind"), "{answer}");
}

#[test]
fn the_phases_are_told_with_their_times() {
    let bench = bench();
    let (_, answer) = bench.json("convert live.dmp b.dmp --type bitmap");
    for phase in ["sizing", "placing", "writing", "verifying"] {
        assert!(answer["times"][phase].is_number(), "{answer}");
    }
    let ran = bench.run("convert live.dmp c.dmp --type bitmap --progress json").exits(0);
    let events = ran.err.lines().map(|line| serde_json::from_str(line).unwrap());
    let phases: Vec<String> = events
        .filter_map(|event: serde_json::Value| Some(event["phase"].as_str()?.to_owned()))
        .collect();
    for phase in ["planning", "writing", "verifying", "done"] {
        assert!(phases.iter().any(|told| told == phase), "{phases:?}");
    }
    assert_eq!(bench.run("convert live.dmp d.dmp --type bitmap").exits(0).err, "");
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
    ran.complains("stores no physical pages").complains("livedump kernel");
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
#[allow(clippy::unwrap_used)] // as clippy.toml allows in tests, whose helpers it does not see
mod unix {
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::{FileExt, MetadataExt, symlink};
    use std::process::Stdio;

    use super::*;

    /// A complete dump of so many pages, nearly all of them a hole.
    fn sparse(bench: &Bench, name: &str, pages: u64) {
        let header = &FileSpec::new(Kind::Full, Machine::X64).bare().pages(0, 1, Page::Zero);
        bench.write(name, &header.build().bytes()[..0x2000]);
        let file = std::fs::OpenOptions::new().write(true).open(bench.path(name)).unwrap();
        file.write_all_at(&pages.to_le_bytes(), 0x90).unwrap();
        file.write_all_at(&1_u32.to_le_bytes(), 0x88).unwrap();
        file.write_all_at(&0_u64.to_le_bytes(), 0x98).unwrap();
        file.write_all_at(&pages.to_le_bytes(), 0xA0).unwrap();
        file.set_len(0x2000 + pages * 4096).unwrap();
        file.write_all_at(&[0xAB; 4096], 0x2000 + (pages / 2) * 4096).unwrap();
    }

    #[test]
    fn the_source_is_not_replaced_by_any_of_its_names() {
        let bench = bench();
        symlink("live.dmp", bench.path("link.dmp")).unwrap();
        std::fs::hard_link(bench.path("live.dmp"), bench.path("second.dmp")).unwrap();
        std::fs::create_dir(bench.path("sub")).unwrap();
        symlink("../live.dmp", bench.path("sub/live.dmp")).unwrap();
        for line in [
            "convert link.dmp live.dmp",
            "convert live.dmp link.dmp",
            "convert live.dmp second.dmp",
            "convert live.dmp sub",
        ] {
            let ran = bench.run(&format!("{line} --type bitmap --overwrite")).exits(2);
            ran.complains("the source is never written to");
        }
    }

    #[test]
    fn holes_stay_holes_and_only_what_is_written_has_to_fit_on_the_disk() {
        let bench = Bench::new();
        // More than the disk has free, where it is no very large one.
        sparse(&bench, "in.dmp", 1 << 28);
        if bench.path("in.dmp").metadata().unwrap().blocks() * 512 > 1 << 30 {
            eprintln!("skipped: this file system keeps no holes");
            return;
        }
        let (code, answer) = bench.json("convert in.dmp out.dmp --type bitmap");
        assert_eq!((code, &answer["pages"]), (0, &(1_u64 << 28).into()), "{answer}");
        let out = bench.path("out.dmp").metadata().unwrap();
        // The bitmap has 32 MiB.
        assert!(out.len() > 1 << 40 && out.blocks() * 512 < 40 << 20, "{}", out.blocks());
        let mut page = [0; 4096];
        let file = std::fs::File::open(bench.path("out.dmp")).unwrap();
        let first = out.len() - (4096 << 28);
        file.read_exact_at(&mut page, first + (4096 << 27)).unwrap();
        assert_eq!(page, [0xAB; 4096]);
    }

    #[test]
    fn ctrl_c_leaves_nothing() {
        let bench = Bench::new();
        sparse(&bench, "in.dmp", 1 << 30);
        if bench.path("in.dmp").metadata().unwrap().blocks() * 512 > 1 << 30 {
            eprintln!("skipped: this file system keeps no holes");
            return;
        }
        let words = ["convert", "in.dmp", "out.dmp", "--type", "bitmap", "--progress", "json"];
        let mut command = bench.command(&words);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut events = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("\"writing\"") {
            line.clear();
            assert!(events.read_line(&mut line).unwrap() > 0, "it ended before it wrote");
        }
        let interrupt = ["-INT", &child.id().to_string()].map(str::to_owned);
        assert!(std::process::Command::new("kill").args(interrupt).status().unwrap().success());
        std::io::copy(&mut events, &mut std::io::sink()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!(bench.names(), ["in.dmp"]);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing() {
        let bench = bench();
        let line =
            "trap '' XFSZ; ulimit -f 2048; exec \"$0\" convert live.dmp out.dmp --type bitmap";
        let mut command = std::process::Command::new("sh");
        command.args(["-c", line, livedump::EXE]).current_dir(bench.path("."));
        let output = command.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(5), "{errors}");
        assert!(errors.contains("nothing was left behind"), "{errors}");
        assert_eq!(bench.names(), ["live.dmp"]);
    }
}
