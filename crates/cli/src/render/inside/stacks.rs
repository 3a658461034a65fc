//! Kernel stacks.

use std::collections::HashSet;
use std::io::{self, Write};

use analysis::stacks::ContextStack;
use analysis::{FrameReport, StackReport, StackWait, ThreadRef, UniqueStack};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Head, LateHead, thread, time};
use crate::render::{Record, Rows, clean};

/// The result of `livedump stacks`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct StacksReport<'r> {
    /// The stack of the context in the dump's header.
    pub(crate) context: Option<ContextStack>,
    /// One for each thread; empty with --unique.
    pub(crate) stacks: Rows<'r, StackReport>,
    /// With --unique: each stack once.
    pub(crate) unique: Option<Vec<UniqueStack>>,
    /// The last: files are looked for while stacks are walked.
    #[serde(flatten)]
    #[schemars(with = "Head")]
    pub(crate) head: LateHead<'r>,
}

/// How much of what a scan found is shown of one stack.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scans {
    All,
    /// So few that they do not crowd out what is known; the rest is counted.
    Few,
}

/// Frames of a scan that are shown of one stack where they shall be few.
const FEW: usize = 6;

/// `livedump stacks`.
pub(crate) fn text(report: &StacksReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut record = report.head.get().record();
    if let Some(context) = &report.context {
        context_text(&mut record, context, Scans::All);
    }
    out.write_all(record.into_text().as_bytes())?;
    for stack in report.stacks.iter() {
        let mut record = Record::default();
        record.text("\n");
        record.line("thread", of_thread(&stack));
        if stack.frames.is_empty() {
            record.line("stack", &stack.end);
        } else {
            record.text(&frames_text(&stack.frames, &stack.end, Scans::All));
        }
        out.write_all(record.into_text().as_bytes())?;
    }
    let mut record = Record::default();
    if let Some(unique) = &report.unique {
        unique_text(&mut record, unique, &HashSet::new(), Scans::All);
    }
    out.write_all(record.into_text().as_bytes())
}

/// Stacks that threads share, of which those at some addresses are named first.
pub(crate) fn unique_text<'s>(
    record: &mut Record,
    unique: impl IntoIterator<Item = &'s UniqueStack>,
    first: &HashSet<u64>,
    scans: Scans,
) {
    for group in unique {
        record.text("\n");
        let (mut threads, others): (Vec<&ThreadRef>, Vec<_>) =
            group.threads.iter().partition(|thread| first.contains(&thread.address.0));
        threads.extend(others);
        let named: Vec<String> = threads.into_iter().take(8).map(thread).collect();
        let more = group.threads.len().saturating_sub(named.len());
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        record.line("threads", format!("{}: {}{more}", group.count, named.join(", ")));
        record.text(&frames_text(&group.frames, &group.end, scans));
    }
}

/// The stack of the header's context.
pub(crate) fn context_text(record: &mut Record, context: &ContextStack, scans: Scans) {
    record.text("\n");
    let of = context.thread.as_ref().map_or_else(|| "a thread not named".to_owned(), thread);
    let what = if context.fault { "crashed in" } else { "of the capture, no fault:" };
    record.line("context", format!("{what} {of}"));
    if let Some(blamed) = &context.blamed {
        record.line(
            "suspect",
            format!(
                "{}: the first module on the stack beside the kernel, at {} ({}{}); no proof of guilt",
                blamed.module,
                blamed.frame,
                blamed.found,
                trust_text(&blamed.trust)
            ),
        );
    }
    record.text(&frames_text(&context.frames, &context.end, scans));
}

fn of_thread(stack: &StackReport) -> String {
    let mut text = thread(&stack.thread);
    if let Some(file) = &stack.file {
        text += &format!(" in {file}");
    }
    if let Some(state) = &stack.state {
        text += &format!(", {state}");
    }
    if let Some(reason) = &stack.wait_reason {
        text += &format!(" ({reason})");
    }
    if let Some(wait) = &stack.waits_in {
        text += &format!(", by its stack in {}", wait_text(wait));
    }
    if let Some(milliseconds) = stack.wait_milliseconds {
        text += &format!(" for {}", time(milliseconds));
    }
    text
}

