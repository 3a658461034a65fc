//! File systems by name. Source of the numbers: statfs(2) and linux/magic.h.

use machine::VolumeKind;

/// FAT32 keeps a file's size in 32 bits.
const FAT_LARGEST: u64 = u32::MAX as u64;

/// What a file system's name tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileSystem {
    pub(super) name: String,
    pub(super) kind: VolumeKind,
    pub(super) largest_file: Option<u64>,
    pub(super) access_lists: Option<bool>,
}

/// By its name, as mount(8) has it.
pub(super) fn by_name(name: &str) -> FileSystem {
    let kind = match name {
        "tmpfs" | "ramfs" => VolumeKind::Memory,
        "nfs" | "cifs" | "smb2" | "smbfs" | "afs" | "9p" | "ceph" | "coda" | "ncpfs" => {
            VolumeKind::Network
        }
        "ext4" | "xfs" | "btrfs" | "f2fs" | "bcachefs" | "zfs" | "vfat" | "msdos" | "exfat"
        | "ntfs" | "ntfs3" | "overlayfs" | "ecryptfs" | "hfs" | "hfs+" | "apfs" | "ufs" | "jfs"
        | "reiserfs" | "udf" | "nilfs2" => VolumeKind::Fixed,
        _ => VolumeKind::Unknown,
    };
    let fat = matches!(name, "vfat" | "msdos");
    let access_lists = match kind {
        _ if fat || name == "exfat" => Some(false),
        VolumeKind::Fixed | VolumeKind::Memory => Some(true),
        _ => None,
    };
    FileSystem {
        name: name.to_owned(),
        kind,
        largest_file: fat.then_some(FAT_LARGEST),
        access_lists,
    }
}

/// The name for a Linux `f_type`.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "others give the name itself"))]
pub(super) fn linux_name(magic: u64) -> Option<&'static str> {
    // Some architectures have f_type as a signed 32-bit number.
    Some(match magic & 0xFFFF_FFFF {
        0xEF53 => "ext4",
        0x5846_5342 => "xfs",
        0x9123_683E => "btrfs",
        0x0102_1994 => "tmpfs",
        0x8584_58F6 => "ramfs",
        0x794C_7630 => "overlayfs",
        0x4D44 => "vfat",
        0x2011_BAB0 => "exfat",
        0x5346_544E => "ntfs",
        0x7366_746E => "ntfs3",
        0x6969 => "nfs",
        0xFF53_4D42 => "cifs",
        0xFE53_4D42 => "smb2",
        0x517B => "smbfs",
        0x0102_1997 => "9p",
        0x00C3_6400 => "ceph",
        0x5346_414F => "afs",
        0x7375_7245 => "coda",
        0x564C => "ncpfs",
        0x6573_5546 => "fuse",
        0xF2F5_2010 => "f2fs",
        0xCA45_1A4E => "bcachefs",
        0x2FC1_2FC1 => "zfs",
        0xF15F => "ecryptfs",
        0x4244 => "hfs",
        0x482B => "hfs+",
        0x3153_464A => "jfs",
        0x5265_4973 => "reiserfs",
        0x1501_3346 => "udf",
        0x3434 => "nilfs2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fat_holds_no_file_of_four_gib_and_keeps_no_rights() {
        let fat = by_name(linux_name(0x4D44).unwrap());
        assert_eq!(fat.largest_file, Some((4 << 30) - 1));
        assert_eq!(fat.access_lists, Some(false));
        assert_eq!(by_name("ext4").largest_file, None);
    }

    #[test]
    fn shares_and_memory_disks_are_told_from_disks() {
        assert_eq!(by_name(linux_name(0xFFFF_FFFF_FF53_4D42).unwrap()).kind, VolumeKind::Network);
        assert_eq!(by_name(linux_name(0x0102_1994).unwrap()).kind, VolumeKind::Memory);
        assert_eq!(by_name(linux_name(0xEF53).unwrap()).kind, VolumeKind::Fixed);
        assert_eq!(by_name("fuse").kind, VolumeKind::Unknown);
    }
}
