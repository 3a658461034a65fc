//! `livedump doctor`.

use capture::Class;

use super::{Outcome, answer};
use crate::args::DoctorArgs;
use crate::{render, world};

pub(super) fn run(typed: &DoctorArgs) -> Outcome {
    let world = world::open("doctor", typed.asking.simulate.as_deref())?;
    let doctor = capture::doctor(&world, typed.folder.as_deref());
    answer(typed.asking.output.json, Class::Done, &doctor, render::doctor::text)
}
