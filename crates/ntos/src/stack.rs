//! Kernel stacks: where a thread's walk begins, on which stacks, and what it found.

use format::Machine;
use memory::VirtualAddress;
use nt::thread::ThreadState;
use serde::Serialize;
use unwind::arm64::Arm64Registers;
use unwind::x64::X64Registers;
use unwind::{End, Registers, Segment, Stack, StackKind, Trust, Unwinder, Walk};

use crate::callback::{self, Callback, Callbacks};
use crate::code::Images;
use crate::kernel::Kernel;
use crate::processor::{Processor, Processors};
use crate::switch_frame::SwitchFrame;
use crate::thread::Thread;

/// Bytes of a CONTEXT that registers are taken from: x64's has 0x4D0, ARM64's 0x390.
const CONTEXT: usize = 0x390;
/// Bytes of a processor's stack for DPCs and interrupts. (KERNEL_STACK_SIZE of
/// 64-bit systems, WDK; larger ones only make the walk end early.)
const PROCESSOR_STACK: u64 = 0x6000;

/// Where a walk began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
#[non_exhaustive]
pub enum Start {
    /// The registers of the processor it runs on.
    Processor {
        /// Its number.
        number: u64,
    },
    /// The context in the dump's header.
    HeaderContext,
    /// The frame that the switch to another thread left.
    SwitchFrame,
    /// In the capture's own call: the return address that all of a triage
    /// dump's threads have at the same place.
    Capture,
    /// The saved stack pointer, by scanning: no switch frame was found there.
    SavedStackPointer,
}

/// Why a thread has no stack to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoStack {
    /// It was made and has not run.
    NeverRan,
    /// It ended.
    Ended,
    /// Its stack was not in memory.
    NotResident,
    /// Its stack is not in the dump.
    NotInDump,
    /// It ran, and its processor's registers are not in the dump.
    NoRegisters,
    /// Where its stack is, is not known.
    Unknown,
}

/// A thread's kernel stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadStack {
    /// Where the walk began.
    pub start: Start,
    /// What it found.
    pub walk: Walk,
}

/// Walks the stacks of one kernel's threads.
pub struct Stacks<'k, 'a> {
    kernel: &'k Kernel<'a>,
    images: &'k Images<'k>,
    processors: Vec<Processor>,
    switch_frame: Option<SwitchFrame>,
}

impl<'k, 'a> Stacks<'k, 'a> {
    /// Prepares to walk. `threads` are what the switch frame is learnt from.
    pub fn new(kernel: &'k Kernel<'a>, images: &'k Images<'k>, threads: &[Thread]) -> Self {
        let processors =
            kernel.processors().map_or_else(Vec::new, |Processors { processors, .. }| processors);
        // A triage dump's threads were disturbed by the capture: their state
        // does not say that they wait.
        let disturbed = kernel.is_of_threads_in_capture();
        let runs = |thread: &Thread| {
            processors.iter().any(|one| one.current_thread == Some(thread.address))
        };
        let waiting: Vec<&Thread> = threads
            .iter()
            .filter(|thread| thread.waits() == Some(true) || disturbed)
            .filter(|thread| thread.stack_resident != Some(false) && !runs(thread))
            .collect();
        let switch_frame = SwitchFrame::find(kernel, images, &waiting);
        Self { kernel, images, processors, switch_frame }
    }

    /// How switch frames were found to be laid out.
    pub fn switch_frame(&self) -> Option<SwitchFrame> {
        self.switch_frame
    }

