//! `livedump stacks`.

use analysis::stacks as walk;
use capture::{Class, Failure};
use ntos::Stacks;

use super::super::{Outcome, answer};
use super::{Asked, Inside, ask, not_told};
use crate::args::StacksArgs;
use crate::render::inside::stacks::{StacksReport, text};

pub(in crate::command) fn run(typed: &StacksArgs) -> Outcome {
    let dump = &Asked::from(&typed.dump);
    let report = ask(dump, |inside| {
        let chosen = inside.chosen(typed.process.as_ref()).ok_or_else(|| no_process(dump))?;
        let wanted = |number: usize| {
            let tid = inside.census.threads.get(number).and_then(|thread| thread.tid);
            chosen.get(number) == Some(&true) && typed.tid.is_none_or(|asked| tid == Some(asked))
        };
        let walker = Stacks::new(inside.kernel, inside.images, &inside.census.threads);
        let found = all(inside, &walker, wanted);
        let (stacks, unique) = match typed.unique {
            true => (Vec::new(), Some(walk::unique(found))),
            false => (found.collect::<Vec<_>>(), None),
        };
        let none = stacks.is_empty() && unique.as_ref().is_none_or(Vec::is_empty);
        if typed.tid.is_some() && none {
            return Err(no_thread(dump).into());
        }
        let header =
            header(inside, &walker).filter(|_| typed.process.is_none() && typed.tid.is_none());
        if none && header.is_none() {
            return Err(not_told(dump.file, "threads").into());
        }
        Ok(StacksReport { stacks, unique, context: header, head: inside.head("stacks") })
    })?;
    answer(dump.json, Class::Done, &report, text)
}

/// The stacks of the threads that are wanted.
pub(super) fn all<'r>(
    inside: &'r Inside<'_, '_>,
    walker: &'r Stacks<'_, '_>,
    wanted: impl Fn(usize) -> bool + 'r,
) -> impl Iterator<Item = analysis::StackReport> + 'r {
    walk::stacks(inside.kernel, walker, inside.images, &inside.census, wanted)
}

/// The stack of the context in the dump's header.
pub(super) fn header(
    inside: &Inside<'_, '_>,
    walker: &Stacks<'_, '_>,
) -> Option<analysis::stacks::ContextStack> {
    walk::of_header(inside.kernel, walker, inside.images, &inside.census)
}

pub(super) fn no_process(typed: &Asked<'_>) -> Failure {
    let file = typed.file.display();
    Failure::new(Class::NotFound, format!("'{file}': no such process is in the dump"))
        .remedy("`livedump ps FILE` lists those that are")
}

fn no_thread(typed: &Asked<'_>) -> Failure {
    let file = typed.file.display();
    Failure::new(Class::NotFound, format!("'{file}': no such thread is in the dump"))
        .remedy("`livedump threads FILE` lists those that are")
}
