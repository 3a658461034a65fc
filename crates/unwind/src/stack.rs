//! Which addresses a walk may take for a stack.

use memory::VirtualAddress;
use serde::Serialize;

use crate::{End, Found, Registers, Trust};

/// What a stack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackKind {
    /// A thread's own kernel stack.
    Thread,
    /// A processor's stack for deferred procedure calls.
    Dpc,
    /// A processor's stack for interrupts.
    Isr,
    /// The stack of the non-maskable interrupt.
    Nmi,
    /// The stack of the double fault.
    DoubleFault,
    /// A segment that KeExpandKernelStackAndCallout added.
    Expanded,
    /// A segment that a callback into user mode added.
    UserCallback,
    /// Bounds that nobody knows.
    Unknown,
}

/// One stretch of stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its lowest address.
    pub limit: VirtualAddress,
    /// The first address behind it: where the stack began to grow down.
    pub base: VirtualAddress,
    /// What it is for.
    pub kind: StackKind,
}

impl Segment {
    /// Whether a stack pointer may point here. The base itself belongs to it:
    /// there the stack is empty.
    pub fn holds(&self, sp: VirtualAddress) -> bool {
        self.limit <= sp && sp <= self.base
    }
}

/// Where a walk goes on behind the end of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The registers there.
    pub registers: Registers,
    /// Whether the program counter is an instruction's, not a return address.
    pub exact: bool,
    /// How it was found.
    pub found: Found,
    /// How far it can be believed.
    pub trust: Trust,
    /// Whether the stack pointer is proved.
    pub sp_known: bool,
}

/// Answers where a walk goes on that ended in a segment at a stack pointer.
pub type NextSegment<'a> = dyn Fn(&Segment, VirtualAddress, &End) -> Option<Resume> + 'a;

/// All the stack that one walk may visit.
#[derive(Default)]
pub struct Stack<'a> {
    segments: Vec<Segment>,
    crossings: Vec<(StackKind, StackKind)>,
    next: Option<&'a NextSegment<'a>>,
}

impl<'a> Stack<'a> {
    /// A stack of one segment.
    pub fn new(segment: Segment) -> Self {
        Self { segments: vec![segment], ..Self::default() }
    }

    /// A stack whose bounds nobody knows: it ends where memory does.
    pub fn unbounded() -> Self {
        let (limit, base) = (VirtualAddress(0), VirtualAddress(u64::MAX));
        Self::new(Segment { limit, base, kind: StackKind::Unknown })
    }

    /// Adds a segment.
    #[must_use]
    pub fn with(mut self, segment: Segment) -> Self {
        self.segments.push(segment);
        self
    }

    /// Allows walks to go from segments of one kind to those of another (or
    /// to others of the same). What is not allowed ends the walk.
    #[must_use]
    pub fn allow(mut self, from: StackKind, to: StackKind) -> Self {
        self.crossings.push((from, to));
        self
    }

    /// Asks this where to go on when a segment ends. The answer must lie
    /// further up in the segment, or in one that may be crossed to.
    #[must_use]
    pub fn resume_with(mut self, next: &'a NextSegment<'a>) -> Self {
        self.next = Some(next);
        self
    }

    /// The number of the segment that holds a stack pointer. Where one's base
    /// is another's limit, it is the one that goes on.
    pub(crate) fn find(&self, sp: VirtualAddress) -> Option<usize> {
        let inside = |segment: &Segment| segment.limit <= sp && sp < segment.base;
        let at = self.segments.iter().position(inside);
        at.or_else(|| self.segments.iter().position(|segment| segment.holds(sp)))
    }

    pub(crate) fn segment(&self, index: usize) -> Option<&Segment> {
        self.segments.get(index)
    }

    pub(crate) fn allows(&self, from: usize, to: usize) -> bool {
        match (self.segment(from), self.segment(to)) {
            (Some(from), Some(to)) => self.crossings.contains(&(from.kind, to.kind)),
            _ => false,
        }
    }

    pub(crate) fn resume(&self, from: usize, sp: VirtualAddress, end: &End) -> Option<Resume> {
        self.next?(self.segment(from)?, sp, end)
    }
}
