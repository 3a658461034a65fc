//! What a path is to Windows.

use std::path::{Path, PathBuf};

use machine::PathFacts;
use windows_sys::Win32::Storage::FileSystem::{GetFullPathNameW, GetLogicalDrives};
use windows_sys::Win32::System::WindowsProgramming::DRIVE_REMOTE;

use super::volume;
use super::wide::{text, wide};
use crate::names;

pub(super) fn facts(path: &Path) -> PathFacts {
    let given = path.to_string_lossy();
    let full = full(&given);
    let opened = PathBuf::from(names::to_open(&full));
    let drive = names::drive(&full);
    let missing_drive = drive.filter(|letter| !drive_exists(*letter));
    let refused = names::refused(&given).or_else(|| link(&opened));
    // A device's name is not touched: opening it can do things.
    let metadata = if refused.is_none() { opened.metadata().ok() } else { None };
    PathFacts {
        shown: names::to_show(&full),
        is_folder: metadata.as_ref().is_some_and(std::fs::Metadata::is_dir),
        exists: metadata.is_some() || (refused.is_none() && opened.symlink_metadata().is_ok()),
        is_network: names::is_unc(&full) || drive.is_some_and(is_mapped),
        missing_drive,
        refused,
        full: opened,
    }
}

/// A link that is not to a folder: replacing it would destroy it.
fn link(opened: &Path) -> Option<String> {
    let is_link = opened.symlink_metadata().is_ok_and(|found| found.file_type().is_symlink());
    let to_folder = is_link && opened.metadata().is_ok_and(|target| target.is_dir());
    (is_link && !to_folder).then(|| "it is a link".to_owned())
}

/// Absolute and normalised; prefixed paths are so already.
fn full(given: &str) -> String {
    if given.starts_with(r"\\?\") || given.is_empty() {
        return given.to_owned();
    }
    let path = wide(given);
    let mut buffer = vec![0_u16; 512];
    loop {
        let size = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        // SAFETY: the path ends in NUL, the buffer has the length that is told.
        let needed = unsafe {
            GetFullPathNameW(path.as_ptr(), size, buffer.as_mut_ptr(), std::ptr::null_mut())
        };
        match needed as usize {
            0 => return given.to_owned(),
            needed if needed > buffer.len() => buffer.resize(needed + 1, 0),
            _ => return text(&buffer),
        }
    }
}

fn drive_exists(letter: char) -> bool {
    let index = u32::from(letter).wrapping_sub(u32::from('A'));
    // SAFETY: takes nothing, gives a bit mask.
    let drives = unsafe { GetLogicalDrives() };
    // No answer proves nothing.
    drives == 0 || drives.checked_shr(index).is_some_and(|rest| rest & 1 != 0)
}

fn is_mapped(letter: char) -> bool {
    volume::drive_type(format!(r"{letter}:\")) == DRIVE_REMOTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_becomes_absolute() {
        let facts = facts(Path::new(r"some\..\live.dmp"));
        assert!(facts.full.is_absolute() && facts.shown.ends_with(r"\live.dmp"));
        assert!(!facts.shown.contains(".."));
        assert!(!facts.exists && facts.refused.is_none());
    }

    #[test]
    fn a_long_path_is_opened_with_a_prefix_and_shown_without() {
        let long = format!(r"C:\{}\live.dmp", "folder\\".repeat(60));
        let facts = facts(Path::new(&long));
        assert!(facts.full.to_string_lossy().starts_with(r"\\?\C:\"));
        assert!(facts.shown.starts_with(r"C:\folder"));
    }

    #[test]
    fn a_drive_that_this_session_does_not_have_is_named() {
        let mask = (b'A'..=b'Z').map(char::from).find(|letter| !drive_exists(*letter));
        let letter = mask.unwrap();
        let facts = facts(Path::new(&format!(r"{letter}:\live.dmp")));
        assert_eq!(facts.missing_drive, Some(letter));
        assert!(!facts.exists);
    }

    #[test]
    fn shares_are_on_the_network_and_devices_are_refused() {
        assert!(facts(Path::new(r"\\server\share\live.dmp")).is_network);
        assert!(facts(Path::new("nul")).refused.is_some());
        assert!(facts(Path::new(r"\\.\PhysicalDrive0")).refused.is_some());
    }
}
