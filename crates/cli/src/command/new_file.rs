//! A file that gets its name only when it is whole: `NAME.partial` until then.

use std::path::{Path, PathBuf};

use capture::{Class, Failure};
use machine::{Host, OsErrorKind, PathFacts, Target, TargetError, TargetOptions};

/// How many older `.partial` files of one name are stepped over.
const MAX_OLDER: u32 = 99;

/// Where a file is going to be.
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) name: String,
    pub(super) overwrite: bool,
}

impl Place {
    /// What was typed, or `name` in it when it is a folder. Refuses early what cannot be.
    pub(super) fn plan(
        host: &dyn Host,
        typed: &Path,
        name: Option<&Path>,
        overwrite: bool,
    ) -> Result<Self, Failure> {
        let mut facts = host.path_facts(typed);
        if let Some(name) = name.filter(|_| facts.is_folder) {
            facts = host.path_facts(&facts.full.join(name));
        }
        let shown = &facts.shown;
        if let Some(why) = &facts.refused {
            let text = format!("{shown} cannot be the name of a dump: {why}");
            return Err(Failure::new(Class::Usage, text).remedy("name another file"));
        }
        if facts.is_folder || facts.exists && !overwrite {
            return Err(exists(shown));
        }
        let (folder, name) = split(&facts).ok_or_else(|| {
            Failure::new(Class::Usage, format!("{shown} does not name a file"))
                .remedy("name a file or a folder")
        })?;
        if !host.path_facts(&folder).is_folder {
            let text = format!("the folder of {shown} does not exist");
            return Err(
                Failure::new(Class::Disk, text).remedy("create it first, or name another one")
            );
        }
        Ok(Self { folder, name, overwrite })
    }

    /// Creates the `.partial`, for us to read only; older ones are left alone.
    pub(super) fn create(&self, host: &dyn Host) -> Result<Box<dyn Target>, Failure> {
        // Without this only administrators could read it, where access lists are kept.
        let reader = host.reader("me").ok().map(|reader| reader.sid);
        for older in 0..MAX_OLDER {
            let name = match older {
                0 => format!("{}.partial", self.name),
                older => format!("{}.{}.partial", self.name, older + 1),
            };
            let (folder, reader) = (self.folder.clone(), reader.clone());
            let options = TargetOptions { folder, name, allocate: 0, reader, unbuffered: false };
            match host.create_target(&options) {
                Err(TargetError::Exists(_)) => {}
                other => return other.map_err(|error| failure(&error)),
            }
        }
        let text = format!("{MAX_OLDER} unfinished {} are there", self.name);
        let remedy = "delete the .partial files that are no longer needed";
        Err(Failure::new(Class::Disk, text).remedy(remedy))
    }

    /// Gives it its name. On an error it keeps the one it has.
    pub(super) fn name(&self, target: &dyn Target) -> Result<PathBuf, Failure> {
        target.rename(&self.name, self.overwrite).map_err(|error| {
            let mut failure = failure(&error);
            let at = target.path().display().to_string();
            failure.message = format!("{}; the dump was verified and is at {at}", failure.message);
            failure
        })
    }
}

fn split(facts: &PathFacts) -> Option<(PathBuf, String)> {
    let name = facts.full.file_name()?.to_str()?.to_owned();
    Some((facts.full.parent()?.to_path_buf(), name))
}

fn exists(shown: &str) -> Failure {
    Failure::new(Class::Disk, format!("{shown} exists already; nothing was written"))
        .remedy("name another file, or replace it with --overwrite")
}

fn failure(error: &TargetError) -> Failure {
    let disk = |text: String, remedy| Failure::new(Class::Disk, text).remedy(remedy);
    match error {
        TargetError::Exists(path) => exists(&path.display().to_string()),
        TargetError::NoFolder(path) => {
            disk(format!("the folder {} does not exist", path.display()), "create it first")
        }
        TargetError::ReparsePoint(path) => disk(
            format!("{} is a link or junction: a dump is not written through one", path.display()),
            "name the folder it leads to",
        ),
        TargetError::NoSpace(error) => {
            disk(format!("there is no space: {error}"), "free some, or name another volume")
        }
        TargetError::InUse(path) => {
            disk(format!("{} is in use", path.display()), "close whatever has it open")
        }
        TargetError::Os(error) if error.kind == OsErrorKind::AccessDenied => {
            disk(format!("the file cannot be created: {error}"), "name a folder you may write to")
        }
        TargetError::Os(error) => {
            disk(format!("the file cannot be created: {error}"), "name another folder")
        }
    }
}
