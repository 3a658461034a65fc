//! Where the dump goes: name, folder, volume, and the `.partial` beside the target.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use machine::{
    OsErrorKind, PathFacts, Reader, Target, TargetError, TargetOptions, VolumeFacts, VolumeKind,
};

use crate::estimate::Estimate;
use crate::name::{self, NameParts};
use crate::{Class, Common, Failure, Note, World};

/// How many older `.partial` files of one name are stepped over.
const MAX_OLDER: u32 = 99;

/// Where a dump is going to be.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Absolute, in the form to open it by.
    pub(crate) folder: PathBuf,
    /// The final name in it.
    pub(crate) name: String,
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
    refuse_name(&facts)?;
    let (folder, name) = split(&facts)?;
    if facts.exists && !common.overwrite {
        return Err(exists(&facts.shown));
    }
    let folder_facts = world.host.path_facts(&folder);
    if folder_facts.exists && !folder_facts.is_folder {
        return Err(Failure::new(Class::Disk, format!("{} is not a folder", folder_facts.shown))
            .remedy("name another folder"));
    }
    if !folder_facts.is_folder {
        return Err(Failure::new(
            Class::Disk,
            format!("the folder {} does not exist", folder_facts.shown),
        )
        .remedy("create it first, or name another one"));
    }
    refuse_synced(world, common, &folder)?;
    let volume = volume_of(world, Some(&folder));
    note_volume(&facts, volume.as_ref(), &mut notes);
    let reader = reader(world, common, &mut notes)?;
    Ok(Place { folder, name, volume, reader, notes })
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
    if filled.ends_with(['/', std::path::MAIN_SEPARATOR]) {
        return Err(Failure::new(Class::Disk, format!("the folder {filled} does not exist"))
            .remedy("create it first, or name a file"));
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

/// Whether `path` lies in `root`, in any case of letters as Windows compares.
fn starts_with(path: &Path, root: &Path) -> bool {
    let lower = |p: &Path| PathBuf::from(p.to_string_lossy().to_lowercase());
    lower(path).starts_with(lower(root))
}

fn refuse_name(facts: &PathFacts) -> Result<(), Failure> {
    if let Some(drive) = facts.missing_drive {
        return Err(Failure::new(Class::Disk, format!("this session has no drive {drive}:")).remedy(
            "drives mapped by your desktop are not there in an elevated session: name the share (\\\\server\\share\\...), or a local disk",
        ));
    }
    if let Some(why) = &facts.refused {
        return Err(Failure::new(
            Class::Usage,
            format!("{} cannot be the name of a dump: {why}", facts.shown),
        )
        .remedy("name another file"));
    }
    Ok(())
}

fn split(facts: &PathFacts) -> Result<(PathBuf, String), Failure> {
    let bad = || {
        Failure::new(Class::Usage, format!("{} does not name a file", facts.shown))
            .remedy("name a file or a folder")
    };
    let name = facts.full.file_name().ok_or_else(bad)?;
    let name = name.to_str().ok_or_else(|| {
        Failure::new(Class::Usage, format!("the name {} is not valid Unicode", facts.shown))
            .remedy("name another file")
    })?;
    Ok((facts.full.parent().ok_or_else(bad)?.to_path_buf(), name.to_owned()))
}

pub(crate) fn exists(path: &str) -> Failure {
    Failure::new(Class::Disk, format!("{path} exists already; nothing was captured"))
        .remedy("name another file, or replace it with --overwrite")
}

fn refuse_synced(world: &World, common: &Common, folder: &Path) -> Result<(), Failure> {
    if common.allow_synced {
        return Ok(());
    }
    match world
        .host
        .synced_folders()
        .into_iter()
        .find(|s| starts_with(&world.host.resolved(folder), &world.host.resolved(&s.path)))
    {
        None => Ok(()),
        Some(synced) => Err(Failure::new(
            Class::Policy,
            format!(
                "{} is synchronised by {}: the memory of this machine would be uploaded",
                folder.display(),
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
    let (Some(volume), Some(estimate)) = (&place.volume, estimate) else { return Ok(()) };
    let least = crate::verdict::size(estimate.lower);
    if let Some(largest) = volume.largest_file.filter(|l| *l < estimate.lower) {
        let fs = volume.file_system.as_deref().unwrap_or("this file system");
        return Err(Failure::new(
            Class::Disk,
            format!(
                "{fs} holds files up to {}, the dump will have at least {least}",
                crate::verdict::size(largest)
            ),
        )
        .remedy("name a target on NTFS, ReFS or exFAT"));
    }
    match volume.free.filter(|f| *f < estimate.lower) {
        None => Ok(()),
        Some(free) => {
            let more =
                if overwrite { " (the old file stays until the new one is verified)" } else { "" };
            Err(Failure::new(
                Class::Disk,
                format!(
                    "{} has {} free, the dump will have at least {least}{more}",
                    volume.name,
                    crate::verdict::size(free)
                ),
            )
            .remedy("free some space, name another volume, or take `kernel --stacks-only`"))
        }
    }
}

/// Creates the `.partial`, under a numbered name where older ones are in the way.
pub(crate) fn create(
    world: &World,
    place: &Place,
    name: &str,
    allocate: u64,
    notes: &mut Vec<Note>,
) -> Result<Arc<dyn Target>, Failure> {
    for older in 0..MAX_OLDER {
        let options = TargetOptions {
            folder: place.folder.clone(),
            name: name::partial(name, older),
            allocate,
            reader: place.reader.as_ref().map(|r| r.sid.clone()),
            unbuffered: true,
        };
        match world.host.create_target(&options) {
            Ok(target) => {
                notes.extend(target.facts().warnings.iter().map(Note::warning));
                return Ok(Arc::from(target));
            }
            Err(TargetError::Exists(_)) => {
                notes.push(Note::info(format!(
                    "{} of an earlier capture is left alone",
                    options.name
                )));
            }
            Err(error) => return Err(failure(&error)),
        }
    }
    Err(Failure::new(
        Class::Disk,
        format!("{MAX_OLDER} unfinished captures of {name} are in {}", place.folder.display()),
    )
    .remedy("delete the .partial files that are no longer needed"))
}

/// Why a target could not be created, for the user.
pub(crate) fn failure(error: &TargetError) -> Failure {
    let disk = |message: String| Failure::new(Class::Disk, message);
    match error {
        TargetError::Exists(path) => exists(&path.display().to_string()),
        TargetError::NoFolder(path) => {
            disk(format!("the folder {} does not exist", path.display())).remedy("create it first")
        }
        TargetError::ReparsePoint(path) => disk(format!(
            "{} is a link or junction: a dump is not written through one",
            path.display()
        ))
        .remedy("name the folder it leads to"),
        TargetError::NoSpace(e) => disk(format!("there is no space for the dump: {e}"))
            .remedy("free some space or name another volume"),
        TargetError::InUse(path) => {
            disk(format!("{} is in use", path.display())).remedy("close whatever has it open")
        }
        TargetError::Os(e) => {
            let remedy = match e.kind {
                OsErrorKind::AccessDenied => "run elevated, or name a folder you may write to",
                OsErrorKind::ReadOnly => "the volume is write protected: name another one",
                _ => "name another folder, best on a local disk",
            };
            disk(format!("the file cannot be created: {e}")).remedy(remedy)
        }
    }
}
