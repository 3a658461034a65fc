//! Opening a dump file to read.

use std::io::ErrorKind;
use std::path::Path;

use capture::{Class, Failure};

use crate::world;

/// Opens a file, or says in which class it could not be.
pub(super) fn open(path: &Path) -> Result<map::File, Failure> {
    opened(path, map::File::open(path))
}

/// The same, mapped where that is safe: for who reads all of it.
pub(super) fn open_suited(path: &Path) -> Result<map::File, Failure> {
    opened(path, map::File::open_suited(path))
}

fn opened(path: &Path, file: std::io::Result<map::File>) -> Result<map::File, Failure> {
    file.map_err(|error| {
        let failure =
            |class| Failure::new(class, format!("'{}' cannot be opened: {error}", path.display()));
        match error.kind() {
            ErrorKind::PermissionDenied => {
                failure(Class::Elevation).remedy(world::WHO_READS_A_DUMP)
            }
            ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidInput => failure(Class::NotFound),
            _ => failure(Class::Disk),
        }
    })
}
