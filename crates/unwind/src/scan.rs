//! Looking for what could be return addresses, where nothing unwinds.

use memory::VirtualAddress;

use crate::unwinder::{Scan, Step};
use crate::{Code, Found, Image, Registers, Segment, Trust, Unwinder, arm64, x64};

/// Bytes that the headers of a 64-bit image with one section have at least.
const HEADERS: u32 = 0x40 + 24 + 240 + 40;

/// Whether the instruction before an address, of x64 or of ARM64, can be a
/// call; `None` when its bytes are not at hand.
pub fn follows_call(code: &dyn Code, address: VirtualAddress, is_arm64: bool) -> Option<bool> {
    let image = code.image_at(VirtualAddress(address.0.checked_sub(1)?))?;
    let rva = image.rva(address)?;
    match is_arm64 {
        true => arm64::follows_call(code, &image, rva),
        false => x64::follows_call(code, &image, rva),
    }
}

impl Unwinder<'_> {
    /// Where a function goes on that was called from code at hand and left
    /// without return: `left` is its stack pointer at some time after its
    /// prologue. The first value from there, within so many bytes, that a
    /// direct call of that very function returns to; nothing else is taken.
    /// What the function's own unwind data says leads there too, or else the
    /// registers are not known but for the program counter and the stack
    /// pointer, and the trust is lower.
    pub fn caller_of(
        &self,
        function: VirtualAddress,
        left: &Registers,
        bytes: u64,
    ) -> Option<(Registers, Trust)> {
        let image = self.code.image_at(function)?;
        let start = left.sp().0.checked_next_multiple_of(8)?;
        let slots = (start..start.checked_add(bytes)?).step_by(8);
        for slot in slots {
            let value = self.memory.read_u64(VirtualAddress(slot)).ok()?;
            let address = self.plain(value, left);
            let Some(rva) = image.rva(address) else { continue };
            let target = match left {
                Registers::X64(_) => x64::call_target(self.code, &image, rva),
                Registers::Arm64(_) => arm64::call_target(self.code, &image, rva),
            };
            if target.is_some() && target == image.rva(function) {
                let unwound = self.step_from_the_end(function, &image, left, slot);
                let leads = |step: &Step| self.leads(step, address, slot);
                return Some(match unwound.filter(leads) {
                    Some(step) => (step.registers, step.trust),
                    None => (self.bare(address.0, slot, left), Trust::Probable),
                });
            }
        }
        None
    }

    /// A step from behind a function's last instruction: its prologue ran. A
    /// frame pointer is what that prologue makes of the stack pointer, or of
    /// the place where it saved the return address.
    fn step_from_the_end(
        &self,
        function: VirtualAddress,
        image: &Image,
        left: &Registers,
        slot: u64,
    ) -> Option<Step> {
        let begin = image.rva(function)?;
        let sp = left.sp().0;
        let pc = |end: u32| image.base.0.checked_add(end.into());
        let from = match left {
            Registers::X64(_) => {
                let (end, frame) = x64::end_of_function(self.code, image, begin)?;
                let registers = x64::X64Registers::new(pc(end)?, sp);
                match frame {
                    Some((register, offset)) => registers.with(register, sp.wrapping_add(offset)),
                    None => registers,
                }
                .into()
            }
            Registers::Arm64(_) => {
                let end = arm64::end_of_function(self.code, image, begin)?;
                let registers = arm64::Arm64Registers::new(pc(end)?, sp);
                registers.with(arm64::Arm64Registers::FP, slot.wrapping_sub(8)).into()
            }
        };
        self.step(&from, false).ok()
    }

    /// Whether a step came to this return address by way of this slot, or on
    /// ARM64 over it.
    fn leads(&self, step: &Step, address: VirtualAddress, slot: u64) -> bool {
        let sp = step.registers.sp().0;
        let by_slot = match step.registers {
            Registers::X64(_) => sp == slot.wrapping_add(8),
            Registers::Arm64(_) => sp > slot,
        };
        step.registers.pc() == address && by_slot
    }

    /// Of x64 the stack pointer is known; of ARM64 the lowest that it can be.
    fn bare(&self, pc: u64, slot: u64, like: &Registers) -> Registers {
        let behind = slot.saturating_add(8);
        match like {
            Registers::X64(_) => x64::X64Registers::new(pc, behind).into(),
            Registers::Arm64(_) => arm64::Arm64Registers::adrift(pc, behind).into(),
        }
    }

    /// The next value on the stack that can be a return address. Stops at the
    /// first part of the stack that is not at hand.
    pub(crate) fn scan(
        &self,
        from: VirtualAddress,
        segment: &Segment,
        like: &Registers,
    ) -> Option<Step> {
        if self.options.scan == Scan::Off {
            return None;
        }
        let start = from.0.checked_next_multiple_of(8)?;
        let end = start.saturating_add(self.options.scan_bytes).min(segment.base.0);
        let mut slot = start;
        while slot.checked_add(8).is_some_and(|behind| behind <= end) {
            let value = self.memory.read_u64(VirtualAddress(slot)).ok()?;
            if let Some(trust) = self.is_return_address(value, like) {
                return Some(self.scanned(slot, value, like, trust, segment));
            }
            slot += 8;
        }
        None
    }

    /// How far a value can be believed to be what a call returns to.
    fn is_return_address(&self, value: u64, like: &Registers) -> Option<Trust> {
        let address = self.plain(value, like);
        if self.options.kernel && !address.is_kernel() {
            return None;
        }
        let call = VirtualAddress(address.0.checked_sub(1)?);
        let image = self.code.image_at(call)?;
        let rva = image.rva(call)?;
        if self.code.is_executable(&image, rva) == Some(false) {
            return None;
        }
        // Behind a call there is more of its image, and no call lies in the headers.
        let behind = image.rva(address).filter(|behind| *behind > HEADERS)?;
        let follows = match like {
            Registers::X64(_) => x64::follows_call(self.code, &image, behind),
            Registers::Arm64(_) => arm64::follows_call(self.code, &image, behind),
        };
        match follows {
            Some(true) => Some(Trust::Guessed),
            None if self.options.scan == Scan::All => Some(Trust::Weak),
            _ => None,
        }
    }

    /// A value as an address, without pointer authentication.
    fn plain(&self, value: u64, like: &Registers) -> VirtualAddress {
        VirtualAddress(match like {
            Registers::X64(_) => value,
            Registers::Arm64(_) => arm64::strip(value, self.options.address_bits),
        })
    }

    fn scanned(
        &self,
        slot: u64,
        value: u64,
        like: &Registers,
        trust: Trust,
        segment: &Segment,
    ) -> Step {
        let pc = self.plain(value, like).0;
        let floor = slot.saturating_add(8);
        let (registers, sp_known) = match like {
            Registers::X64(_) => (x64::X64Registers::new(pc, floor).into(), true),
            Registers::Arm64(_) => (self.scanned_arm64(slot, pc, segment).into(), false),
        };
        Step {
            registers,
            raw_address: (pc != value).then_some(VirtualAddress(value)),
            found: Found::Scan,
            trust,
            exact: false,
            user: false,
            sp_known,
            floor: VirtualAddress(floor),
            notes: Vec::new(),
        }
    }

    /// Below a return address lies the caller's frame pointer, if they were
    /// saved as the pair that makes the chain.
    fn scanned_arm64(&self, slot: u64, pc: u64, segment: &Segment) -> arm64::Arm64Registers {
        let below = slot.checked_sub(8).filter(|below| *below >= segment.limit.0);
        let below = below.and_then(|at| self.memory.read_u64(VirtualAddress(at)).ok());
        let behind = slot.saturating_add(8);
        let fits = |fp: &u64| fp.is_multiple_of(16) && *fp >= behind && *fp < segment.base.0;
        let registers = arm64::Arm64Registers::adrift(pc, behind);
        match below.filter(fits) {
            Some(fp) => registers.with(arm64::Arm64Registers::FP, fp),
            None => registers,
        }
    }
}
