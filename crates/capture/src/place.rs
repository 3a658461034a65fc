//! Where the dump goes: name, folder, volume, and the `.partial` beside the target.

use std::path::Path;
use std::sync::Arc;

use machine::{PathFacts, Reader, Target, VolumeFacts, VolumeKind};

use crate::estimate::Estimate;
use crate::name::{self, NameParts};
use crate::new_file::{self, Creation, NewFile, Room, starts_with};
use crate::{Class, Common, Failure, Note, World};

/// Where a dump is going to be.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: NewFile,
    pub(crate) volume: Option<VolumeFacts>,
    pub(crate) reader: Option<Reader>,
    pub(crate) notes: Vec<Note>,
}

/// The volume of a folder (the current one when none is given) as the machine sees it.
pub(crate) fn volume_of(world: &World, folder: Option<&Path>) -> Option<VolumeFacts> {
    let current = || world.host.current_folder().ok();
    let folder = folder.map(Path::to_path_buf).or_else(current)?;
    world.host.volume(&folder).ok().map(|v| world.machine.volume(v))
}

/// Finds out where the dump goes, and refuses early what cannot be.
pub(crate) fn plan(world: &World, common: &Common, parts: &NameParts) -> Result<Place, Failure> {
    let mut notes = Vec::new();
    let facts = resolve(world, common, parts, &mut notes)?;
    let file = NewFile::at(world.host.as_ref(), &facts, common.overwrite)?;
    refuse_synced(world, common, &file)?;
    let volume = volume_of(world, Some(&file.folder));
    note_volume(&facts, volume.as_ref(), &mut notes);
    let reader = reader(world, common, &mut notes)?;
    Ok(Place { file, volume, reader, notes })
}

fn resolve(
    world: &World,
    common: &Common,
    parts: &NameParts,
    notes: &mut Vec<Note>,
) -> Result<PathFacts, Failure> {
    let Some(typed) = &common.file else {
        return default_place(world, parts, notes);
    };
    let is_free = |name: &str| !world.host.path_facts(Path::new(name)).exists;
    let filled = parts.fill(typed, is_free).map_err(|e| Failure::new(Class::Usage, e))?;
    let facts = world.host.path_facts(Path::new(&filled));
    if facts.is_folder {
        return Ok(free_default(world, parts, &facts.full));
    }
    if new_file::ends_as_folder(&filled) {
        return Err(new_file::no_folder(&filled));
    }
    Ok(facts)
}

/// The current folder, unless it is the system's own: an elevated console often starts there.
fn default_place(
    world: &World,
    parts: &NameParts,
    notes: &mut Vec<Note>,
) -> Result<PathFacts, Failure> {
    let current = world.host.current_folder().map_err(|e| {
        Failure::new(Class::Disk, format!("the current folder cannot be used: {e}"))
            .remedy("name a file")
    })?;
    let is_system = world.host.system_folder().is_some_and(|system| starts_with(&current, &system));
    let folder = if is_system {
        let other = world.host.fallback_folder();
        notes.push(Note::info(format!(
            "the current folder is the system's own ({}): the dump goes to {}",
            current.display(),
            other.display()
        )));
        other
    } else {
        current
    };
    Ok(free_default(world, parts, &folder))
}

/// A made-up name that is free: nobody chose it, so nobody need choose another.
fn free_default(world: &World, parts: &NameParts, folder: &Path) -> PathFacts {
    let name = parts.default_name();
    let facts = |n: usize| world.host.path_facts(&folder.join(name::batch(&name, n)));
    (2..100).fold(facts(1), |found, n| if found.exists { facts(n) } else { found })
}

fn refuse_synced(world: &World, common: &Common, file: &NewFile) -> Result<(), Failure> {
    match file.synced(world.host.as_ref()).filter(|_| !common.allow_synced) {
        None => Ok(()),
        Some(synced) => Err(Failure::new(
            Class::Policy,
            format!(
                "{} is synchronised by {}: the memory of this machine would be uploaded",
                file.folder.display(),
                synced.provider
            ),
        )
        .remedy("name a folder outside it, or say --allow-synced")),
    }
}

fn note_volume(facts: &PathFacts, volume: Option<&VolumeFacts>, notes: &mut Vec<Note>) {
    let is_network = facts.is_network || volume.is_some_and(|v| v.kind == VolumeKind::Network);
    if is_network {
        notes.push(Note::warning(
            "the target is on the network, which is not proved to work: prefer a local disk, then copy",
        ));
    }
    if volume.is_some_and(|v| v.access_lists == Some(false)) {
        notes.push(Note::warning("the target's volume keeps no access lists: whoever can open the volume can read the dump"));
    }
}

fn reader(
    world: &World,
    common: &Common,
    notes: &mut Vec<Note>,
) -> Result<Option<Reader>, Failure> {
    let Some(who) = &common.readable_by else { return Ok(None) };
    let reader = world.host.reader(who).map_err(|e| {
        Failure::new(Class::Usage, format!("--readable-by {who}: {e}"))
            .remedy("say `me` or a SID (S-1-5-21-...)")
    })?;
    let account = reader.account.clone().unwrap_or_else(|| reader.sid.clone());
    notes.push(Note::warning(format!(
        "{account} may read the dump, and so may every process of that account"
    )));
    Ok(Some(reader))
}

/// Refuses a volume that certainly cannot hold the dump.
pub(crate) fn check_space(
    place: &Place,
    estimate: Option<Estimate>,
    overwrite: bool,
) -> Result<(), Failure> {
    let Some(estimate) = estimate else { return Ok(()) };
    let least = estimate.lower;
    let room = Room { length: least, bytes: least, at_least: true, overwrite };
    let remedy = "name another volume, or take `kernel --stacks-only`";
    new_file::check_room(place.volume.as_ref(), &room, remedy)
}

/// Creates the `.partial` of a file in the place's folder.
pub(crate) fn create(
    world: &World,
    place: &Place,
    name: &str,
    allocate: u64,
    notes: &mut Vec<Note>,
) -> Result<Arc<dyn Target>, Failure> {
    let reader = place.reader.as_ref().map(|reader| reader.sid.clone());
    let how = Creation { allocate, reader, unbuffered: true };
    place.file.sibling(name).create(world.host.as_ref(), &how, notes).map(Arc::from)
}
