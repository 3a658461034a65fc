//! `--simulate=list`, on whatever command.

use capture::Class;

use super::{Outcome, answer};
use crate::render::scenarios::{Entry, Scenarios, text};

pub(super) fn run(json: bool) -> Outcome {
    let entry = |info: &simulator::ScenarioInfo| Entry {
        name: info.name.to_owned(),
        kernel_exit: info.kernel_exit,
        flags: info.flags.to_owned(),
        description: info.description.to_owned(),
    };
    let scenarios = simulator::list().iter().map(entry).collect();
    let scenarios = Scenarios { schema: "livedump.scenarios/1".into(), scenarios };
    answer(json, Class::Done, &scenarios, text)
}
