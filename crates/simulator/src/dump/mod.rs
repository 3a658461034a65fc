//! The files: header, live dump, triage dump, secondary data.

mod blobs;
mod header;
mod live;
mod triage;

pub(crate) use header::Bugcheck;
pub(crate) use live::{Content, LiveFile, Sink};
pub(crate) use triage::{ThreadCapture, TriageFile};
