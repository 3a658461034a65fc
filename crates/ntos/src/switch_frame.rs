//! Where a thread that does not run goes on: the frame that the switch to
//! another thread left at its saved stack pointer.

use std::collections::HashMap;

use format::Machine;
use memory::VirtualAddress;
use serde::Serialize;
use unwind::Registers;
use unwind::arm64::Arm64Registers;
use unwind::x64::X64Registers;

use crate::code::Images;
use crate::kernel::Kernel;
use crate::layout::Source;
use crate::reader::at;
use crate::thread::Thread;

/// Bytes above a saved stack pointer that are looked through.
const REACH: u64 = 0x180;
/// The same for threads in the capture, whose innermost function has a CONTEXT in its frame.
const REACH_IN_CAPTURE: u64 = 0x1000;
/// Bytes that a kernel stack has at most.
const LARGEST_STACK: u64 = 0x10_0000;
/// Threads that are looked at.
const SAMPLE: usize = 64;

/// How switch frames are laid out in this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SwitchFrame {
    /// Where the return address lies, from KernelStack on.
    pub return_offset: u64,
    /// The return address itself, which every thread shares; `None` when types told.
    #[serde(serialize_with = "crate::hex_option")]
    pub return_address: Option<VirtualAddress>,
    /// Where the frame pointer lies, from KernelStack on.
    pub frame_offset: Option<u64>,
    /// Who told.
    pub source: Source,
    /// How many threads were looked at, and how many of them agree.
    pub threads: (u32, u32),
    /// Whether types told, or a call was seen before the return address: else
    /// what the threads share could be something else.
    pub seen: bool,
}

impl SwitchFrame {
    /// By the types; else by the one return address into the kernel's code that
    /// threads which do not run have at the same place, because they all came
    /// through the same call of the context switch.
    pub(crate) fn find(
        kernel: &Kernel<'_>,
        images: &Images<'_>,
        threads: &[&Thread],
    ) -> Option<Self> {
        let stacks: Vec<VirtualAddress> =
            threads.iter().filter_map(|thread| thread.kernel_stack).take(SAMPLE).collect();
        let told = Self::told(kernel, &stacks);
        told.or_else(|| Self::learnt(kernel, images, &stacks))
    }

    /// As the types have it, unless the threads' stacks speak against it: those
    /// of a triage dump are in the capture, and not switched away from.
    fn told(kernel: &Kernel<'_>, stacks: &[VirtualAddress]) -> Option<Self> {
        let types = kernel.layout().switch_frame;
        let member = types.return_address?;
        let frame = Self {
            return_offset: member.offset,
            return_address: None,
            frame_offset: types.frame.or(types.frame_of_arm64).map(|frame| frame.offset),
            source: member.source,
            threads: (0, 0),
            seen: true,
        };
        let fits = stacks.iter().filter(|stack| frame.registers(kernel, **stack).is_some()).count();
        let threads = (stacks.len() as u32, fits as u32);
        (!kernel.is_of_threads_in_capture() || fits * 2 > stacks.len())
            .then_some(Self { threads, ..frame })
    }

    fn learnt(kernel: &Kernel<'_>, images: &Images<'_>, stacks: &[VirtualAddress]) -> Option<Self> {
        let nt = kernel.modules().kernel()?;
        let is_arm = kernel.dump().header().machine_image_type == Machine::Arm64;
        let returns = |value| unwind::follows_call(images, value, is_arm);
        let reach = if kernel.is_of_threads_in_capture() { REACH_IN_CAPTURE } else { REACH };
        let mut votes: HashMap<(u64, VirtualAddress), u32> = HashMap::new();
        let mut looked = 0;
        for stack in stacks {
            looked += 1;
            for offset in (0..reach).step_by(8) {
                let Ok(value) = kernel.reader().pointer(at(*stack, offset)) else { break };
                let code = nt.contains(value) && images.is_code(value) != Some(false);
                // What ARM64 code returns by is saved behind the frame pointer;
                // other pointers to the kernel are shared as well.
                let framed = !is_arm || points_up(kernel, *stack, offset);
                if code && framed && returns(value) != Some(false) {
                    *votes.entry((offset, value)).or_default() += 1;
                }
            }
        }
        // The innermost return comes first; further out, paths part.
        let best = votes.values().copied().max()?;
        let (offset, value) =
            *votes.iter().filter(|(_, count)| **count == best).map(|(place, _)| place).min()?;
        let agree = best >= 2 && best * 2 > looked;
        agree.then_some(Self {
            return_offset: offset,
            return_address: Some(value),
            // The context switch saves it right before, and ARM64 always; what the
            // capture's own function saves where, is not known on x64.
            frame_offset: offset
                .checked_sub(8)
                .filter(|_| is_arm || !kernel.is_of_threads_in_capture()),
            source: Source::Probed,
            threads: (looked, best),
            seen: returns(value) == Some(true),
        })
    }

    /// The registers with which a thread goes on. `None` when its frame is not
    /// in the dump, or its return is not the one that all have.
    pub(crate) fn registers(
        &self,
        kernel: &Kernel<'_>,
        stack: VirtualAddress,
    ) -> Option<Registers> {
        let place = at(stack, self.return_offset);
        let value = kernel.reader().pointer(place).ok()?;
        let expected = match self.return_address {
            Some(expected) => value == expected,
            None => kernel.modules().kernel()?.contains(value),
        };
        if !expected {
            return None;
        }
        let frame =
            self.frame_offset.and_then(|offset| kernel.reader().pointer(at(stack, offset)).ok());
        let sp = place.0.wrapping_add(8);
        Some(match kernel.dump().header().machine_image_type {
            Machine::X64 => {
                let registers = X64Registers::new(value.0, sp);
                match frame {
                    Some(frame) => registers.with(X64Registers::RBP, frame.0).into(),
                    None => registers.into(),
                }
            }
            Machine::Arm64 => {
                // How much of the frame lies above what was saved, types tell.
                let registers = match self.return_address {
                    None => Arm64Registers::new(value.0, sp),
                    Some(_) => Arm64Registers::adrift(value.0, sp),
                };
                match frame {
                    Some(frame) => registers.with(Arm64Registers::FP, frame.0).into(),
                    None => registers.into(),
                }
            }
            _ => return None,
        })
    }
}

/// Whether in front of a place of a stack lies a frame pointer: into the same
/// stack, further up.
fn points_up(kernel: &Kernel<'_>, stack: VirtualAddress, offset: u64) -> bool {
    let before = offset.checked_sub(8).map(|before| at(stack, before));
    let frame = before.and_then(|place| kernel.reader().pointer(place).ok());
    let distance = frame.and_then(|frame| frame.0.checked_sub(at(stack, offset).0));
    distance.is_some_and(|distance| (8..LARGEST_STACK).contains(&distance))
}