/// `KeWaitForSingleObject, called by nt!ExpWaitForResource: a resource`.
pub(crate) fn wait_text(wait: &StackWait) -> String {
    let caller = wait.caller.as_ref().map_or(String::new(), |name| format!(", called by {name}"));
    format!("{}{caller}: {}", wait.function, wait.what)
}

/// `, weak`; nothing for what is certain.
fn trust_text(trust: &str) -> String {
    if trust == "certain" { String::new() } else { format!(", {trust}") }
}

/// One line a frame: address, stack pointer, name, how it was found.
pub(crate) fn frames_text(frames: &[FrameReport], end: &str, scans: Scans) -> String {
    let mut text = String::new();
    let mut found_by_scan = 0;
    for frame in frames {
        found_by_scan += usize::from(frame.found == "scan");
        if frame.found == "scan" && scans == Scans::Few && found_by_scan > FEW {
            continue;
        }
        if let Some(stack) = &frame.boundary {
            text += &match stack.as_str() {
                "user-callback" => "  -- user mode was called from here --\n".to_owned(),
                stack => format!("  -- on the {stack} stack --\n"),
            };
        }
        let capture = if frame.capture { " (of the capture)" } else { "" };
        let trust = trust_text(&frame.trust);
        text += &format!(
            "  {}  {}  {}  [{}{trust}]{capture}\n",
            frame.address,
            frame.stack_pointer,
            clean(&name(frame)),
            frame.found
        );
    }
    if scans == Scans::Few && found_by_scan > FEW {
        let more = found_by_scan - FEW;
        text += &format!("  and {more} more found by scan, which `livedump stacks` shows\n");
    }
    text + &format!("  end: {}\n", clean(end))
}

/// `module!symbol+0x1a`.
pub(crate) fn name(frame: &FrameReport) -> String {
    let Some(module) = &frame.module else { return "-".to_owned() };
    let offset = frame.offset.unwrap_or(0);
    let export = if frame.symbol_from.as_deref() == Some("export") { " (export)" } else { "" };
    match (&frame.symbol, offset) {
        (Some(symbol), 0) => format!("{module}!{symbol}{export}"),
        (Some(symbol), offset) => format!("{module}!{symbol}+{offset:#x}{export}"),
        (None, offset) => format!("{module}+{offset:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use analysis::Hex;

    use super::*;

    fn frame(number: u64, found: &str) -> FrameReport {
        FrameReport {
            address: Hex(number),
            stack_pointer: Hex(0),
            module: None,
            symbol: None,
            offset: None,
            symbol_from: None,
            found: found.into(),
            trust: "weak".into(),
            boundary: None,
            capture: false,
            notes: Vec::new(),
        }
    }

    #[test]
    fn frames_of_a_scan_do_not_crowd_out_others_and_those_left_out_are_counted() {
        let frames: Vec<FrameReport> = (0..40)
            .map(|number| frame(number, if number % 20 == 0 { "unwind" } else { "scan" }))
            .collect();
        let few = frames_text(&frames, "zero return", Scans::Few);
        assert_eq!(few.matches("[scan").count(), FEW);
        assert_eq!(few.matches("[unwind").count(), 2, "{few}");
        assert!(few.contains("and 32 more found by scan"), "{few}");
        let all = frames_text(&frames, "zero return", Scans::All);
        assert!(all.matches("[scan").count() == 38 && !all.contains("more found"), "{all}");
        let short = frames_text(&frames[1..=FEW], "zero return", Scans::Few);
        assert!(short.matches("[scan").count() == FEW && !short.contains("more found"), "{short}");
    }
}