    /// The kernel stack of a thread.
    pub fn of(&self, thread: &Thread) -> Result<ThreadStack, NoStack> {
        let running = self.processors.iter().find(|one| one.current_thread == Some(thread.address));
        match (running, thread.state) {
            (_, Some(ThreadState::Initialized)) => return Err(NoStack::NeverRan),
            (_, Some(ThreadState::Terminated)) => return Err(NoStack::Ended),
            (Some(processor), Some(ThreadState::Running) | None) => {
                return self.of_processor(processor, Some(thread)).ok_or(NoStack::NoRegisters);
            }
            (None, Some(ThreadState::Running)) => return Err(NoStack::NoRegisters),
            _ if thread.stack_resident == Some(false) => return Err(NoStack::NotResident),
            _ => {}
        }
        let stack = thread.kernel_stack.ok_or(NoStack::Unknown)?;
        if self.kernel.reader().integer(stack, 8).is_err() {
            return Err(NoStack::NotInDump);
        }
        let found = self.switch_frame.and_then(|frame| frame.registers(self.kernel, stack));
        let (start, registers) = match found {
            Some(registers) if self.kernel.is_of_threads_in_capture() => {
                (Start::Capture, registers)
            }
            Some(registers) => (Start::SwitchFrame, registers),
            None => (Start::SavedStackPointer, self.bare(stack).ok_or(NoStack::Unknown)?),
        };
        let mut walk = self.walk(&registers, false, Some(thread), None);
        // Where it begins is known only as well as what all threads share.
        if start != Start::SavedStackPointer && self.switch_frame.is_some_and(|frame| !frame.seen) {
            for frame in &mut walk.frames {
                frame.trust = frame.trust.min(Trust::Probable);
            }
        }
        Ok(ThreadStack { start, walk })
    }

    /// What a processor ran, from its saved registers. `None` when these are
    /// not in the dump.
    pub fn of_processor(
        &self,
        processor: &Processor,
        thread: Option<&Thread>,
    ) -> Option<ThreadStack> {
        let mut bytes = vec![0; CONTEXT];
        self.kernel.reader().bytes(processor.context?, &mut bytes).ok()?;
        let registers = self.context(&bytes)?;
        // Idle threads are in no list: what lies below a DPC is theirs all the same.
        let unlisted = processor.current_thread.map(|thread| self.kernel.thread(thread));
        let walk = self.walk(&registers, true, thread.or(unlisted.as_ref()), Some(processor));
        Some(ThreadStack { start: Start::Processor { number: processor.number }, walk })
    }

    /// The stack of the header's context: of a crash, the one that crashed.
    pub fn of_header(&self, thread: Option<&Thread>) -> Option<ThreadStack> {
        let bytes = self.kernel.dump().context().ok()??;
        let registers = self.context(&bytes)?;
        let processor = thread.and_then(|thread| {
            self.processors.iter().find(|one| one.current_thread == Some(thread.address))
        });
        let walk = self.walk(&registers, true, thread, processor);
        Some(ThreadStack { start: Start::HeaderContext, walk })
    }

    /// Registers of a CONTEXT that was filled.
    fn context(&self, bytes: &[u8]) -> Option<Registers> {
        let registers: Registers = match self.machine() {
            Machine::X64 => X64Registers::from_context(bytes)?.into(),
            Machine::Arm64 => Arm64Registers::from_context(bytes)?.into(),
            _ => return None,
        };
        (registers.pc().0 != 0 && registers.sp().0 != 0).then_some(registers)
    }

    fn machine(&self) -> Machine {
        self.kernel.dump().header().machine_image_type
    }

    /// Only a stack pointer: what is found from there is found by scanning.
    fn bare(&self, stack: VirtualAddress) -> Option<Registers> {
        Some(match self.machine() {
            Machine::X64 => X64Registers::new(0, stack.0).into(),
            Machine::Arm64 => Arm64Registers::new(0, stack.0).into(),
            _ => return None,
        })
    }

