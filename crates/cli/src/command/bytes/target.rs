//! Bytes into a file that has its name only when it has all of them.

use std::path::Path;
use std::sync::Arc;

use capture::{Class, Failure};
use machine::{Host, Interrupts, Target, Wake};

use super::sink::Sink;
use crate::args::BytesArgs;
use crate::command::new_file::Place;
use crate::world;

/// The file under construction.
pub(super) struct Out {
    place: Place,
    target: Box<dyn Target>,
    interrupts: Option<Arc<dyn Interrupts>>,
    written: u64,
}

impl Out {
    /// Creates `OUT.partial`, or refuses early what cannot be.
    pub(super) fn create(out: &Path, source: &Path, how: &BytesArgs) -> Result<Self, Failure> {
        let host = world::host().map_err(|refused| match refused {
            crate::command::Refused::Failure(failure) => failure,
            crate::command::Refused::Usage(error) => {
                Failure::new(Class::Internal, error.to_string())
            }
        })?;
        let place = Place::plan(host.as_ref(), out, None, how.overwrite)?;
        check_place(host.as_ref(), source, &place, how.allow_synced)?;
        let target = place.create(host.as_ref())?;
        let interrupts = host.interrupts(Wake::new()).ok();
        Ok(Self { place, target, interrupts, written: 0 })
    }

    /// Gives it its name when it is whole, and says where it is: nowhere when it would be empty.
    pub(super) fn finish(self, whole: bool, length: u64) -> Result<Option<String>, Failure> {
        if let Some(interrupts) = &self.interrupts {
            interrupts.finished();
        }
        if length == 0 {
            self.target.delete().map_err(|error| {
                let text = format!("{} could not be deleted: {error}", self.shown());
                Failure::new(Class::Disk, text)
            })?;
            return Ok(None);
        }
        self.target.flush().map_err(|error| self.failed(&error))?;
        if !whole {
            return Ok(Some(self.shown()));
        }
        let path = self.place.name(self.target.as_ref())?;
        Ok(Some(shown(&path)))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        let text = format!("{} could not be written: {error}", self.shown());
        Failure::new(Class::Disk, text).remedy("it is left as it is, and may be deleted")
    }

    fn shown(&self) -> String {
        shown(&self.target.path())
    }
}

impl Sink for Out {
    fn held(&mut self, _: u64, _: u64, bytes: &[u8]) -> Result<bool, Failure> {
        if self.interrupts.as_ref().is_some_and(|interrupts| interrupts.count() > 0) {
            let text = match self.target.delete() {
                Ok(()) => "cancelled; nothing was left behind".to_owned(),
                Err(error) => format!("cancelled; {} could not be deleted: {error}", self.shown()),
            };
            return Err(Failure::new(Class::Cancelled, text));
        }
        let written = self.target.write_at(self.written, bytes);
        written.map_err(|error| self.failed(&error))?;
        self.written += bytes.len() as u64;
        Ok(true)
    }
}

/// Memory does not get into a cloud by accident, nor over the dump that it is from.
fn check_place(
    host: &dyn Host,
    source: &Path,
    place: &Place,
    allow_synced: bool,
) -> Result<(), Failure> {
    let source = host.path_facts(source).full;
    if source == place.folder.join(&place.name) {
        return Err(Failure::new(Class::Usage, "FILE and OUT are the same file")
            .remedy("name another OUT: the dump is never written to"));
    }
    let inside = |path: &Path| place.folder.starts_with(path) && !source.starts_with(path);
    let synced = host.synced_folders().into_iter().find(|synced| inside(&synced.path));
    match synced.filter(|_| !allow_synced) {
        None => Ok(()),
        Some(synced) => Err(Failure::new(
            Class::Policy,
            format!("{} is synchronised by {}", place.folder.display(), synced.provider),
        )
        .remedy("name a folder outside it, or say --allow-synced")),
    }
}

/// A path as the user would type it: the long-path prefix is ours, not theirs.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    match text.strip_prefix(r"\\?\UNC\") {
        Some(share) => format!(r"\\{share}"),
        None => text.strip_prefix(r"\\?\").map_or(text.clone(), Into::into),
    }
}
