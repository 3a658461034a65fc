//! The target file on a POSIX system: made and renamed relative to its opened folder.
//!
//! Always through the cache: only simulated machines are dumped here, and
//! their dump competes with no copy of memory.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use machine::{Buffering, OsError, Target, TargetError, TargetFacts, TargetOptions};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{failed, user};

/// Owner only.
const RIGHTS: Mode = Mode::RUSR.union(Mode::WUSR);

pub(super) struct UnixTarget {
    file: File,
    folder: OwnedFd,
    folder_path: PathBuf,
    name: Mutex<String>,
    facts: TargetFacts,
}

impl UnixTarget {
    pub(super) fn create(options: &TargetOptions) -> Result<Self, TargetError> {
        crate::plain_name(&options.name)?;
        // Collected again, because a trailing slash would follow a link.
        let folder_path: PathBuf = options.folder.components().collect();
        let path = folder_path.join(&options.name);
        let folder = open_folder(&folder_path)?;
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file =
            rustix::fs::openat(&folder, &options.name, flags, RIGHTS).map_err(
                |errno| match errno {
                    Errno::EXIST => TargetError::Exists(path.clone()),
                    other => os(format!("create {}", path.display()), other),
                },
            )?;
        let target = Self {
            facts: facts(&file, options.reader.as_deref()),
            file: file.into(),
            folder,
            folder_path,
            name: Mutex::new(options.name.clone()),
        };
        if let Err(error) = target.allocate(options.allocate) {
            // Best effort: the lack of space is what has to be told.
            let _ = target.delete();
            return Err(error);
        }
        Ok(target)
    }

    fn allocate(&self, bytes: u64) -> Result<(), TargetError> {
        if bytes == 0 {
            return Ok(());
        }
        match reserve(&self.file, bytes) {
            Err(errno @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => {
                Err(TargetError::NoSpace(failed(format!("allocate {bytes} bytes"), errno)))
            }
            // A file system that cannot allocate ahead shows lack of space later.
            _ => Ok(()),
        }
    }

    fn current_name(&self) -> String {
        self.name.lock().map(|name| name.clone()).unwrap_or_else(|dead| dead.into_inner().clone())
    }

    /// Whether the name still leads to this very file.
    fn check_identity(&self, name: &str) -> Result<(), Errno> {
        let ours = rustix::fs::fstat(&self.file)?;
        let named = rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let same = (ours.st_dev, ours.st_ino) == (named.st_dev, named.st_ino);
        if same { Ok(()) } else { Err(Errno::STALE) }
    }

    fn move_to(&self, old: &str, new: &str, replace: bool) -> Result<(), Errno> {
        if replace {
            // Only a file is replaced: what took its place meanwhile is somebody's.
            if let Ok(there) = rustix::fs::statat(&self.folder, new, AtFlags::SYMLINK_NOFOLLOW)
                && !rustix::fs::FileType::from_raw_mode(there.st_mode).is_file()
            {
                return Err(Errno::EXIST);
            }
            return rustix::fs::renameat(&self.folder, old, &self.folder, new);
        }
        match rename_new(&self.folder, old, new) {
            // Not every file system knows it; a hard link never replaces either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::linkat(&self.folder, old, &self.folder, new, AtFlags::empty())?;
                rustix::fs::unlinkat(&self.folder, old, AtFlags::empty())
            }
            answer => answer,
        }
    }
}

#[cfg(target_os = "linux")]
fn reserve(file: &File, bytes: u64) -> Result<(), Errno> {
    rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, bytes)
}

/// Others reserve only by growing the file, whose length has to stay.
#[cfg(not(target_os = "linux"))]
fn reserve(_file: &File, _bytes: u64) -> Result<(), Errno> {
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn rename_new(folder: &OwnedFd, old: &str, new: &str) -> Result<(), Errno> {
    rustix::fs::renameat_with(folder, old, folder, new, rustix::fs::RenameFlags::NOREPLACE)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn rename_new(_folder: &OwnedFd, _old: &str, _new: &str) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

fn os(doing: String, errno: Errno) -> TargetError {
    let error = failed(doing, errno);
    if error.kind == machine::OsErrorKind::DiskFull {
        TargetError::NoSpace(error)
    } else {
        TargetError::Os(error)
    }
}

fn open_folder(path: &Path) -> Result<OwnedFd, TargetError> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| {
        if path.is_symlink() {
            return TargetError::ReparsePoint(path.to_path_buf());
        }
        match errno {
            Errno::NOENT | Errno::NOTDIR => TargetError::NoFolder(path.to_path_buf()),
            other => os(format!("open the folder {}", path.display()), other),
        }
    })
}

fn facts(file: &OwnedFd, reader: Option<&str>) -> TargetFacts {
    let mode = rustix::fs::fstat(file).map(|stat| Mode::from_raw_mode(stat.st_mode));
    let protected = mode.is_ok_and(|mode| mode == RIGHTS);
    let mut warnings = Vec::new();
    if !protected {
        warnings.push("the volume keeps no rights: others may be able to read the file".to_owned());
    }
    if let Some(reader) = reader.filter(|reader| *reader != user::sid()) {
        warnings.push(format!("{reader} was not added as a reader: this system knows no SIDs"));
    }
    let readers = protected.then(|| "its owner only (mode 0600)".to_owned());
    TargetFacts { buffering: Buffering::Buffered, readers, warnings }
}

impl Target for UnixTarget {
    fn path(&self) -> PathBuf {
        self.folder_path.join(self.current_name())
    }

    fn raw(&self) -> usize {
        0
    }

    fn facts(&self) -> &TargetFacts {
        &self.facts
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match self.file.read_at(&mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(got) => done += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn flush(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn rename(&self, name: &str, replace: bool) -> Result<PathBuf, TargetError> {
        crate::plain_name(name)?;
        let old = self.current_name();
        let new = self.folder_path.join(name);
        self.check_identity(&old).and_then(|()| self.move_to(&old, name, replace)).map_err(
            |errno| match errno {
                Errno::EXIST | Errno::NOTEMPTY | Errno::ISDIR => TargetError::Exists(new.clone()),
                Errno::BUSY | Errno::TXTBSY => TargetError::InUse(new.clone()),
                other => os(format!("rename {old} to {name}"), other),
            },
        )?;
        if let Ok(mut current) = self.name.lock() {
            name.clone_into(&mut current);
        }
        // The new name is there; that it outlives a power cut is worth a try, not an error.
        let _ = rustix::fs::fsync(&self.folder);
        Ok(new)
    }

    fn delete(&self) -> Result<(), OsError> {
        let name = self.current_name();
        self.check_identity(&name)
            .and_then(|()| rustix::fs::unlinkat(&self.folder, &name, AtFlags::empty()))
            .map_err(|errno| failed(format!("delete {}", self.path().display()), errno))
    }
}