    fn walk(
        &self,
        registers: &Registers,
        exact: bool,
        thread: Option<&Thread>,
        processor: Option<&Processor>,
    ) -> Walk {
        let unwinder = Unwinder::new(self.images, self.kernel.memory());
        let mut stacks = thread.map(|thread| self.kernel.stack_segments(thread));
        let bare = |left| self.bare(left);
        let callbacks = match &mut stacks {
            Some(stacks) => callback::find(self.kernel, &unwinder, stacks, bare),
            None => Callbacks::default(),
        };
        let segments = stacks.map_or_else(Vec::new, |stacks| stacks.segments);
        let next = |inner: &Segment, _: VirtualAddress, end: &End| {
            let End::UserMode { .. } = end else { return None };
            callbacks.beyond(inner).and_then(Callback::resume)
        };
        let stack = self.stack(registers.sp(), &segments, processor).resume_with(&next);
        let mut walk = unwinder.walk(registers, exact, &stack);
        if let End::UserMode { address, .. } = walk.end
            && let Some(last) = walk.frames.last().map(|frame| frame.stack_pointer)
            && let Some(inner) = segments.iter().find(|segment| segment.holds(last))
            && let Some(callback) = callbacks.beyond(inner)
        {
            walk.end = End::UserCallback { address, left: callback.left };
        }
        if let Some(end) = thread.and_then(|thread| self.entry(thread, &walk)) {
            walk.end = end;
        }
        walk
    }

    /// Where a walk that lost its way would have ended: above its last frame
    /// lies the trap frame by which the thread came from user mode.
    fn entry(&self, thread: &Thread, walk: &Walk) -> Option<End> {
        let lost = match walk.end {
            End::EndOfStack | End::ZeroReturn => {
                walk.frames.iter().any(|frame| frame.trust < Trust::Probable)
            }
            End::UserMode { .. } | End::UserCallback { .. } | End::NotResident { .. } => false,
            End::Limit { .. } => false,
            _ => true,
        };
        let last = walk.frames.last().filter(|frame| lost && frame.stack == StackKind::Thread)?;
        let user = self.kernel.user_mode(thread)?;
        // KTHREAD.TrapFrame is of the stack that the thread is on now.
        let now = thread.stack_limit? <= last.stack_pointer && user.frame < thread.stack_base?;
        let above = now && last.stack_pointer < user.frame;
        let (address, stack_pointer) = (user.address, user.stack_pointer);
        above.then_some(End::UserMode { address, stack_pointer })
    }

    /// The stretches of stack that a walk may visit, from the innermost out.
    fn stack(
        &self,
        sp: VirtualAddress,
        thread: &[Segment],
        processor: Option<&Processor>,
    ) -> Stack<'static> {
        let mut segments = Vec::new();
        for (base, kind) in processor.into_iter().flat_map(|processor| {
            [(processor.dpc_stack, StackKind::Dpc), (processor.isr_stack, StackKind::Isr)]
        }) {
            let Some(base) = base else { continue };
            let limit = VirtualAddress(base.0.saturating_sub(PROCESSOR_STACK));
            segments.push(Segment { limit, base, kind });
        }
        segments.extend_from_slice(thread);
        // A dump that has only a thread's stack need not tell its bounds.
        if !segments.iter().any(|segment| segment.holds(sp)) {
            return match segments.is_empty() {
                true => Stack::unbounded(),
                false => segments.into_iter().fold(Stack::unbounded(), Stack::with),
            };
        }
        let stack = segments.into_iter().fold(Stack::default(), Stack::with);
        CROSSINGS.iter().fold(stack, |stack, (from, to)| stack.allow(*from, *to))
    }
}

/// From which stack to which a walk may go.
const CROSSINGS: &[(StackKind, StackKind)] = &[
    (StackKind::Isr, StackKind::Dpc),
    (StackKind::Isr, StackKind::Thread),
    (StackKind::Isr, StackKind::Expanded),
    (StackKind::Isr, StackKind::UserCallback),
    (StackKind::Dpc, StackKind::Thread),
    (StackKind::Dpc, StackKind::Expanded),
    (StackKind::Dpc, StackKind::UserCallback),
    (StackKind::Expanded, StackKind::Expanded),
    (StackKind::Expanded, StackKind::UserCallback),
    (StackKind::Expanded, StackKind::Thread),
    (StackKind::UserCallback, StackKind::Expanded),
    (StackKind::UserCallback, StackKind::UserCallback),
    (StackKind::UserCallback, StackKind::Thread),
];
