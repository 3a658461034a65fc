//! Who is stuck on whom, as text that fits a bug report.

use std::collections::HashSet;

use analysis::hang::{
    BusyProcessor, Chain, Cycle, Evidence, Grade, Holder, NotProvable, Relation, StuckQueue,
    Waiting,
};
use analysis::stacks::ContextStack;
use analysis::{Crash, Hang, StackWaits, ThreadRef, UniqueStack};
use schemars::JsonSchema;
use serde::Serialize;

use super::stacks::Scans;
use super::{Head, incomplete, stacks, thread, time};
use crate::render::Record;

/// The result of `livedump hang`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct HangReport {
    #[serde(flatten)]
    pub(crate) head: Head,
    #[serde(flatten)]
    pub(crate) hang: Hang,
    /// What the machine stopped with; absent where it ran on.
    pub(crate) crash: Option<Crash>,
    /// The stack of the context in the dump's header.
    pub(crate) context: Option<ContextStack>,
    /// Each stack once, with the threads that have it.
    pub(crate) unique_stacks: Vec<UniqueStack>,
}

/// Unique stacks that the text shows; the JSON has all.
const STACKS: usize = 10;
/// The same, of threads in rings and chains.
const INVOLVED: usize = 20;
/// Evidence that the text shows of one claim.
const EVIDENCE: usize = 4;

/// `livedump hang`.
pub(crate) fn text(report: &HangReport) -> String {
    let hang = &report.hang;
    let mut record = report.head.record();
    record.line("verdict", verdict(report));
    if hang.threads > 0 {
        record.line("threads", threads_line(hang));
    }
    incomplete(&mut record, &hang.lists);
    let crashed = report.context.as_ref().filter(|context| context.fault);
    if let Some(crash) = &report.crash {
        crash_text(&mut record, crash);
    }
    if let Some(context) = crashed {
        stacks::context_text(&mut record, context, Scans::Few);
    }
    for cycle in &hang.cycles {
        cycle_text(&mut record, hang, cycle);
    }
    for chain in &hang.chains {
        chain_text(&mut record, hang, chain);
    }
    stuck(&mut record, hang);
    loose(&mut record, hang);
    longest(&mut record, hang);
    for one in &hang.waits_by_stack {
        record.line("by stack", by_stack(one));
    }
    for one in &hang.not_provable {
        record.line("not provable", not_provable(one));
    }
    for what in &hang.unasked {
        record.line("not asked", what);
    }
    if hang.relations.iter().any(|one| one.object.kind == "irp") {
        record.line(
            "requests",
            "those on threads' lists, or that a wait or a stack leads to; others exist unseen",
        );
    }
    stacks_text(&mut record, report);
    if let Some(context) = report.context.as_ref().filter(|_| crashed.is_none()) {
        stacks::context_text(&mut record, context, Scans::Few);
    }
    record.into_text()
}

/// `174 in 21 processes; 173 wait, 68 of them for work`.
fn threads_line(hang: &Hang) -> String {
    let processes = count(hang.processes as usize, "process", "processes");
    let all = format!("{} in {processes}", hang.threads);
    match (hang.waiting_threads, hang.idle_workers) {
        (Some(waiting), Some(idle)) => format!("{all}; {waiting} wait, {idle} of them for work"),
        _ => all,
    }
}

/// Stacks of the threads in rings and chains, then those that most threads have.
fn stacks_text(record: &mut Record, report: &HangReport) {
    let involved = involved(&report.hang);
    let (first, rest) = ordered(report, &involved);
    record.text(&format!("\n{} unique stacks", report.unique_stacks.len()));
    if !first.is_empty() {
        record.text(", first those of the threads above:\n");
        stacks::unique_text(record, first.iter().copied().take(INVOLVED), &involved, Scans::Few);
        record.text(if rest.is_empty() { "" } else { "\nothers" });
    }
    record.text(if rest.len() > STACKS { ", the most frequent:\n" } else { "\n" });
    stacks::unique_text(record, rest.into_iter().take(STACKS), &involved, Scans::Few);
}

