//! What every target keeps to, on this OS and, run under Wine, on Windows'.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::Path;

use machine::{TargetError, TargetOptions, VolumeKind};

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

#[test]
fn what_is_never_written_to_a_sparse_target_reads_as_zeros() {
    let folder = folder();
    let host = sys::host().unwrap();
    let wanted = TargetOptions { unbuffered: false, ..options(folder.path(), "x.partial") };
    let target = host.create_target(&wanted).unwrap();
    target.set_sparse();
    target.set_len(8 << 20).unwrap();
    target.write_at(4 << 20, b"in the middle").unwrap();
    let mut back = [9; 16];
    assert_eq!(target.read_at((4 << 20) - 3, &mut back).unwrap(), 16);
    assert_eq!(&back, b"\0\0\0in the middle");
    assert_eq!(target.len().unwrap(), 8 << 20);
}

#[test]
fn one_file_is_known_by_all_its_names() {
    let folder = folder();
    let host = sys::host().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("x.dmp"), "x").unwrap();
    fs::write(path("y.dmp"), "x").unwrap();
    fs::hard_link(path("x.dmp"), path("second.dmp")).unwrap();
    assert!(host.same_file(&path("x.dmp"), &path("x.dmp")));
    assert!(host.same_file(&path("x.dmp"), &path("second.dmp")));
    assert!(!host.same_file(&path("x.dmp"), &path("y.dmp")));
    assert!(!host.same_file(&path("x.dmp"), &path("none.dmp")));
    assert!(!host.same_file(&path("none.dmp"), &path("none.dmp")));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("x.dmp", path("link.dmp")).unwrap();
        assert!(host.same_file(&path("link.dmp"), &path("second.dmp")));
    }
    #[cfg(windows)]
    assert!(host.same_file(&path("X.DMP"), &path("second.dmp")));
}

#[test]
fn a_file_on_a_local_disk_does_not_go_away() {
    let folder = folder();
    let volume = sys::host().unwrap().volume(folder.path()).unwrap();
    fs::write(folder.path().join("x.dmp"), "x").unwrap();
    let local = matches!(volume.kind, VolumeKind::Fixed | VolumeKind::Memory);
    assert!(!local || !sys::may_go_away(&folder.path().join("x.dmp")), "{volume:?}");
}

