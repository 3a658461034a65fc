//! `livedump read`, `livedump translate` and `livedump blobs`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may

mod livedump;

use livedump::Bench;
use serde_json::Value;
use simulator::files::{Answer, Blob, DumpFile, FileSpec, Hazard, Kind, Machine, Page};

fn made(bench: &Bench, name: &str, spec: FileSpec) -> DumpFile {
    let file = spec.build();
    bench.write(name, &file.bytes());
    file
}

/// The bytes of all parts of an answer as JSON.
fn bytes_of(answer: &Value) -> Vec<u8> {
    let parts = answer["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let digits: String = parts.iter().map(|part| part["hex"].as_str().unwrap()).collect();
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn name_of(machine: Machine, kind: Kind) -> String {
    format!("{machine:?}-{kind:?}.dmp")
}

#[test]
fn every_known_address_reads_and_translates_as_it_is_on_every_machine() {
    let bench = Bench::new();
    for (machine, kind) in [
        (Machine::X64, Kind::BitmapFull),
        (Machine::X64FiveLevels, Kind::Full),
        (Machine::Arm64, Kind::CompleteRanges),
        (Machine::X86Pae, Kind::Full),
        (Machine::X86, Kind::BitmapKernel),
    ] {
        let name = name_of(machine, kind);
        let file = made(&bench, &name, FileSpec::new(kind, machine));
        for known in &file.truth().known {
            let at = known.virtual_address;
            let (code, walked) = bench.json(&format!("translate {name} {at:#x}"));
            assert_eq!(code, 0, "{known:?}");
            let missing = &walked["missing"];
            match &known.answer {
                Answer::Bytes { physical, bytes } => {
                    let length = bytes.len();
                    let (_, read) = bench.json(&format!("read {name} {at:#x} {length}"));
                    assert_eq!(&bytes_of(&read), bytes, "{name} {known:?}");
                    let physical = format!("{:016x}", physical.unwrap());
                    assert_eq!(walked["physical"], physical, "{name} {known:?}");
                    let line = format!("read {name} {physical} 1 --physical");
                    let (_, read) = bench.json(&line);
                    assert_eq!(bytes_of(&read), bytes[..1]);
                    assert_eq!(read["parts"][0]["file_offset"], walked["file_offset"]);
                }
                Answer::PageNotInFile { physical } => {
                    assert_eq!(missing["frame"], format!("{:016x}", physical >> 12), "{walked}");
                    assert!(walked["levels"].is_array() && walked.get("file_offset").is_none());
                }
                Answer::TableNotInFile { frame, .. } => {
                    assert_eq!(missing["frame"], format!("{frame:016x}"), "{walked}");
                    assert_eq!(missing["level"], "PTE", "{walked}");
                }
                Answer::NotMapped { .. } => {
                    assert!(missing["entry"].is_string(), "{name} {known:?} {walked}");
                    let failed = walked["levels"].as_array().unwrap().last().unwrap();
                    assert_eq!(failed["level"], missing["level"]);
                }
            }
        }
    }
}

#[test]
fn a_translation_shows_every_level_down_to_the_byte_in_the_file() {
    let bench = Bench::new();
    let file = made(&bench, "x.dmp", FileSpec::new(Kind::BitmapFull, Machine::X64));
    let known = file.truth().known.iter().find(|known| known.name == "kernel base").unwrap();
    let ran = bench.run(&format!("translate x.dmp {:016x}", known.virtual_address)).exits(0);
    let levels: Vec<_> = ran.out.lines().filter_map(|line| line.split(' ').next()).collect();
    for level in ["PXE", "PPE", "PDE", "PTE"] {
        assert!(levels.contains(&level), "{}", ran.out);
    }
    assert!(ran.value("simulated").contains("real Windows"));
    assert_eq!(ran.value("paging"), "x64, 4 levels");
    assert_eq!(ran.value("page"), "4.0 KiB");
    let offset = u64::from_str_radix(&ran.value("file offset")[2..], 16).unwrap() as usize;
    assert_eq!(&file.bytes()[offset..offset + 2], b"MZ");
    assert!(ran.out.contains("valid write"), "{}", ran.out);
}

#[test]
fn a_range_with_gaps_shows_what_is_there_and_why_the_rest_is_not() {
    let bench = Bench::new();
    let file = made(&bench, "x.dmp", FileSpec::new(Kind::BitmapFull, Machine::X64));
    let base = file.truth().kernel_base;
    // Some entries not there, one page not stored, two in transition, one paged out.
    let ran = bench.run(&format!("read x.dmp {base:#x} 0x10000")).exits(0);
    for reason in ["is not present: zero", "is not in the dump", "in page file 2", "demand zero"] {
        assert!(ran.out.contains(reason), "{reason}: {}", ran.out);
    }
    assert!(ran.out.starts_with(&format!("{base:016x}  4d 5a ")), "{}", ran.out);
    assert!(ran.value("read").contains("of 65536 bytes, "), "{}", ran.out);
    let (_, answer) = bench.json(&format!("read x.dmp {base:#x} 0x10000"));
    let gaps = answer["gaps"].as_array().unwrap();
    let missing: u64 = gaps.iter().map(|gap| gap["length"].as_u64().unwrap()).sum();
    assert_eq!(missing + answer["bytes_read"].as_u64().unwrap(), 0x10000);
    assert!(gaps.iter().any(|gap| gap["level"] == "PTE" && gap["entry"].is_string()));
    assert!(gaps.iter().any(|gap| gap["frame"].is_string()));
}

#[test]
fn a_length_of_2_to_the_63_is_answered_at_once() {
    let bench = Bench::new();
    made(&bench, "p.dmp", FileSpec::new(Kind::BitmapFull, Machine::X64));
    made(&bench, "t.dmp", FileSpec::new(Kind::Triage, Machine::X64));
    for line in [
        "p.dmp 0xffff800000000000 0x7fffffffffff",
        "p.dmp 0 0x8000000000000000 --physical",
        "p.dmp 0 0x8000000000000000",
        "t.dmp 0x100 0x8000000000000000",
    ] {
        let (code, answer) = bench.json(&format!("read {line}"));
        assert_eq!(code, 0, "{line}");
        let gaps = answer["gaps"].as_array().unwrap();
        assert!(gaps.len() < 4096, "{line}: {}", gaps.len());
        let missing: u64 = gaps.iter().map(|gap| gap["length"].as_u64().unwrap()).sum();
        let asked = answer["length"].as_u64().unwrap();
        assert_eq!(missing + answer["bytes_read"].as_u64().unwrap(), asked, "{line}");
        assert!(answer.get("ended").is_none(), "{line}");
    }
}

#[test]
fn an_answer_as_json_has_a_limit_and_says_where_to_read_on() {
    let bench = Bench::new();
    let spec = FileSpec::new(Kind::BitmapFull, Machine::X64).bare();
    made(&bench, "x.dmp", spec.pages(0x100, 1500, Page::Zero));
    let (_, answer) = bench.json("read x.dmp 0x100000 0x5dc000 --physical");
    assert_eq!(answer["bytes_read"], 1 << 20);
    assert_eq!(answer["ended"]["address"], "0000000000200000");
    let (_, rest) = bench.json("read x.dmp 0000000000200000 0xdc000 --physical");
    assert_eq!(rest["bytes_read"], 0xd_c000);
}

#[test]
fn no_more_gaps_are_told_than_anybody_reads() {
    let bench = Bench::new();
    let mut spec = FileSpec::new(Kind::BitmapFull, Machine::X64).bare();
    for page in 0..5000 {
        spec = spec.pages(0x100 + 2 * page, 1, Page::Zero);
    }
    made(&bench, "x.dmp", spec);
    let (_, answer) = bench.json("read x.dmp 0x101000 0x8000000000000000 --physical");
    assert_eq!(answer["gaps"].as_array().unwrap().len(), 257, "as many as 1 MiB of pages has");
    let ran = bench.run("read x.dmp 0x101000 0x8000000000000000 --physical").exits(0);
    assert_eq!(ran.out.lines().filter(|line| line.contains("  missing ")).count(), 4096);
    assert!(ran.value("ended").contains("read on from there"), "{}", ran.value("ended"));
}

#[test]
fn addresses_are_taken_as_livedump_and_debuggers_print_them() {
    let bench = Bench::new();
    let spec = FileSpec::new(Kind::Full, Machine::X64).bare();
    made(&bench, "x.dmp", spec.pages(0x12, 1, Page::Addresses));
    let expected = bench.run("read x.dmp 0x12010 16 --physical").exits(0).out;
    assert!(expected.starts_with("0000000000012010  "), "{expected}");
    for typed in ["0x12010 0x10", "00000000`00012010 0n16", "0000000000012010 16", "73744 10h"] {
        let ran = bench.run(&format!("read x.dmp {typed} --physical")).exits(0);
        assert_eq!(ran.out, expected, "{typed}");
    }
}

#[test]
fn what_cannot_be_an_address_is_a_usage_error_that_says_why() {
    let bench = Bench::new();
    made(&bench, "x.dmp", FileSpec::new(Kind::BitmapFull, Machine::X64));
    made(&bench, "x86.dmp", FileSpec::new(Kind::Full, Machine::X86Pae));
    for (line, word) in [
        ("read x.dmp 0x0000900000000000 8", "is not canonical"),
        ("translate x.dmp 0x0000900000000000", "is not canonical"),
        ("read x.dmp 0xffffffffffffffff 2", "beyond the last address"),
        ("read x.dmp 0x10000000000000 8 --physical", "no physical address"),
        ("read x.dmp 0xfffffffff0000000 0xffffffffffffffff", "at most 0x10000000 can be read"),
        ("read x86.dmp 0x100000000 8", "no address of a 32-bit machine"),
        ("read x86.dmp 0xfffffff0 0x11", "beyond the last address, 00000000ffffffff"),
        ("translate x86.dmp 0xffffffff00000000", "no address of a 32-bit machine"),
        ("read x.dmp 0x1000 0", "1 byte or more"),
        ("read x.dmp nt!KiBugCheckData 8", "an address is hexadecimal"),
        ("read x.dmp -8 8", "cannot be negative"),
        ("read x.dmp 0x1000 -1", "cannot be negative"),
        ("read x.dmp 0x1000 8 --physical --dtb 0x1000", "cannot be used with"),
        ("read x.dmp 0x1000 8 --raw --json", "name a file with -o"),
        ("read x.dmp 0x1000 8 --overwrite", "--output"),
        ("blobs x.dmp 0", "its number in the list"),
    ] {
        let ran = bench.run(line).exits(2);
        assert!(ran.err.contains(word), "{line}: {}", ran.err);
        assert!(ran.out.is_empty(), "{line}");
    }
}

#[test]
fn a_32_bit_address_is_taken_with_its_sign_extended_or_not() {
    let bench = Bench::new();
    for kind in [Kind::Full, Kind::Triage] {
        let file = made(&bench, "x86.dmp", FileSpec::new(kind, Machine::X86Pae));
        let known = file.truth().known.iter().find(|known| known.name == "debugger block");
        let at = known.unwrap().virtual_address;
        let plain = bench.run(&format!("read x86.dmp {at:#x} 32")).exits(0).out;
        let extended = bench.run(&format!("read x86.dmp {:#x} 32", at | !0 << 32)).exits(0).out;
        assert_eq!(plain, extended);
        assert!(plain.starts_with(&format!("{at:016x}  ")) && plain.contains("KDBG"), "{plain}");
        bench.run(&format!("translate x86.dmp {:#x}", at | !0 << 32)).exits(0);
    }
}

#[test]
fn other_page_tables_are_used_when_they_are_named() {
    let bench = Bench::new();
    let file = made(&bench, "x.dmp", FileSpec::new(Kind::BitmapFull, Machine::X64));
    let (base, root) = (file.truth().kernel_base, file.truth().directory_table_base);
    let plain = bench.run(&format!("read x.dmp {base:#x} 16")).exits(0).out;
    let named = bench.run(&format!("read x.dmp {base:#x} 16 --dtb {:#x}", root | 2)).exits(0).out;
    assert_eq!(plain, named, "its flags are no part of it");
    let other = bench.run(&format!("read x.dmp {base:#x} 16 --dtb 0x7abc000")).exits(0);
    other.says("its PXE lies in page 0000000000007abc, which is not in the dump");
    let walk = bench.run(&format!("translate x.dmp {base:#x} --dtb 0x7abc000")).exits(0);
    assert_eq!(walk.value("root"), "0000000007abc000");
}

#[test]
fn a_triage_dump_has_blocks_and_says_which_and_no_physical_memory() {
    let bench = Bench::new();
    let file = made(&bench, "t.dmp", FileSpec::new(Kind::Triage, Machine::X64));
    let (stack, bytes) = file.truth().call_stack.clone().unwrap();
    let (_, read) = bench.json(&format!("read t.dmp {stack:#x} {}", bytes.len()));
    assert_eq!(bytes_of(&read), bytes);
    let (_, places) = bench.json(&format!("translate t.dmp {stack:#x}"));
    let list = places["places"].as_array().unwrap();
    assert!(list.iter().any(|place| place["part"] == "call stack"), "{places}");
    assert_eq!(list.iter().filter(|place| place["is_read"] == true).count(), 1);
    let none = bench.run("translate t.dmp 0x1234").exits(0);
    assert_eq!(none.value("missing"), "no block of the dump has it");
    for line in [
        "read t.dmp 0 8 --physical",
        "read t.dmp 0x1000 8 --dtb 0x1000",
        "translate t.dmp 0x1000 --dtb 0x1000",
    ] {
        bench.run(line).exits(4).complains("blocks of virtual memory and no ");
    }
}

#[test]
fn what_has_no_memory_says_so_and_what_is_no_dump_is_named() {
    let bench = Bench::new();
    made(&bench, "header.dmp", FileSpec::new(Kind::Header, Machine::X64));
    let spec = FileSpec::new(Kind::Full, Machine::X64).with(Hazard::Encrypted);
    made(&bench, "encrypted.dmp", spec);
    let spec = FileSpec::new(Kind::Full, Machine::Ia64).pages(1, 1, Page::Zero);
    made(&bench, "ia64.dmp", spec);
    bench.write("a.zip", b"PK\x03\x04");
    for (file, code, word) in [
        ("header.dmp", 4, "stores no physical pages"),
        ("encrypted.dmp", 9, "encrypted"),
        ("ia64.dmp", 4, "IA64 machine are not understood"),
        ("a.zip", 9, "unpack it first"),
        ("gone.dmp", 10, "cannot be opened"),
        (".", 10, "it is a folder"),
    ] {
        bench.run(&format!("read {file} 0x1000 8")).exits(code).complains(word);
        bench.run(&format!("translate {file} 0x1000")).exits(code).complains(word);
    }
    bench.run("read ia64.dmp 0x1000 8 --physical").exits(0);
}

#[test]
fn raw_bytes_go_to_a_pipe_and_end_at_the_first_gap_with_a_word_and_an_exit_code() {
    let bench = Bench::new();
    let file = made(&bench, "x.dmp", FileSpec::new(Kind::BitmapFull, Machine::X64));
    let known = file.truth().known.iter().find(|known| known.name == "across two large pages");
    let known = known.unwrap();
    let Answer::Bytes { bytes, .. } = &known.answer else { panic!("{known:?}") };
    let raw = |length: &str| {
        let at = format!("{:#x}", known.virtual_address);
        bench.command(&["read", "x.dmp", &at, length, "--raw"]).output().unwrap()
    };
    let whole = raw(&bytes.len().to_string());
    assert_eq!((whole.status.code(), &whole.stdout, whole.stderr.len()), (Some(0), bytes, 0));
    let cut = raw("0x3000");
    assert_eq!(cut.status.code(), Some(8));
    assert!(cut.stdout.len() < 0x3000 && cut.stdout.starts_with(bytes));
    let errors = String::from_utf8(cut.stderr).unwrap();
    assert!(errors.contains("is not in the dump") && errors.contains("of 12288 bytes"), "{errors}");
}

#[test]
fn bytes_get_a_file_with_a_good_name_only_when_they_are_all_there() {
    let bench = Bench::new();
    let spec = FileSpec::new(Kind::Full, Machine::X64).bare();
    let file = made(&bench, "x.dmp", spec.pages(0x12, 2, Page::Addresses));
    let offset = file.offset_of(0x12).unwrap() as usize;
    let expected = file.bytes()[offset..offset + 0x2000].to_vec();
    bench.run("read x.dmp 0x12000 0x2000 --physical -o whole.bin").exits(0).says("8192 of 8192");
    assert_eq!(std::fs::read(bench.path("whole.bin")).unwrap(), expected);
    let (code, cut) = bench.json("read x.dmp 0x12000 0x3000 --physical -o cut.bin");
    assert_eq!((code, &cut["exit_code"]), (8, &8.into()));
    assert!(cut["output"].as_str().unwrap().ends_with("cut.bin.partial"), "{cut}");
    assert_eq!(cut["ended"]["address"], "0000000000014000");
    assert_eq!(std::fs::read(bench.path("cut.bin.partial")).unwrap(), expected);
    bench.run("read x.dmp 0x99000 8 --physical -o none.bin").exits(8).says("nothing of 8 bytes");
    assert_eq!(bench.names(), ["cut.bin.partial", "whole.bin", "x.dmp"]);
}

#[test]
fn an_older_file_is_replaced_only_when_asked_and_the_dump_never() {
    let bench = Bench::new();
    let spec = FileSpec::new(Kind::Full, Machine::X64).bare();
    let before = made(&bench, "x.dmp", spec.pages(0x12, 1, Page::Addresses)).bytes();
    bench.write("old.bin", b"older");
    let line = "read x.dmp 0x12000 8 --physical";
    bench.run(&format!("{line} -o old.bin")).exits(5).complains("--overwrite");
    assert_eq!(std::fs::read(bench.path("old.bin")).unwrap(), b"older");
    bench.run(&format!("{line} -o old.bin --overwrite")).exits(0);
    assert_eq!(std::fs::read(bench.path("old.bin")).unwrap().len(), 8);
    bench
        .run(&format!("{line} -o x.dmp --overwrite"))
        .exits(2)
        .complains("is the file that is read");
    bench.run(&format!("{line} -o no/such/folder/x.bin")).exits(5);
    assert_eq!(std::fs::read(bench.path("x.dmp")).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_a_long_answer_well() {
    use std::process::Stdio;
    let bench = Bench::new();
    let spec = FileSpec::new(Kind::BitmapFull, Machine::X64).bare();
    made(&bench, "x.dmp", spec.pages(0x100, 2000, Page::Zero));
    for more in [&[][..], &["--raw"]] {
        let words = ["read", "x.dmp", "0x100000", "0x7d0000", "--physical"];
        let mut command = bench.command(&[&words, more].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!errors.contains("panicked") && !errors.contains("error"), "{errors}");
    }
}

/// Mapped, the system may as well end the process, which is what --no-map is for.
#[cfg(unix)]
#[test]
fn a_file_that_is_cut_while_it_is_read_by_position_is_an_error_that_says_so() {
    use std::io::Read;
    use std::process::Stdio;
    let bench = Bench::new();
    let spec = FileSpec::new(Kind::BitmapFull, Machine::X64).bare();
    made(&bench, "x.dmp", spec.pages(0x100, 2000, Page::Zero));
    let words = ["read", "x.dmp", "0x100000", "0x7d0000", "--physical", "--raw", "--no-map"];
    let mut command = bench.command(&words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 4096]).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(bench.path("x.dmp")).unwrap();
    file.set_len(0x10_0000).unwrap();
    let reader = std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
    let ended = child.wait_with_output().unwrap();
    reader.join().unwrap().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(5), "{errors}");
    assert!(errors.contains("was cut while it was read"), "{errors}");
}

#[test]
fn blobs_are_listed_shown_and_extracted_by_number_and_tag() {
    let bench = Bench::new();
    let data: Vec<u8> = (0..=255).collect();
    let blobs = vec![Blob::new([1; 16], Vec::new()), Blob::new([2; 16], data.clone())];
    made(&bench, "x.dmp", FileSpec::new(Kind::Full, Machine::X64).blobs(blobs));
    made(&bench, "none.dmp", FileSpec::new(Kind::Header, Machine::X64).blobs(Vec::new()));
    let tag = "02020202-0202-0202-0202-020202020202";
    let list = bench.run("blobs x.dmp").exits(0).says(tag).says("0001020304050607");
    assert_eq!(list.value("blobs"), "2");
    let (_, answer) = bench.json("blobs x.dmp");
    assert_eq!(answer["blobs"][1]["number"], 2);
    assert_eq!(bytes_of(&bench.json("blobs x.dmp 2").1), data);
    assert_eq!(bytes_of(&bench.json(&format!("blobs x.dmp {{{tag}}}")).1), data);
    bench.run(&format!("blobs x.dmp {tag} -o two.bin")).exits(0);
    assert_eq!(std::fs::read(bench.path("two.bin")).unwrap(), data);
    bench.run("blobs x.dmp 3").exits(10).complains("it has 2");
    bench.run("blobs none.dmp").exits(0).says("blobs       0");
    bench.run("blobs x.dmp 1 -o empty.bin").exits(0);
    assert_eq!(std::fs::read(bench.path("empty.bin")).unwrap().len(), 0);
}

#[test]
fn more_blobs_than_any_dump_has_are_counted_and_listed_as_json_only() {
    let bench = Bench::new();
    let blobs = (0..1500).map(|_| Blob::new([3; 16], Vec::new())).collect();
    made(&bench, "x.dmp", FileSpec::new(Kind::Header, Machine::X64).blobs(blobs));
    for line in ["blobs x.dmp", "info x.dmp"] {
        let ran = bench.run(line).exits(0);
        assert_eq!(ran.value("more"), "500 blobs are not listed here: --json lists them");
        assert_eq!(ran.out.lines().filter(|line| line.contains("03030303-0303")).count(), 1000);
    }
    assert_eq!(bench.json("blobs x.dmp").1["blobs"].as_array().unwrap().len(), 1500);
}

#[test]
fn a_file_is_read_the_same_mapped_or_by_position() {
    let bench = Bench::new();
    let file = made(&bench, "x.dmp", FileSpec::new(Kind::BitmapFull, Machine::X64));
    let base = file.truth().kernel_base;
    for line in [
        format!("read x.dmp {base:#x} 0x20000"),
        format!("translate x.dmp {base:#x}"),
        "blobs x.dmp".to_owned(),
        "info x.dmp".to_owned(),
        "verify x.dmp --level deep".to_owned(),
    ] {
        let mapped = bench.run(&line).exits(0).out;
        assert_eq!(bench.run(&format!("{line} --no-map")).exits(0).out, mapped, "{line}");
    }
}