/// The stacks of some threads, and the others.
pub(super) fn ordered<'r>(
    report: &'r HangReport,
    involved: &HashSet<u64>,
) -> (Vec<&'r UniqueStack>, Vec<&'r UniqueStack>) {
    let is_involved = |stack: &&UniqueStack| {
        stack.threads.iter().any(|thread| involved.contains(&thread.address.0))
    };
    report.unique_stacks.iter().partition(is_involved)
}

/// Addresses of the threads that rings, chains, processors and queues name.
pub(super) fn involved(hang: &Hang) -> HashSet<u64> {
    let numbers = hang.cycles.iter().flat_map(|cycle| &cycle.relations);
    let numbers = numbers.chain(hang.chains.iter().flat_map(|chain| &chain.path));
    let relations = numbers.filter_map(|number| hang.relations.get(*number));
    let ends = relations.flat_map(|one| {
        let holder = match &one.holder {
            Some(Holder::Thread(thread) | Holder::GoneThread { thread, .. }) => Some(thread),
            _ => None,
        };
        [Some(&one.waiter), holder].into_iter().flatten()
    });
    let blocked = hang.stuck_queues.iter().flat_map(|queue| &queue.blocked);
    ends.chain(blocked).map(|thread| thread.address.0).collect()
}

/// The first line that a reader sees.
pub(super) fn verdict(report: &HangReport) -> String {
    let waits = waits(report);
    match &report.crash {
        Some(crash) => format!("crashed with {}; {waits}", crash_name(crash)),
        None => waits,
    }
}

/// `0x9F (DRIVER_POWER_STATE_FAILURE)`.
pub(super) fn crash_name(crash: &Crash) -> String {
    match &crash.name {
        Some(name) => format!("0x{:X} ({name})", crash.code),
        None => format!("0x{:X}", crash.code),
    }
}

fn crash_text(record: &mut Record, crash: &Crash) {
    record.text("\n");
    record.line("crash", crash_name(crash));
    if let Some(meaning) = &crash.meaning {
        record.line("meaning", meaning);
    }
    for (number, parameter) in crash.parameters.iter().enumerate() {
        let meaning = parameter.meaning.as_ref().map_or(String::new(), |text| format!("  {text}"));
        let value = format!("{}{meaning}", parameter.value);
        record.line(&format!("parameter {}", number + 1), value);
    }
}

fn waits(report: &HangReport) -> String {
    let hang = &report.hang;
    let proved = hang.cycles.iter().filter(|cycle| cycle.grade == Grade::Proved).count();
    let mut more: Vec<String> = hang
        .busy_processors
        .iter()
        .map(|one| format!("processor {} does not come back from a DPC", one.processor))
        .collect();
    let queues = hang.stuck_queues.iter();
    more.extend(queues.map(|one| format!("{} work items that no thread takes", one.pending)));
    let waits = match (hang.cycles.len(), hang.chains.len()) {
        (0, 0) if !more.is_empty() => return more.join("; "),
        (0, 0) if hang.threads == 0 && report.context.is_some() => {
            "of its threads only the one is told whose registers the header has".to_owned()
        }
        (0, 0) if hang.threads == 0 => "no threads were found".to_owned(),
        (0, 0) if !hang.unasked.is_empty() => {
            "no thread was found that waits for another, but not all could be asked".to_owned()
        }
        (0, 0) => "no thread was found that waits for another".to_owned(),
        (0, chains) => {
            format!("no cycle; {} that threads wait for", count(chains, "root", "roots"))
        }
        (cycles, chains) => format!(
            "deadlock: {} ({proved} proved), {} that threads wait for",
            count(cycles, "cycle", "cycles"),
            count(chains, "further root", "further roots")
        ),
    };
    more.insert(0, waits);
    more.join("; ")
}

