//! `livedump stacks`.

use analysis::stacks::{self as walk, Unique};
use capture::{Class, Failure};
use ntos::Stacks;

use super::super::{Outcome, stream};
use super::{Asked, Inside, ask, ask_all, not_told};
use crate::args::StacksArgs;
use crate::render::Rows;
use crate::render::inside::LateHead;
use crate::render::inside::stacks::{StacksReport, text};

pub(in crate::command) fn run(typed: &StacksArgs) -> Outcome {
    let dump = &Asked::from(&typed.dump);
    if typed.unique || dump.is_set()? {
        return together(typed, dump);
    }
    ask(dump, |inside| {
        let wanted = wanted(typed, inside).ok_or_else(|| no_process(dump))?;
        let walker = Stacks::new(inside.kernel, inside.images, &inside.census().threads);
        let context =
            header(inside, &walker).filter(|_| typed.process.is_none() && typed.tid.is_none());
        let stacks = Rows::of(|| all(inside, &walker, &wanted));
        let some = stacks.iter().next().is_some();
        refuse_none(typed, dump, some, context.is_some())?;
        let head = LateHead::of(|| inside.head("stacks"));
        stream(dump.json, &StacksReport { stacks, unique: None, context, head }, text)
    })
}

/// Stacks of which all have to be known before the first is told, or of several files.
fn together(typed: &StacksArgs, dump: &Asked<'_>) -> Outcome {
    let (mut unique, mut stacks) = (Unique::default(), Vec::new());
    let mut some = false;
    let answers = ask_all(dump, |inside| {
        let Some(wanted) = wanted(typed, inside) else { return Ok(None) };
        let walker = Stacks::new(inside.kernel, inside.images, &inside.census().threads);
        for stack in all(inside, &walker, &wanted) {
            some = true;
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
    refuse_none(typed, dump, some, context.is_some())?;
    let report = StacksReport {
        stacks: Rows::of(|| stacks.iter().cloned()),
        unique: typed.unique.then(|| unique.into_vec()),
        context,
        head: LateHead::of(|| head.clone()),
    };
    stream(dump.json, &report, text)
}

/// Which threads are wanted. `None`: there is no such process.
fn wanted<'i>(
    typed: &'i StacksArgs,
    inside: &'i Inside<'_, '_>,
) -> Option<impl Fn(usize) -> bool + 'i> {
    let chosen = inside.chosen(typed.process.as_ref())?;
    Some(move |number: usize| {
        let tid = inside.census().threads.get(number).and_then(|thread| thread.tid);
        chosen.get(number) == Some(&true) && typed.tid.is_none_or(|asked| tid == Some(asked))
    })
}

fn refuse_none(
    typed: &StacksArgs,
    dump: &Asked<'_>,
    some: bool,
    context: bool,
) -> Result<(), Failure> {
    match some {
        false if typed.tid.is_some() => Err(no_thread(dump)),
        false if !context => Err(not_told(dump.file, "threads")),
        _ => Ok(()),
    }
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
