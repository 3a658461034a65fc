//! `livedump hang`.

use capture::Class;
use ntos::Stacks;

use super::super::{Outcome, answer};
use super::{Asked, ask, not_told, stacks, write_new};
use crate::args::HangArgs;
use crate::render::inside::hang::{HangReport, text};
use crate::render::inside::html;

pub(in crate::command) fn run(typed: &HangArgs) -> Outcome {
    let dump = &Asked::from(&typed.dump);
    let report = ask(dump, |inside| {
        let walker = Stacks::new(inside.kernel, inside.images, &inside.census.threads);
        let context = stacks::header(inside, &walker);
        if inside.census.threads.is_empty() && context.is_none() {
            return Err(not_told(dump.file, "threads").into());
        }
        let found = stacks::all(inside, &walker, |_| true);
        Ok(HangReport {
            hang: analysis::hang(inside.kernel, inside.images, &walker, &inside.census),
            unique_stacks: analysis::stacks::unique(found),
            crash: analysis::crash(inside.kernel.dump().header()),
            context,
            head: inside.head("hang"),
        })
    })?;
    if let Some(path) = &typed.html {
        write_new(path, &html::page(&report))?;
    }
    answer(dump.json, Class::Done, &report, text)
}
