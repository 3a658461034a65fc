//! `livedump ps`.

use capture::Class;

use super::{Outcome, answer, inside};
use crate::args::ProcessesArgs;
use crate::render::listing;
use crate::world;

pub(super) fn run(typed: &ProcessesArgs) -> Outcome {
    if let Some(file) = &typed.file {
        return inside::lists::processes(&inside::Asked {
            file,
            symbols: &typed.symbols,
            open: &typed.open,
            json: typed.asking.output.json,
        });
    }
    let world = world::open("ps", typed.asking.simulate.as_deref())?;
    let list = capture::processes(&world)?;
    answer(typed.asking.output.json, Class::Done, &list, listing::processes)
}
