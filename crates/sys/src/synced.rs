//! Folders that cloud clients synchronise: what is the same on every OS.

use std::path::{Path, PathBuf};

use machine::SyncedFolder;

/// Names that clients give their folder under the profile.
const FOLDERS: [(&str, &str); 10] = [
    ("Dropbox", "Dropbox"),
    ("OneDrive", "OneDrive"),
    ("Google Drive", "Google Drive"),
    ("GoogleDrive", "Google Drive"),
    ("My Drive", "Google Drive"),
    ("iCloudDrive", "iCloud Drive"),
    ("Library/Mobile Documents", "iCloud Drive"),
    ("Library/CloudStorage", "a cloud provider"),
    ("Nextcloud", "Nextcloud"),
    ("Box", "Box"),
];

/// What can be found by environment, folder name and Dropbox's own description.
pub(crate) fn under(profile: &Path, dropbox_info: &[PathBuf]) -> Vec<SyncedFolder> {
    let mut found = Vec::new();
    for variable in ["OneDrive", "OneDriveCommercial", "OneDriveConsumer"] {
        if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
            add(&mut found, "OneDrive", path.into());
        }
    }
    for (name, provider) in FOLDERS {
        let path = profile.join(name);
        if path.is_dir() {
            add(&mut found, provider, path);
        }
    }
    for info in dropbox_info {
        // A few hundred bytes; anything large is not it.
        if info.metadata().is_ok_and(|metadata| metadata.len() < 64 * 1024)
            && let Ok(text) = std::fs::read_to_string(info)
        {
            for path in json_paths(&text) {
                add(&mut found, "Dropbox", path.into());
            }
        }
    }
    found
}

/// Adds a folder once.
pub(crate) fn add(found: &mut Vec<SyncedFolder>, provider: &str, path: PathBuf) {
    if !found.iter().any(|known| known.path == path) {
        found.push(SyncedFolder { provider: provider.to_owned(), path });
    }
}

/// The string values of every `"path"` key. Dropbox documents
/// `{"personal": {"path": "...", ...}, "business": {...}}`.
fn json_paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\"path\"") {
        rest = rest[at + 6..].trim_start();
        let Some(value) = rest.strip_prefix(':') else { continue };
        let Some(value) = value.trim_start().strip_prefix('"') else { continue };
        if let Some(path) = json_string(value) {
            paths.push(path);
        }
    }
    paths
}

/// A JSON string up to its closing quote, escapes undone.
fn json_string(text: &str) -> Option<String> {
    let mut units = Vec::new();
    let mut characters = text.chars();
    loop {
        let mut encoded = [0; 2];
        match characters.next()? {
            '"' => return String::from_utf16(&units).ok(),
            '\\' => match characters.next()? {
                'u' => {
                    let digits: String = characters.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).ok()?);
                }
                'n' | 'r' | 't' | 'b' | 'f' => return None,
                plain => units.extend_from_slice(plain.encode_utf16(&mut encoded)),
            },
            plain => units.extend_from_slice(plain.encode_utf16(&mut encoded)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropboxs_description_names_its_folders() {
        let text = r#"{"personal": {"path": "C:\\Users\\J\u00f6rg\\Dropbox", "host": 1},
            "business": {"path" : "/home/x/Work \"2\"", "is_team": true}}"#;
        assert_eq!(json_paths(text), [r"C:\Users\Jörg\Dropbox", "/home/x/Work \"2\""]);
    }

    #[test]
    fn a_broken_description_names_none() {
        for text in [
            "",
            "\"path\"",
            "\"path\":",
            "\"path\": \"open",
            "\"path\": \"\\uZZZZ\"",
            "\"path\": 1",
        ] {
            assert_eq!(json_paths(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_folder_with_a_clients_name_under_the_profile_is_found_once() {
        let profile = tempfile::tempdir().unwrap();
        std::fs::create_dir(profile.path().join("Dropbox")).unwrap();
        let info = profile.path().join("info.json");
        let other = profile.path().join("elsewhere");
        let said = |path: &Path| path.display().to_string().replace('\\', "\\\\");
        let text = format!(
            "{{\"a\":{{\"path\":\"{}\"}},\"b\":{{\"path\":\"{}\"}}}}",
            said(&profile.path().join("Dropbox")),
            said(&other)
        );
        std::fs::write(&info, text).unwrap();
        let found = under(profile.path(), &[info]);
        let dropbox: Vec<_> =
            found.iter().filter(|one| one.provider == "Dropbox").map(|one| &one.path).collect();
        assert_eq!(dropbox, [&profile.path().join("Dropbox"), &other]);
    }
}
