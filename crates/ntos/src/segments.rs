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
        let size = base.0.checked_sub(top.0)?.min(TOP) as usize;
        let mut bytes = vec![0; size & !7];
        self.reader().bytes(top, &mut bytes).ok()?;
        let words: Vec<u64> =
            bytes.as_chunks::<8>().0.iter().map(|w| u64::from_le_bytes(*w)).collect();
        // A stack's own bounds may lie at its top too.
        words.windows(4).filter_map(segment_of).find(|left| left.base != base)
    }
}

fn segment_of(words: &[u64]) -> Option<Left> {
    let [base, limit, left, initial] = *words else { return None };
    let pages = base.is_multiple_of(PAGE) && limit.is_multiple_of(PAGE);
    let sized = limit < base && base - limit <= LARGEST;
    let inside = limit <= left && left <= initial && initial < base;
    let kernel = VirtualAddress(limit).is_kernel();
    (pages && sized && inside && kernel).then_some(Left {
        base: VirtualAddress(base),
        limit: VirtualAddress(limit),
        kernel_stack: Some(VirtualAddress(left)),
        initial_stack: Some(VirtualAddress(initial)),
    })
}

impl Segments {
    fn restore_last(&mut self) {
        if let Some(last) = self.segments.last_mut() {
            last.kind = StackKind::Thread;
        }
    }
}
