//! `livedump kernel`.

use capture::Report;

use super::{Outcome, Said, object};
use crate::args::{CaptureArgs, KernelArgs};
use crate::render::capture::{errors, summary};
use crate::{options, progress, world};

pub(super) fn run(typed: &KernelArgs) -> Outcome {
    let options = options::kernel(typed)?;
    let world = world::open("kernel", typed.capture.asking.simulate.as_deref())?;
    let watching = progress::watching(typed.capture.progress);
    let report = capture::kernel(&world, &options, watching.observer);
    captured(&report, &typed.capture, watching.shows_notes)
}

/// What a capture of either kind says. Notes that were shown while it ran are not repeated to the same reader.
pub(super) fn captured(report: &Report, typed: &CaptureArgs, notes_were_shown: bool) -> Outcome {
    let said = if typed.asking.output.json {
        Said::text(object(report)?)
    } else {
        let repeat = !(notes_were_shown && crate::console::shows_output());
        Said { errors: errors(report, !notes_were_shown), ..Said::text(summary(report, repeat)) }
    };
    Ok(Said { class: report.class, abandoned: report.abandoned, ..said })
}
