//! The short form of what lies inside a dump: how many of what, and how far.

use std::collections::HashSet;

use memory::VirtualAddress;
use ntos::list::ListEnd;
use ntos::{Kernel, ModulesFrom};
use schemars::JsonSchema;
use serde::Serialize;

use crate::summary::{self, LayoutSource};

/// Steps along lists that the short form may cost: a machine with 100,000
/// threads takes half of them.
pub const QUICK: u64 = 1 << 20;

/// How many of what a dump holds, found without any file beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Contents {
    /// Modules, unloaded drivers, processes, threads, processors.
    pub counts: Vec<Counted>,
    /// The debugger block: `clear`, `decoded`, or why there is none.
    pub debugger_block: String,
    /// Who told where the members of structures lie.
    pub layout: Vec<LayoutSource>,
    /// Whether its threads were photographed while they ran the capture's own call.
    pub threads_in_capture: bool,
}

/// How many of one thing were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counted {
    /// `modules`, `unloaded`, `processes`, `threads` or `processors`.
    pub what: String,
    /// How many; absent where the dump does not tell.
    pub count: Option<u64>,
    /// Whether these are known to be all.
    pub whole: bool,
    /// How far they were found, or why not.
    pub how: String,
}

impl Counted {
    fn new(what: &str, count: usize, whole: bool, how: impl Into<String>) -> Self {
        Self { what: what.to_owned(), count: Some(count as u64), whole, how: how.into() }
    }

    fn none(what: &str, why: impl Into<String>) -> Self {
        Self { what: what.to_owned(), count: None, whole: false, how: why.into() }
    }

    fn of_list(what: &str, count: usize, end: ListEnd) -> Self {
        match end {
            ListEnd::Head => Self::new(what, count, true, "the whole list"),
            end => Self::new(what, count, false, format!("as far as the list goes: {end}")),
        }
    }
}

/// Counts what lies in a dump. It never fails: what is not found is said.
pub fn contents(kernel: &Kernel<'_>) -> Contents {
    let mut counts = vec![modules(kernel), unloaded(kernel)];
    counts.extend(processes_and_threads(kernel));
    counts.push(processors(kernel));
    Contents {
        counts,
        debugger_block: summary::debugger_block(kernel),
        layout: summary::layout(kernel),
        threads_in_capture: kernel.is_of_threads_in_capture(),
    }
}

fn modules(kernel: &Kernel<'_>) -> Counted {
    const WHAT: &str = "modules";
    let found = kernel.modules();
    let count = found.modules.len();
    let lost = match found.unreadable {
        0 => String::new(),
        lost => format!("; {lost} more could not be read"),
    };
    match (found.from, found.end) {
        (ModulesFrom::KernelBase, _) => {
            Counted::new(WHAT, count, false, "only the kernel, by its base: no list was found")
        }
        (_, _) if count == 0 => Counted::none(WHAT, format!("no list was found{lost}")),
        (_, Some(end)) => {
            let list = Counted::of_list(WHAT, count, end);
            Counted { how: list.how + &lost, whole: list.whole && found.unreadable == 0, ..list }
        }
        (_, None) => {
            let how = format!("the dump's own list{lost}");
            Counted::new(WHAT, count, found.unreadable == 0, how)
        }
    }
}

fn unloaded(kernel: &Kernel<'_>) -> Counted {
    const WHAT: &str = "unloaded";
    match kernel.unloaded() {
        Some(found) => {
            let claimed = kernel.unloaded_claimed().unwrap_or_default() as usize;
            match claimed > found.len() {
                true => Counted::new(WHAT, found.len(), false, format!("of {claimed} claimed")),
                false => Counted::new(WHAT, found.len(), true, "drivers that were unloaded"),
            }
        }
        None => Counted::none(WHAT, "the list of unloaded drivers was not found"),
    }
}

/// Processes by their list; threads by the lists of these. A triage dump has
/// threads without lists, of which it tells the processes.
fn processes_and_threads(kernel: &Kernel<'_>) -> [Counted; 2] {
    const WHAT: [&str; 2] = ["processes", "threads"];
    let mut threads: HashSet<VirtualAddress> = HashSet::new();
    let list = kernel.processes();
    let mut thread_end = None;
    for process in list.iter().flat_map(|list| &list.processes) {
        let Some(found) = kernel.threads(process) else { break };
        threads.extend(found.addresses);
        match thread_end {
            None | Some(ListEnd::Head) => thread_end = Some(found.end),
            Some(_) => {}
        }
    }
    let listed = threads.len();
    let found = kernel.stored_threads();
    let (stored, is_cut) = (found.addresses, found.is_cut);
    let owners: HashSet<VirtualAddress> =
        stored.iter().filter_map(|thread| kernel.owner_of(*thread)).collect();
    threads.extend(stored);
    let of_processes = match &list {
        Some(list) if !list.processes.is_empty() => {
            Counted::of_list(WHAT[0], list.processes.len(), list.end)
        }
        _ if !owners.is_empty() => {
            Counted::new(WHAT[0], owners.len(), false, "those that the threads point to")
        }
        Some(list) => Counted::none(WHAT[0], format!("the list was not found: {}", list.end)),
        None => Counted::none(WHAT[0], "where the list is and how it links is not told"),
    };
    let of_threads = match thread_end {
        _ if threads.len() > listed => {
            let end = match is_cut {
                true => "; the search was cut short",
                false => "",
            };
            let how = format!("those whose objects lie in the dump{end}");
            Counted::new(WHAT[1], threads.len(), false, how)
        }
        Some(end) if listed > 0 => {
            let all = Counted::of_list(WHAT[1], listed, end);
            let whole = all.whole && of_processes.whole;
            let how = match (all.whole, whole) {
                (true, true) => "the lists of all processes".to_owned(),
                (true, false) => "of the processes that were found".to_owned(),
                _ => all.how,
            };
            Counted { how, whole, ..all }
        }
        _ if kernel.header_thread().is_some() => {
            Counted::new(WHAT[1], 1, false, "only the one whose registers the header has")
        }
        _ => Counted::none(WHAT[1], "no thread was found: their lists' layout is not told"),
    };
    [of_processes, of_threads]
}

fn processors(kernel: &Kernel<'_>) -> Counted {
    const WHAT: &str = "processors";
    let Some(all) = kernel.processors() else {
        return Counted::none(WHAT, "no debugger block tells where their control blocks are");
    };
    let (found, readable) = (all.processors.len(), |one: &&ntos::Processor| {
        one.context.is_some_and(|at| kernel.reader().integer(at, 8).is_ok())
    });
    let with_context = all.processors.iter().filter(readable).count();
    let whole = all.expected.is_none_or(|expected| found as u64 == u64::from(expected));
    let of = match all.expected {
        Some(expected) if !whole => format!(" of {expected}"),
        _ => String::new(),
    };
    match found {
        0 => Counted::none(WHAT, "no control block of a processor is in the dump"),
        _ => Counted::new(
            WHAT,
            found,
            whole,
            format!("control blocks{of}; registers of {with_context} are in the dump"),
        ),
    }
}
