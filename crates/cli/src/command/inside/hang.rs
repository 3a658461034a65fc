//! `livedump hang`.

use analysis::Hang;
use analysis::hang::{Moment, together};
use analysis::stacks::Unique;
use capture::Class;
use ntos::Stacks;

use super::super::{Outcome, Refused, answer};
use super::{Asked, ask_all, not_told, stacks, write_new};
use crate::args::HangArgs;
use crate::render::inside::hang::{HangReport, text};
use crate::render::inside::html;

pub(in crate::command) fn run(typed: &HangArgs) -> Outcome {
    let dump = &Asked::from(&typed.dump);
    let report = report(dump)?;
    if let Some(path) = &typed.html {
        write_new(path, &html::page(&report))?;
    }
    answer(dump.json, Class::Done, &report, text)
}

fn report(dump: &Asked<'_>) -> Result<HangReport, Refused> {
    let mut unique = Unique::default();
    let mut first: Option<HangReport> = None;
    let moments = ask_all(dump, |inside| {
        let walker = Stacks::new(inside.kernel, inside.images, &inside.census().threads);
        let context = stacks::header(inside, &walker);
        let found = !inside.census().threads.is_empty() || context.is_some();
        stacks::all(inside, &walker, |_| true).for_each(|stack| unique.add(stack));
        let hang = analysis::hang(inside.kernel, inside.images, &walker, inside.census());
        let file = inside.member().unwrap_or_default();
        let moment = Moment::new(file, hang, inside.census());
        first.get_or_insert_with(|| HangReport {
            hang: Hang::default(),
            unique_stacks: Vec::new(),
            crash: analysis::crash(inside.kernel.dump().header()),
            context,
            head: inside.head("hang"),
        });
        Ok(found.then_some(moment))
    })?;
    let whole = together(moments.into_iter().flatten().collect());
    let (Some(report), Some(hang)) = (first, whole) else {
        return Err(not_told(dump.file, "threads").into());
    };
    Ok(HangReport { hang, unique_stacks: unique.into_vec(), ..report })
}
