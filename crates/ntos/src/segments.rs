//! The stretches of a thread's kernel stack: its own, and those that it left
//! for another.
//!
//! At the top of a stack lies `_KSTACK_CONTROL`, whose `Previous` is the
//! `_KERNEL_STACK_SEGMENT` of the stack before (public types). InitialStack
//! points to it. Where no types tell how it is laid out, it is looked for:
//! four words behind InitialStack that are what those of a segment must be.

use memory::VirtualAddress;
use unwind::{Segment, StackKind};

use crate::kernel::Kernel;
use crate::reader::at;
use crate::thread::Thread;

/// Parts of one thread's stack that are followed.
const MOST: usize = 16;
/// Bytes between InitialStack and StackBase that a segment is looked for in.
const TOP: u64 = 0x400;
/// Pages that stacks begin and end at.
const PAGE: u64 = 0x1000;
/// More than any kernel stack has.
const LARGEST: u64 = 0x10_0000;

/// A stack that was left for another, as the other's top tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    base: VirtualAddress,
    limit: VirtualAddress,
    /// Its stack pointer when it was left.
    pub(crate) kernel_stack: Option<VirtualAddress>,
    initial_stack: Option<VirtualAddress>,
}

/// A thread's stacks, the innermost first, each with the one that it was
/// entered from.
pub(crate) struct Segments {
    pub(crate) segments: Vec<Segment>,
    /// One less than segments: where each but the first was left.
    pub(crate) left: Vec<Left>,
}

impl Kernel<'_> {
    /// The thread's stack, and the parts that it left.
    pub(crate) fn stack_segments(&self, thread: &Thread) -> Segments {
        let mut all = Segments { segments: Vec::new(), left: Vec::new() };
        let (Some(limit), Some(base)) = (thread.stack_limit, thread.stack_base) else {
            return all;
        };
        all.segments.push(Segment { limit, base, kind: StackKind::Thread });
        let mut top = self.pointer(thread.address, self.layout().kernel_thread.initial_stack);
        while let (Some(at_top), Some(inner)) = (top, all.segments.last_mut()) {
            let Some(left) = self.left_stack(at_top, inner.base) else { break };
            inner.kind = StackKind::Expanded;
            let segment = Segment { limit: left.limit, base: left.base, kind: StackKind::Thread };
            let seen = all.segments.iter().any(|known| known.base == segment.base);
            if seen || all.segments.len() == MOST {
                all.restore_last();
                break;
            }
            all.segments.push(segment);
            all.left.push(left);
            top = left.initial_stack;
        }
        all
    }

    /// What the top of a stack says of the one before it.
    fn left_stack(&self, top: VirtualAddress, base: VirtualAddress) -> Option<Left> {
        match self.layout().stack_control.previous {
            Some(previous) => self.told_segment(at(top, previous.offset)),
            None => self.probed_segment(top, base),
        }
    }

    fn told_segment(&self, segment: VirtualAddress) -> Option<Left> {
        let layout = &self.layout().stack_segment;
        let left = Left {
            base: self.pointer(segment, layout.stack_base)?,
            limit: self.pointer(segment, layout.stack_limit)?,
            kernel_stack: self.pointer(segment, layout.kernel_stack),
            initial_stack: self.pointer(segment, layout.initial_stack),
        };
        (left.limit < left.base).then_some(left)
    }

    /// Base, limit, the pointer it was left with, and its own InitialStack, in
    /// the order that all public types have them.
    fn probed_segment(&self, top: VirtualAddress, base: VirtualAddress) -> Option<Left> {
        let end = base.0.min(top.0.checked_add(TOP)?);
        let places = (top.0..end).step_by(8);
        places.filter_map(|place| self.probed_at(VirtualAddress(place))).find(|left| {
            // A stack's own bounds lie at its top too.
            left.base != base
        })
    }

    fn probed_at(&self, place: VirtualAddress) -> Option<Left> {
        let word = |n: u64| self.reader().kernel_pointer(at(place, n * 8)).ok().flatten();
        let (base, limit, left, initial) = (word(0)?, word(1)?, word(2)?, word(3)?);
        let pages = base.0.is_multiple_of(PAGE) && limit.0.is_multiple_of(PAGE);
        let sized = limit < base && base.0 - limit.0 <= LARGEST;
        let inside = limit <= left && left <= initial && initial < base;
        (pages && sized && inside).then_some(Left {
            base,
            limit,
            kernel_stack: Some(left),
            initial_stack: Some(initial),
        })
    }
}

impl Segments {
    fn restore_last(&mut self) {
        if let Some(last) = self.segments.last_mut() {
            last.kind = StackKind::Thread;
        }
    }
}
