//! Verification of what was written, through the handle it was written by.

use format::{Level, Verdict, Verification};
use machine::Target;

use crate::new_file::ReadBack;
use crate::{Class, Failure};

/// Verifies header and structure.
pub(crate) fn verify(target: &dyn Target) -> Result<Verification, Failure> {
    Ok(format::verify(&ReadBack::new(target)?, Level::Structure))
}

/// What a verdict means for a capture. `Err`: the file must keep its `.partial` name.
pub(crate) fn class(verification: &Verification, require_complete: bool) -> Result<Class, Failure> {
    match verification.verdict {
        Verdict::Good => Ok(Class::Done),
        Verdict::Partial | Verdict::Encrypted if require_complete => {
            Err(Failure::new(Class::Partial, format!("a complete dump was required: {}", verification.summary))
                .remedy("free memory or ask for fewer pages and capture again; the .partial is kept"))
        }
        Verdict::Partial | Verdict::Encrypted => Ok(Class::Partial),
        // Damaged, unusable, and whatever a later version calls bad.
        _ => Err(Failure::new(
            Class::Unverified,
            format!("Windows called it a success, verification says no: {}", verification.summary),
        )
        .details(failed_checks(verification))
        .remedy("the .partial is kept as evidence; capture again, on another volume if it happens twice")),
    }
}

/// The failed checks, a line each.
pub fn failed_checks(verification: &Verification) -> Vec<String> {
    verification
        .checks
        .iter()
        .filter(|c| c.outcome == format::Outcome::Fail)
        .map(failed_check)
        .collect()
}

/// A failed check in one line: name, place, expected and found.
fn failed_check(check: &format::Check) -> String {
    let mut line = format!("{}: {}", check.name, check.text);
    if let Some(offset) = check.offset {
        line.push_str(&format!(" (file offset {offset:#x})"));
    }
    line
}

/// Bytes for people: "1.2 GiB".
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut below = 1u64;
    while unit + 1 < UNITS.len() && bytes / below >= 1024 {
        below *= 1024;
        unit += 1;
    }
    if unit == 0 {
        return format!("{bytes} bytes");
    }
    let tenths = u128::from(bytes) * 10 / u128::from(below);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(super::size(0), "0 bytes");
        assert_eq!(super::size(1023), "1023 bytes");
        assert_eq!(super::size(1024), "1.0 KiB");
        assert_eq!(super::size(5 << 30), "5.0 GiB");
        assert_eq!(super::size(u64::MAX), "16777215.9 TiB");
    }
}
