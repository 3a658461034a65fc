//! The target file: what the kernel gets to write to, and what becomes of it.

use std::fs::File;
use std::io;
use std::os::windows::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use machine::{Buffering, OsError, OsErrorKind, Target, TargetError, TargetFacts, TargetOptions};
use windows_sys::Win32::Foundation as win;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_COMPRESSED, FILE_ATTRIBUTE_REPARSE_POINT,
};

use super::descriptor::Descriptor;
use super::{error, file, handle, token, volume};
use crate::aligned::{Bounce, Sectors};
use crate::names;
use crate::sddl::{Owner, descriptor};

pub(super) struct WindowsTarget {
    file: File,
    folder: File,
    folder_path: PathBuf,
    name: Mutex<String>,
    bounce: Mutex<Bounce>,
    facts: TargetFacts,
}

/// An unbuffered handle as a file of whole sectors.
struct Unbuffered<'a>(&'a File);

impl Sectors for Unbuffered<'_> {
    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        end_is_empty(self.0.seek_read(buffer, offset))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.0.seek_write(bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
}

/// Reading behind the end is an error to Windows.
fn end_is_empty(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Err(error) if error.raw_os_error() == Some(win::ERROR_HANDLE_EOF.cast_signed()) => Ok(0),
        other => other,
    }
}

/// A file made with the best that was granted.
struct Made {
    file: File,
    unbuffered: bool,
    own: Option<String>,
}

impl WindowsTarget {
    pub(super) fn create(options: &TargetOptions) -> Result<Self, TargetError> {
        check_name(&options.name)?;
        let folder_path: PathBuf = options.folder.components().collect();
        let folder = open_folder(&folder_path)?;
        let made = make(&folder, &folder_path, options)?;
        let volume = volume::facts(&folder_path).ok();
        let mut warnings = Vec::new();
        let keeps = volume.as_ref().and_then(|volume| volume.access_lists);
        match keeps {
            Some(true) => {}
            Some(false) => warnings.push(
                "the volume keeps no access lists: whoever reaches the file can read it".into(),
            ),
            None => warnings.push("the volume does not tell whether it keeps access lists".into()),
        }
        if let Some(sid) = &made.own {
            warnings.push(format!(
                "the file is owned by {sid}, not by Administrators: this process may not name them as owner"
            ));
        }
        uncompress(&made.file, &mut warnings);
        let buffering = if made.unbuffered { Buffering::Unbuffered } else { Buffering::Buffered };
        let readers = (keeps == Some(true)).then(|| readers(&made, options.reader.as_deref()));
        let sector = volume.map_or(0, |volume| volume.sector).max(4096);
        let target = Self {
            file: made.file,
            folder,
            folder_path,
            name: Mutex::new(options.name.clone()),
            bounce: Mutex::new(Bounce::new(sector)),
            facts: TargetFacts { buffering, readers, warnings },
        };
        if let Err(error) = target.allocate(options.allocate) {
            // The lack of space is what has to be told.
            let _ = target.delete();
            return Err(error);
        }
        Ok(target)
    }

    fn allocate(&self, bytes: u64) -> Result<(), TargetError> {
        if bytes == 0 {
            return Ok(());
        }
        if let Err(status) = file::allocate(&self.file, bytes) {
            let failed = error::status(format!("allocate {bytes} bytes"), status);
            if failed.kind == OsErrorKind::DiskFull {
                return Err(TargetError::NoSpace(failed));
            }
        }
        // Where space cannot be allocated ahead its lack shows later.
        Ok(())
    }

    fn current_name(&self) -> String {
        lock(&self.name).clone()
    }

