//! Files by the native calls: made relative to an opened folder, renamed and deleted on their handle.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::offset_of;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem as nt;
use windows_sys::Win32::Foundation as win;
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::IO::{DeviceIoControl, IO_STATUS_BLOCK};
use windows_sys::Win32::System::Ioctl::{FSCTL_SET_COMPRESSION, FSCTL_SET_SPARSE};

use super::descriptor::Descriptor;
use super::{error, handle};
use crate::names;

/// What a target's handle may do, and no more: the dump's data, a header
/// written into it, its length and attributes, and the rename at the end.
const TARGET_ACCESS: u32 = fs::FILE_READ_DATA
    | fs::FILE_WRITE_DATA
    | fs::FILE_READ_ATTRIBUTES
    | fs::DELETE
    | fs::SYNCHRONIZE;
/// Others may ask its length, and have it deleted later.
const TARGET_SHARE: u32 = fs::FILE_SHARE_READ | fs::FILE_SHARE_DELETE;
const SHARE_ALL: u32 = fs::FILE_SHARE_READ | fs::FILE_SHARE_WRITE | fs::FILE_SHARE_DELETE;

/// The form to open an absolute path by: a `.partial` can be too long where its name was not.
pub(super) fn openable(path: &Path) -> PathBuf {
    path.to_str().map_or_else(|| path.to_path_buf(), |text| names::to_open(text).into())
}

/// A folder's handle that a file can be made relative to; the last component is not followed.
pub(super) fn open_folder(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(fs::FILE_TRAVERSE | fs::FILE_READ_ATTRIBUTES | fs::SYNCHRONIZE)
        .share_mode(SHARE_ALL)
        .custom_flags(fs::FILE_FLAG_BACKUP_SEMANTICS | fs::FILE_FLAG_OPEN_REPARSE_POINT)
        .open(openable(path))
}

/// A handle that only asks: it stands in nobody's way and never touches the data.
pub(super) fn open_to_ask(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(fs::FILE_READ_ATTRIBUTES)
        .share_mode(SHARE_ALL)
        .custom_flags(fs::FILE_FLAG_BACKUP_SEMANTICS)
        .open(openable(path))
}

/// A handle that only deletes.
pub(super) fn open_to_delete(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(fs::DELETE)
        .share_mode(SHARE_ALL)
        .custom_flags(fs::FILE_FLAG_OPEN_REPARSE_POINT)
        .open(openable(path))
}

/// Makes `name` new in `folder`, synchronous. The error is an NTSTATUS.
pub(super) fn create(
    folder: &File,
    name: &str,
    descriptor: &Descriptor,
    unbuffered: bool,
) -> Result<File, i32> {
    let mut units: Vec<u16> = name.encode_utf16().collect();
    let bytes = u16::try_from(units.len() * 2).map_err(|_| win::STATUS_OBJECT_NAME_INVALID)?;
    let name =
        win::UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: units.as_mut_ptr() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: folder.as_raw_handle(),
        ObjectName: &raw const name,
        Attributes: win::OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: descriptor.as_ptr(),
        SecurityQualityOfService: std::ptr::null(),
    };
    let mut options = nt::FILE_SYNCHRONOUS_IO_NONALERT | nt::FILE_NON_DIRECTORY_FILE;
    if unbuffered {
        options |= nt::FILE_NO_INTERMEDIATE_BUFFERING | nt::FILE_WRITE_THROUGH;
    }
    let mut raw = std::ptr::null_mut();
    let mut io = IO_STATUS_BLOCK::default();
    // SAFETY: everything that the attributes point to lives until the call returns; the handle is ours.
    let (status, made) = unsafe {
        let status = nt::NtCreateFile(
            &raw mut raw,
            TARGET_ACCESS,
            &raw const attributes,
            &raw mut io,
            std::ptr::null(),
            fs::FILE_ATTRIBUTE_NORMAL,
            TARGET_SHARE,
            nt::FILE_CREATE,
            options,
            std::ptr::null(),
            0,
        );
        (status, handle::own(raw))
    };
    match made {
        Some(made) if status >= 0 => Ok(File::from(made)),
        _ => Err(if status < 0 { status } else { win::STATUS_UNSUCCESSFUL }),
    }
}

/// Sets one kind of information. `words` keeps what it begins with aligned.
fn set(
    file: &File,
    class: nt::FILE_INFORMATION_CLASS,
    words: &[u64],
    bytes: usize,
) -> Result<(), i32> {
    let mut io = IO_STATUS_BLOCK::default();
    let bytes = bytes.min(size_of_val(words));
    // SAFETY: the handle is open, the words hold at least the bytes that are told.
    let status = unsafe {
        nt::NtSetInformationFile(
            file.as_raw_handle(),
            &raw mut io,
            words.as_ptr().cast(),
            u32::try_from(bytes).unwrap_or(u32::MAX),
            class,
        )
    };
    if status < 0 { Err(status) } else { Ok(()) }
}

/// Reserves space; the length stays.
pub(super) fn allocate(file: &File, bytes: u64) -> Result<(), i32> {
    set(file, nt::FileAllocationInformation, &[bytes], 8)
}

