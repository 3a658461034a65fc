//! Going through a symbol path.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Candidate, Element, Lookup, Outcome, Place, Store, download, folder, safe_name};
use crate::{Guid, KernelSymbols};

/// Opens a file and says whether it is the one.
pub(super) type Accept<'a, T> = dyn Fn(&Path) -> Result<T, Outcome> + 'a;

/// A file by name and key, in every place of the path.
pub(super) fn file<T>(store: &Store, name: &str, key: &str, accept: &Accept<'_, T>) -> Lookup<T> {
    let name = match safe_name(name) {
        Ok(name) => name,
        Err(error) => return Lookup::refused(name, Outcome::BadName(error.to_string())),
    };
    let mut lookup = Lookup::nothing();
    for element in &store.path.elements {
        let found = match element {
            Element::Folder(root) => in_root(&mut lookup, root, name, key, accept, true),
            Element::Cache(root) => in_root(&mut lookup, root, name, key, accept, false),
            Element::Chain(places) => places.iter().any(|place| match place {
                Place::Folder(root) => in_root(&mut lookup, root, name, key, accept, false),
                Place::Server(address) => {
                    let result = from_server(store, element, address, (name, key), accept);
                    lookup.note(download::address(address, name, key), result)
                }
            }),
        };
        if found {
            break;
        }
    }
    lookup
}

/// Only the servers of the path.
pub(super) fn servers<T>(
    store: &Store,
    name: &str,
    key: &str,
    accept: &Accept<'_, T>,
) -> Lookup<T> {
    let mut lookup = Lookup::nothing();
    let Ok(name) = safe_name(name) else { return lookup };
    for element in &store.path.elements {
        let Element::Chain(places) = element else { continue };
        for place in places {
            let Place::Server(address) = place else { continue };
            let result = from_server(store, element, address, (name, key), accept);
            if lookup.note(download::address(address, name, key), result) {
                return lookup;
            }
        }
    }
    lookup
}

/// The places of a folder, or of a store's root, in which a file can be.
fn in_root<T>(
    lookup: &mut Lookup<T>,
    root: &Path,
    name: &str,
    key: &str,
    accept: &Accept<'_, T>,
    flat: bool,
) -> bool {
    // Stores are made when they are first written to; a folder that somebody names is there.
    if flat && !root.exists() {
        return lookup.note(root.display(), Err(Outcome::NoSuchPlace));
    }
    if root.is_file() {
        let named = file_name(root).eq_ignore_ascii_case(name);
        return named && lookup.note(root.display(), accept(root));
    }
    if let Some(path) = folder::entry(root, name).filter(|path| flat && path.is_file()) {
        let result = accept(&path);
        if lookup.note(path.display(), result) {
            return true;
        }
    }
    let two_tier = folder::entry(root, "index2.txt").is_some();
    let first_two: String = name.chars().take(2).collect();
    let names = if two_tier { vec![first_two.as_str(), name, key] } else { vec![name, key] };
    let Some(last) = folder::descend(root, &names) else {
        return lookup
            .note(root.join(names.join("/")).join(name).display(), Err(Outcome::NotThere));
    };
    let result = in_last(&last, name, accept);
    lookup.note(last.join(name).display(), result)
}

/// The folder of the key: the file, its compressed form, or a pointer to it.
fn in_last<T>(last: &Path, name: &str, accept: &Accept<'_, T>) -> Result<T, Outcome> {
    if let Some(path) = folder::entry(last, name) {
        return accept(&path);
    }
    let mut compressed: String = name.to_owned();
    compressed.pop();
    compressed.push('_');
    if folder::entry(last, &compressed).is_some() {
        return Err(Outcome::Compressed);
    }
    if let Some(pointer) = folder::entry(last, "file.ptr") {
        let text = std::fs::read(pointer).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[..text.len().min(512)]);
        return Err(Outcome::Elsewhere(text.trim().replace(char::is_control, "?")));
    }
    Err(Outcome::NotThere)
}

