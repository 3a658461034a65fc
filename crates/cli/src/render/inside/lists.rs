//! Modules, unloaded drivers, processes, threads and processors of a dump.

use std::io::{self, Write};

use analysis::ListReport;
use analysis::listing::{
    ModuleReport, ProcessReport, ProcessorReport, ThreadReport, UnloadedReport as UnloadedDriver,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Head, LateHead, incomplete, or_dash, stacks, thread, time};
use crate::render::{Columns, Record, Rows, Table};

/// The result of `livedump modules`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ModulesReport<'r> {
    #[serde(flatten)]
    pub(crate) head: Head,
    /// In the order of the kernel's list.
    pub(crate) modules: Rows<'r, ModuleReport>,
    /// Why the list ended before its end.
    pub(crate) end: Option<String>,
}

/// The result of `livedump unloaded`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UnloadedReport {
    #[serde(flatten)]
    pub(crate) head: Head,
    /// The latest first.
    pub(crate) unloaded: Vec<UnloadedDriver>,
    /// How many the dump claims to list, where that is more.
    pub(crate) claimed: Option<u64>,
}

/// The result of `livedump ps FILE`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ProcessesReport<'r> {
    #[serde(flatten)]
    pub(crate) head: Head,
    /// In the order of the kernel's list.
    pub(crate) processes: Rows<'r, ProcessReport>,
    /// How far the lists could be walked.
    pub(crate) lists: Vec<ListReport>,
}

/// The result of `livedump threads FILE`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ThreadsReport<'r> {
    /// Process by process.
    pub(crate) threads: Rows<'r, ThreadReport>,
    /// How far the lists could be walked.
    pub(crate) lists: Vec<ListReport>,
    /// The last: files are looked for while threads are told.
    #[serde(flatten)]
    #[schemars(with = "Head")]
    pub(crate) head: LateHead<'r>,
}

/// The result of `livedump processors`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ProcessorsReport {
    #[serde(flatten)]
    pub(crate) head: Head,
    /// By number.
    pub(crate) processors: Vec<ProcessorReport>,
}

/// `livedump modules`.
pub(crate) fn modules_text(report: &ModulesReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut record = report.head.record();
    if let Some(end) = &report.end {
        record.line("incomplete", end);
    }
    let columns = Columns::new(["BASE", "END", "STAMP", "NAME", "PATH"], &[]);
    let row = |module: ModuleReport| {
        [
            module.base.to_string(),
            or_dash(module.end),
            or_dash(module.time_date_stamp.map(|stamp| format!("{stamp:#010x}"))),
            or_dash(module.name),
            or_dash(module.path),
        ]
    };
    table(record, columns, &report.modules, row, out)
}

/// The first lines and the list, whose records are made twice: to see how wide
/// they are, and to be written.
fn table<'r, T: 'r, const N: usize>(
    head: Record,
    mut columns: Columns<N>,
    rows: &Rows<'r, T>,
    row: impl Fn(T) -> [String; N],
    out: &mut dyn Write,
) -> io::Result<()> {
    rows.iter().for_each(|one| columns.measure(&row(one)));
    out.write_all(head.into_text().as_bytes())?;
    columns.write(out, rows.iter().map(row))
}

/// `livedump unloaded`.
pub(crate) fn unloaded_text(report: &UnloadedReport) -> String {
    let mut record = report.head.record();
    let count = report.unloaded.len();
    let count = match report.claimed {
        Some(claimed) => format!("{count} of {claimed} that the dump claims"),
        None => count.to_string(),
    };
    record.line("unloaded", count);
    let mut table = Table::new(&["START", "END", "NAME"]);
    for driver in &report.unloaded {
        table.row([driver.start.to_string(), driver.end.to_string(), driver.name.clone()]);
    }
    record.text(&table.into_text());
    record.into_text()
}

