//! `livedump estimate`.

use capture::Class;

use super::{Outcome, answer};
use crate::args::EstimateArgs;
use crate::{options, render, world};

pub(super) fn run(typed: &EstimateArgs) -> Outcome {
    let pages = options::estimate(typed)?;
    let world = world::open("estimate", typed.asking.simulate.as_deref())?;
    let estimate = capture::estimate(&world, &pages, typed.folder.as_deref());
    answer(typed.asking.output.json, Class::Done, &estimate, render::estimate::text)
}
