//! Dump files on Windows: the shipped exe reads, verifies and converts them as the native one does.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};

use serde_json::Value;
use wine_tests::Desk;

/// A folder with a live dump that the exe took.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.livedump("healthy", &["kernel", "live.dmp"]).exits(0);
    desk
}

/// Makes a complete dump of so many pages, all but its header a hole.
fn sparse(desk: &Desk, name: &str, pages: u64) {
    let mut header = fs::read(desk.path("live.dmp")).expect("a live dump");
    header.truncate(0x2000);
    let mut put = |at: usize, value: u64| {
        header[at..at + 8].copy_from_slice(&value.to_le_bytes());
    };
    put(0x88, 1);
    put(0x90, pages);
    put(0x98, 0);
    put(0xA0, pages);
    header[0xF98..0xF9C].copy_from_slice(&1_u32.to_le_bytes());
    fs::write(desk.path(name), header).expect("a file");
    let file = OpenOptions::new().write(true).open(desk.path(name)).expect("the file");
    file.set_len(0x2000 + pages * 4096).expect("a sparse file");
}

#[test]
fn a_dump_is_converted_to_the_same_bytes_as_elsewhere_and_verified() {
    let desk = desk();
    let ended =
        desk.livedump("wine", &["convert", "live.dmp", "b.dmp", "--type", "bitmap", "--json"]);
    let answer = ended.exits(0).json();
    assert_eq!(answer["verification"]["verdict"], "good");
    assert_eq!(answer["path"].as_str().map(|path| path.ends_with(r"\b.dmp")), Some(true));
    desk.livedump("wine", &["verify", "--level", "deep", "b.dmp"]).exits(0);
    desk.native(&["convert", "live.dmp", "n.dmp", "--type", "bitmap"]).exits(0);
    let read = |name: &str| fs::read(desk.path(name)).expect("a dump");
    assert!(read("b.dmp") == read("n.dmp"));
    assert_eq!(desk.files(), ["b.dmp", "live.dmp", "n.dmp"]);
}

#[test]
fn neither_the_source_nor_an_older_file_is_replaced_unasked() {
    let desk = desk();
    let convert = |from: &str, to: &str, more: &[&str]| {
        let words = [&["convert", from, to, "--type", "bitmap"], more].concat();
        desk.livedump("wine", &words)
    };
    fs::hard_link(desk.path("live.dmp"), desk.path("second.dmp")).expect("a link");
    for same in ["live.dmp", "LIVE.DMP", r".\live.dmp", "second.dmp"] {
        let ended = convert("live.dmp", same, &["--overwrite"]).exits(2);
        assert!(ended.stderr.contains("never written to"), "{same}: {}", ended.stderr);
    }
    fs::write(desk.path("old.dmp"), "older").expect("a file");
    convert("live.dmp", "old.dmp", &[]).exits(5);
    assert_eq!(fs::read(desk.path("old.dmp")).expect("the file"), b"older");
    convert("live.dmp", "old.dmp", &["--overwrite"]).exits(0);
    assert_eq!(desk.files(), ["live.dmp", "old.dmp", "second.dmp"]);
}

#[test]
fn what_is_zeros_takes_no_room_in_a_converted_dump() {
    let desk = desk();
    sparse(&desk, "in.dmp", 1 << 16);
    let ended =
        desk.livedump("wine", &["convert", "in.dmp", "out.dmp", "--type", "bitmap", "--json"]);
    assert_eq!(ended.exits(0).json()["holes"], 1 << 28);
    let out = desk.path("out.dmp").metadata().expect("the dump");
    assert!(out.len() > 1 << 28 && out.blocks() * 512 < 1 << 24, "{} blocks", out.blocks());
}

#[test]
fn ctrl_c_ends_a_conversion_and_leaves_nothing() {
    let desk = desk();
    // Zeros for a while, and fewer than the disk has free.
    sparse(&desk, "in.dmp", 1 << 22);
    let words = ["convert", "in.dmp", "out.dmp", "--type", "bitmap", "--no-map"];
    let running = desk.start("wine", &words);
    desk.wait_for("out.dmp.partial", 1 << 20);
    desk.interrupt();
    running.end().exits(7);
    assert_eq!(desk.files(), ["in.dmp", "live.dmp"]);
}

#[test]
fn a_cut_dump_is_converted_as_far_as_it_goes_and_a_wrong_file_is_named() {
    let desk = desk();
    sparse(&desk, "in.dmp", 100);
    let file = OpenOptions::new().write(true).open(desk.path("in.dmp")).expect("the file");
    file.write_all_at(b"data", 0x2000).expect("written");
    file.set_len(0x2000 + 98 * 4096).expect("cut");
    let words = ["convert", "in.dmp", "out.dmp", "--type", "full", "--json"];
    let answer = desk.livedump("wine", &words).exits(8).json();
    assert_eq!((&answer["pages"], &answer["pages_behind_the_end"]), (&98.into(), &2.into()));
    desk.livedump("wine", &["verify", "out.dmp"]).exits(8);
    fs::write(desk.path("core"), b"\x7fELF\x02\x01\x01 a core").expect("a file");
    let ended = desk.livedump("wine", &["convert", "core", "x.dmp", "--type", "full"]).exits(9);
    assert!(ended.stderr.contains("ELF"), "{}", ended.stderr);
}

/// One test a row: what the exe answers about a dump is what the native program answers.
macro_rules! same_answers {
    ($($name:ident: [$($word:expr),*];)*) => {
        $(#[test]
        fn $name() {
            let desk = desk();
            let words = [$($word),*, "--json"];
            let wine: Value = desk.livedump("wine", &words).exits(0).json();
            let native: Value = desk.native(&words).exits(0).json();
            assert_eq!(wine, native);
            let by_position = desk.livedump("wine", &[&words[..], &["--no-map"]].concat());
            assert_eq!(by_position.exits(0).json(), native);
        })*
    };
}

same_answers! {
    info_is_the_same: ["info", "live.dmp"];
    verify_is_the_same: ["verify", "live.dmp", "--level", "deep"];
    physical_memory_is_the_same: ["read", "live.dmp", "0x2000000", "0x20", "--physical"];
    the_user_shared_page_is_the_same: ["read", "live.dmp", "0xFFFFF78000000000", "0x300"];
    a_translation_is_the_same: ["translate", "live.dmp", "0xFFFFF78000000000"];
}
