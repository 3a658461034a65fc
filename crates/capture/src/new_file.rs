//! A file that gets its name only when it is whole: `NAME.partial` until then.
//!
//! Captures are written like this, and whatever else makes a dump: the place
//! is checked first, the `.partial` is created new beside the target, and the
//! name comes last, by a rename that replaces only what it is told to.

use std::io;
use std::path::{Path, PathBuf};

use format::Bytes;
use machine::{
    Host, OsErrorKind, PathFacts, SyncedFolder, Target, TargetError, TargetOptions, VolumeFacts,
};

use crate::{Class, Failure, Note, name};

/// How many older `.partial` files of one name are stepped over.
const MAX_OLDER: u32 = 99;

/// How many numbered names are tried when the name itself cannot be had.
const MAX_NUMBERED: usize = 99;

/// Where a file is going to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Absolute, in the form to open it by.
    pub folder: PathBuf,
    /// The final name in it.
    pub name: String,
}

/// How the file is created: see [`TargetOptions`].
#[derive(Debug, Clone, Default)]
pub struct Creation {
    /// Bytes to allocate at once.
    pub allocate: u64,
    /// SID that may read the file besides SYSTEM and Administrators.
    pub reader: Option<String>,
    /// Ask for unbuffered write-through.
    pub unbuffered: bool,
}

/// A verified file that did not get the name it was to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNamed {
    /// Where it is, for people.
    pub path: String,
    /// It got a numbered name instead: it is not called `.partial`.
    pub complete_name: bool,
    /// Why.
    pub failure: Failure,
}

impl NewFile {
    /// Takes what was typed, or a file called `default` in it when it is a folder.
    pub fn typed(
        host: &dyn Host,
        typed: &Path,
        default: Option<&Path>,
        overwrite: bool,
    ) -> Result<Self, Failure> {
        let facts = host.path_facts(typed);
        match default.filter(|_| facts.is_folder) {
            Some(name) => Self::at(host, &host.path_facts(&facts.full.join(name)), overwrite),
            None if !facts.exists && ends_as_folder(&typed.to_string_lossy()) => {
                Err(no_folder(&facts.shown))
            }
            None => Self::at(host, &facts, overwrite),
        }
    }

    /// For what is made from `source`: never the source itself, by whatever
    /// name, and not into a synchronised folder, unless the source is in one.
    pub fn made_from(
        host: &dyn Host,
        source: &Path,
        typed: &Path,
        default: Option<&Path>,
        overwrite: bool,
        allow_synced: bool,
    ) -> Result<Self, Failure> {
        let inside = default.map(|name| typed.join(name));
        let outputs = [Some(typed), inside.as_deref()];
        if outputs.into_iter().flatten().any(|output| host.same_file(source, output)) {
            let text = format!("{} is the file that is read", typed.display());
            return Err(Failure::new(Class::Usage, text)
                .remedy("name another file to write: the source is never written to"));
        }
        let file = Self::typed(host, typed, default, overwrite)?;
        let synced = file.synced(host).filter(|synced| {
            let root = host.resolved(&synced.path);
            !allow_synced && !starts_with(&host.resolved(source), &root)
        });
        match synced {
            None => Ok(file),
            Some(synced) => {
                let folder = shown(&file.folder);
                let text = format!("{folder} is synchronised by {}", synced.provider);
                Err(Failure::new(Class::Policy, text)
                    .remedy("name a folder outside it, or say --allow-synced"))
            }
        }
    }

    /// Refuses early what cannot be: the name, the folder, a file that is in the way.
    pub fn at(host: &dyn Host, facts: &PathFacts, overwrite: bool) -> Result<Self, Failure> {
        refuse_name(facts)?;
        let (folder, name) = split(facts)?;
        if facts.is_folder || facts.exists && !overwrite {
            return Err(exists(&facts.shown));
        }
        let folder_facts = host.path_facts(&folder);
        if folder_facts.is_folder {
            return Ok(Self { folder, name });
        }
        if folder_facts.exists {
            let text = format!("{} is not a folder", folder_facts.shown);
            return Err(Failure::new(Class::Disk, text).remedy("name another folder"));
        }
        Err(no_folder(&folder_facts.shown))
    }

    /// Another file of the same folder.
    pub(crate) fn sibling(&self, name: &str) -> Self {
        Self { folder: self.folder.clone(), name: name.to_owned() }
    }

    /// The cloud client that synchronises the folder, found behind links as well.
    pub fn synced(&self, host: &dyn Host) -> Option<SyncedFolder> {
        let folder = host.resolved(&self.folder);
        let all = host.synced_folders();
        all.into_iter().find(|synced| starts_with(&folder, &host.resolved(&synced.path)))
    }

