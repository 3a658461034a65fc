//! `livedump triage`.

use super::Outcome;
use super::kernel::captured;
use crate::args::TriageArgs;
use crate::{options, progress, world};

pub(super) fn run(typed: &TriageArgs) -> Outcome {
    let options = options::triage(typed)?;
    let world = world::open("triage", typed.capture.asking.simulate.as_deref())?;
    let watching = progress::watching(typed.capture.progress);
    let report = capture::triage(&world, &options, watching.observer);
    captured(&report, &typed.capture, &watching.said)
}
