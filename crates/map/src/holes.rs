//! Holes of a sparse file: zeros that take no room on the disk.

use std::fs::File;

/// How many bytes from `offset` on are a hole, up to `length`. The file's
/// cursor moves: nothing here reads by it.
#[cfg(target_os = "linux")]
pub(crate) fn at(file: &File, offset: u64, length: u64) -> u64 {
    use rustix::fs::SeekFrom;

    if offset >= length {
        return 0;
    }
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(data) => data.min(length).saturating_sub(offset),
        // No data from here on.
        Err(rustix::io::Errno::NXIO) => length - offset,
        // This file system does not say.
        Err(_) => 0,
    }
}

/// Holes are not asked for here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn at(_: &File, _: u64, _: u64) -> u64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use crate::{Bytes, File};
    use std::os::unix::fs::FileExt;

    #[test]
    fn a_hole_is_told_both_ways_and_data_is_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().write_all_at(&[1; 65_536], 1 << 20).unwrap();
        file.as_file().set_len(3 << 20).unwrap();
        for opened in [File::open(file.path()).unwrap(), File::open_mapped(file.path()).unwrap()] {
            // A file system may keep zeros; it must not call data a hole.
            let hole = opened.hole_at(0);
            assert!(hole == 0 || hole == 1 << 20, "{hole:#x}");
            assert_eq!(opened.hole_at(1 << 20), 0);
            let tail = opened.hole_at(2 << 20);
            assert!(tail == 0 || tail == 1 << 20, "{tail:#x}");
            assert_eq!(opened.hole_at(3 << 20), 0);
            assert_eq!(opened.hole_at(u64::MAX), 0);
        }
    }
}
