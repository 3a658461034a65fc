//! `livedump profile make`.

use std::path::Path;
use std::sync::Arc;

use capture::{Class, Failure};
use ntos::layout::WANTED;
use ntos::{ENUMERATIONS, HEADS};
use symbols::{Pdb, Profile};

use super::super::{Outcome, Said};
use crate::args::{ProfileAction, ProfileArgs};

pub(in crate::command) fn run(typed: &ProfileArgs) -> Outcome {
    let ProfileAction::Make { pdb, output } = &typed.action;
    let profile = make(pdb)?;
    let text = profile.to_json().map_err(|error| unusable(pdb, &error))?;
    let Some(path) = output else { return Ok(Said::text(text)) };
    super::write_new(path, &text)?;
    Ok(Said::text(format!(
        "profile     {}\nof          {} {} age {}\nstructures  {}\n",
        path.display(),
        profile.pdb.name,
        profile.pdb.guid,
        profile.pdb.age,
        profile.structures.len()
    )))
}

fn make(path: &Path) -> Result<Profile, Failure> {
    let file = map::File::open_suited(path).map_err(|error| {
        let class = match error.kind() {
            std::io::ErrorKind::NotFound => Class::NotFound,
            _ => Class::Disk,
        };
        Failure::new(class, format!("'{}' cannot be opened: {error}", path.display()))
    })?;
    let pdb = Pdb::open(Arc::new(file)).map_err(|error| unusable(path, &error))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let structures = WANTED.iter().map(|(structure, _)| *structure);
    let types: Vec<&str> = structures.chain(ENUMERATIONS.iter().copied()).collect();
    let profile =
        Profile::make(&pdb, &name, &types, HEADS).map_err(|error| unusable(path, &error))?;
    if profile.structures.contains_key("_EPROCESS") {
        return Ok(profile);
    }
    let why = "it has no type _EPROCESS: it is not the PDB of a Windows kernel, or has no types";
    Err(unusable(path, &why))
}

fn unusable(path: &Path, why: &impl std::fmt::Display) -> Failure {
    Failure::new(Class::Unverified, format!("'{}' makes no profile: {why}", path.display()))
}