/// `4 threads in KeRemoveQueueEx, called by nt!IoRemoveIoCompletion: work to come`.
pub(super) fn by_stack(one: &StackWaits) -> String {
    let threads = count(one.count as usize, "thread", "threads");
    format!("{threads} in {}", stacks::wait_text(&one.wait))
}

pub(super) fn not_provable(one: &NotProvable) -> String {
    let threads = count(one.count as usize, "thread", "threads");
    format!("{threads} in {}: {}", one.reason, one.why)
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Processors and queues that do not go on.
fn stuck(record: &mut Record, hang: &Hang) {
    for one in &hang.busy_processors {
        record.text("\n");
        record.line("processor", busy_sentence(one));
        evidence_text(record, &one.evidence);
    }
    for one in &hang.stuck_queues {
        record.text("\n");
        record.line("queue", queue_sentence(one));
        let named: Vec<String> = one.blocked.iter().take(8).map(thread).collect();
        record.line("", format!("its threads: {}", named.join(", ")));
        for routine in &one.routines {
            record.line("", format!("{} times {}", routine.count, routine.routine));
        }
        evidence_text(record, &one.evidence);
    }
}

/// `2 runs the DPC diskbus!Poll for 30.000 s, 177 more wait (proved)`.
pub(super) fn busy_sentence(one: &BusyProcessor) -> String {
    let routine = one.routine.as_deref().unwrap_or("a routine not known");
    let time = one.milliseconds.map_or(String::new(), |ms| format!(" for {}", time(ms)));
    let queued = one.queued.map_or(String::new(), |count| format!(", {count} more wait"));
    let number = one.processor;
    format!("{number} runs the DPC {routine}{time}{queued} ({})", grade(one.grade))
}

/// `271 work items wait in priority-queue 0123…; all its 8 threads wait for something else`.
pub(super) fn queue_sentence(one: &StuckQueue) -> String {
    format!(
        "{} work items wait in {} {}; all its {} threads wait for something else ({})",
        one.pending,
        one.kind,
        one.queue,
        one.workers,
        grade(one.grade)
    )
}

fn evidence_text(record: &mut Record, evidence: &[Evidence]) {
    for one in evidence.iter().take(EVIDENCE) {
        record.line("", format!("  {}  {}", one.address, one.what));
    }
}

fn cycle_text(record: &mut Record, hang: &Hang, cycle: &Cycle) {
    record.text("\n");
    let count = cycle.threads.len();
    record.line("cycle", format!("{count} threads, {}", grade(cycle.grade)));
    for number in &cycle.relations {
        relation_text(record, hang.relations.get(*number));
    }
    if let Some(others) = behind(cycle.blocked.iter()) {
        record.line("behind it", others);
    }
}

fn chain_text(record: &mut Record, hang: &Hang, chain: &Chain) {
    record.text("\n");
    let count = chain.blocked.len();
    let threads = if count == 1 { "thread waits" } else { "threads wait" };
    record.line(
        "root",
        format!("{}: {count} {threads} for it, {}", holder(&chain.root), grade(chain.grade)),
    );
    for number in &chain.path {
        relation_text(record, hang.relations.get(*number));
    }
    if let Some(itself) = itself(chain) {
        record.line("itself", itself);
    }
    if let Some(others) = behind(others(hang, chain)) {
        record.line("behind it", others);
    }
}

/// What a root is doing, when it is a thread.
pub(super) fn itself(chain: &Chain) -> Option<String> {
    match (&chain.root_waits, &chain.root_state) {
        (Some(waits), _) => Some(format!("waits {}", waits_text(waits))),
        (None, state) => state.as_ref().map(|state| format!("its state is {state}")),
    }
}

/// Those behind a root that are not on the way which is told.
pub(super) fn others<'h>(hang: &'h Hang, chain: &'h Chain) -> impl Iterator<Item = &'h ThreadRef> {
    let path = chain.path.iter().filter_map(|number| hang.relations.get(*number));
    let told: HashSet<u64> = path.map(|one| one.waiter.address.0).collect();
    chain.blocked.iter().filter(move |thread| !told.contains(&thread.address.0))
}

/// `12: tid 4 of x.exe (8), ...`: the threads that wait as well, if there are any.
pub(super) fn behind<'t>(threads: impl Iterator<Item = &'t ThreadRef>) -> Option<String> {
    let threads: Vec<&ThreadRef> = threads.collect();
    let named: Vec<String> = threads.iter().take(8).copied().map(thread).collect();
    let more = match threads.len() - named.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let text = format!("{}: {}{more}", threads.len(), named.join(", "));
    (!threads.is_empty()).then_some(text)
}

