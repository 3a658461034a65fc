//! Looking for what could be return addresses, where nothing unwinds.

use memory::VirtualAddress;

use crate::unwinder::{Scan, Step};
use crate::{Code, Found, Registers, Segment, Trust, Unwinder, arm64, x64};

/// Whether the instruction before an address of x64 can be a call; `None` when
/// its bytes are not at hand.
pub fn follows_call(code: &dyn Code, address: VirtualAddress) -> Option<bool> {
    let image = code.image_at(VirtualAddress(address.0.checked_sub(1)?))?;
    x64::follows_call(code, &image, image.rva(address)?)
}

impl Unwinder<'_> {
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
        let behind = rva.checked_add(1)?;
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
