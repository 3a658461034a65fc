//! Stacks with names, and which threads share one.

use std::collections::HashMap;

use memory::VirtualAddress;
use ntos::walk::{End, Found, Frame, Note, StackKind, Trust};
use ntos::{Images, Kernel, NameSource, NoStack, Stacks, Start, ThreadStack};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Census, Hex, StackWait, ThreadRef, kebab};

/// One frame of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FrameReport {
    /// RIP or PC: where the processor was, or where the call returns to.
    pub address: Hex,
    /// RSP or SP.
    pub stack_pointer: Hex,
    /// The module, as debuggers name it.
    pub module: Option<String>,
    /// The symbol at or before the address.
    pub symbol: Option<String>,
    /// Bytes from the symbol, else from the module's base.
    pub offset: Option<u64>,
    /// What kind of symbol: `procedure`, `public`, `export`.
    pub symbol_from: Option<String>,
    /// How it was found: `context`, `unwind`, `machine-frame`, `callback`,
    /// `frame-pointer`, `scan`.
    pub found: String,
    /// How far it can be believed: `certain`, `probable`, `guessed`, `weak`.
    pub trust: String,
    /// The stack it lies on, where the frame before lies on another;
    /// `user-callback` where user mode was called in between.
    pub boundary: Option<String>,
    /// Whether this frame is of the capture of the dump, not of what the thread did.
    pub capture: bool,
    /// What hindered the step to the next frame.
    pub notes: Vec<String>,
}

/// The kernel stack of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StackReport {
    /// The thread.
    pub thread: ThreadRef,
    /// Of a set, the file that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its state.
    pub state: Option<String>,
    /// Its wait reason, when it waits.
    pub wait_reason: Option<String>,
    /// For how long, in milliseconds.
    pub wait_milliseconds: Option<u64>,
    /// Of a thread that the capture woke, whose state is not that of the hang:
    /// the wait that it was in, as its stack tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_in: Option<StackWait>,
    /// Where the walk began.
    pub start: Option<String>,
    /// The frames, the innermost first.
    pub frames: Vec<FrameReport>,
    /// Why there are no more.
    pub end: String,
    /// Whether the end is that of the stack, and no step was guessed.
    pub whole: bool,
}

/// Threads whose stacks go through the same places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UniqueStack {
    /// How many.
    pub count: u64,
    /// Which.
    pub threads: Vec<ThreadRef>,
    /// The frames of the first of them.
    pub frames: Vec<FrameReport>,
    /// Why there are no more.
    pub end: String,
}

/// Walks the stack of each thread that `wanted` takes, one after the other as
/// they are asked for: all together are much.
pub fn stacks<'r>(
    kernel: &'r Kernel<'_>,
    walker: &'r Stacks<'_, '_>,
    images: &'r Images<'_>,
    census: &'r Census,
    wanted: impl Fn(usize) -> bool + 'r,
) -> impl Iterator<Item = StackReport> + 'r {
    let mut names = Namer { images, known: HashMap::new() };
    let in_capture = kernel.is_of_threads_in_capture();
    let ticks = |ticks: u32| Some(kernel.clock()?.milliseconds(ticks.into()));
    let report = move |number: usize| {
        let thread = census.threads.get(number)?;
        let waits = thread.waits() == Some(true) && !in_capture;
        let (start, frames, end, whole) = match walker.of(thread) {
            Ok(stack) => {
                let whole = is_whole(&stack);
                let frames = names.frames(&stack.walk.frames);
                (Some(of_start(stack.start)), frames, stack.walk.end.to_string(), whole)
            }
            Err(why) => (None, Vec::new(), why_none(why).to_owned(), why != NoStack::NotInDump),
        };
        Some(StackReport {
            thread: census.name(number)?,
            file: None,
            state: thread.state.filter(|_| !in_capture).map(|state| state.to_string()),
            wait_reason: thread.wait_reason.filter(|_| waits).map(|reason| reason.to_string()),
            wait_milliseconds: thread.wait_ticks.filter(|_| waits).and_then(ticks),
            waits_in: if in_capture { StackWait::of(&frames) } else { None },
            start,
            frames,
            end,
            whole,
        })
    };
    (0..census.threads.len()).filter(move |number| wanted(*number)).filter_map(report)
}

/// Names a walk's frames: the stack of a processor or of the header's context.
pub fn frames(images: &Images<'_>, stack: &ThreadStack) -> Vec<FrameReport> {
    Namer { images, known: HashMap::new() }.frames(&stack.walk.frames)
}

