//! Files in folders, by names in any case.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder with more entries is not gone through for a name in another case.
const MAX_ENTRIES: usize = 200_000;

/// The file or folder of this name, in this case or another. Names came out of
/// dumps of a system that does not tell cases apart.
pub(super) fn entry(folder: &Path, name: &str) -> Option<PathBuf> {
    let exact = folder.join(name);
    if exact.symlink_metadata().is_ok() {
        return Some(exact);
    }
    entries(folder).find(|path| {
        path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.eq_ignore_ascii_case(name))
    })
}

/// The file at the end of these names, one folder in the other.
pub(super) fn descend(root: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().try_fold(root.to_owned(), |folder, name| entry(&folder, name))
}

/// The paths in a folder; none, where it cannot be read.
pub(super) fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let list = fs::read_dir(folder).into_iter().flatten().take(MAX_ENTRIES);
    list.filter_map(|entry| entry.ok().map(|entry| entry.path()))
}
