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

#[test]
fn a_file_of_a_set_that_changed_since_it_was_taken_is_damaged_at_level_deep() {
    use format::{Level, Outcome, Verdict, verify_set};
    use sha2::{Digest, Sha256};
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "{}");
    let whole = std::fs::read(folder.path().join("a.dmp")).unwrap();
    let sum: String = Sha256::digest(&whole).iter().map(|byte| format!("{byte:02X}")).collect();
    let text = r#"{"schema":"livedump.triage-set/1","files":[{"file":"a.dmp","sha256":"SUM"}]}"#;
    std::fs::write(&path, text.replace("SUM", &sum)).unwrap();
    let verified = |level| {
        let whole = verify_set(&Set::open(&path, File::open).unwrap(), level).whole;
        let check = whole.checks.into_iter().find(|check| check.name == "set.sha256");
        (whole.verdict, check)
    };
    let (verdict, check) = verified(Level::Deep);
    assert_eq!((verdict, check.unwrap().outcome), (Verdict::Good, Outcome::Pass));

    // One byte of memory: no structure tells.
    let mut changed = whole.clone();
    *changed.iter_mut().rfind(|byte| **byte == 1).unwrap() = 3;
    std::fs::write(folder.path().join("a.dmp"), changed).unwrap();
    assert_eq!(verified(Level::Structure), (Verdict::Good, None), "a question of every byte");
    let (verdict, check) = verified(Level::Deep);
    let check = check.unwrap();
    assert_eq!((verdict, check.outcome), (Verdict::Damaged, Outcome::Fail));
    assert_eq!((check.expected.as_ref(), check.offset), (Some(&sum), Some(0)));
    assert!(check.found.is_some_and(|found| found.len() == 64 && found != sum.to_lowercase()));
}

#[test]
fn a_set_without_sums_says_that_a_change_is_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), TEXT);
    let set = Set::open(&path, File::open).unwrap();
    let checks = format::verify_set(&set, format::Level::Deep).whole.checks;
    let noted = checks.iter().filter(|check| check.name == "set.sha256");
    assert!(noted.clone().all(|check| check.outcome == format::Outcome::Note));
    assert_eq!(noted.count(), 2);
}
