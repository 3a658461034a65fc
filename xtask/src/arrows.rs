//! The arrow check: which crate of the house may stand on which.
//!
//! The list is the sentence in `docs/design.md` and nowhere else. Normal and
//! build dependencies are held to it; dev-dependencies are free, because what
//! a test compares itself with is not what the product stands on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::project::Project;

const LEAD: &str = "against this list): ";

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Checks all workspaces; returns the number of arrows.
pub(crate) fn check(main: &Project) -> Result<usize> {
    let design = main.root.join("docs/design.md");
    let text = std::fs::read_to_string(&design).context("docs/design.md")?;
    let allowed = allowed(&text)?;
    let mut found = drawn(main, &main.root);
    for other in ["testkernel/Cargo.toml", "fuzz/libfuzzer/Cargo.toml"] {
        let other = main.root.join(other);
        if other.exists() {
            join(&mut found, drawn(&Project::at(&other)?, &main.root));
        }
    }
    let wrong = violations(&allowed, &found);
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(found.values().map(BTreeSet::len).sum())
}

/// Reads the sentence of the design: "`a`, `b` → none; `c` → `a`, `b`; `d` → all but `e`."
fn allowed(design: &str) -> Result<Arrows> {
    let (_, rest) = design.split_once(LEAD).context("docs/design.md has no list of arrows")?;
    let sentence = rest.lines().next().unwrap_or("");
    let rules: Vec<(&str, &str)> = sentence
        .split(';')
        .map(|rule| rule.split_once('→').with_context(|| format!("no arrow in: {rule}")))
        .collect::<Result<_>>()?;
    let every: BTreeSet<String> = rules.iter().flat_map(|(from, _)| names(from)).collect();
    let mut arrows = Arrows::new();
    for (from, to) in rules {
        let to = match to.trim().strip_prefix("all but") {
            Some(but) => every.difference(&names(but)).cloned().collect(),
            None => names(to),
        };
        for name in names(from) {
            arrows.insert(name, to.clone());
        }
    }
    Ok(arrows)
}

/// What stands in backticks.
fn names(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The arrows that the manifests draw, by room.
fn drawn(project: &Project, root: &Path) -> Arrows {
    let mut arrows = Arrows::new();
    for package in &project.packages {
        let from = room(&package.folder, root);
        let to = package.paths.iter().map(|path| room(path, root)).filter(|to| *to != from);
        arrows.entry(from.clone()).or_default().extend(to);
    }
    arrows
}

/// A room may have packages in more than one workspace.
fn join(all: &mut Arrows, more: Arrows) {
    for (from, to) in more {
        all.entry(from).or_default().extend(to);
    }
}

/// The room a folder belongs to: `crates/NAME` is NAME, all of `testkernel/` is one room.
fn room(folder: &Path, root: &Path) -> String {
    let inside = folder.strip_prefix(root).unwrap_or(folder);
    let mut parts = inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    match parts.next() {
        Some(first) if first == "crates" => parts.next().unwrap_or(first),
        Some(first) => first,
        None => String::new(),
    }
}

fn violations(allowed: &Arrows, found: &Arrows) -> Vec<String> {
    let mut wrong = Vec::new();
    for (from, to) in found {
        let rule = match allowed.get(from) {
            Some(rule) => rule.clone(),
            // Chores may know no room of the house.
            None if from == "xtask" => BTreeSet::new(),
            None => {
                wrong.push(format!("{from}: a crate that the design's list does not name"));
                continue;
            }
        };
        wrong.extend(
            to.difference(&rule).map(|to| format!("{from} -> {to}: no arrow of the design")),
        );
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: &str = "text (it checks against this list): `nt`, `map` → none; \
        `format` → `map`, `nt`; `testkernel` → `nt`; `cli` → all but `testkernel`.\nmore";

    fn arrows(pairs: &[(&str, &[&str])]) -> Arrows {
        pairs
            .iter()
            .map(|(from, to)| ((*from).into(), to.iter().map(|t| (*t).into()).collect()))
            .collect()
    }

    #[test]
    fn the_sentence_of_the_design_is_the_list() {
        let list = allowed(DESIGN).unwrap();
        assert_eq!(list["nt"], BTreeSet::new());
        assert_eq!(list["format"], names("`map` `nt`"));
        assert_eq!(list["cli"], names("`nt` `map` `format` `cli`"));
    }

    #[test]
    fn an_allowed_arrow_passes_and_another_is_named() {
        let list = allowed(DESIGN).unwrap();
        let good = arrows(&[("format", &["nt"]), ("xtask", &[])]);
        assert!(violations(&list, &good).is_empty());
        let bad = violations(&list, &arrows(&[("nt", &["format"]), ("xtask", &["nt"])]));
        assert_eq!(bad.len(), 2);
        assert!(bad[0].starts_with("nt -> format"), "{bad:?}");
    }

    #[test]
    fn a_crate_that_the_design_does_not_name_is_refused() {
        let list = allowed(DESIGN).unwrap();
        assert!(violations(&list, &arrows(&[("extra", &[])]))[0].contains("extra"));
    }

    #[test]
    fn the_design_of_this_project_can_be_read() {
        let design = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/design.md");
        let list = allowed(&std::fs::read_to_string(design).unwrap()).unwrap();
        assert_eq!(list["simulator"], names("`machine`"));
        assert_eq!(list["machine"], BTreeSet::new());
        assert!(!list["cli"].contains("testkernel") && !list["cli"].contains("fuzz"));
        assert!(list["cli"].contains("sys"));
    }

    #[test]
    fn all_of_testkernel_is_one_room() {
        let root = Path::new("/p");
        assert_eq!(room(Path::new("/p/crates/cli"), root), "cli");
        assert_eq!(room(Path::new("/p/testkernel/kernel"), root), "testkernel");
    }
}
