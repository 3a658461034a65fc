//! Bytes into a file that has its name only when it has all of them.

use std::path::Path;
use std::sync::Arc;

use capture::new_file::{self, Creation, NewFile, shown};
use capture::{Class, Failure};
use machine::{Interrupts, Target, Wake};

use super::sink::Sink;
use crate::args::BytesArgs;
use crate::command::Refused;
use crate::world;

/// The file under construction.
pub(super) struct Out {
    place: NewFile,
    overwrite: bool,
    target: Box<dyn Target>,
    interrupts: Option<Arc<dyn Interrupts>>,
    written: u64,
}

impl Out {
    /// Creates `OUT.partial`, or refuses early what cannot be.
    pub(super) fn create(out: &Path, source: &Path, how: &BytesArgs) -> Result<Self, Refused> {
        let host = world::host()?;
        let (overwrite, allow_synced) = (how.overwrite, how.allow_synced);
        let place = NewFile::made_from(host.as_ref(), source, out, None, overwrite, allow_synced)?;
        // Without this only administrators could read it, where access lists are kept.
        let reader = host.reader("me").ok().map(|reader| reader.sid);
        let how = Creation { reader, ..Creation::default() };
        let target = place.create(host.as_ref(), &how, &mut Vec::new())?;
        let interrupts = host.interrupts(Wake::new()).ok();
        Ok(Self { place, overwrite, target, interrupts, written: 0 })
    }

    /// Gives it its name when it is whole, and says where it is: nowhere when nothing could be read.
    pub(super) fn finish(self, whole: bool, length: u64) -> Result<Option<String>, Failure> {
        if let Some(interrupts) = &self.interrupts {
            interrupts.finished();
        }
        if !whole && length == 0 {
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
        let named = self.target.rename(&self.place.name, self.overwrite);
        let path = named.map_err(|error| {
            let failure = new_file::failure(&error);
            let message = format!("{}; all bytes are at {}", failure.message, self.shown());
            Failure { message, ..failure }
        })?;
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