/// Marks it for deletion: at once where POSIX semantics are known, else when the last handle closes.
pub(super) fn delete(file: &File) -> Result<(), i32> {
    let flags = nt::FILE_DISPOSITION_DELETE
        | nt::FILE_DISPOSITION_POSIX_SEMANTICS
        | nt::FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE;
    match set(file, nt::FileDispositionInformationEx, &[u64::from(flags)], 4) {
        Err(status) if is_unknown(status) => set(file, nt::FileDispositionInformation, &[1], 1),
        answer => answer,
    }
}

/// Whether a status only says that this file system, or this Windows, does not know the request.
fn is_unknown(status: i32) -> bool {
    matches!(
        status,
        win::STATUS_INVALID_PARAMETER
            | win::STATUS_INVALID_INFO_CLASS
            | win::STATUS_NOT_SUPPORTED
            | win::STATUS_NOT_IMPLEMENTED
            | win::STATUS_INVALID_DEVICE_REQUEST
            | win::STATUS_OBJECT_PATH_SYNTAX_BAD
            | win::STATUS_OBJECT_NAME_INVALID
    )
}

/// Renames it within `folder`. The newest way that is known here wins.
pub(super) fn rename(file: &File, folder: &File, name: &str, replace: bool) -> Result<(), i32> {
    let root = handle::number(folder);
    let mut ways = Vec::new();
    if replace {
        // POSIX semantics replace also a file that its readers share for deletion.
        let flags = nt::FILE_RENAME_REPLACE_IF_EXISTS | nt::FILE_RENAME_POSIX_SEMANTICS;
        ways.push((nt::FileRenameInformationEx, flags, root));
    }
    ways.push((nt::FileRenameInformation, u32::from(replace), root));
    // Not every redirector takes a root; without one a bare name stays in the file's folder.
    ways.push((nt::FileRenameInformation, u32::from(replace), 0));
    let mut answer = Err(win::STATUS_NOT_SUPPORTED);
    for (class, flags, root) in ways {
        let (words, bytes) = rename_information(flags, root, name);
        answer = set(file, class, &words, bytes);
        if !answer.is_err_and(is_unknown) {
            break;
        }
    }
    answer
}

/// FILE_RENAME_INFORMATION with the name behind it, and its length in bytes.
fn rename_information(flags: u32, root: usize, name: &str) -> (Vec<u64>, usize) {
    type Info = nt::FILE_RENAME_INFORMATION;
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let name_length = u32::try_from(units.len()).unwrap_or(u32::MAX);
    let at = offset_of!(Info, FileName);
    let bytes = (at + units.len()).max(size_of::<Info>());
    let mut raw = vec![0_u8; bytes.next_multiple_of(8)];
    raw[..4].copy_from_slice(&flags.to_le_bytes());
    let root_at = offset_of!(Info, RootDirectory);
    raw[root_at..root_at + size_of::<usize>()].copy_from_slice(&root.to_le_bytes());
    let length_at = offset_of!(Info, FileNameLength);
    raw[length_at..length_at + 4].copy_from_slice(&name_length.to_le_bytes());
    raw[at..at + units.len()].copy_from_slice(&units);
    let words = raw.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    (words, bytes)
}

/// Takes compression away that the folder handed down.
pub(super) fn uncompress(file: &File) -> Result<(), machine::OsError> {
    let format = fs::COMPRESSION_FORMAT_NONE.to_le_bytes();
    control(file, FSCTL_SET_COMPRESSION, &format, "take compression off the file")
}

/// What is never written takes no room from now on.
pub(super) fn set_sparse(file: &File) -> Result<(), machine::OsError> {
    control(file, FSCTL_SET_SPARSE, &[], "make the file sparse")
}

fn control(file: &File, code: u32, input: &[u8], doing: &str) -> Result<(), machine::OsError> {
    let mut returned = 0;
    let length = u32::try_from(input.len()).unwrap_or(0);
    // SAFETY: the handle is open and synchronous; the input has the length that is told, and
    // codes that take none look at none.
    let done = unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            code,
            input.as_ptr().cast(),
            length,
            std::ptr::null_mut(),
            0,
            &raw mut returned,
            std::ptr::null_mut(),
        )
    };
    if done == 0 { Err(error::last(doing.to_owned())) } else { Ok(()) }
}

/// Which file an open handle is of: its volume's serial number and its number there.
pub(super) fn identity(file: &File) -> Option<(u32, u64)> {
    let mut found = fs::BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, the structure is ours.
    let done = unsafe { fs::GetFileInformationByHandle(file.as_raw_handle(), &raw mut found) };
    let index = u64::from(found.nFileIndexHigh) << 32 | u64::from(found.nFileIndexLow);
    (done != 0).then_some((found.dwVolumeSerialNumber, index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{u32_at, u64_at};

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn a_rename_request_has_its_name_behind_its_length() {
        let (words, bytes) = rename_information(3, 0x44, "x.dmp");
        let raw: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(bytes, 20 + 10);
        assert_eq!(
            (u32_at(&raw, 0), u64_at(&raw, 8), u32_at(&raw, 16)),
            (Some(3), Some(0x44), Some(10))
        );
        assert_eq!(&raw[20..30], b"x\0.\0d\0m\0p\0");
    }
}
