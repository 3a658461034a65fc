//! What can and what cannot be asked of a dump.

use memory::PAGE_SIZE;
use nt::thread::ThreadState;
use ntos::{Kernel, Reader, Thread};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Census, ListReport};

/// How much of the kernel's structures a dump holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Completeness {
    /// How far the lists of modules, processes and threads could be walked.
    pub lists: Vec<ListReport>,
    /// Its processors; `None` when the dump does not tell where they are.
    pub processors: Option<ProcessorCount>,
    /// Its threads' kernel stacks.
    pub stacks: StackCount,
    /// What that means for who asks.
    pub questions: Vec<Question>,
}

/// Processors, and how many have registers to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProcessorCount {
    /// As the header says.
    pub expected: Option<u32>,
    /// Whose control block is in the dump.
    pub found: u64,
    /// Whose registers are in the dump.
    pub with_context: u64,
}

/// Threads by what the dump holds of their kernel stacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StackCount {
    /// Every page from the saved stack pointer to the base.
    pub readable: u64,
    /// Not every page.
    pub incomplete: u64,
    /// Not in memory when the dump was taken.
    pub not_resident: u64,
    /// Running: its stack pointer is its processor's.
    pub running: u64,
    /// Ended, or never began: there is no stack to ask for.
    pub none: u64,
    /// Where it lies is not known.
    pub unknown: u64,
}

/// Something one may ask, and whether this dump can answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Question {
    /// What: `modules`, `processes`, `threads`, `stacks`, `processors`.
    pub question: String,
    /// How far.
    pub answer: Answer,
    /// Why not in whole.
    pub why: Option<String>,
}

/// How far a question can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// In whole.
    Yes,
    /// As far as the dump goes.
    Partly,
    /// Not at all.
    No,
}

/// Looks at every list, processor and stack.
pub fn completeness(kernel: &Kernel<'_>, census: &Census) -> Completeness {
    let mut lists = Vec::new();
    let modules = kernel.modules();
    if let Some(end) = modules.end {
        let entries = modules.modules.len();
        lists.push(ListReport::of("modules", entries, end, modules.blink_mismatches));
    }
    lists.extend(census.lists.iter().cloned());
    let processors = kernel.processors().map(|found| ProcessorCount {
        expected: found.expected,
        found: found.processors.len() as u64,
        with_context: found
            .processors
            .iter()
            .filter(|one| one.context.is_some_and(|at| kernel.reader().integer(at, 8).is_ok()))
            .count() as u64,
    });
    let mut stacks = StackCount::default();
    for thread in &census.threads {
        *stacks.of(&kernel.reader(), thread) += 1;
    }
    let questions = questions(kernel, &lists, processors, stacks);
    Completeness { lists, processors, stacks, questions }
}

impl StackCount {
    fn of(&mut self, reader: &Reader<'_>, thread: &Thread) -> &mut u64 {
        match thread.state {
            Some(ThreadState::Running) => return &mut self.running,
            Some(ThreadState::Terminated | ThreadState::Initialized) => return &mut self.none,
            _ if thread.stack_resident == Some(false) => return &mut self.not_resident,
            _ => {}
        }
        let (Some(from), Some(to)) = (thread.kernel_stack, thread.stack_base) else {
            return &mut self.unknown;
        };
        // No kernel stack is longer than this; a longer one is no stack.
        if to.0 <= from.0 || to.0 - from.0 > 1 << 20 {
            return &mut self.unknown;
        }
        let pages = (from.0 & !(PAGE_SIZE - 1)..to.0).step_by(PAGE_SIZE as usize);
        let held = |page: u64| reader.integer(page.max(from.0).into(), 1).is_ok();
        if pages.into_iter().all(held) { &mut self.readable } else { &mut self.incomplete }
    }

    /// How many threads there are.
    pub fn total(&self) -> u64 {
        self.readable
            + self.incomplete
            + self.not_resident
            + self.running
            + self.none
            + self.unknown
    }
}

fn questions(
    kernel: &Kernel<'_>,
    lists: &[ListReport],
    processors: Option<ProcessorCount>,
    stacks: StackCount,
) -> Vec<Question> {
    let of_list = |name: &str| {
        let list = lists.iter().find(|list| list.list == name && list.entries > 0);
        match list {
            Some(list) if list.whole => (Answer::Yes, None),
            Some(list) => (Answer::Partly, list.end.clone()),
            None => (Answer::No, Some("no entry of the list was found".to_owned())),
        }
    };
    let modules = match kernel.modules().end {
        Some(_) => of_list("modules"),
        None if kernel.modules().modules.is_empty() => {
            (Answer::No, Some("no list was found".into()))
        }
        None => (Answer::Yes, None),
    };
    let processors = match processors {
        None => (Answer::No, Some("the debugger block does not tell where they are".into())),
        Some(count) if count.expected.is_some_and(|all| u64::from(all) == count.with_context) => {
            (Answer::Yes, None)
        }
        Some(count) => {
            (Answer::Partly, Some(format!("registers of {} are there", count.with_context)))
        }
    };
    let lost = stacks.incomplete + stacks.not_resident + stacks.unknown;
    let of_stacks = match (stacks.readable, lost) {
        (0, _) => (Answer::No, Some("no thread's kernel stack was found".into())),
        (_, 0) => (Answer::Yes, None),
        (_, lost) => (Answer::Partly, Some(format!("{lost} of {} are not whole", stacks.total()))),
    };
    [
        ("modules", modules),
        ("processes", of_list("processes")),
        ("threads", of_list("threads")),
        ("processors", processors),
        ("stacks", of_stacks),
    ]
    .into_iter()
    .map(|(question, (answer, why))| Question { question: question.to_owned(), answer, why })
    .collect()
}
