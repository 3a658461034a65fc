//! `livedump info`.

use capture::{Class, Failure};

use nt::code::{Kind, explain};

use super::{Outcome, answer, file};
use crate::args::FileArgs;
use crate::render::explain::code;
use crate::render::info::{InfoReport, text};

pub(super) fn run(typed: &FileArgs) -> Outcome {
    let bytes = file::open(&typed.file)?;
    let path = typed.file.display().to_string();
    let mut info = format::info(&bytes).map_err(|error| {
        Failure::new(Class::Unverified, format!("'{path}' cannot be read as a dump: {error}"))
            .remedy("if it was cut in transfer, fetch it again; `livedump verify` says what was looked at")
    })?;
    info.code_text = info.code.map(named);
    let report = InfoReport { schema: "livedump.info/1".into(), path, info };
    answer(typed.output.json, Class::Done, &report, text)
}

/// `0x161 (LIVE_SYSTEM_DUMP)`
fn named(value: u32) -> String {
    let explanation = explain(value);
    let name = explanation
        .readings
        .iter()
        .find(|reading| reading.kind != Kind::NtStatus)
        .map(|reading| reading.name);
    let code = code(value, false);
    name.map_or_else(|| code.clone(), |name| format!("{code} ({name})"))
}
