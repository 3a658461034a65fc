//! `livedump event-source`.

use capture::{Class, Failure};
use machine::OsErrorKind;

use super::{Outcome, Said};
use crate::args::SourceAction;
use crate::world;

pub(super) fn run(action: SourceAction) -> Outcome {
    let register = action == SourceAction::Register;
    world::host()?.register_event_source(register).map_err(|error| match error.kind {
        OsErrorKind::AccessDenied => {
            Failure::new(Class::Elevation, error.to_string()).remedy("run from an elevated console")
        }
        OsErrorKind::Unsupported => Failure::new(Class::Unsupported, error.to_string()),
        OsErrorKind::NotFound => {
            Failure::new(Class::NotFound, error.to_string()).remedy("it is not registered")
        }
        _ => Failure::new(Class::Internal, error.to_string()),
    })?;
    Ok(Said::text(if register {
        "event source registered\n"
    } else {
        "event source unregistered\n"
    }))
}
