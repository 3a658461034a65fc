//! The trap frame a thread points to: with what it came into the kernel.
//! (`_KTRAP_FRAME`: the names are those of the public types, x64's and ARM64's.)

use format::Machine;
use memory::VirtualAddress;

use crate::kernel::Kernel;
use crate::thread::Thread;

/// CPSR of ARM64: the exception level and its stack, 0 in user mode.
/// (Arm Architecture Reference Manual, SPSR_EL1.M.)
const ARM64_MODE: u64 = 0xF;
/// Privilege level in a code segment's selector, 3 in user mode.
const X64_LEVEL: u64 = 3;

/// What user mode did when it entered the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserMode {
    /// Where the trap frame lies.
    pub(crate) frame: VirtualAddress,
    /// Rip or Pc.
    pub(crate) address: VirtualAddress,
    /// Rsp or Sp.
    pub(crate) stack_pointer: VirtualAddress,
}

impl Kernel<'_> {
    /// KTHREAD.TrapFrame, when it is known, at hand, and of user mode.
    pub(crate) fn user_mode(&self, thread: &Thread) -> Option<UserMode> {
        let frame = self.pointer(thread.address, self.layout().kernel_thread.trap_frame)?;
        let layout = &self.layout().trap_frame;
        let value = |member| self.member(frame, member);
        let (address, stack_pointer, user) = match self.dump().header().machine_image_type {
            Machine::X64 => {
                let user = value(layout.code_segment)? & X64_LEVEL == X64_LEVEL;
                (value(layout.rip)?, value(layout.rsp)?, user)
            }
            Machine::Arm64 => {
                let user = value(layout.spsr)? & ARM64_MODE == 0;
                (value(layout.pc)?, value(layout.sp)?, user)
            }
            _ => return None,
        };
        let (address, stack_pointer) = (VirtualAddress(address), VirtualAddress(stack_pointer));
        let lower = address.0 != 0 && !address.is_kernel();
        (user && lower).then_some(UserMode { frame, address, stack_pointer })
    }
}