fn from_server<T>(
    store: &Store,
    element: &Element,
    address: &str,
    (name, key): (&str, &str),
    accept: &Accept<'_, T>,
) -> Result<T, Outcome> {
    let Some(download) = &store.download else { return Err(Outcome::NotAsked) };
    let root =
        keeping_folder(store, element).or(download.folder.as_deref()).ok_or(Outcome::NoFolder)?;
    download::fetch(download, address, &root.join(name).join(key), (name, key), accept)
}

/// Where a download is kept: the first folder of its own chain, else the last
/// cache to the left of it.
fn keeping_folder<'a>(store: &'a Store, element: &'a Element) -> Option<&'a Path> {
    if let Element::Chain(places) = element
        && let Some(Place::Folder(folder)) = places.first()
    {
        return Some(folder);
    }
    let before = store.path.elements.iter().take_while(|other| *other != element);
    before
        .filter_map(|e| if let Element::Cache(folder) = e { Some(folder.as_path()) } else { None })
        .last()
}

/// Profiles and ISFs whose names have this GUID, in the folders of the path.
pub(super) fn described<T>(
    store: &Store,
    pdb_name: &str,
    guid: &Guid,
    accept: &Accept<'_, T>,
) -> Lookup<T> {
    let mut lookup = Lookup::nothing();
    let digits = guid.digits();
    for path in descriptions(store, pdb_name) {
        let name = file_name(&path).to_ascii_uppercase();
        if name.replace('-', "").contains(&digits) {
            let result = accept(&path);
            if lookup.note(path.display(), result) {
                break;
            }
        }
    }
    lookup
}

/// What may belong to a kernel, of whatever identity.
pub(super) fn candidates(store: &Store, pdb_name: &str) -> Vec<Candidate> {
    let Ok(name) = safe_name(pdb_name) else { return Vec::new() };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_ascii_lowercase();
    let described = descriptions(store, name).into_iter();
    let mut paths: Vec<PathBuf> =
        described.filter(|path| file_name(path).to_ascii_lowercase().starts_with(&stem)).collect();
    for root in roots(store) {
        // A file that is named is meant, whatever it is called.
        paths.extend(Some(root.to_owned()).filter(|root| root.is_file()));
        paths.extend(folder::entry(root, name).filter(|path| path.is_file()));
        let keys = folder::entry(root, name).map(|folder| folder::entries(&folder));
        paths.extend(keys.into_iter().flatten().filter_map(|key| folder::entry(&key, name)));
    }
    let identified = paths.into_iter().filter_map(|path| {
        let identity = KernelSymbols::identity_of(&path).ok().flatten()?;
        Some(Candidate { path, identity })
    });
    identified.collect()
}

/// The JSON files in the folders where profiles and ISFs are kept: a folder
/// itself, `types` in it, the PDB's own folder, and that of volatility3's own
/// symbol folder (`windows/NAME`).
fn descriptions(store: &Store, pdb_name: &str) -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    for root in roots(store) {
        let below = [&["types"][..], &["windows", pdb_name], &[pdb_name]];
        let folders = below.iter().filter_map(|names| folder::descend(root, names));
        found.extend(Some(root.to_owned()).filter(|root| is_description(root)));
        for folder in std::iter::once(root.to_owned()).chain(folders) {
            found.extend(folder::entries(&folder).filter(|path| is_description(path)));
        }
    }
    found.into_iter().collect()
}

fn is_description(path: &Path) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    (name.ends_with(".json") || name.ends_with(".json.xz")) && path.is_file()
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn roots(store: &Store) -> impl Iterator<Item = &Path> {
    store.path.elements.iter().flat_map(|element| match element {
        Element::Folder(folder) | Element::Cache(folder) => vec![folder.as_path()],
        Element::Chain(places) => places
            .iter()
            .filter_map(|place| {
                if let Place::Folder(folder) = place { Some(folder.as_path()) } else { None }
            })
            .collect(),
    })
}
