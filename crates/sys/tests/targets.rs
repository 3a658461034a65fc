//! What every target keeps to, on this OS and, run under Wine, on Windows'.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::Path;

use machine::{TargetError, TargetOptions};

fn options(folder: &Path, name: &str) -> TargetOptions {
    TargetOptions {
        folder: folder.to_path_buf(),
        name: name.into(),
        allocate: 0,
        reader: None,
        unbuffered: true,
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_target_is_new_and_never_an_older_file() {
    let folder = folder();
    fs::write(folder.path().join("old.dmp"), "evidence").unwrap();
    let host = sys::host().unwrap();
    let refused = host.create_target(&options(folder.path(), "old.dmp")).err().unwrap();
    assert_eq!(refused, TargetError::Exists(folder.path().join("old.dmp")));
    assert_eq!(fs::read(folder.path().join("old.dmp")).unwrap(), b"evidence");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = folder();
    let missing = folder.path().join("none");
    let host = sys::host().unwrap();
    let refused = host.create_target(&options(&missing, "x.dmp")).err().unwrap();
    assert_eq!(refused, TargetError::NoFolder(missing));
    fs::write(folder.path().join("file"), "").unwrap();
    let file = folder.path().join("file");
    let refused = host.create_target(&options(&file, "x.dmp")).err().unwrap();
    assert_eq!(refused, TargetError::NoFolder(file));
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_a_link_is_refused_also_with_a_trailing_slash() {
    let folder = folder();
    let link = folder.path().join("link");
    fs::create_dir(folder.path().join("real")).unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    let host = sys::host().unwrap();
    for path in [link.clone(), folder.path().join("link/")] {
        let refused = host.create_target(&options(&path, "x.dmp")).err().unwrap();
        assert_eq!(refused, TargetError::ReparsePoint(link.clone()));
    }
}

#[test]
fn reads_and_writes_take_any_offset_and_keep_the_length() {
    let folder = folder();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    assert!(target.is_empty().unwrap());
    let body: Vec<u8> = (0..100_001_u32).map(|at| (at % 253) as u8).collect();
    target.write_at(0, &body).unwrap();
    assert_eq!(target.len().unwrap(), 100_001);
    target.write_at(0xFB0, b"a comment").unwrap();
    assert_eq!(target.len().unwrap(), 100_001);
    target.flush().unwrap();

    let mut back = vec![0; 100_001];
    assert_eq!(target.read_at(0, &mut back).unwrap(), back.len());
    let mut expected = body;
    expected[0xFB0..0xFB0 + 9].copy_from_slice(b"a comment");
    assert_eq!(back, expected);
    assert_eq!(target.read_at(100_000, &mut back).unwrap(), 1);
    assert_eq!(target.read_at(100_001, &mut back).unwrap(), 0);
    target.set_len(8).unwrap();
    assert_eq!(host.file_length(&target.path()), Some(8));
}

#[test]
fn a_rename_never_replaces_unasked() {
    let folder = folder();
    let host = sys::host().unwrap();
    let old = folder.path().join("x.dmp");
    fs::write(&old, "evidence").unwrap();
    let target = host.create_target(&options(folder.path(), "x.dmp.partial")).unwrap();
    target.write_at(0, b"new").unwrap();

    assert_eq!(target.rename("x.dmp", false), Err(TargetError::Exists(old.clone())));
    assert_eq!(fs::read(&old).unwrap(), b"evidence");
    assert!(target.path().ends_with("x.dmp.partial"));

    assert_eq!(target.rename("x.dmp", true), Ok(old.clone()));
    assert_eq!(target.path(), old);
    drop(target);
    assert_eq!(fs::read(&old).unwrap(), b"new");
    assert!(!folder.path().join("x.dmp.partial").exists());
}

#[test]
fn a_deleted_target_leaves_nothing() {
    let folder = folder();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    target.write_at(0, b"half").unwrap();
    target.delete().unwrap();
    drop(target);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_goes_away_by_another_handle_at_the_latest_when_the_target_closes() {
    let folder = folder();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    host.delete_later(&target.path()).unwrap();
    target.write_at(0, b"the kernel still writes").unwrap();
    drop(target);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_length_is_told_by_a_handle_of_its_own_while_the_target_is_open() {
    let folder = folder();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    assert_eq!(host.file_length(&target.path()), Some(0));
    target.write_at(0, &[1; 70_000]).unwrap();
    assert_eq!(host.file_length(&target.path()), Some(70_000));
    assert_eq!(host.file_length(&folder.path().join("none")), None);
}

#[test]
fn allocated_space_does_not_count_as_length() {
    let folder = folder();
    let host = sys::host().unwrap();
    let wanted = TargetOptions { allocate: 1 << 20, ..options(folder.path(), "x.partial") };
    let target = host.create_target(&wanted).unwrap();
    assert_eq!(target.len().unwrap(), 0);
}

#[test]
fn more_space_than_there_is_shows_at_once_and_leaves_nothing() {
    let folder = folder();
    let host = sys::host().unwrap();
    let wanted = TargetOptions { allocate: 1 << 60, ..options(folder.path(), "x.partial") };
    // A file system that cannot allocate ahead creates it all the same.
    if let Err(error) = host.create_target(&wanted) {
        assert!(matches!(error, TargetError::NoSpace(_)), "{error:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[cfg(unix)]
#[test]
fn nobody_but_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    assert!(target.facts().protected);
    assert_eq!(target.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_small_file_is_written_new_and_only_new() {
    let folder = folder();
    let host = sys::host().unwrap();
    let path = host.write_new(&options(folder.path(), "set.json"), b"{}").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"{}");
    let again = host.write_new(&options(folder.path(), "set.json"), b"[]");
    assert_eq!(again, Err(TargetError::Exists(path)));
}
