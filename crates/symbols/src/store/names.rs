//! File names out of dumps and images: they must not lead anywhere.

/// Why a name is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, `.` or `..`.
    #[error("the name is empty or only dots")]
    Empty,
    /// Too long for a file name.
    #[error("the name is longer than 128 bytes")]
    TooLong,
    /// A drive, a stream, a wildcard, a control character, a trailing dot or blank.
    #[error("the name has characters that no file name has")]
    Characters,
    /// A device of Windows, whatever follows it.
    #[error("the name is a device's")]
    Device,
}

/// Names of devices in every folder.
/// [Microsoft, "Naming Files, Paths, and Namespaces".]
const DEVICES: [&str; 8] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "COM", "LPT"];

/// The last part of a path that came out of a dump or an image, if it is a
/// plain file name on every system.
pub fn safe_name(path: &str) -> Result<&str, NameError> {
    let name = path.rsplit(['\\', '/']).next().unwrap_or_default();
    if name.chars().all(|c| c == '.') {
        return Err(NameError::Empty);
    }
    if name.len() > 128 {
        return Err(NameError::TooLong);
    }
    let bad = |c: char| c.is_control() || "<>:\"|?*".contains(c);
    if name.contains(bad) || name.ends_with(['.', ' ']) || name.starts_with(' ') {
        return Err(NameError::Characters);
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    // COM1 to COM9, also with the superscript digits that Windows takes for them.
    let numbered = stem.chars().last().is_some_and(|c| "0123456789¹²³".contains(c));
    let device =
        if numbered { stem.trim_end_matches(|c| "0123456789¹²³".contains(c)) } else { stem };
    let named = DEVICES.iter().any(|known| {
        known.eq_ignore_ascii_case(device) && numbered == matches!(*known, "COM" | "LPT")
    });
    if named { Err(NameError::Device) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_part_of_a_path_counts() {
        assert_eq!(safe_name("ntkrnlmp.pdb"), Ok("ntkrnlmp.pdb"));
        assert_eq!(safe_name("D:\\os\\obj\\ntkrnlmp.pdb"), Ok("ntkrnlmp.pdb"));
        assert_eq!(safe_name("..\\..\\x.pdb"), Ok("x.pdb"));
        assert_eq!(safe_name("/etc/../passwd"), Ok("passwd"));
        assert_eq!(safe_name("common.sys"), Ok("common.sys"));
        assert_eq!(safe_name("com.sys"), Ok("com.sys"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for (name, error) in [
            ("", NameError::Empty),
            ("a\\..", NameError::Empty),
            ("a/", NameError::Empty),
            ("...", NameError::Empty),
            ("C:x", NameError::Characters),
            ("x.pdb:stream", NameError::Characters),
            ("x\0.pdb", NameError::Characters),
            ("x?.pdb", NameError::Characters),
            ("x.pdb ", NameError::Characters),
            ("x.pdb.", NameError::Characters),
            ("nul", NameError::Device),
            ("NUL.pdb", NameError::Device),
            ("Com1.sys", NameError::Device),
            ("lpt9", NameError::Device),
            ("aux .pdb", NameError::Device),
        ] {
            assert_eq!(safe_name(name), Err(error), "{name:?}");
        }
        assert_eq!(safe_name(&"x".repeat(129)), Err(NameError::TooLong));
    }
}
