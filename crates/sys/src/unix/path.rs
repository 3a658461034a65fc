//! What a path is to a POSIX system.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use machine::{PathFacts, VolumeKind};

use super::volume;

/// POSIX's NAME_MAX on every file system that matters here.
const LONGEST_NAME: usize = 255;
/// Longest name of a dump: what it is called until it is verified has to fit as well.
const LONGEST_DUMP: usize = LONGEST_NAME - crate::ROOM;
/// Linux's PATH_MAX, without the closing NUL.
const LONGEST_PATH: usize = 4095;

pub(super) fn facts(path: &Path) -> PathFacts {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let metadata = full.metadata().ok();
    PathFacts {
        shown: full.display().to_string(),
        is_folder: metadata.as_ref().is_some_and(std::fs::Metadata::is_dir),
        // A dangling link is in the way too.
        exists: metadata.is_some() || full.symlink_metadata().is_ok(),
        is_network: is_network(&full),
        missing_drive: None,
        refused: refused(path, &full),
        full,
    }
}

fn is_network(full: &Path) -> bool {
    let existing = full.ancestors().find(|path| path.exists()).map(Path::to_path_buf);
    existing
        .or_else(|| Some(PathBuf::from("/")))
        .and_then(|path| volume::file_system(&path))
        .is_some_and(|system| system.kind == VolumeKind::Network)
}

fn refused(path: &Path, full: &Path) -> Option<String> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Some("the path is empty".into());
    }
    if bytes.contains(&0) {
        return Some("the name has a NUL character".into());
    }
    let longest = full.iter().map(|name| name.as_bytes().len()).max().unwrap_or(0);
    if longest > LONGEST_NAME {
        return Some(format!("the name is {longest} bytes long; {LONGEST_NAME} is the limit"));
    }
    let last = full.file_name().map_or(0, |name| name.as_bytes().len());
    if last > LONGEST_DUMP {
        return Some(format!(
            "the name is {last} bytes long; {LONGEST_DUMP} leave room for \".partial\" behind it"
        ));
    }
    let length = full.as_os_str().as_bytes().len();
    if length > LONGEST_PATH {
        return Some(format!("the path is {length} bytes long; {LONGEST_PATH} is the limit"));
    }
    special(full)
}

/// What is there is neither a file nor a folder: replacing it would destroy it.
fn special(full: &Path) -> Option<String> {
    let kind = full.symlink_metadata().ok()?.file_type();
    if kind.is_symlink() {
        let to_folder = full.metadata().is_ok_and(|target| target.is_dir());
        return (!to_folder).then(|| "it is a link".to_owned());
    }
    (!kind.is_file() && !kind.is_dir()).then(|| "it is a pipe, a socket or a device".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_becomes_absolute_and_nothing_is_created() {
        let facts = facts(Path::new("./not-there.dmp"));
        assert!(facts.full.is_absolute());
        assert_eq!(facts.full.file_name().unwrap(), "not-there.dmp");
        assert!(!facts.exists && !facts.is_folder && facts.refused.is_none());
    }

    #[test]
    fn folders_files_and_dangling_links_are_there() {
        let folder = tempfile::tempdir().unwrap();
        assert!(facts(folder.path()).is_folder);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert!(facts(&link).exists && !facts(&link).is_folder);
    }

    #[test]
    fn a_link_a_socket_and_a_device_are_never_a_dumps_name() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert!(facts(&link).refused.unwrap().contains("link"));
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(facts(&socket).refused.is_some());
        assert!(facts(Path::new("/dev/zero")).refused.unwrap().contains("device"));
        let to_folder = folder.path().join("to-folder");
        std::os::unix::fs::symlink(folder.path(), &to_folder).unwrap();
        assert!(facts(&to_folder).is_folder && facts(&to_folder).refused.is_none());
    }

    #[test]
    fn a_name_leaves_room_for_partial() {
        let said = |length: usize| facts(Path::new(&"x".repeat(length))).refused;
        assert_eq!(said(LONGEST_DUMP), None);
        assert!(said(LONGEST_DUMP + 1).unwrap().contains(".partial"));
    }

    #[test]
    fn only_nul_and_length_are_refused() {
        let said = |text: &str| facts(Path::new(text)).refused;
        assert_eq!(said("con"), None);
        assert_eq!(said("a:b. "), None);
        assert!(said("").unwrap().contains("empty"));
        assert!(said("a\0b").unwrap().contains("NUL"));
        assert!(said(&"x".repeat(256)).unwrap().contains("255"));
        assert!(said(&"x/".repeat(3000)).unwrap().contains("4095"));
    }
}
