//! Facts about sets of triage dumps.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use common::triage;
use format::{File, Set, SetError};
use memory::{VirtualAddress, VirtualMemory};

const FIRST: u64 = 0xFFFF_8500_0000_1000;
const SECOND: u64 = 0xFFFF_8500_0000_5000;

/// Two dumps of two moments, and the text that describes them.
fn written(folder: &Path, text: &str) -> PathBuf {
    let shared = FIRST + 0x800;
    let dumps = [(FIRST, 1, "a.dmp"), (SECOND, 2, "a-2.dmp")];
    for (address, byte, name) in dumps {
        let image = triage(&[(address, &[byte; 0x100]), (shared, &[byte; 0x10])]).0;
        std::fs::write(folder.join(name), image.0).unwrap();
    }
    let path = folder.join("a.json");
    std::fs::write(&path, text).unwrap();
    path
}

const TEXT: &str = r#"{"schema":"livedump.triage-set/1","moments":2,"files":[
    {"file":"a.dmp","size":1,"taken":"2026-01-02T03:04:05Z","tids":[4,8],"verdict":"good"},
    {"file":"a-2.dmp","size":1,"tids":[12]}]}"#;

#[test]
fn a_set_opens_as_one_and_says_which_file_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let set = Set::open(&written(folder.path(), TEXT), File::open).unwrap();
    assert_eq!(set.moments()[0].taken.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(set.moments()[1].tids, [12]);
    let memory = set.memory().unwrap();
    let mut byte = [0; 4];
    for (address, file) in [(FIRST, 0), (SECOND, 1), (FIRST + 0x800, 0)] {
        assert_eq!(memory.read_from(VirtualAddress(address), &mut byte).unwrap(), file);
        assert_eq!(byte, [file as u8 + 1; 4]);
    }
    memory.triages()[1].read_virtual(VirtualAddress(FIRST + 0x800), &mut byte).unwrap();
    assert_eq!(byte, [2; 4], "the file that is asked for");
    assert!(memory.read_virtual(VirtualAddress(SECOND + 0x1000), &mut byte).is_err());
}

#[test]
fn a_description_names_files_beside_it_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["../a.dmp", "/etc/passwd", "x\\\\y", "c:z", "..", ""] {
        let path = written(folder.path(), &TEXT.replace("a-2.dmp", name));
        let error = Set::open(&path, File::open).err().unwrap();
        assert!(matches!(error, SetError::NotASet { .. }), "{name}: {error}");
    }
}

#[test]
fn what_describes_no_set_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for text in
        ["", "{}", "[]", r#"{"schema":"livedump.info/1"}"#, r#"{"schema":"livedump.triage-set/1"}"#]
    {
        let error = Set::open(&written(folder.path(), text), File::open).err().unwrap();
        assert!(matches!(error, SetError::NotASet { .. }), "{text}: {error}");
    }
    let path = written(folder.path(), &TEXT.replace("a-2.dmp", "gone.dmp"));
    assert!(matches!(Set::open(&path, File::open), Err(SetError::Io { .. })));
    let path = written(folder.path(), &TEXT.replace("a-2.dmp", "a.json"));
    let set = Set::open(&path, File::open).unwrap();
    assert!(matches!(set.memory(), Err(SetError::Dump { .. })));
}
