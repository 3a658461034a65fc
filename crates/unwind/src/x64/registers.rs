use crate::End;
use crate::registers::qword;

const NAMES: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

/// RBX, RSP, RBP, RSI, RDI, R12 to R15: what a call preserves.
const NONVOLATILE: u16 = 0xF0F8;

/// x64's integer registers, each known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct X64Registers {
    /// The program counter.
    pub rip: u64,
    values: [u64; 16],
    known: u16,
}

impl X64Registers {
    /// The number of RBX in unwind data.
    pub const RBX: u8 = 3;
    /// The number of RSP.
    pub const RSP: u8 = 4;
    /// The number of RBP.
    pub const RBP: u8 = 5;
    /// The number of RSI.
    pub const RSI: u8 = 6;
    /// The number of RDI.
    pub const RDI: u8 = 7;

    /// Registers of which only these two are known.
    pub fn new(rip: u64, rsp: u64) -> Self {
        Self { rip, values: [0; 16], known: 0 }.with(Self::RSP, rsp)
    }

    /// All registers of a `CONTEXT` record; `None` when it is cut short.
    pub fn from_context(context: &[u8]) -> Option<Self> {
        let mut registers = Self::new(qword(context, 0xF8)?, 0);
        for number in 0..16 {
            let value = qword(context, 0x78 + 8 * usize::from(number))?;
            registers.set(number, value);
        }
        Some(registers)
    }

    /// The same with one more known. Numbers are those of unwind data (RAX,
    /// RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15); others change nothing.
    #[must_use]
    pub fn with(mut self, number: u8, value: u64) -> Self {
        self.set(number, value);
        self
    }

    /// A register's value, when it is known.
    pub fn get(&self, number: u8) -> Option<u64> {
        let known = number < 16 && self.known >> number & 1 == 1;
        known.then(|| self.value(number))
    }

    /// A register's value, or what was last there.
    pub(crate) fn value(&self, number: u8) -> u64 {
        self.values.get(usize::from(number)).copied().unwrap_or(0)
    }

    pub(crate) fn need(&self, number: u8) -> Result<u64, End> {
        let register = NAMES.get(usize::from(number)).copied().unwrap_or("of no such number");
        self.get(number).ok_or(End::UnknownRegister { register })
    }

    pub(crate) fn set(&mut self, number: u8, value: u64) {
        if let Some(place) = self.values.get_mut(usize::from(number)) {
            *place = value;
            self.known |= 1 << number;
        }
    }

    pub(crate) fn rsp(&self) -> u64 {
        self.value(Self::RSP)
    }

    /// Forgets what the callee was free to change.
    pub(crate) fn forget_volatile(&mut self) {
        self.known &= NONVOLATILE;
    }
}