/// Groups stacks that go through the same places.
#[derive(Debug, Default)]
pub struct Unique {
    groups: HashMap<Vec<Hex>, usize>,
    found: Vec<UniqueStack>,
}

impl Unique {
    /// One more; a stack without frames is like no other.
    pub fn add(&mut self, stack: StackReport) {
        if stack.frames.is_empty() {
            return;
        }
        let places = stack.frames.iter().map(|frame| frame.address).collect();
        let (thread, frames, end) = (stack.thread, stack.frames, stack.end);
        let found = &mut self.found;
        let place = *self.groups.entry(places).or_insert_with(|| {
            found.push(UniqueStack { count: 0, threads: Vec::new(), frames, end });
            found.len() - 1
        });
        if let Some(group) = found.get_mut(place) {
            group.count += 1;
            group.threads.push(thread);
        }
    }

    /// All, the most frequent first.
    pub fn into_vec(mut self) -> Vec<UniqueStack> {
        self.found.sort_by_key(|group| std::cmp::Reverse(group.count));
        self.found
    }
}

/// Names of places: many threads are at the same ones.
struct Namer<'i, 'k> {
    images: &'i Images<'k>,
    known: HashMap<VirtualAddress, Option<ntos::Name>>,
}

impl Namer<'_, '_> {
    fn frames(&mut self, frames: &[Frame]) -> Vec<FrameReport> {
        let shown =
            frames.iter().filter(|frame| frame.address.0 != 0 && !self.begins_a_function(frame));
        let shown: Vec<&Frame> = shown.collect();
        let mut reports: Vec<FrameReport> =
            shown.into_iter().map(|frame| self.frame(frame)).collect();
        set_capture_aside(&mut reports);
        reports
    }

    /// A scan's find that is a function's first byte is a pointer to it: no
    /// call returns there.
    fn begins_a_function(&self, frame: &Frame) -> bool {
        let name = || self.images.name(frame.address);
        frame.found == Found::Scan
            && name().is_some_and(|name| name.symbol.is_some() && name.offset == 0)
    }

    fn frame(&mut self, frame: &Frame) -> FrameReport {
        // A call may be the last instruction of its function: it, not what
        // follows, says which function that is.
        let asked = match frame.exact {
            true => frame.address,
            false => VirtualAddress(frame.address.0.wrapping_sub(1)),
        };
        let back = u64::from(!frame.exact);
        let name = self.known.entry(asked).or_insert_with(|| self.images.name(asked)).clone();
        let source = name.as_ref().and_then(|name| name.source);
        FrameReport {
            address: Hex(frame.address.0),
            stack_pointer: Hex(frame.stack_pointer.0),
            module: name.as_ref().map(|name| name.module.clone()),
            offset: name.as_ref().map(|name| name.offset + back),
            symbol: name.and_then(|name| name.symbol),
            symbol_from: source.map(|source| {
                match source {
                    NameSource::Procedure => "procedure",
                    NameSource::Public => "public",
                    NameSource::Export => "export",
                }
                .to_owned()
            }),
            found: kebab(&frame.found),
            trust: kebab(&frame.trust),
            boundary: frame.boundary.then(|| match frame.found {
                Found::Callback => "user-callback".to_owned(),
                _ => of_stack(frame.stack),
            }),
            capture: false,
            notes: frame.notes.iter().map(of_note).collect(),
        }
    }
}

/// Functions in which a thread or a processor is only because the dump is
/// being taken. (Names as the public symbols have them.)
const CAPTURE: &[&str] =
    &["DbgkpLkmdSnapThread", "DbgkCaptureLive", "IopLiveDump", "IoCaptureLiveDump"];

/// Functions between the capture's own and the thread's.
const DELIVERY: &[&str] =
    &["KiDeliverApc", "KiCheckForKernelApcDelivery", "KiApcInterrupt", "KiInitiateUserApc"];

/// Frames of the capture, and what lies on top of them, are not what the
/// thread did.
fn set_capture_aside(frames: &mut [FrameReport]) {
    let of_capture = |frame: &FrameReport| {
        let in_kernel = frame.module.as_deref() == Some("nt");
        let named = |symbol: &String| CAPTURE.iter().any(|name| symbol.starts_with(name));
        in_kernel && frame.symbol.as_ref().is_some_and(named)
    };
    // The capture reaches a thread of a triage dump by an APC.
    let delivers = |frame: &FrameReport| {
        let name = frame.symbol.as_deref().unwrap_or_default();
        frame.module.as_deref() == Some("nt") && DELIVERY.contains(&name)
    };
    if let Some(last) = frames.iter().rposition(of_capture) {
        let below = frames.iter().skip(last + 1).take_while(|frame| delivers(frame)).count();
        let last = last + below;
        for frame in frames.iter_mut().take(last + 1) {
            frame.capture = true;
        }
    }
}

