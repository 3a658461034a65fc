//! `livedump info`.

use capture::{Class, Failure};

use super::{Outcome, answer, file};
use crate::args::FileArgs;
use crate::render::info::{InfoReport, text};

pub(super) fn run(typed: &FileArgs) -> Outcome {
    let bytes = file::open(&typed.file, &typed.open)?;
    let path = typed.file.display().to_string();
    let info = format::info(&bytes).map_err(|error| {
        Failure::new(Class::Unverified, format!("'{path}' cannot be read as a dump: {error}"))
            .remedy("if it was cut in transfer, fetch it again; `livedump verify` says what was looked at")
    })?;
    let report = InfoReport { schema: "livedump.info/1".into(), path, info };
    answer(typed.output.json, Class::Done, &report, text)
}
