//! Where a file lies: on a disk that stays, or on something that may go away.

use std::io;
use std::path::Path;

/// Whether a file lies on a network share, on a removable disk or in a file
/// system of a user's program, where a read of a map may end the process.
#[cfg(target_os = "linux")]
pub fn may_go_away(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let kind = rustix::fs::statfs(path)?.f_type as u32;
    let device = std::fs::metadata(path)?.dev();
    Ok(REMOTE.contains(&kind) || is_removable(device))
}

/// Numbers of file systems, statfs(2): NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, AFS, Coda, VirtualBox.
#[cfg(target_os = "linux")]
const REMOTE: [u32; 10] = [
    0x6969,
    0x517B,
    0xFF53_4D42,
    0xFE53_4D42,
    0x6573_5546,
    0x0102_1997,
    0x00C3_6400,
    0x5346_414F,
    0x7375_7245,
    0x786F_4256,
];

/// A partition says nothing; the disk that it is a part of does.
#[cfg(target_os = "linux")]
fn is_removable(device: u64) -> bool {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let folder = format!("/sys/dev/block/{major}:{minor}");
    let says = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).ok();
    let answer = says("removable").or_else(|| says("../removable"));
    answer.is_some_and(|text| text.trim() == "1")
}

/// Whether a file lies on a network share. Removable disks are not told from
/// fixed ones: that takes a call of the system, and no such call is made here.
/// Who can ask (as `sys` does) asks first, and opens by position.
#[cfg(windows)]
pub fn may_go_away(path: &Path) -> io::Result<bool> {
    use std::path::{Component, Prefix};

    // The canonical path of a file on a mapped drive names the share behind it.
    let path = path.canonicalize()?;
    let Some(Component::Prefix(prefix)) = path.components().next() else { return Ok(false) };
    Ok(matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..)))
}

/// Whether a file may go away: not known here, so it may.
#[cfg(not(any(target_os = "linux", windows)))]
pub fn may_go_away(_: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        assert!(
            super::may_go_away(std::path::Path::new("no such file")).is_err()
                || cfg!(not(any(target_os = "linux", windows)))
        );
    }
}
