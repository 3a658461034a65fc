//! `livedump stacks`.

use analysis::stacks::{self as walk, Unique};
use capture::{Class, Failure};
use ntos::Stacks;

use super::super::{Outcome, answer};
use super::{Asked, Inside, ask_all, not_told};
use crate::args::StacksArgs;
use crate::render::inside::stacks::{StacksReport, text};

pub(in crate::command) fn run(typed: &StacksArgs) -> Outcome {
    let dump = &Asked::from(&typed.dump);
    let (mut unique, mut stacks) = (Unique::default(), Vec::new());
    let mut found = 0;
    let answers = ask_all(dump, |inside| {
        let Some(chosen) = inside.chosen(typed.process.as_ref()) else { return Ok(None) };
        let wanted = |number: usize| {
            let tid = inside.census().threads.get(number).and_then(|thread| thread.tid);
            chosen.get(number) == Some(&true) && typed.tid.is_none_or(|asked| tid == Some(asked))
        };
        let walker = Stacks::new(inside.kernel, inside.images, &inside.census().threads);
        for stack in all(inside, &walker, wanted) {
            found += 1;
            if typed.unique { unique.add(stack) } else { stacks.push(stack) }
        }
        let all_threads = typed.process.is_none() && typed.tid.is_none();
        let context = header(inside, &walker).filter(|_| all_threads);
        Ok(Some((context, inside.head("stacks"))))
    })?;
    // Of a set, the capturing thread is in the context of every file.
    let Some((context, head)) = answers.into_iter().flatten().next() else {
        return Err(no_process(dump).into());
    };
    if found == 0 && typed.tid.is_some() {
        return Err(no_thread(dump).into());
    }
    if found == 0 && context.is_none() {
        return Err(not_told(dump.file, "threads").into());
    }
    let unique = typed.unique.then(|| unique.into_vec());
    let report = StacksReport { stacks, unique, context, head };
    answer(dump.json, Class::Done, &report, text)
}

/// The stacks of the threads that are wanted.
pub(super) fn all<'r>(
    inside: &'r Inside<'_, '_>,
    walker: &'r Stacks<'_, '_>,
    wanted: impl Fn(usize) -> bool + 'r,
) -> impl Iterator<Item = analysis::StackReport> + 'r {
    let all = walk::stacks(inside.kernel, walker, inside.images, inside.census(), wanted);
    all.map(|stack| analysis::StackReport { file: inside.member(), ..stack })
}

/// The stack of the context in the dump's header.
pub(super) fn header(
    inside: &Inside<'_, '_>,
    walker: &Stacks<'_, '_>,
) -> Option<analysis::stacks::ContextStack> {
    walk::of_header(inside.kernel, walker, inside.images, inside.census())
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
