//! `livedump threads`.

use capture::Class;

use super::ps::of_a_dump;
use super::{Outcome, answer};
use crate::args::ThreadsArgs;
use crate::render::listing;
use crate::world;

pub(super) fn run(typed: &ThreadsArgs) -> Outcome {
    if let Some(file) = &typed.file {
        return Err(of_a_dump("threads", file).into());
    }
    let world = world::open("threads", typed.asking.simulate.as_deref())?;
    let list = capture::threads(&world, &typed.process)?;
    answer(typed.asking.output.json, Class::Done, &list, listing::threads)
}
