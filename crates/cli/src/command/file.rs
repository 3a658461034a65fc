//! Opening a dump file to read.

use std::io::ErrorKind;
use std::path::Path;

use capture::{Class, Failure};

/// Opens a file, or says in which class it could not be.
pub(super) fn open(path: &Path) -> Result<map::File, Failure> {
    map::File::open(path).map_err(|error| {
        let failure = |class| Failure::new(class, format!("'{}' cannot be opened: {error}", path.display()));
        match error.kind() {
            ErrorKind::PermissionDenied => failure(Class::Elevation)
                .remedy("a dump is readable by administrators only, unless --readable-by named somebody: run elevated"),
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::InvalidInput => {
                failure(Class::NotFound)
            }
            _ => failure(Class::Disk),
        }
    })
}