/// `481 min 42 s for notification-event 0123… (WrUserRequest)`.
fn waits_text(one: &Waiting) -> String {
    let objects: Vec<String> =
        one.objects.iter().map(|object| format!("{} {}", object.kind, object.address)).collect();
    let objects = match objects.is_empty() {
        true => "what is not known".to_owned(),
        false => objects.join(", "),
    };
    let waited = one.milliseconds.map_or(String::new(), |ms| format!("{} ", time(ms)));
    format!("{waited}for {objects} ({})", one.reason.as_deref().unwrap_or("-"))
}

fn relation_text(record: &mut Record, relation: Option<&Relation>) {
    let Some(relation) = relation else { return };
    record.line("", sentence(relation));
    evidence_text(record, &relation.evidence);
}

/// `tid 8 of x.exe (4) waits for resource 0123…, held by tid 12 of x.exe (4)`.
pub(super) fn sentence(relation: &Relation) -> String {
    let object = &relation.object;
    let held = match &relation.holder {
        Some(Holder::Device { .. }) => "with",
        Some(Holder::Process { .. }) => "to be answered by",
        Some(_) if object.kind == "thread" => "which is",
        Some(_) if object.kind == "alpc-message" => "to be answered by",
        _ => "held by",
    };
    let holder = relation.holder.as_ref().map_or_else(|| "nobody known".to_owned(), holder);
    format!(
        "{} waits for {} {}, {held} {holder} ({})",
        thread(&relation.waiter),
        object.kind,
        object.address,
        grade(relation.grade)
    )
}

pub(super) fn holder(holder: &Holder) -> String {
    match holder {
        Holder::Thread(one) => thread(one),
        Holder::GoneThread { thread: gone, .. } if gone.tid.is_some() => {
            format!("{}, which ended", thread(gone))
        }
        Holder::GoneThread { thread: gone, .. } => {
            format!("a thread that ended, at {}", gone.address)
        }
        Holder::Process { pid, process, address } => match (process, pid) {
            (Some(name), Some(pid)) => format!("process {name} ({pid})"),
            _ => format!("process at {address}"),
        },
        Holder::Device { device, driver, module } => {
            let driver = driver.as_deref().or(module.as_deref()).unwrap_or("driver not known");
            format!("device {device} of {driver}")
        }
    }
}

pub(super) fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Proved => "proved",
        Grade::Consistent => "consistent",
        Grade::NotProvable => "not provable from this dump",
    }
}

/// Waits of which nobody is known to hold the object.
fn loose(record: &mut Record, hang: &Hang) {
    let loose: Vec<&Relation> = hang.relations.iter().filter(|one| one.holder.is_none()).collect();
    if !loose.is_empty() {
        record.text("\n");
    }
    for relation in loose.iter().take(20) {
        record.line("no holder", sentence(relation));
    }
}

fn longest(record: &mut Record, hang: &Hang) {
    if hang.longest.is_empty() {
        return;
    }
    record.text("\nwaiting longest, workers without work left out:\n");
    for one in &hang.longest {
        let waited = one.milliseconds.map_or_else(|| "-".to_owned(), time);
        let reason = one.reason.as_deref().unwrap_or("-");
        let objects: Vec<String> = one
            .objects
            .iter()
            .map(|object| format!("{} {}", object.kind, object.address))
            .collect();
        record.line(&waited, format!("{} ({reason}) {}", thread(&one.thread), objects.join(", ")));
    }
}
