//! What Windows lets be a file's path, as pure functions: tested on every OS, used on Windows.
//!
//! Source: Microsoft's "Naming Files, Paths, and Namespaces".

/// Longest path that every Windows API takes without the `\\?\` prefix; a
/// folder must leave room for an 8.3 name, hence less than MAX_PATH.
const LONG: usize = 247;

/// Why `text` cannot be a dump's path on Windows, in words.
pub(crate) fn refused(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the path is empty".into());
    }
    let path = text.replace('/', "\\");
    if path.starts_with(r"\\.\") || path.starts_with(r"\??\") {
        return Some("it names a device, not a file".into());
    }
    let verbatim = path.starts_with(r"\\?\");
    // Without the prefix Windows takes these for devices wherever they stand.
    let rest = after_root(&path);
    if let Some(name) = rest.iter().rev().find(|name| !name.is_empty())
        && let Some(reason) = name_refused(name).or_else(|| too_long(name, 255 - crate::ROOM))
    {
        return Some(reason);
    }
    rest.iter().find_map(|name| {
        if name.is_empty() || (!verbatim && matches!(*name, "." | "..")) {
            return None;
        }
        illegal(name).or_else(|| reserved(name))
    })
}

/// Why `name` cannot be the name of a file in some folder, in words.
pub(crate) fn name_refused(name: &str) -> Option<String> {
    if matches!(name, "." | "..") {
        return None;
    }
    illegal(name)
        .or_else(|| reserved(name))
        .or_else(|| trailing(name))
        .or_else(|| too_long(name, 255))
}

