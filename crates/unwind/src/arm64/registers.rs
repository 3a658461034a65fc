use crate::End;
use crate::registers::qword;

const NAMES: [&str; 31] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "fp", "lr",
];

/// x19 to x29: what a call preserves.
const NONVOLATILE: u32 = 0x3FF8_0000;

/// An address without its pointer authentication: bit 55 tells the half of
/// the address space, and the bits from `address_bits` on repeat it.
pub fn strip(value: u64, address_bits: u32) -> u64 {
    let above = u64::MAX.checked_shl(address_bits).unwrap_or(0);
    if value >> 55 & 1 == 1 { value | above } else { value & !above }
}

/// ARM64's integer registers, each known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm64Registers {
    /// The program counter.
    pub pc: u64,
    /// The stack pointer.
    pub sp: u64,
    pub(crate) sp_known: bool,
    values: [u64; 31],
    known: u32,
}

impl Arm64Registers {
    /// The number of x29.
    pub const FP: u8 = 29;
    /// The number of x30.
    pub const LR: u8 = 30;

    /// Registers of which only these two are known.
    pub fn new(pc: u64, sp: u64) -> Self {
        Self { pc, sp, sp_known: true, values: [0; 31], known: 0 }
    }

    /// All registers of a `CONTEXT` record; `None` when it is cut short.
    pub fn from_context(context: &[u8]) -> Option<Self> {
        let mut registers = Self::new(qword(context, 0x108)?, qword(context, 0x100)?);
        for number in 0..31 {
            registers.set(number, qword(context, 8 + 8 * usize::from(number))?);
        }
        Some(registers)
    }

    /// The same with one more known, by its number from 0 to 30; others
    /// change nothing.
    #[must_use]
    pub fn with(mut self, number: u8, value: u64) -> Self {
        self.set(number, value);
        self
    }

    /// A register's value, when it is known.
    pub fn get(&self, number: u8) -> Option<u64> {
        let known = number < 31 && self.known >> number & 1 == 1;
        self.values.get(usize::from(number)).copied().filter(|_| known)
    }

    /// A frame of which a return address was seen, and where its stack
    /// pointer is at the lowest.
    pub fn adrift(pc: u64, sp: u64) -> Self {
        Self { sp_known: false, ..Self::new(pc, sp) }
    }

    pub(crate) fn need(&self, number: u8) -> Result<u64, End> {
        let register = NAMES.get(usize::from(number)).copied().unwrap_or("of no such number");
        self.get(number).ok_or(End::UnknownRegister { register })
    }

    pub(crate) fn need_sp(&self) -> Result<u64, End> {
        if self.sp_known { Ok(self.sp) } else { Err(End::UnknownRegister { register: "sp" }) }
    }

    pub(crate) fn set(&mut self, number: u8, value: u64) {
        if let Some(place) = self.values.get_mut(usize::from(number)) {
            *place = value;
            self.known |= 1 << number;
        }
    }

    pub(crate) fn set_sp(&mut self, value: u64) {
        self.sp = value;
        self.sp_known = true;
    }

    /// Forgets what the callee was free to change, the return address among it.
    pub(crate) fn forget_volatile(&mut self) {
        self.known &= NONVOLATILE;
    }
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn authentication_is_taken_off_both_halves() {
        assert_eq!(strip(0x1234_F803_F32D_E014 | 1 << 55, 48), 0xFFFF_F803_F32D_E014);
        assert_eq!(strip(0xFFFF_F803_F32D_E014, 48), 0xFFFF_F803_F32D_E014);
        assert_eq!(strip(0xAB00_7FF6_1234_5678 & !(1 << 55), 48), 0x0000_7FF6_1234_5678);
        assert_eq!(strip(0x5555, 64), 0x5555);
    }
}
