//! The volume a folder lies on.

use std::ffi::OsString;
use std::path::Path;

use machine::{OsError, VolumeFacts, VolumeKind};
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::SystemServices::FILE_PERSISTENT_ACLS;
use windows_sys::Win32::System::WindowsProgramming as kinds;

use super::wide::{os_text, text, wide};
use super::{error, file};
use crate::names;

/// FAT and FAT32 keep a file's size in 32 bits.
const FAT_LARGEST: u64 = u32::MAX as u64;

/// Everything about the volume of `folder`, which exists.
pub(super) fn facts(folder: &Path) -> Result<VolumeFacts, OsError> {
    let folder = &file::openable(folder);
    let root = root(folder)?;
    let (free, total, free_total) = space(folder)?;
    let information = information(&root);
    let file_system = information.as_ref().map(|(name, _)| name.clone());
    Ok(VolumeFacts {
        name: names::to_show(&root.to_string_lossy()),
        kind: kind(&root),
        free: Some(free),
        free_total: Some(free_total),
        total: Some(total),
        largest_file: file_system.as_deref().and_then(largest_file),
        access_lists: information.map(|(_, flags)| flags & FILE_PERSISTENT_ACLS != 0),
        file_system,
        sector: sector(&root).unwrap_or(4096),
    })
}

/// The mount point or share, with a closing backslash.
fn root(folder: &Path) -> Result<OsString, OsError> {
    let path = wide(folder);
    // Never longer than the path itself, but for a mount point found through a link.
    let mut buffer = vec![0_u16; path.len() + 1024];
    let size = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    // SAFETY: the path ends in NUL, the buffer has the length that is told.
    if unsafe { fs::GetVolumePathNameW(path.as_ptr(), buffer.as_mut_ptr(), size) } == 0 {
        return Err(error::last(format!("find the volume of {}", folder.display())));
    }
    Ok(os_text(&buffer))
}

/// Free to us, total, free to anybody.
fn space(folder: &Path) -> Result<(u64, u64, u64), OsError> {
    let path = wide(folder);
    let (mut free, mut total, mut free_total) = (0, 0, 0);
    // SAFETY: the path ends in NUL, the numbers are ours.
    let done = unsafe {
        fs::GetDiskFreeSpaceExW(path.as_ptr(), &raw mut free, &raw mut total, &raw mut free_total)
    };
    if done == 0 {
        return Err(error::last(format!("ask the free space of {}", folder.display())));
    }
    Ok((free, total, free_total))
}

/// The file system's name and flags.
fn information(root: &OsString) -> Option<(String, u32)> {
    let root = wide(root);
    let mut name = [0_u16; 64];
    let mut flags = 0;
    // SAFETY: the root ends in NUL, the buffer has the length that is told, the rest is not asked for.
    let done = unsafe {
        fs::GetVolumeInformationW(
            root.as_ptr(),
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut flags,
            name.as_mut_ptr(),
            64,
        )
    };
    (done != 0).then(|| (text(&name), flags))
}

fn kind(root: &OsString) -> VolumeKind {
    match drive_type(root) {
        kinds::DRIVE_FIXED => VolumeKind::Fixed,
        kinds::DRIVE_REMOVABLE => VolumeKind::Removable,
        kinds::DRIVE_REMOTE => VolumeKind::Network,
        kinds::DRIVE_RAMDISK => VolumeKind::Memory,
        _ => VolumeKind::Unknown,
    }
}

/// A DRIVE_* value.
pub(super) fn drive_type(root: impl AsRef<std::ffi::OsStr>) -> u32 {
    let root = wide(root);
    // SAFETY: the root ends in NUL.
    unsafe { fs::GetDriveTypeW(root.as_ptr()) }
}

fn sector(root: &OsString) -> Option<u32> {
    let root = wide(root);
    let (mut cluster, mut sector, mut free, mut total) = (0, 0, 0, 0);
    // SAFETY: the root ends in NUL, the numbers are ours.
    let done = unsafe {
        fs::GetDiskFreeSpaceW(
            root.as_ptr(),
            &raw mut cluster,
            &raw mut sector,
            &raw mut free,
            &raw mut total,
        )
    };
    (done != 0 && sector != 0).then_some(sector)
}

fn largest_file(file_system: &str) -> Option<u64> {
    matches!(file_system, "FAT" | "FAT32").then_some(FAT_LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_tells_its_space_and_file_system() {
        let volume = facts(&std::env::temp_dir()).unwrap();
        assert!(volume.free.unwrap() <= volume.total.unwrap());
        assert!(volume.file_system.is_some() && volume.name.ends_with('\\'));
        assert!(volume.sector >= 512);
    }

    #[test]
    fn fat_holds_no_file_of_four_gib() {
        assert_eq!(largest_file("FAT32"), Some((4 << 30) - 1));
        assert_eq!(largest_file("NTFS"), None);
    }
}