/// `livedump ps FILE`.
pub(crate) fn processes_text(report: &ProcessesReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut record = report.head.record();
    incomplete(&mut record, &report.lists);
    let heading = ["PID", "PARENT", "THREADS", "CREATED", "EXITED", "ADDRESS", "NAME"];
    let row = |process: ProcessReport| {
        [
            or_dash(process.pid),
            or_dash(process.parent_pid),
            or_dash(process.threads),
            or_dash(process.created.as_ref()),
            or_dash(process.exited.as_ref()),
            process.address.to_string(),
            or_dash(process.name.as_ref()),
        ]
    };
    table(record, Columns::new(heading, &[0, 1, 2]), &report.processes, row, out)
}

/// `livedump threads FILE`.
pub(crate) fn threads_text(report: &ThreadsReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let head = report.head.get();
    let mut record = head.record();
    incomplete(&mut record, &report.lists);
    let heading = [
        "TID",
        "PID",
        "STATE",
        "WAIT REASON",
        "WAIT",
        "PRIORITY",
        "KERNEL",
        "USER",
        "SWITCHES",
        "WAITS FOR",
        "START",
        "PROCESS",
    ];
    let columns = || Columns::new(heading, &[0, 1, 4, 5, 6, 7, 8]);
    if head.set.is_empty() {
        return table(record, columns(), &report.threads, thread_row, out);
    }
    out.write_all(record.into_text().as_bytes())?;
    for moment in head.set.iter().filter(|moment| moment.asked) {
        let mut record = Record::default();
        record.text("\n");
        let taken = moment.taken.as_ref().map_or(String::new(), |time| format!(", taken {time}"));
        record.line("in", format!("{}{taken}", moment.file));
        let of = |one: &ThreadReport| one.file.as_ref() == Some(&moment.file);
        let rows = Rows::of(move || report.threads.iter().filter(of));
        table(record, columns(), &rows, thread_row, out)?;
    }
    Ok(())
}

fn thread_row(one: ThreadReport) -> [String; 12] {
    let waits = one
        .waits
        .iter()
        .map(|wait| format!("{} {}", wait.kind.as_deref().unwrap_or("object"), wait.object));
    let waits: Vec<String> = waits.collect();
    let start = one.start_symbol.clone().or(one.start_address.map(|at| at.to_string()));
    [
        or_dash(one.thread.tid),
        or_dash(one.thread.pid),
        or_dash(one.state.as_ref()),
        or_dash(one.wait_reason.as_ref()),
        or_dash(one.wait_milliseconds.map(time)),
        or_dash(one.priority),
        or_dash(one.kernel_milliseconds.map(time)),
        or_dash(one.user_milliseconds.map(time)),
        or_dash(one.context_switches),
        match &one.waits_in {
            Some(wait) => format!("by its stack in {}", stacks::wait_text(wait)),
            None if waits.is_empty() => "-".to_owned(),
            None => waits.join(", "),
        },
        or_dash(start),
        or_dash(one.thread.process.as_ref()),
    ]
}

/// `livedump processors`.
pub(crate) fn processors_text(report: &ProcessorsReport) -> String {
    let mut record = report.head.record();
    for one in &report.processors {
        let current = one.current_thread.as_ref().map_or_else(|| "-".to_owned(), thread);
        let idle = if one.idle == Some(true) { " (idle)" } else { "" };
        record.text("\n");
        record.line("processor", format!("{} at {}: {current}{idle}", one.number, one.address));
        record.maybe("irql", one.irql.map(|irql| irql.to_string()));
        if one.dpc_active == Some(true) {
            let routine = one.dpc_routine.as_deref().unwrap_or("routine not known");
            let ticks = one.dpc_ticks.map_or(String::new(), |ticks| format!(", {ticks} ticks"));
            record.line("dpc", format!("running: {routine}{ticks}"));
        }
        if let Some(depth) = one.dpc_queue_depth.filter(|depth| *depth > 0) {
            record.line("dpc queue", format!("{depth} wait"));
        }
        if one.corralled {
            record.line("corralled", "the capture held it: its registers are of the capture");
        }
        record.text(&stacks::frames_text(&one.frames, &one.end, stacks::Scans::All));
    }
    record.into_text()
}
