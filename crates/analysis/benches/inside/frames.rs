//! The frames of a stack, whoever shows them.

use serde_json::Value;

#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) address: u64,
    pub(crate) stack_pointer: u64,
    /// Only proposed: something on the stack that looks like a return address.
    pub(crate) scan: bool,
    pub(crate) named: bool,
}

/// Those of the context in what `stacks --json` prints.
pub(crate) fn ours(stacks: &Value) -> Vec<Frame> {
    let frames = stacks["context"]["frames"].as_array().cloned().unwrap_or_default();
    let number = |text: &Value| u64::from_str_radix(text.as_str()?, 16).ok();
    let frame = |frame: &Value| {
        Some(Frame {
            address: number(&frame["address"])?,
            stack_pointer: number(&frame["stack_pointer"])?,
            scan: frame["found"] == "scan",
            named: !frame["symbol"].is_null(),
        })
    };
    frames.iter().filter_map(frame).collect()
}

/// Unwound, proposed by a scan, named: of all.
pub(crate) fn cells(frames: &[Frame]) -> String {
    let unwound = frames.iter().filter(|frame| !frame.scan);
    let scan = frames.iter().filter(|frame| frame.scan).count();
    let named = frames.iter().filter(|frame| frame.named).count();
    format!("{} | {scan} | {named}", unwound.count())
}

/// How many unwound frames of the first the second has unwound too, at the same stack pointers.
pub(crate) fn shared(first: &[Frame], second: &[Frame]) -> usize {
    let places = |frames: &[Frame]| -> Vec<(u64, u64)> {
        let unwound = frames.iter().filter(|frame| !frame.scan);
        unwound.map(|frame| (frame.address, frame.stack_pointer)).collect()
    };
    let second = places(second);
    places(first).iter().filter(|place| second.contains(place)).count()
}