/// The components behind drive, share or prefix.
fn after_root(path: &str) -> Vec<&str> {
    let bare = path.strip_prefix(r"\\?\").unwrap_or(path);
    let rest = if let Some(share) = unc(path) {
        share.splitn(3, '\\').nth(2).unwrap_or("")
    } else if is_drive(bare) {
        &bare[2..]
    } else {
        bare
    };
    rest.split('\\').collect()
}

/// `server\share\...` of a UNC path, prefixed or not.
fn unc(path: &str) -> Option<&str> {
    if let Some(bare) = path.strip_prefix(r"\\?\") {
        let (head, rest) = bare.split_at_checked(4)?;
        return head.eq_ignore_ascii_case(r"UNC\").then_some(rest);
    }
    path.strip_prefix(r"\\")
}

fn is_drive(path: &str) -> bool {
    drive(path).is_some()
}

/// The drive letter that `path` begins with, in upper case, prefixed or not.
pub(crate) fn drive(path: &str) -> Option<char> {
    let bare = path.strip_prefix(r"\\?\").unwrap_or(path);
    let mut characters = bare.chars();
    let letter = characters.next().filter(char::is_ascii_alphabetic)?;
    (characters.next() == Some(':')).then(|| letter.to_ascii_uppercase())
}

/// Whether `path` names a share of another computer.
pub(crate) fn is_unc(path: &str) -> bool {
    unc(path).is_some() && !path.starts_with(r"\\.\")
}

fn illegal(name: &str) -> Option<String> {
    let bad =
        name.chars().find(|c| matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') || *c < ' ')?;
    Some(match bad {
        ':' => format!("\"{name}\" names an alternate data stream"),
        control if control < ' ' => {
            format!("the name has a control character (0x{:02X})", u32::from(control))
        }
        other => format!("\"{name}\" has the character {other}, which no name can have"),
    })
}

fn reserved(name: &str) -> Option<String> {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    let upper = stem.to_ascii_uppercase();
    let fixed = matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$");
    let port = upper.strip_prefix("COM").or_else(|| upper.strip_prefix("LPT"));
    let numbered = port.is_some_and(|digit| {
        matches!(digit, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    });
    (fixed || numbered)
        .then(|| format!("\"{name}\" is a reserved name: Windows takes it for a device"))
}

fn trailing(name: &str) -> Option<String> {
    let last = match name.chars().last()? {
        '.' => "dot",
        ' ' => "space",
        _ => return None,
    };
    Some(format!("\"{name}\" ends in a {last}, which Windows cuts off"))
}

fn too_long(name: &str, limit: usize) -> Option<String> {
    let units = name.encode_utf16().count();
    (units > limit).then(|| format!("the name is {units} characters long; {limit} is the limit"))
}

/// The form to open a full path by: prefixed when it is long.
pub(crate) fn to_open(full: &str) -> String {
    if full.encode_utf16().count() <= LONG || full.starts_with(r"\\?\") || full.starts_with(r"\\.\")
    {
        return full.to_owned();
    }
    match full.strip_prefix(r"\\") {
        Some(share) => format!(r"\\?\UNC\{share}"),
        None => format!(r"\\?\{full}"),
    }
}

/// The form to show: without the prefix where that names the same file.
pub(crate) fn to_show(full: &str) -> String {
    if let Some(share) = full.strip_prefix(r"\\?\").and_then(|_| unc(full)) {
        return format!(r"\\{share}");
    }
    match full.strip_prefix(r"\\?\") {
        Some(bare) if is_drive(bare) => bare.to_owned(),
        _ => full.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_taken() {
        for path in [
            "live.dmp",
            r"C:\dumps\live.dmp",
            "C:/dumps/live.dmp",
            r"C:live.dmp",
            r"..\x\.\live.dmp",
            r"\\server\share\live.dmp",
            r"\\?\C:\dumps\live.dmp",
            r"\\?\UNC\server\share\live.dmp",
            r"\\?\Volume{01234567-89ab-cdef-0123-456789abcdef}\live.dmp",
            r"C:\dumps\",
            ".",
            "..",
            "conman.dmp",
            "COM10.dmp",
            "nul-und-nichtig.dmp",
            "名前.dmp",
        ] {
            assert_eq!(refused(path), None, "{path}");
        }
    }

    #[test]
    fn reserved_names_are_refused_with_any_extension_case_and_place() {
        for name in [
            "CON",
            "con.dmp",
            "Prn",
            "AUX.tar.gz",
            "nul",
            "NUL .dmp",
            "COM1",
            "com9.dmp",
            "LPT0",
            "lpt¹",
            "CONIN$",
            "conout$.x",
        ] {
            let said = refused(&format!(r"C:\dumps\{name}")).unwrap();
            assert!(said.contains("reserved"), "{name}: {said}");
        }
        assert!(refused(r"C:\aux\live.dmp").is_some());
    }

    #[test]
    fn trailing_dots_and_spaces_are_refused_because_windows_cuts_them_off() {
        assert!(refused("live.dmp.").unwrap().contains("dot"));
        assert!(refused("live.dmp ").unwrap().contains("space"));
        assert!(refused(r"\\?\C:\live.").unwrap().contains("dot"));
    }

    #[test]
    fn streams_devices_and_illegal_characters_are_refused_in_words() {
        assert!(refused("live.dmp:hidden").unwrap().contains("stream"));
        assert!(refused(r"C:\a:b\live.dmp").unwrap().contains("stream"));
        assert!(refused(r"\\.\PhysicalDrive0").unwrap().contains("device"));
        assert!(refused("//./pipe/x").unwrap().contains("device"));
        assert!(refused(r"\??\C:\x").unwrap().contains("device"));
        assert!(refused("a*b.dmp").unwrap().contains('*'));
        assert!(refused("a\tb.dmp").unwrap().contains("0x09"));
        assert!(refused("").unwrap().contains("empty"));
        assert!(refused(&"x".repeat(256)).unwrap().contains("255"));
    }

    #[test]
    fn long_paths_are_prefixed_before_the_call_and_shown_without_the_prefix() {
        let tail = "x".repeat(250);
        assert_eq!(to_open(r"C:\short.dmp"), r"C:\short.dmp");
        assert_eq!(to_open(&format!(r"C:\{tail}")), format!(r"\\?\C:\{tail}"));
        assert_eq!(to_open(&format!(r"\\srv\s\{tail}")), format!(r"\\?\UNC\srv\s\{tail}"));
        let already = format!(r"\\?\C:\{tail}");
        assert_eq!(to_open(&already), already);
        assert_eq!(to_show(&already), format!(r"C:\{tail}"));
        assert_eq!(to_show(r"\\?\UNC\srv\s\x"), r"\\srv\s\x");
        assert_eq!(to_show(r"\\?\Volume{1}\x"), r"\\?\Volume{1}\x");
    }

    #[test]
    fn drives_and_shares_are_told_apart() {
        assert_eq!(drive(r"c:\x"), Some('C'));
        assert_eq!(drive(r"\\?\z:\x"), Some('Z'));
        assert_eq!(drive(r"\\server\share"), None);
        assert!(is_unc(r"\\server\share\x"));
        assert!(is_unc(r"\\?\unc\server\share\x"));
        assert!(!is_unc(r"\\?\C:\x"));
        assert!(!is_unc(r"\\.\C:"));
    }
}
