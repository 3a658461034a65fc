//! What a thread waits in, as its stack tells it: of a thread that was woken
//! to be photographed, nothing else does.

use schemars::JsonSchema;
use serde::Serialize;

use crate::stacks::FrameReport;
use crate::{Hex, ThreadRef};

/// Functions between the one that waits and the switch to another thread.
const SWITCH: &[&str] = &["SwapContext", "KiSwapContext", "KiSwapThread", "KiCommitThreadWait"];

/// Functions that wait, and for what. (Names as the public symbols have them.)
const WAITS: &[(&str, &str)] = &[
    ("KeWaitForSingleObject", "an object"),
    ("KeWaitForMultipleObjects", "one or all of several objects"),
    ("KeWaitForMutexObject", "a mutant"),
    ("KeDelayExecutionThread", "time to pass"),
    ("KeRemoveQueue", "work to come"),
    ("KeRemovePriQueue", "work to come"),
    ("KeWaitForGate", "a gate"),
    ("KeWaitForAlertByThreadId", "a change at an address"),
];

/// Callers of these that wait for something more exact, by how their names begin.
const CALLERS: &[(&str, &str)] = &[
    ("ExpWaitForResource", "a resource"),
    ("ExpAcquireResource", "a resource"),
    ("ExfAcquirePushLock", "a push lock"),
    ("ExpWaitForFastMutex", "a fast mutex"),
    ("ExpAcquireFastMutex", "a fast mutex"),
    ("KiAcquireGuardedMutex", "a guarded mutex"),
    ("AlpcpReceiveSynchronousReply", "the answer to a call to another process"),
    ("AlpcpReceiveMessagePort", "a call of another process to come"),
    ("IopSynchronousServiceTail", "a request to be done"),
    ("IopWaitForSynchronousIo", "a request to be done"),
];
/// Callers that are asked for the more exact.
const NEAR: usize = 3;

/// What a thread waits in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StackWait {
    /// The function that waits: `KeWaitForSingleObject`, ...
    pub function: String,
    /// Who called it: `nt!ExpWaitForResource`.
    pub caller: Option<String>,
    /// For what that is, as far as the names tell.
    pub what: String,
    /// The frame of the function.
    pub frame: Hex,
}

/// Threads whose stacks tell the same wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StackWaits {
    /// The wait of the first of them.
    #[serde(flatten)]
    pub wait: StackWait,
    /// How many.
    pub count: u64,
    /// Which.
    pub threads: Vec<ThreadRef>,
}

impl StackWait {
    /// Reads a stack from below the capture's own frames. `None` where these
    /// are not followed by a wait, or are not surely known.
    pub fn of(frames: &[FrameReport]) -> Option<Self> {
        let sure = |frame: &&FrameReport| matches!(frame.trust.as_str(), "certain" | "probable");
        let mut frames = frames
            .iter()
            .skip_while(|frame| frame.capture)
            .take_while(sure)
            .skip_while(|frame| kernel_name(frame).is_some_and(|name| SWITCH.contains(&name)));
        let frame = frames.next()?;
        let name = kernel_name(frame)?;
        let (_, what) = WAITS.iter().find(|(function, _)| name.starts_with(function))?;
        let callers: Vec<&FrameReport> = frames.take(NEAR).collect();
        // What the kernel does for a driver is for the driver to say.
        let kernel = callers.iter().map_while(|frame| kernel_name(frame));
        let exact = kernel.into_iter().find_map(|name| {
            CALLERS.iter().find(|(caller, _)| name.starts_with(caller)).map(|(_, what)| *what)
        });
        Some(Self {
            function: name.to_owned(),
            caller: callers.first().map(|frame| full_name(frame)),
            what: exact.unwrap_or(what).to_owned(),
            frame: frame.address,
        })
    }
}

/// Groups threads by what they wait in, the most frequent first.
pub(crate) fn together(waits: impl Iterator<Item = StackWaits>) -> Vec<StackWaits> {
    let mut found: Vec<StackWaits> = Vec::new();
    for one in waits {
        let same = |known: &&mut StackWaits| {
            known.wait.function == one.wait.function && known.wait.caller == one.wait.caller
        };
        match found.iter_mut().find(same) {
            Some(known) => {
                known.count += one.count;
                known.threads.extend(one.threads);
            }
            None => found.push(one),
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.count));
    found
}

/// A function of the kernel, by a symbol of its own: the nearest export before
/// it may be another function's.
fn kernel_name(frame: &FrameReport) -> Option<&str> {
    let own = frame.symbol_from.as_deref() != Some("export");
    frame.symbol.as_deref().filter(|_| own && frame.module.as_deref() == Some("nt"))
}

fn full_name(frame: &FrameReport) -> String {
    let module = frame.module.as_deref().unwrap_or("-");
    match (&frame.symbol, frame.offset) {
        (Some(symbol), _) => format!("{module}!{symbol}"),
        (None, offset) => format!("{module}+{:#x}", offset.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str) -> FrameReport {
        let (module, symbol) = name.split_once('!').unwrap();
        FrameReport {
            address: Hex(1),
            stack_pointer: Hex(2),
            module: Some(module.into()),
            symbol: Some(symbol.into()),
            offset: Some(0x1A),
            symbol_from: Some("public".into()),
            found: "unwind".into(),
            trust: "certain".into(),
            boundary: None,
            capture: symbol.starts_with("DbgkpLkmdSnap"),
            notes: Vec::new(),
        }
    }

    fn read(names: &[&str]) -> Option<(String, Option<String>, String)> {
        let frames: Vec<FrameReport> = names.iter().map(|name| frame(name)).collect();
        StackWait::of(&frames).map(|wait| (wait.function, wait.caller, wait.what))
    }

    const START: [&str; 3] =
        ["nt!DbgkpLkmdSnapThreadApc", "nt!KiSwapThread", "nt!KiCommitThreadWait"];

    fn after_start(names: &[&str]) -> Option<(String, Option<String>, String)> {
        read(&[&START, names].concat())
    }

    #[test]
    fn the_wait_is_below_the_captures_frames_and_its_callers_tell_what_for() {
        let wait = after_start(&["nt!KeWaitForSingleObject", "nt!ExpWaitForResource"]).unwrap();
        assert_eq!(wait.0, "KeWaitForSingleObject");
        assert_eq!(wait.1.as_deref(), Some("nt!ExpWaitForResource"));
        assert_eq!(wait.2, "a resource");
        let wait = after_start(&["nt!KeWaitForSingleObject", "disk!Wait", "nt!ExpWaitForResource"]);
        assert_eq!(wait.unwrap().2, "an object");
    }

    #[test]
    fn no_wait_is_read_where_none_stands_or_a_name_may_be_another_functions() {
        assert_eq!(after_start(&["nt!NtReadFile", "nt!KeWaitForSingleObject"]), None);
        assert_eq!(after_start(&["disk!KeWaitForSingleObject"]), None);
        assert_eq!(read(&START), None);
        let mut frames: Vec<FrameReport> = START.iter().map(|name| frame(name)).collect();
        frames.push(frame("nt!KeWaitForSingleObject"));
        for change in [
            |frame: &mut FrameReport| frame.symbol_from = Some("export".into()),
            |frame: &mut FrameReport| frame.trust = "weak".into(),
        ] {
            let mut frames = frames.clone();
            change(frames.last_mut().unwrap());
            assert_eq!(StackWait::of(&frames), None);
        }
    }
}
