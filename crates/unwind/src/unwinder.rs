//! What a walk stands on, and one step of it.

use memory::{VirtualAddress, VirtualMemory};

use crate::{Code, End, Found, Note, Registers, Trust, arm64, x64};

/// How far scanning goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// Not at all.
    Off,
    /// Only values that a call instruction was seen to stand before.
    Calls,
    /// Also values in code that is not at hand, with the least trust.
    All,
}

/// How a walk is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The most frames of a walk.
    pub frames: usize,
    /// Whether addresses of the lower half are user mode, where a walk ends.
    pub kernel: bool,
    /// What to do where nothing unwinds.
    pub scan: Scan,
    /// How many bytes of stack one scan looks at.
    pub scan_bytes: u64,
    /// ARM64: how many bits of an address are no pointer authentication.
    pub address_bits: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { frames: 1024, kernel: true, scan: Scan::All, scan_bytes: 0x6000, address_bits: 48 }
    }
}

/// A step to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The caller's registers.
    pub registers: Registers,
    /// Its program counter with its pointer authentication, if it had one.
    pub raw_address: Option<VirtualAddress>,
    /// How it was found.
    pub found: Found,
    /// How far this step alone can be believed.
    pub trust: Trust,
    /// Whether the program counter is an instruction's, not a return address.
    pub exact: bool,
    /// Whether a machine frame said that the caller was in user mode.
    pub user: bool,
    /// Whether the stack pointer is proved.
    pub sp_known: bool,
    /// The lowest address at which frames of callers can lie.
    pub floor: VirtualAddress,
    /// What hindered it.
    pub notes: Vec<Note>,
}

/// Unwinds over the code and the memory of one machine.
#[derive(Clone, Copy)]
pub struct Unwinder<'a> {
    pub(crate) code: &'a dyn Code,
    pub(crate) memory: &'a dyn VirtualMemory,
    pub(crate) options: Options,
}

impl<'a> Unwinder<'a> {
    /// Over this code and this memory, with the usual [`Options`].
    pub fn new(code: &'a dyn Code, memory: &'a dyn VirtualMemory) -> Self {
        Self { code, memory, options: Options::default() }
    }

    /// With other options.
    #[must_use]
    pub fn with(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// One step by the machine's own rules; nothing is guessed.
    ///
    /// `exact` says that the program counter is that of an instruction about
    /// to run, not a return address.
    ///
    /// # Errors
    ///
    /// Why there is none, as the reason a walk would end for. Whether the
    /// answer makes sense on a stack is for [`Unwinder::walk`] to say.
    pub fn step(&self, registers: &Registers, exact: bool) -> Result<Step, End> {
        match registers {
            Registers::X64(registers) => x64::step(self.code, self.memory, registers, exact),
            Registers::Arm64(registers) => {
                let bits = self.options.address_bits;
                arm64::step(self.code, self.memory, registers, exact, bits)
            }
        }
    }
}