fn is_whole(stack: &ThreadStack) -> bool {
    let guessed = stack.walk.frames.iter().any(|frame| frame.trust < Trust::Probable);
    let ended = matches!(stack.walk.end, End::EndOfStack | End::ZeroReturn | End::UserMode { .. });
    ended && !guessed
}

fn of_start(start: Start) -> String {
    match start {
        Start::Processor { number } => format!("registers of processor {number}"),
        Start::HeaderContext => "context in the dump's header".to_owned(),
        Start::SwitchFrame => "switch frame".to_owned(),
        Start::Capture => "a return address that all threads in the capture share".to_owned(),
        _ => "saved stack pointer".to_owned(),
    }
}

fn why_none(why: NoStack) -> &'static str {
    match why {
        NoStack::NeverRan => "never ran",
        NoStack::Ended => "ended",
        NoStack::NotResident => "not resident",
        NoStack::NotInDump => "not in the dump",
        NoStack::NoRegisters => "running, and its registers are not in the dump",
        _ => "where its stack lies is not known",
    }
}

fn of_stack(kind: StackKind) -> String {
    kebab(&kind)
}

fn of_note(note: &Note) -> String {
    match note {
        Note::MissingCode => "its code is not at hand".to_owned(),
        Note::NotExecutable => "its code is in no section that may be executed".to_owned(),
        Note::StackPointerLowest => "its stack pointer is at least this, not proved".to_owned(),
        Note::NotUnwound(end) => format!("not unwound: {end}"),
    }
}

/// The stack of the context in the dump's header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContextStack {
    /// The thread that it was of, as far as that is known.
    pub thread: Option<ThreadRef>,
    /// Whether something crashed there. The context of a dump of a running
    /// machine is that of the capture, and no fault.
    pub fault: bool,
    /// The frames, the innermost first.
    pub frames: Vec<FrameReport>,
    /// Why there are no more.
    pub end: String,
    /// The first module on the stack of a crash that is not the kernel, and
    /// the frame that speaks for it.
    pub blamed: Option<Blamed>,
}

/// A module on the stack of a crash, with what speaks against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Blamed {
    /// The module.
    pub module: String,
    /// The frame in it.
    pub frame: Hex,
    /// How that frame was found.
    pub found: String,
    /// How far the frame can be believed: `certain`, `probable`, `guessed`, `weak`.
    pub trust: String,
    /// How far that can be believed: a frame on the stack is no proof of guilt.
    pub grade: crate::hang::Grade,
}

/// Walks from the context in the header; `None` when it has none.
pub fn of_header(
    kernel: &Kernel<'_>,
    walker: &Stacks<'_, '_>,
    images: &Images<'_>,
    census: &Census,
) -> Option<ContextStack> {
    let address = kernel.header_thread();
    let number = address.and_then(|thread| census.find(thread));
    let of_triage = || address.map(|thread| kernel.thread(thread));
    let thread = number.and_then(|number| census.threads.get(number)).cloned().or_else(of_triage);
    let stack = walker.of_header(thread.as_ref())?;
    let frames = frames(images, &stack);
    let fault = !kernel.dump().header().is_live() && !frames.iter().any(|frame| frame.capture);
    let named = number.and_then(|number| census.name(number)).or_else(|| {
        thread.as_ref().map(|thread| ThreadRef {
            tid: thread.tid,
            pid: thread.pid,
            process: None,
            address: Hex(thread.address.0),
        })
    });
    Some(ContextStack {
        thread: named,
        fault,
        blamed: if fault { blamed(&frames) } else { None },
        end: stack.walk.end.to_string(),
        frames,
    })
}

fn blamed(frames: &[FrameReport]) -> Option<Blamed> {
    let others = |frame: &&FrameReport| {
        let module = frame.module.as_deref();
        module.is_some_and(|module| !matches!(module, "nt" | "hal"))
    };
    let frame = frames.iter().find(others)?;
    let sure = matches!(frame.trust.as_str(), "certain" | "probable");
    Some(Blamed {
        module: frame.module.clone()?,
        frame: frame.address,
        found: frame.found.clone(),
        trust: frame.trust.clone(),
        grade: if sure { crate::hang::Grade::Consistent } else { crate::hang::Grade::NotProvable },
    })
}
