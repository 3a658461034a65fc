//! `livedump threads`.

use capture::Class;

use super::{Outcome, answer, inside};
use crate::args::{self, ThreadsArgs};
use crate::render::listing;
use crate::world;

pub(super) fn run(typed: &ThreadsArgs) -> Outcome {
    let process = typed.process.as_ref();
    if let Some(file) = &typed.file {
        let asked = inside::Asked {
            file,
            symbols: &typed.symbols,
            open: &typed.open,
            json: typed.asking.output.json,
        };
        return inside::lists::threads(&asked, process);
    }
    let Some(process) = process else {
        return Err(args::usage("threads", "name a process with -p, or a dump").into());
    };
    let world = world::open("threads", typed.asking.simulate.as_deref())?;
    let list = capture::threads(&world, process)?;
    answer(typed.asking.output.json, Class::Done, &list, listing::threads)
}
