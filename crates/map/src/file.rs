//! A file, read by position or mapped.

use std::io;
use std::path::Path;

use crate::mapped::Mapped;
use crate::{Bytes, holes, may_go_away};

/// An open file whose length was taken when it was opened.
#[derive(Debug)]
pub struct File {
    length: u64,
    file: std::fs::File,
    /// `None`: read by position.
    mapped: Option<Mapped>,
}

impl File {
    /// Opens a file to be read by position: what shrinks or goes away
    /// meanwhile is an error.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = open_regular(path)?;
        let length = file.metadata()?.len();
        Ok(Self { length, file, mapped: None })
    }

    /// Opens a file mapped: for local files that nobody cuts while they are
    /// read, because then the system ends the process.
    pub fn open_mapped(path: &Path) -> io::Result<Self> {
        let file = open_regular(path)?;
        let mapped = Mapped::new(&file)?;
        Ok(Self { length: mapped.as_slice().len() as u64, file, mapped: Some(mapped) })
    }

    /// Opens a file mapped where it lies on a fixed disk of this computer, and
    /// by position where it may go away: see [`may_go_away`].
    pub fn open_suited(path: &Path) -> io::Result<Self> {
        if may_go_away(path)? { Self::open(path) } else { Self::open_mapped(path) }
    }

    /// Whether it is mapped.
    pub fn is_mapped(&self) -> bool {
        self.mapped.is_some()
    }
}

/// A folder, pipe or device has no length that means anything here.
fn open_regular(path: &Path) -> io::Result<std::fs::File> {
    let refused = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what.to_owned()));
    // Asked before it is opened: opening a pipe waits for its writer.
    let before = std::fs::metadata(path)?;
    if before.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if !before.is_file() {
        return refused("it is not a regular file");
    }
    let file = open_at_once(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { refused("it is not a regular file") }
}

/// A pipe may have taken the file's place since it was asked.
#[cfg(target_os = "linux")]
fn open_at_once(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(target_os = "linux"))]
fn open_at_once(path: &Path) -> io::Result<std::fs::File> {
    std::fs::File::open(path)
}

impl Bytes for File {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.mapped {
            None => fill(&self.file, offset, buffer),
            Some(mapped) => Bytes::read_at(mapped.as_slice(), offset, buffer),
        }
    }

    fn as_slice(&self) -> Option<&[u8]> {
        self.mapped.as_ref().map(Mapped::as_slice)
    }

    fn hole_at(&self, offset: u64) -> u64 {
        holes::at(&self.file, offset, self.length)
    }
}

fn fill(file: &std::fs::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        let Some(position) = offset.checked_add(done as u64) else { break };
        match read_once(file, position, &mut buffer[done..]) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

#[cfg(unix)]
fn read_once(file: &std::fs::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    // Offsets are signed to the system: beyond that no file has a byte.
    if offset > i64::MAX as u64 {
        return Ok(0);
    }
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_once(file: &std::fs::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    if offset > i64::MAX as u64 {
        return Ok(0);
    }
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_nobody_writes_to_is_refused_and_not_waited_for() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (sender, answer) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let opened = open_at_once(&pipe).map(drop).is_ok();
            sender.send((opened, File::open_suited(&pipe).is_err()))
        });
        let answer = answer.recv_timeout(std::time::Duration::from_secs(20));
        assert_eq!(answer, Ok((true, true)));
    }

    #[test]
    fn both_ways_give_the_same_bytes() {
        let content: Vec<u8> = (0..10_000_u32).map(|i| (i * 7) as u8).collect();
        let file = made(&content);
        for opened in [File::open(file.path()).unwrap(), File::open_mapped(file.path()).unwrap()] {
            assert_eq!(opened.len(), 10_000);
            let mut buffer = [0; 100];
            assert_eq!(opened.read_at(9_950, &mut buffer).unwrap(), 50);
            assert_eq!(buffer[..50], content[9_950..]);
            assert_eq!(opened.read_at(u64::MAX - 1, &mut buffer).unwrap(), 0);
        }
    }

    #[test]
    fn an_empty_file_opens_both_ways() {
        let file = made(b"");
        assert!(File::open(file.path()).unwrap().is_empty());
        assert!(File::open_mapped(file.path()).unwrap().is_empty());
    }

    #[test]
    fn a_file_that_shrinks_is_an_error_and_not_a_crash() {
        let file = made(&[1; 8192]);
        let opened = File::open(file.path()).unwrap();
        std::fs::OpenOptions::new().write(true).open(file.path()).unwrap().set_len(100).unwrap();
        let error = opened.read_exact_at(4096, &mut [0; 16]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(File::open(folder.path()).is_err());
        assert!(File::open_mapped(folder.path()).is_err());
    }
}
