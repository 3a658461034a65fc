//! `*` and `?` in the last part of a path, for systems whose shell leaves them to the program.

use std::path::{Path, PathBuf};

use crate::world;

/// The files that a path means: itself, or all of a folder whose names match, in order of their names.
/// None where nothing matches.
pub(super) fn expand(path: &Path) -> Vec<PathBuf> {
    match pattern(path).filter(|_| !world::SHELL_EXPANDS) {
        Some(pattern) => matching(path, pattern),
        None => vec![path.to_path_buf()],
    }
}

fn pattern(path: &Path) -> Option<&str> {
    path.file_name()?.to_str().filter(|name| name.contains(['*', '?']))
}

fn matching(path: &Path, pattern: &str) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(here) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| matches(pattern, name)))
        .map(|entry| folder.join(entry.file_name()))
        .collect();
    found.sort();
    found
}

/// As Windows' own commands match: any case, and `*.*` is every name, with a dot or without one.
/// The time is pattern times name, whatever stands in them.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern = if pattern == "*.*" { "*" } else { pattern };
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars().flat_map(char::to_lowercase) {
        reached = step(wanted, &reached, &name);
    }
    reached.last() == Some(&true)
}

/// How much of the name the pattern can have used up after one character more.
fn step(wanted: char, reached: &[bool], name: &[char]) -> Vec<bool> {
    if wanted == '*' {
        let mut any = false;
        let star = |reached: &bool| {
            any |= *reached;
            any
        };
        return reached.iter().map(star).collect();
    }
    let fits =
        reached.iter().zip(name).map(|(reached, c)| *reached && (wanted == '?' || wanted == *c));
    std::iter::once(false).chain(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character_in_any_case() {
        for (pattern, name) in [
            ("*.dmp", "x.dmp"),
            ("*.DMP", "Grün.dmp"),
            ("*.*", "noextension"),
            ("*", ".dmp"),
            ("live?.dmp", "LIVE1.dmp"),
            ("a*b*c", "axxbyybzzc"),
            ("x.dmp", "x.dmp"),
            ("**", ""),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.dmp", "x.dmp.partial"),
            ("live?.dmp", "live.dmp"),
            ("?", ""),
            ("?", "ab"),
            ("a*b", "abc"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_hostile_pattern_cannot_make_it_slow() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
    }

    #[test]
    fn files_of_the_folder_are_found_in_order_and_folders_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.dmp", "a.dmp", "c.txt"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        std::fs::create_dir(folder.path().join("d.dmp")).unwrap();
        let found = matching(&folder.path().join("*.dmp"), "*.dmp");
        assert_eq!(found, [folder.path().join("a.dmp"), folder.path().join("b.dmp")]);
        assert!(matching(Path::new("no/such/folder/*.dmp"), "*.dmp").is_empty());
    }

    #[test]
    fn only_the_last_part_of_a_path_is_a_pattern() {
        assert_eq!(pattern(Path::new("a/x?.dmp")), Some("x?.dmp"));
        assert_eq!(pattern(Path::new("a*/x.dmp")), None);
        assert_eq!(pattern(Path::new("..")), None);
    }
}
