//! `livedump kernel`.

use capture::Report;

use super::{Outcome, Said, object};
use crate::args::{CaptureArgs, KernelArgs};
use crate::render::capture::{errors, summary};
use crate::{options, progress, world};

pub(super) fn run(typed: &KernelArgs) -> Outcome {
    let options = options::kernel(typed)?;
    let world = world::open("kernel", typed.capture.asking.simulate.as_deref())?;
    if let (Some(file), Some(scenario)) = (&typed.truth, &typed.capture.asking.simulate) {
        world::write_truth(scenario, file, typed.capture.overwrite)?;
    }
    let watching = progress::watching(typed.capture.progress);
    let report = capture::kernel(&world, &options, watching.observer);
    captured(&report, &typed.capture, &watching.said)
}

/// What a capture of either kind says. Notes that were told while it ran are not repeated.
pub(super) fn captured(report: &Report, typed: &CaptureArgs, told: &progress::Said) -> Outcome {
    let said = if typed.asking.output.json {
        Said::text(object(report)?)
    } else {
        let told = told.notes();
        Said { errors: errors(report, &told), ..Said::text(summary(report, &told)) }
    };
    Ok(Said { class: report.class, abandoned: report.abandoned, ..said })
}