    fn is_buffered(&self) -> bool {
        self.facts.buffering == Buffering::Buffered
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Who the access list lets read, as it was asked for.
fn readers(made: &Made, reader: Option<&str>) -> String {
    let more = made.own.as_deref().into_iter().chain(reader);
    ["SYSTEM", "Administrators"].into_iter().chain(more).collect::<Vec<_>>().join(", ")
}

/// The native call takes names that Win32 cannot open again.
fn check_name(name: &str) -> Result<(), TargetError> {
    crate::plain_name(name)?;
    match names::name_refused(name) {
        Some(why) => Err(TargetError::Os(crate::error::bad_name(name, &why))),
        None => Ok(()),
    }
}

fn open_folder(path: &Path) -> Result<File, TargetError> {
    let doing = || format!("open the folder {}", path.display());
    let folder = file::open_folder(path).map_err(|failed| {
        let code = failed.raw_os_error().map_or(0, i32::cast_unsigned);
        let failed = error::win32(doing(), code);
        if failed.kind == OsErrorKind::NotFound {
            TargetError::NoFolder(path.to_path_buf())
        } else {
            TargetError::Os(failed)
        }
    })?;
    let metadata =
        folder.metadata().map_err(|failed| TargetError::Os(OsError::from_io(doing(), &failed)))?;
    if metadata.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        return Err(TargetError::ReparsePoint(path.to_path_buf()));
    }
    if !metadata.is_dir() {
        return Err(TargetError::NoFolder(path.to_path_buf()));
    }
    Ok(folder)
}

/// Asks for Administrators as owner and for no buffering; takes less where that is refused.
fn make(folder: &File, path: &Path, options: &TargetOptions) -> Result<Made, TargetError> {
    let reader = options.reader.as_deref();
    let mut unbuffered = options.unbuffered;
    let mut own = None;
    loop {
        let owner = own.as_deref().map_or(Owner::Administrators, Owner::Ourselves);
        let rights = Descriptor::new(&descriptor(owner, reader)).map_err(TargetError::Os)?;
        let status = match file::create(folder, &options.name, &rights, unbuffered) {
            Ok(file) => return Ok(Made { file, unbuffered, own }),
            Err(status) => status,
        };
        match status {
            win::STATUS_OBJECT_NAME_COLLISION => {
                return Err(TargetError::Exists(path.join(&options.name)));
            }
            win::STATUS_INVALID_OWNER | win::STATUS_PRIVILEGE_NOT_HELD if own.is_none() => {
                own = Some(token::user_sid().map_err(TargetError::Os)?);
            }
            win::STATUS_INVALID_PARAMETER
            | win::STATUS_NOT_SUPPORTED
            | win::STATUS_NOT_IMPLEMENTED
                if unbuffered =>
            {
                unbuffered = false;
            }
            status => {
                let doing = format!("create {}", path.join(&options.name).display());
                let failed = error::status(doing, status);
                return Err(match failed.kind {
                    OsErrorKind::DiskFull => TargetError::NoSpace(failed),
                    _ => TargetError::Os(failed),
                });
            }
        }
    }
}

fn uncompress(file: &File, warnings: &mut Vec<String>) {
    let inherited =
        file.metadata().is_ok_and(|it| it.file_attributes() & FILE_ATTRIBUTE_COMPRESSED != 0);
    if inherited && let Err(failed) = file::uncompress(file) {
        warnings.push(format!("the file stays compressed, which slows the dump down: {failed}"));
    }
}

/// Windows denies access when the file in the way is held open, is read-only, or is a folder.
fn rename_refused(status: i32, failed: OsError, new: &Path, replace: bool) -> TargetError {
    let in_the_way = file::open_to_ask(new).and_then(|way| way.metadata()).ok();
    match (status, in_the_way) {
        (win::STATUS_OBJECT_NAME_COLLISION, _) => TargetError::Exists(new.to_path_buf()),
        (_, Some(way)) if replace && way.is_dir() => TargetError::Exists(new.to_path_buf()),
        (_, Some(way)) if replace && way.permissions().readonly() => TargetError::Os(OsError {
            kind: OsErrorKind::ReadOnly,
            message: "the file in the way is read-only".into(),
            ..failed
        }),
        (
            win::STATUS_ACCESS_DENIED
            | win::STATUS_SHARING_VIOLATION
            | win::STATUS_DELETE_PENDING
            | win::STATUS_USER_MAPPED_FILE,
            Some(_),
        ) if replace => TargetError::InUse(new.to_path_buf()),
        _ => TargetError::Os(failed),
    }
}

impl Target for WindowsTarget {
    fn path(&self) -> PathBuf {
        self.folder_path.join(self.current_name())
    }

    fn raw(&self) -> usize {
        handle::number(&self.file)
    }

    fn facts(&self) -> &TargetFacts {
        &self.facts
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_buffered() {
            return lock(&self.bounce).read_at(&Unbuffered(&self.file), offset, buffer);
        }
        let mut done = 0;
        while done < buffer.len() {
            match end_is_empty(self.file.seek_read(&mut buffer[done..], offset + done as u64))? {
                0 => break,
                got => done += got,
            }
        }
        Ok(done)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if !self.is_buffered() {
            return lock(&self.bounce).write_at(&Unbuffered(&self.file), offset, bytes);
        }
        let mut done = 0;
        while done < bytes.len() {
            match self.file.seek_write(&bytes[done..], offset + done as u64)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                wrote => done += wrote,
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn set_sparse(&self) {
        // Where it is refused the holes are zeros that take room.
        let _ = file::set_sparse(&self.file);
    }

    fn flush(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn rename(&self, name: &str, replace: bool) -> Result<PathBuf, TargetError> {
        check_name(name)?;
        let mut current = lock(&self.name);
        let new = self.folder_path.join(name);
        file::rename(&self.file, &self.folder, name, replace).map_err(|status| {
            let failed = error::status(format!("rename {current} to {name}"), status);
            rename_refused(status, failed, &new, replace)
        })?;
        name.clone_into(&mut current);
        Ok(new)
    }

    fn delete(&self) -> Result<(), OsError> {
        file::delete(&self.file)
            .map_err(|status| error::status(format!("delete {}", self.path().display()), status))
    }
}