#[cfg(windows)]
#[test]
fn a_file_on_a_share_or_on_no_known_disk_may_go_away() {
    for path in [r"\\127.0.0.1\none\x.dmp", r"\\?\Volume{00000000}\x.dmp"] {
        assert!(sys::may_go_away(Path::new(path)), "{path}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_but_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    assert_eq!(target.facts().readers.as_deref(), Some("its owner only (mode 0600)"));
    assert_eq!(target.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(windows)]
#[test]
fn a_file_held_open_is_not_replaced_and_the_new_one_keeps_its_name() {
    use std::os::windows::fs::OpenOptionsExt;
    let folder = folder();
    let host = sys::host().unwrap();
    let old = folder.path().join("x.dmp");
    fs::write(&old, "evidence").unwrap();
    let holder = fs::OpenOptions::new().read(true).share_mode(1).open(&old).unwrap();
    let target = host.create_target(&options(folder.path(), "x.dmp.partial")).unwrap();
    assert_eq!(target.rename("x.dmp", true), Err(TargetError::InUse(old.clone())));
    assert!(target.path().ends_with("x.dmp.partial") && target.path().exists());
    assert_eq!(target.rename("x.2.dmp", false), Ok(folder.path().join("x.2.dmp")));
    drop(holder);
    assert_eq!(fs::read(&old).unwrap(), b"evidence");
}

#[cfg(windows)]
#[test]
fn a_target_is_written_as_asked_and_others_cannot_write_it() {
    use machine::Buffering;
    let folder = folder();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    assert_eq!(target.facts().buffering, Buffering::Unbuffered);
    assert!(fs::OpenOptions::new().write(true).open(target.path()).is_err());
    let wanted = TargetOptions { unbuffered: false, ..options(folder.path(), "y.partial") };
    let target = host.create_target(&wanted).unwrap();
    assert_eq!(target.facts().buffering, Buffering::Buffered);
    target.write_at(3, b"abc").unwrap();
    let mut back = [9; 8];
    assert_eq!(target.read_at(0, &mut back).unwrap(), 6);
    assert_eq!(&back[..6], b"\0\0\0abc");
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_refused() {
    let folder = folder();
    let host = sys::host().unwrap();
    for name in ["", ".", "..", "../x.dmp", "a/b"] {
        let refused = host.create_target(&options(folder.path(), name));
        assert!(matches!(refused, Err(TargetError::Os(_))), "{name}");
    }
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    assert!(matches!(target.rename("../x.dmp", false), Err(TargetError::Os(_))));
}

#[test]
fn a_folder_in_the_way_is_never_replaced() {
    let folder = folder();
    let host = sys::host().unwrap();
    let way = folder.path().join("x.dmp");
    fs::create_dir(&way).unwrap();
    let target = host.create_target(&options(folder.path(), "x.dmp.partial")).unwrap();
    for replace in [false, true] {
        assert_eq!(target.rename("x.dmp", replace), Err(TargetError::Exists(way.clone())));
    }
    assert!(way.is_dir());
}

#[cfg(unix)]
#[test]
fn a_file_that_took_the_targets_name_is_not_touched() {
    let folder = folder();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(folder.path(), "x.partial")).unwrap();
    fs::remove_file(target.path()).unwrap();
    fs::write(target.path(), "not ours").unwrap();
    assert!(target.rename("x.dmp", false).is_err());
    assert!(target.delete().is_err());
    assert_eq!(fs::read(target.path()).unwrap(), b"not ours");
}

#[cfg(windows)]
#[test]
fn a_folder_that_is_a_reparse_point_is_refused() {
    let folder = folder();
    let link = folder.path().join("link");
    fs::create_dir(folder.path().join("real")).unwrap();
    // Windows lets only elevated processes, or developers, make one; Wine says yes and makes none.
    let made = std::os::windows::fs::symlink_dir(folder.path().join("real"), &link);
    if made.is_err() || link.symlink_metadata().is_err() {
        return;
    }
    let host = sys::host().unwrap();
    let refused = host.create_target(&options(&link, "x.dmp")).err().unwrap();
    assert_eq!(refused, TargetError::ReparsePoint(link));
}

#[test]
fn the_host_knows_its_names_folders_and_paths() {
    let host = sys::host().unwrap();
    assert!(!host.computer().is_empty());
    assert!(host.user().is_some_and(|user| !user.is_empty()));
    assert!(host.current_folder().unwrap().is_absolute());
    assert!(host.fallback_folder().is_absolute());
    assert_eq!(host.system_folder().is_some(), sys::IS_WINDOWS);
    let folder = folder();
    let facts = host.path_facts(folder.path());
    assert!(facts.exists && facts.is_folder && facts.refused.is_none() && !facts.is_network);
    assert!(host.volume(folder.path()).unwrap().free.is_some());
    for synced in host.synced_folders() {
        assert!(!synced.provider.is_empty());
    }
}

#[test]
fn me_is_always_a_reader_and_text_that_is_no_sid_never() {
    let host = sys::host().unwrap();
    let me = host.reader("me").unwrap();
    assert!(me.sid.starts_with("S-1-"));
    assert!(host.reader("everybody").is_err());
    let folder = folder();
    let wanted = TargetOptions { reader: Some(me.sid), ..options(folder.path(), "x.partial") };
    assert!(host.create_target(&wanted).is_ok());
}

#[cfg(windows)]
#[test]
fn a_path_longer_than_260_characters_works_without_a_prefix_given() {
    let folder = folder();
    let name = "a folder with a name of some length";
    let deep = (0..8).fold(folder.path().to_path_buf(), |path, _| path.join(name));
    let prefixed = format!(r"\\?\{}", deep.display());
    fs::create_dir_all(&prefixed).unwrap();
    let host = sys::host().unwrap();
    let target = host.create_target(&options(&deep, "x.dmp.partial")).unwrap();
    target.write_at(0, b"PAGEDU64").unwrap();
    assert_eq!(host.file_length(&target.path()), Some(8));
    assert!(host.volume(&deep).unwrap().free.is_some());
    let file = target.rename("x.dmp", false).unwrap();
    assert!(host.path_facts(&file).exists);
    host.delete_later(&file).unwrap();
    drop(target);
    assert_eq!(host.file_length(&file), None);
    fs::remove_dir_all(format!(r"\\?\{}", folder.path().join(name).display())).unwrap();
}

#[cfg(windows)]
#[test]
fn a_read_only_file_in_the_way_stays() {
    let folder = folder();
    let host = sys::host().unwrap();
    let old = folder.path().join("x.dmp");
    fs::write(&old, "evidence").unwrap();
    let mut rights = old.metadata().unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(&old, rights.clone()).unwrap();
    let target = host.create_target(&options(folder.path(), "x.dmp.partial")).unwrap();
    // Wine replaces it all the same.
    if let Err(refused) = target.rename("x.dmp", true) {
        let TargetError::Os(refused) = refused else { unreachable!("{refused:?}") };
        assert_eq!(refused.kind, machine::OsErrorKind::ReadOnly);
        assert_eq!(fs::read(&old).unwrap(), b"evidence");
    }
}
