//! The rules of the house that a machine can see: arrows, unsafe code, file sizes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::arrows;
use crate::project::Project;

/// Crates that may have unsafe code: foreign calls and the one mapping call.
const MAY_BE_UNSAFE: [&str; 2] = ["sys", "map"];
const LONGEST_FILE: usize = 600;
const REASON: &str = "// Over 600 lines: ";
/// The reason stands where a reader begins.
const REASON_WITHIN: usize = 10;

/// `cargo xtask check`.
pub(crate) fn run() -> Result<ExitCode> {
    let project = Project::load()?;
    println!("{} arrows, all of the design", arrows::check(&project)?);
    unsafe_code(&project)?;
    println!("{} files checked for size", sizes(&project)?);
    Ok(ExitCode::SUCCESS)
}

/// Every crate but the two forbids unsafe code.
pub(crate) fn unsafe_code(project: &Project) -> Result<()> {
    let mut missing = Vec::new();
    for package in &project.packages {
        if MAY_BE_UNSAFE.contains(&package.name.as_str()) {
            continue;
        }
        for root in &package.roots {
            let text = std::fs::read_to_string(root)
                .with_context(|| format!("could not read {}", root.display()))?;
            if !text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]") {
                missing.push(format!("{}: no #![forbid(unsafe_code)]", root.display()));
            }
        }
    }
    if !missing.is_empty() {
        bail!("{}", missing.join("\n"));
    }
    Ok(())
}

/// No file over 600 lines without a stated reason; returns the number of files.
pub(crate) fn sizes(project: &Project) -> Result<usize> {
    let mut files = Vec::new();
    for room in ["crates", "xtask", "testkernel", "fuzz"] {
        collect(&project.root.join(room), &mut files)?;
    }
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("could not read {}", file.display()))?;
        if let Some(lines) = too_long(&text) {
            wrong.push(format!("{}: {lines} lines and no \"{REASON}...\"", file.display()));
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(files.len())
}

fn too_long(text: &str) -> Option<usize> {
    let lines = text.lines().count();
    let reason = text
        .lines()
        .take(REASON_WITHIN)
        .any(|line| line.strip_prefix(REASON).is_some_and(|reason| !reason.trim().is_empty()));
    (lines > LONGEST_FILE && !reason).then_some(lines)
}

/// All `.rs` files below a folder, build folders left out.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_needs_a_reason_in_its_first_lines() {
        let long = "line\n".repeat(601);
        assert_eq!(too_long(&long), Some(601));
        assert_eq!(too_long(&"line\n".repeat(600)), None);
        assert_eq!(too_long(&format!("//! Table.\n{REASON}a table of constants\n{long}")), None);
        assert_eq!(too_long(&format!("{REASON}\n{long}")), Some(602));
        assert_eq!(too_long(&format!("{long}{REASON}too late\n")), Some(602));
    }
}
