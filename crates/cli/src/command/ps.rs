//! `livedump ps`.

use std::ffi::OsStr;

use capture::{Class, Failure};

use super::{Outcome, answer};
use crate::args::ProcessesArgs;
use crate::render::listing;
use crate::world;

pub(super) fn run(typed: &ProcessesArgs) -> Outcome {
    if let Some(file) = &typed.file {
        return Err(of_a_dump("ps", file).into());
    }
    let world = world::open("ps", typed.asking.simulate.as_deref())?;
    let list = capture::processes(&world)?;
    answer(typed.asking.output.json, Class::Done, &list, listing::processes)
}

/// Lists from dumps are not there yet.
pub(super) fn of_a_dump(command: &str, file: &OsStr) -> Failure {
    let file = file.to_string_lossy();
    Failure::new(
        Class::Unsupported,
        format!("'{file}': {command} does not read dumps yet, it asks the running machine; leave the file out"),
    )
    .remedy("`livedump info FILE` tells what is in a dump")
}
