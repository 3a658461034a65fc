//! Callbacks into user mode: how a stack goes on below one.
//!
//! A system call may have the kernel call user mode (`KeUserModeCallback`,
//! which is how win32k calls window procedures), and user mode may enter the
//! kernel again from there. Between the two entries there is no frame that
//! leads from one to the other. What is public of it: the debugger block has
//! the address of `KiCallUserMode`, the function that calls user mode, and a
//! stack that was left for another says with which stack pointer
//! (`_KSTACK_CONTROL`). The block's `ThCallbackStack` and `NextCallback`, where
//! frames of callbacks are linked, are 0 on Windows 10, and not used.
//!
//! What lies in the frame of `KiCallUserMode` nobody documents, so nothing of
//! it is believed: a stack goes on only at an address that the call of that
//! function returns to, on a stack of the thread itself.

use memory::VirtualAddress;
use nt::kdbg;
use unwind::{Found, Registers, Resume, Segment, StackKind, Trust, Unwinder};

use crate::kernel::Kernel;
use crate::segments::Segments;

/// Bytes of stack that `KiCallUserMode` may have, at most.
const REACH: u64 = 0x400;

/// What a thread had called user mode for, the innermost first.
#[derive(Default)]
pub(crate) struct Callbacks {
    pub(crate) found: Vec<Callback>,
}

impl Callbacks {
    /// The one from which the kernel was entered again on this stack.
    pub(crate) fn beyond(&self, inner: &Segment) -> Option<&Callback> {
        self.found.iter().find(|one| one.inner == inner.base)
    }
}

/// One call of user mode.
pub(crate) struct Callback {
    /// The base of the stack that the kernel was entered on next.
    inner: VirtualAddress,
    /// Where its stack was left.
    pub(crate) left: VirtualAddress,
    /// Where that goes on; `None` when it was not proved.
    pub(crate) caller: Option<(Registers, Trust)>,
}

impl Callback {
    pub(crate) fn resume(&self) -> Option<Resume> {
        let (registers, trust) = self.caller.clone()?;
        let sp_known = matches!(registers, Registers::X64(_)) || trust == Trust::Certain;
        Some(Resume { registers, exact: false, found: Found::Callback, trust, sp_known })
    }
}

/// The callbacks of a thread. Stacks that were left for one are marked so.
pub(crate) fn find(
    kernel: &Kernel<'_>,
    unwinder: &Unwinder<'_>,
    stacks: &mut Segments,
    registers: impl Fn(VirtualAddress) -> Option<Registers>,
) -> Callbacks {
    let function = kernel
        .block()
        .and_then(|block| block.address_of(kdbg::KI_CALL_USER_MODE))
        .filter(|function| kernel.modules().kernel().is_some_and(|nt| nt.contains(*function)));
    let caller = |left: VirtualAddress, within: &Segment| {
        let room = within.base.0.checked_sub(left.0).filter(|_| within.holds(left))?;
        unwinder.caller_of(function?, &registers(left)?, room.min(REACH))
    };
    let mut found = Vec::new();
    for (number, left) in stacks.left.iter().enumerate() {
        let Some(left) = left.kernel_stack else { continue };
        let Some(outer) = stacks.segments.get(number + 1).copied() else { continue };
        let caller = caller(left, &outer);
        let Some(inner) = stacks.segments.get_mut(number) else { continue };
        if caller.is_some() {
            inner.kind = StackKind::UserCallback;
        }
        found.push(Callback { inner: inner.base, left, caller });
    }
    Callbacks { found }
}
