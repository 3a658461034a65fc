//! The volume a folder lies on.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use machine::{OsError, VolumeFacts, VolumeKind};

use super::failed;
use super::file_systems::FileSystem;

/// Everything about the volume of `folder`, which exists.
pub(super) fn facts(folder: &Path) -> Result<VolumeFacts, OsError> {
    let doing = || format!("ask the volume of {}", folder.display());
    let sizes = rustix::fs::statvfs(folder).map_err(|errno| failed(doing(), errno))?;
    let system = file_system(folder);
    let mut kind = system.as_ref().map_or(VolumeKind::Unknown, |system| system.kind);
    if kind == VolumeKind::Fixed && is_removable(folder) {
        kind = VolumeKind::Removable;
    }
    let bytes = |blocks: u64| blocks.checked_mul(sizes.f_frsize);
    Ok(VolumeFacts {
        name: mount_point(folder).display().to_string(),
        kind,
        free: bytes(sizes.f_bavail),
        free_total: bytes(sizes.f_bfree),
        total: bytes(sizes.f_blocks),
        largest_file: system.as_ref().and_then(|system| system.largest_file),
        access_lists: system.as_ref().and_then(|system| system.access_lists),
        file_system: system.map(|system| system.name),
        sector: u32::try_from(sizes.f_frsize).unwrap_or(4096),
    })
}

/// The file system of an existing path; `None` where its type is not known.
#[cfg(target_os = "linux")]
pub(super) fn file_system(path: &Path) -> Option<FileSystem> {
    let kind = rustix::fs::statfs(path).ok()?.f_type;
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast, reason = "its type differs by CPU")]
    let name = super::file_systems::linux_name(kind as u64)?;
    Some(super::file_systems::by_name(name))
}

/// The file system of an existing path; `None` where its type is not known.
#[cfg(any(target_os = "macos", target_os = "freebsd"))]
pub(super) fn file_system(path: &Path) -> Option<FileSystem> {
    let name = rustix::fs::statfs(path).ok()?.f_fstypename;
    let letters = name.iter().take_while(|letter| **letter != 0);
    let name: String = letters.map(|letter| char::from(letter.to_le_bytes()[0])).collect();
    Some(super::file_systems::by_name(&name))
}

/// Elsewhere `statfs` differs from system to system.
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "freebsd")))]
pub(super) fn file_system(_path: &Path) -> Option<FileSystem> {
    None
}

/// The highest folder on the same device.
fn mount_point(folder: &Path) -> PathBuf {
    let Ok(full) = folder.canonicalize() else { return folder.to_path_buf() };
    let device = |path: &Path| path.metadata().ok().map(|metadata| metadata.dev());
    let own = device(&full);
    let mut top = full.as_path();
    while let Some(parent) = top.parent().filter(|parent| device(parent) == own) {
        top = parent;
    }
    top.to_path_buf()
}

/// What sysfs says about the device of `folder`, or about the disk it is a partition of.
#[cfg(target_os = "linux")]
fn is_removable(folder: &Path) -> bool {
    let Ok(metadata) = folder.metadata() else { return false };
    let (major, minor) = (rustix::fs::major(metadata.dev()), rustix::fs::minor(metadata.dev()));
    let device = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    let says = |path: PathBuf| std::fs::read_to_string(path).is_ok_and(|text| text.trim() == "1");
    let disk = device.canonicalize().ok().and_then(|device| device.parent().map(Path::to_path_buf));
    says(device.join("removable")) || disk.is_some_and(|disk| says(disk.join("removable")))
}

#[cfg(not(target_os = "linux"))]
fn is_removable(_folder: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_tells_its_space_and_its_name_is_above_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let volume = facts(folder.path()).unwrap();
        assert!(volume.free.unwrap() <= volume.free_total.unwrap());
        assert!(volume.free_total.unwrap() <= volume.total.unwrap());
        assert!(folder.path().canonicalize().unwrap().starts_with(&volume.name));
        assert!(volume.sector.is_power_of_two());
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_volume() {
        let folder = tempfile::tempdir().unwrap();
        let error = facts(&folder.path().join("none")).unwrap_err();
        assert_eq!(error.kind, machine::OsErrorKind::NotFound);
    }
}
