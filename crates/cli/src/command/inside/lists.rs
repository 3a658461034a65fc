//! `livedump modules`, `unloaded`, `processors`, and `ps` and `threads` of a dump.

use analysis::ListReport;
use analysis::listing::{self, ThreadReport};
use capture::Class;
use ntos::Stacks;

use super::super::{Outcome, answer, stream};
use super::{Asked, ask, ask_all, not_told};
use crate::args::{ModulesArgs, ProcessorsArgs, UnloadedArgs};
use crate::render::Rows;
use crate::render::inside::LateHead;
use crate::render::inside::lists::{
    ModulesReport, ProcessesReport, ProcessorsReport, ThreadsReport, UnloadedReport, modules_text,
    processes_text, processors_text, threads_text, unloaded_text,
};

pub(in crate::command) fn modules(typed: &ModulesArgs) -> Outcome {
    let typed = &Asked::from(&typed.dump);
    ask(typed, |inside| {
        let modules = inside.kernel.modules();
        if modules.modules.is_empty() {
            return Err(not_told(typed.file, "modules").into());
        }
        let report = ModulesReport {
            modules: Rows::of(|| listing::modules(inside.kernel)),
            end: modules
                .end
                .filter(|end| *end != ntos::list::ListEnd::Head)
                .map(|end| end.to_string()),
            head: inside.head("modules"),
        };
        stream(typed.json, &report, modules_text)
    })
}

pub(in crate::command) fn unloaded(typed: &UnloadedArgs) -> Outcome {
    let typed = &Asked::from(&typed.dump);
    let report = ask(typed, |inside| {
        let unloaded = listing::unloaded(inside.kernel);
        let unloaded = unloaded.ok_or_else(|| not_told(typed.file, "unloaded drivers"))?;
        let claimed = inside.kernel.unloaded_claimed().map(u64::from);
        let claimed = claimed.filter(|claimed| *claimed > unloaded.len() as u64);
        Ok(UnloadedReport { unloaded, claimed, head: inside.head("unloaded") })
    })?;
    answer(typed.json, Class::Done, &report, unloaded_text)
}

pub(in crate::command) fn processes(typed: &Asked<'_>) -> Outcome {
    ask(typed, |inside| {
        if inside.census().processes.is_empty() {
            return Err(not_told(typed.file, "processes").into());
        }
        let report = ProcessesReport {
            processes: Rows::of(|| listing::processes(inside.census())),
            lists: inside.census().lists.clone(),
            head: inside.head("ps-dump"),
        };
        stream(typed.json, &report, processes_text)
    })
}

pub(in crate::command) fn threads(
    typed: &Asked<'_>,
    process: Option<&capture::ProcessTarget>,
) -> Outcome {
    if typed.is_set()? {
        return threads_of_set(typed, process);
    }
    ask(typed, |inside| {
        let chosen = inside.chosen(process).ok_or_else(|| super::stacks::no_process(typed))?;
        let wanted = |number: usize| chosen.get(number).copied().unwrap_or(false);
        let threads =
            Rows::of(|| listing::threads(inside.kernel, inside.images, inside.census(), wanted));
        if threads.iter().next().is_none() {
            return Err(not_told(typed.file, "threads").into());
        }
        let report = ThreadsReport {
            threads,
            lists: inside.census().lists.clone(),
            head: LateHead::of(|| inside.head("threads-dump")),
        };
        stream(typed.json, &report, threads_text)
    })
}

/// Of a set, the threads of every file. They are few: a capture names each.
fn threads_of_set(typed: &Asked<'_>, process: Option<&capture::ProcessTarget>) -> Outcome {
    let (mut threads, mut lists) = (Vec::new(), Vec::new());
    let answers = ask_all(typed, |inside| {
        let Some(chosen) = inside.chosen(process) else { return Ok(None) };
        let wanted = |number: usize| chosen.get(number).copied().unwrap_or(false);
        let found = listing::threads(inside.kernel, inside.images, inside.census(), wanted);
        threads.extend(found.map(|one| ThreadReport { file: inside.member(), ..one }));
        lists.extend(inside.census().lists.iter().cloned());
        Ok(Some(inside.head("threads-dump")))
    })?;
    let Some(head) = answers.into_iter().flatten().next() else {
        return Err(super::stacks::no_process(typed).into());
    };
    if threads.is_empty() {
        return Err(not_told(typed.file, "threads").into());
    }
    let lists = ListReport::together(lists.into_iter());
    let head = LateHead::of(|| head.clone());
    let report = ThreadsReport { threads: Rows::of(|| threads.iter().cloned()), lists, head };
    stream(typed.json, &report, threads_text)
}

pub(in crate::command) fn processors(typed: &ProcessorsArgs) -> Outcome {
    let typed = &Asked::from(&typed.dump);
    let report = ask(typed, |inside| {
        let walker = Stacks::new(inside.kernel, inside.images, &inside.census().threads);
        let processors =
            listing::processors(inside.kernel, inside.images, &walker, inside.census());
        let processors = processors.ok_or_else(|| not_told(typed.file, "processors"))?;
        Ok(ProcessorsReport { processors, head: inside.head("processors") })
    })?;
    answer(typed.json, Class::Done, &report, processors_text)
}
