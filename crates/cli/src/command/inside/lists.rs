//! `livedump modules`, `unloaded`, `processors`, and `ps` and `threads` of a dump.

use analysis::listing;
use capture::Class;
use ntos::Stacks;

use super::super::{Outcome, answer};
use super::{Asked, ask, not_told};
use crate::args::{ModulesArgs, ProcessorsArgs, UnloadedArgs};
use crate::render::inside::lists::{
    ModulesReport, ProcessesReport, ProcessorsReport, ThreadsReport, UnloadedReport, modules_text,
    processes_text, processors_text, threads_text, unloaded_text,
};

pub(in crate::command) fn modules(typed: &ModulesArgs) -> Outcome {
    let typed = &Asked::from(&typed.dump);
    let report = ask(typed, |inside| {
        let modules = inside.kernel.modules();
        Ok(ModulesReport {
            modules: listing::modules(inside.kernel),
            end: modules
                .end
                .filter(|end| *end != ntos::list::ListEnd::Head)
                .map(|end| end.to_string()),
            head: inside.head("modules"),
        })
    })?;
    if report.modules.is_empty() {
        return Err(not_told(typed.file, "modules").into());
    }
    answer(typed.json, Class::Done, &report, modules_text)
}

pub(in crate::command) fn unloaded(typed: &UnloadedArgs) -> Outcome {
    let typed = &Asked::from(&typed.dump);
    let report = ask(typed, |inside| {
        let unloaded = listing::unloaded(inside.kernel);
        let unloaded = unloaded.ok_or_else(|| not_told(typed.file, "unloaded drivers"))?;
        Ok(UnloadedReport { unloaded, head: inside.head("unloaded") })
    })?;
    answer(typed.json, Class::Done, &report, unloaded_text)
}

pub(in crate::command) fn processes(typed: &Asked<'_>) -> Outcome {
    let report = ask(typed, |inside| {
        if inside.census.processes.is_empty() {
            return Err(not_told(typed.file, "processes").into());
        }
        Ok(ProcessesReport {
            processes: listing::processes(&inside.census),
            lists: inside.census.lists.clone(),
            head: inside.head("ps-dump"),
        })
    })?;
    answer(typed.json, Class::Done, &report, processes_text)
}

pub(in crate::command) fn threads(
    typed: &Asked<'_>,
    process: Option<&capture::ProcessTarget>,
) -> Outcome {
    let report = ask(typed, |inside| {
        let chosen = inside.chosen(process).ok_or_else(|| super::stacks::no_process(typed))?;
        let wanted = |number: usize| chosen.get(number).copied().unwrap_or(false);
        let threads = listing::threads(inside.kernel, inside.images, &inside.census, wanted);
        if threads.is_empty() {
            return Err(not_told(typed.file, "threads").into());
        }
        Ok(ThreadsReport {
            threads,
            lists: inside.census.lists.clone(),
            head: inside.head("threads-dump"),
        })
    })?;
    answer(typed.json, Class::Done, &report, threads_text)
}

pub(in crate::command) fn processors(typed: &ProcessorsArgs) -> Outcome {
    let typed = &Asked::from(&typed.dump);
    let report = ask(typed, |inside| {
        let walker = Stacks::new(inside.kernel, inside.images, &inside.census.threads);
        let processors = listing::processors(inside.kernel, inside.images, &walker, &inside.census);
        let processors = processors.ok_or_else(|| not_told(typed.file, "processors"))?;
        Ok(ProcessorsReport { processors, head: inside.head("processors") })
    })?;
    answer(typed.json, Class::Done, &report, processors_text)
}