    /// Creates the `.partial`, under a numbered name where older ones are in
    /// the way: they are left alone. What the user should know goes into `notes`.
    pub fn create(
        &self,
        host: &dyn Host,
        how: &Creation,
        notes: &mut Vec<Note>,
    ) -> Result<Box<dyn Target>, Failure> {
        for older in 0..MAX_OLDER {
            let options = TargetOptions {
                folder: self.folder.clone(),
                name: name::partial(&self.name, older),
                allocate: how.allocate,
                reader: how.reader.clone(),
                unbuffered: how.unbuffered,
            };
            match host.create_target(&options) {
                Ok(target) => {
                    notes.extend(target.facts().warnings.iter().map(Note::warning));
                    return Ok(target);
                }
                Err(TargetError::Exists(_)) => notes
                    .push(Note::info(format!("{} of an earlier run is left alone", options.name))),
                Err(error) => return Err(failure(&error)),
            }
        }
        let text = format!("{MAX_OLDER} unfinished {} are in {}", self.name, shown(&self.folder));
        let remedy = "delete the .partial files that are no longer needed";
        Err(Failure::new(Class::Disk, text).remedy(remedy))
    }
}

/// Gives a verified file its name; returns its path, for people.
pub fn give_name(
    target: &dyn Target,
    name: &str,
    overwrite: bool,
) -> Result<String, Box<NotNamed>> {
    // What was allocated beyond the end goes back to the volume.
    let _ = target.len().and_then(|length| target.set_len(length));
    match target.rename(name, overwrite) {
        Ok(path) => Ok(shown(&path)),
        Err(error) => Err(Box::new(not_named(target, name, &error))),
    }
}

fn not_named(target: &dyn Target, name: &str, error: &TargetError) -> NotNamed {
    let why = match error {
        TargetError::InUse(path) => format!("{} is held open", shown(path)),
        TargetError::Exists(path) => format!("{} has appeared meanwhile", shown(path)),
        TargetError::Os(error) => error.to_string(),
        other => failure(other).message,
    };
    // A numbered name is a complete dump with a good name; `.partial` would hide that it was verified.
    let numbered =
        (2..=MAX_NUMBERED).find_map(|n| target.rename(&name::batch(name, n), false).ok());
    let complete_name = numbered.is_some();
    let path = shown(&numbered.unwrap_or_else(|| target.path()));
    let failure =
        Failure::new(Class::Disk, format!("the file is whole, but {why}: it is at {path}"))
            .remedy("move it to where you want it");
    NotNamed { path, complete_name, failure }
}

/// What was written, read back through the handle that it was written by.
pub struct ReadBack<'a> {
    target: &'a dyn Target,
    length: u64,
}

impl<'a> ReadBack<'a> {
    /// Asks the file's length. The failure leaves the file where it is.
    pub fn new(target: &'a dyn Target) -> Result<Self, Failure> {
        let length = target.len().map_err(|error| {
            let text = format!("{} cannot be read back: {error}", shown(&target.path()));
            Failure::new(Class::Unverified, text)
                .remedy("the .partial is kept; copy it elsewhere and verify it there")
        })?;
        Ok(Self { target, length })
    }
}

impl Bytes for ReadBack<'_> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.target.read_at(offset, buffer)
    }
}

/// What a dump takes of its volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Its length in bytes.
    pub length: u64,
    /// Bytes that have to be free for it: fewer where it has holes.
    pub bytes: u64,
    /// The numbers are its lower bound.
    pub at_least: bool,
    /// An older file of the name stays until the new one is verified.
    pub overwrite: bool,
}

/// Refuses a volume that certainly has no room; `remedy` ends what to do about it.
pub fn check_room(volume: Option<&VolumeFacts>, room: &Room, remedy: &str) -> Result<(), Failure> {
    let Some(volume) = volume else { return Ok(()) };
    let size = crate::verdict::size;
    let have = if room.at_least { "will have at least" } else { "will have" };
    if let Some(largest) = volume.largest_file.filter(|largest| *largest < room.length) {
        let system = volume.file_system.as_deref().unwrap_or("this file system");
        let (largest, length) = (size(largest), size(room.length));
        let text = format!("{system} holds files up to {largest}, the dump {have} {length}");
        let remedy = "name a target on NTFS, ReFS or exFAT";
        return Err(Failure::new(Class::Disk, text).remedy(remedy));
    }
    let Some(free) = volume.free.filter(|free| *free < room.bytes) else { return Ok(()) };
    let more = match room.overwrite {
        true => " (the old file stays until the new one is verified)",
        false => "",
    };
    let have = if room.at_least { have } else { "needs" };
    let (free, bytes) = (size(free), size(room.bytes));
    let text = format!("{} has {free} free, the dump {have} {bytes}{more}", volume.name);
    Err(Failure::new(Class::Disk, text).remedy(format!("free some space, {remedy}")))
}

/// Whether holes of a file take no room on the volume; unknown ones are believed to be able.
pub fn keeps_holes(volume: &VolumeFacts) -> bool {
    const WITHOUT: [&str; 8] = ["fat", "fat12", "fat16", "fat32", "exfat", "vfat", "msdos", "hfs"];
    let name = volume.file_system.as_deref().unwrap_or_default().to_lowercase();
    !WITHOUT.contains(&name.as_str())
}

