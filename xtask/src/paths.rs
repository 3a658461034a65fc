//! No path of the machine that builds goes into what is shipped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::project::Project;

/// Makes a build of cargo's write neutral paths: panic messages hold the paths of dependencies.
pub(crate) fn remap(cargo: &mut Command, project: &Project) -> Result<()> {
    // The registry's folders are named after its host: they must be there to be mapped.
    command::run(command::cargo().args(["fetch", "--quiet"]).current_dir(&project.root))?;
    let flags = inherited_flags().into_iter().chain(remappings(project)?);
    let flags: Vec<OsString> = flags.collect();
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join(std::ffi::OsStr::new("\x1f")));
    Ok(())
}

/// The encoded form replaces the others: what the user set has to be taken along.
fn inherited_flags() -> Vec<OsString> {
    let parts = |name: &str, separator: char| -> Option<Vec<OsString>> {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some(value.split(separator).filter(|part| !part.is_empty()).map(OsString::from).collect())
    };
    parts("CARGO_ENCODED_RUSTFLAGS", '\x1f').or_else(|| parts("RUSTFLAGS", ' ')).unwrap_or_default()
}

/// From the general to the particular: of several that match, rustc takes the last.
fn remappings(project: &Project) -> Result<Vec<OsString>> {
    let cargo = cargo_home()?;
    let mut pairs = vec![(home()?, "/home"), (cargo.clone(), "/cargo")];
    pairs.push((project.root.clone(), "/livedump"));
    pairs.push((project.target.clone(), "/livedump/target"));
    if let Ok(registries) = std::fs::read_dir(cargo.join("registry/src")) {
        for registry in registries {
            pairs.push((registry?.path(), "/registry"));
        }
    }
    Ok(pairs
        .into_iter()
        .map(|(from, to)| {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(from);
            flag.push("=");
            flag.push(to);
            flag
        })
        .collect())
}

/// Fails when a file holds a path of this machine, as bytes or as UTF-16.
pub(crate) fn check(file: &Path, project: &Project) -> Result<()> {
    let bytes =
        std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    let folders = [home()?, cargo_home()?, project.root.clone(), project.target.clone()];
    for folder in folders {
        let folder = folder.to_string_lossy().into_owned();
        if let Some(found) = find_path(&bytes, &folder) {
            bail!("{} holds a path of this machine: {found}", file.display());
        }
    }
    Ok(())
}

/// The first place where `folder` starts a path, with what follows it.
fn find_path(bytes: &[u8], folder: &str) -> Option<String> {
    let wide: Vec<u8> = folder.encode_utf16().flat_map(u16::to_le_bytes).collect();
    find(bytes, folder.as_bytes(), 1).or_else(|| find(bytes, &wide, 2))
}

fn find(bytes: &[u8], folder: &[u8], width: usize) -> Option<String> {
    if folder.is_empty() {
        return None;
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    for (at, part) in bytes.windows(folder.len()).enumerate() {
        if part != folder {
            continue;
        }
        // "src/root/mod.rs" is not in "/root".
        let inside = at >= width && is_name(bytes[at - width]);
        let after = bytes.get(at + folder.len()).copied().unwrap_or(0);
        if !inside && (after == b'/' || after == b'\\') {
            let end = (at + 120 * width).min(bytes.len());
            let shown = bytes[at..end].iter().step_by(width).take_while(|b| b.is_ascii_graphic());
            return Some(shown.map(|byte| char::from(*byte)).collect());
        }
    }
    None
}

fn home() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    home.map(PathBuf::from).context("neither HOME nor USERPROFILE is set")
}

fn cargo_home() -> Result<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(set) => Ok(set.into()),
        None => Ok(home()?.join(".cargo")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_builder_is_found_in_both_encodings() {
        let text = "panicked at /home/ann/.cargo/x.rs";
        assert!(find_path(text.as_bytes(), "/home/ann").unwrap().starts_with("/home/ann/.cargo"));
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(find_path(&wide, "/home/ann").unwrap().starts_with("/home/ann/.cargo"));
    }

    #[test]
    fn a_path_that_only_contains_the_folder_is_not_meant() {
        assert_eq!(find_path(b"crates/home/mod.rs", "/home"), None);
        assert_eq!(find_path(b"/homeless/mod.rs", "/home"), None);
        assert!(find_path(b"at /home/x", "/home").is_some());
    }
}
