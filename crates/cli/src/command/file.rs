//! Opening a dump file to read.

use std::io::ErrorKind;
use std::path::Path;

use capture::{Class, Failure};
use format::{Error, Identity, Set, SetError};

use crate::args::OpenArgs;
use crate::world;

/// A file, or several that are one.
pub(super) enum Input {
    /// One file, whatever it is.
    One(map::File),
    /// A set of triage dumps, some of which may be missing.
    Set(Set),
}

/// Opens what was named: a file whose content is the description of a set stands for the set.
pub(super) fn input(path: &Path, how: &OpenArgs) -> Result<Input, Failure> {
    let file = open(path, how)?;
    if !matches!(Identity::of(&file), Ok(Identity::Json)) {
        return Ok(Input::One(file));
    }
    match Set::open_present(path, |path| ways(path, how)) {
        Ok(set) => Ok(Input::Set(set)),
        // What is said of any other file that is no dump is said of it.
        Err(SetError::NotASet { .. }) => Ok(Input::One(file)),
        Err(error) => Err(Failure::new(Class::Disk, error.to_string())),
    }
}

/// Opens a file as it was asked to be.
pub(super) fn open(path: &Path, how: &OpenArgs) -> Result<map::File, Failure> {
    opened(path, ways(path, how))
}

/// Mapped where that is safe, unless it shall not be.
fn ways(path: &Path, how: &OpenArgs) -> std::io::Result<map::File> {
    let by_position = how.no_map || world::may_go_away(path);
    if by_position { map::File::open(path) } else { map::File::open_suited(path) }
}

/// Why a file gives no answer, and what to do instead.
pub(super) fn unreadable(path: &Path, error: &Error) -> Failure {
    let path = path.display();
    match error {
        Error::NotADump(identity) => {
            let failure =
                Failure::new(Class::Unverified, format!("'{path}' is no kernel dump: {identity}"));
            match identity.advice() {
                Some(advice) => failure.remedy(advice),
                None => failure,
            }
        }
        Error::Io { .. } => Failure::new(Class::Disk, format!("'{path}': {error}"))
            .remedy("if the file was cut or went away meanwhile, fetch it again"),
        Error::NoPages { .. } | Error::NoTranslation { .. } | Error::NotUnderstood { .. } => {
            Failure::new(Class::Unsupported, format!("'{path}': {error}"))
        }
        Error::Encrypted => Failure::new(Class::Unverified, format!("'{path}': {error}"))
            .remedy("decrypt it first, with the key that its machine was set up with"),
        _ => Failure::new(Class::Unverified, format!("'{path}' cannot be read as a dump: {error}"))
            .remedy(
                "if it was cut in transfer, fetch it again; `livedump verify` says what was \
                 looked at",
            ),
    }
}

fn opened(path: &Path, file: std::io::Result<map::File>) -> Result<map::File, Failure> {
    file.map_err(|error| {
        let failure =
            |class| Failure::new(class, format!("'{}' cannot be opened: {error}", path.display()));
        match error.kind() {
            ErrorKind::PermissionDenied => {
                failure(Class::Elevation).remedy(world::WHO_READS_A_DUMP)
            }
            ErrorKind::IsADirectory => failure(Class::NotFound).remedy("name a file in it"),
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidInput => {
                failure(Class::NotFound)
            }
            _ => failure(Class::Disk),
        }
    })
}