/// A path as the user would type it: the long-path prefix is ours, not theirs.
pub fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    match text.strip_prefix(r"\\?\UNC\") {
        Some(share) => format!(r"\\{share}"),
        None => text.strip_prefix(r"\\?\").map_or(text.clone(), Into::into),
    }
}

/// Why a target could not be created, for the user.
pub fn failure(error: &TargetError) -> Failure {
    let disk = |message: String| Failure::new(Class::Disk, message);
    match error {
        TargetError::Exists(path) => exists(&shown(path)),
        TargetError::NoFolder(path) => no_folder(&shown(path)),
        TargetError::ReparsePoint(path) => {
            let path = shown(path);
            disk(format!("{path} is a link or junction: a dump is not written through one"))
                .remedy("name the folder it leads to")
        }
        TargetError::NoSpace(error) => disk(format!("there is no space for the dump: {error}"))
            .remedy("free some space or name another volume"),
        TargetError::InUse(path) => {
            disk(format!("{} is in use", shown(path))).remedy("close whatever has it open")
        }
        TargetError::Os(error) => {
            let remedy = match error.kind {
                OsErrorKind::AccessDenied => "run elevated, or name a folder you may write to",
                OsErrorKind::ReadOnly => "the volume is write protected: name another one",
                _ => "name another folder, best on a local disk",
            };
            disk(format!("the file cannot be created: {error}")).remedy(remedy)
        }
    }
}

pub(crate) fn exists(path: &str) -> Failure {
    Failure::new(Class::Disk, format!("{path} exists already; nothing was written"))
        .remedy("name another file, or replace it with --overwrite")
}

pub(crate) fn no_folder(shown: &str) -> Failure {
    Failure::new(Class::Disk, format!("the folder {shown} does not exist"))
        .remedy("create it first, or name another one")
}

/// What names a folder, whether it exists or not.
pub(crate) fn ends_as_folder(typed: &str) -> bool {
    typed.ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// Whether `path` lies in `root`, in any case of letters as Windows compares.
pub(crate) fn starts_with(path: &Path, root: &Path) -> bool {
    let lower = |path: &Path| PathBuf::from(path.to_string_lossy().to_lowercase());
    lower(path).starts_with(lower(root))
}

fn refuse_name(facts: &PathFacts) -> Result<(), Failure> {
    if let Some(drive) = facts.missing_drive {
        return Err(Failure::new(Class::Disk, format!("this session has no drive {drive}:")).remedy(
            "drives mapped by your desktop are not there in an elevated session: name the share (\\\\server\\share\\...), or a local disk",
        ));
    }
    if let Some(why) = &facts.refused {
        let text = format!("{} cannot be the name of a dump: {why}", facts.shown);
        return Err(Failure::new(Class::Usage, text).remedy("name another file"));
    }
    Ok(())
}

fn split(facts: &PathFacts) -> Result<(PathBuf, String), Failure> {
    let bad = || {
        Failure::new(Class::Usage, format!("{} does not name a file", facts.shown))
            .remedy("name a file or a folder")
    };
    let name = facts.full.file_name().ok_or_else(bad)?;
    let name = name.to_str().ok_or_else(|| {
        Failure::new(Class::Usage, format!("the name {} is not valid Unicode", facts.shown))
            .remedy("name another file")
    })?;
    Ok((facts.full.parent().ok_or_else(bad)?.to_path_buf(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room =
        Room { length: 100 << 20, bytes: 1 << 20, at_least: false, overwrite: false };

    #[test]
    fn a_path_is_shown_without_the_long_path_prefix() {
        assert_eq!(shown(Path::new(r"\\?\C:\a.dmp")), r"C:\a.dmp");
        assert_eq!(shown(Path::new(r"\\?\UNC\srv\s\a.dmp")), r"\\srv\s\a.dmp");
    }

    #[test]
    fn room_is_asked_for_the_bytes_that_are_written_and_the_limit_for_the_length() {
        let volume = VolumeFacts { free: Some(2 << 20), ..VolumeFacts::default() };
        assert_eq!(check_room(Some(&volume), &ROOM, ""), Ok(()));
        let dense = Room { bytes: ROOM.length, ..ROOM };
        let refused = check_room(Some(&volume), &dense, "or else").unwrap_err();
        assert!(refused.message.contains("2.0 MiB free, the dump needs 100.0 MiB"), "{refused}");
        let small = VolumeFacts { largest_file: Some(64 << 20), ..volume };
        assert!(check_room(Some(&small), &ROOM, "").unwrap_err().message.contains("files up to"));
        assert_eq!(check_room(None, &dense, ""), Ok(()));
    }

    #[test]
    fn fat_keeps_no_holes_and_what_is_not_known_is_believed() {
        let named =
            |name: &str| VolumeFacts { file_system: Some(name.into()), ..VolumeFacts::default() };
        assert!(!keeps_holes(&named("exFAT")) && !keeps_holes(&named("FAT32")));
        assert!(keeps_holes(&named("NTFS")) && keeps_holes(&VolumeFacts::default()));
    }
}
