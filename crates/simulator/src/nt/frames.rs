//! Lays frames on stacks by doing what the functions' own prologues do.

use crate::bytes::put64;
use crate::nt::table::{Function, Operation};
use crate::random::Random;

/// A function in a chain of calls, at its image's base.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) function: &'static Function,
    pub(crate) base: u64,
    /// Where its callee returns to; the innermost: where it is.
    pub(crate) at: u64,
    /// A value that it keeps: in a local, and in a register that its callees save.
    pub(crate) keeps: Option<u64>,
}

/// A frame as an unwinder should find it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) pc: u64,
    pub(crate) sp: u64,
    pub(crate) name: &'static str,
    /// From the start of the function.
    pub(crate) offset: u64,
}

/// What user mode, or an interrupted function, was doing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outside {
    pub(crate) pc: u64,
    pub(crate) sp: u64,
    pub(crate) user: bool,
}

/// A stack being laid, from its top (the highest address) down.
pub(crate) struct Stack {
    pub(crate) top: u64,
    bytes: Vec<u8>,
}

impl Stack {
    fn new(top: u64, size: usize) -> Self {
        Self { top, bytes: vec![0; size] }
    }

    fn low(&self) -> u64 {
        self.top - self.bytes.len() as u64
    }

    /// From `sp` to the top.
    pub(crate) fn from(&self, sp: u64) -> &[u8] {
        &self.bytes[sp.saturating_sub(self.low()) as usize..]
    }
}

/// A thread's way into the kernel, laid on one stack or on several.
pub(crate) struct Layer {
    arm: bool,
    random: Random,
    registers: [u64; 32],
    pub(crate) sp: u64,
    pub(crate) stacks: Vec<Stack>,
    /// Innermost last.
    pub(crate) frames: Vec<Frame>,
    /// Where the last machine frame with an error code was pushed: its KTRAP_FRAME.
    pub(crate) trap_frame: Option<u64>,
    outside: Outside,
    /// The stack pointer where the first stack was left.
    pub(crate) left_at: u64,
    /// Where the function entered last has kept registers.
    kept: Vec<u64>,
}

const LINK: usize = 30;
const ARM_FRAME: u8 = 29;
const X64_FRAME: u8 = 5;

impl Layer {
    /// An empty stack of `size` bytes below `base`, where the first frame goes `reserve` below it.
    pub(crate) fn new(arm: bool, base: u64, size: usize, reserve: u64, random: Random) -> Self {
        let outside = Outside { pc: 0, sp: 0, user: false };
        let mut layer = Self {
            arm,
            random,
            registers: [0; 32],
            sp: base - reserve,
            stacks: vec![Stack::new(base, size)],
            frames: Vec::new(),
            trap_frame: None,
            outside,
            left_at: 0,
            kept: Vec::new(),
        };
        layer.scratch();
        layer
    }

    /// What the next machine frame tells.
    pub(crate) fn came_from(&mut self, outside: Outside) {
        self.outside = outside;
    }

    /// The next frames go to another stack; a machine frame there leads back.
    pub(crate) fn switch(&mut self, base: u64, size: usize, reserve: u64, from: Outside) {
        self.stacks.push(Stack::new(base, size));
        self.outside = from;
        self.left_at = self.sp;
        self.sp = base - reserve;
    }

    pub(crate) fn here(&self, pc: u64) -> Outside {
        Outside { pc, sp: self.sp, user: false }
    }

    pub(crate) fn write(&mut self, address: u64, value: u64) {
        for stack in self.stacks.iter_mut().rev() {
            if (stack.low()..stack.top).contains(&address) {
                let at = (address - stack.low()) as usize;
                put64(&mut stack.bytes, at, value);
                return;
            }
        }
    }

    fn push(&mut self, value: u64) {
        self.sp -= 8;
        self.write(self.sp, value);
    }

    /// What registers hold that nobody cares for.
    fn scratch(&mut self) {
        for number in 0..32 {
            let framed = number == usize::from(if self.arm { ARM_FRAME } else { X64_FRAME });
            if !framed && number != LINK {
                self.registers[number] = match self.random.below(4) {
                    0 => self.sp - self.random.below(0x800) / 8 * 8,
                    1 => 0,
                    _ => self.random.below(0x1_0000),
                };
            }
        }
    }

    /// Calls the function of a step: its return address, its prologue, its locals.
    pub(crate) fn enter(&mut self, step: &Step, called_from: Option<u64>) {
        let machine = matches!(step.function.operations.first(), Some(Operation::Machine { .. }));
        if self.arm && !step.function.interrupts() {
            self.registers[LINK] = called_from.unwrap_or(0);
        } else if !machine {
            self.push(called_from.unwrap_or(0));
        }
        // What is above belongs to the caller; a machine frame is kept as registers are.
        let top = self.sp;
        self.kept.clear();
        for operation in &step.function.operations {
            self.operate(*operation);
        }
        self.locals(top, step);
        self.frames.push(Frame {
            pc: step.at,
            sp: self.sp,
            name: step.function.name,
            offset: step.at - step.base - u64::from(step.function.rva),
        });
    }

    fn operate(&mut self, operation: Operation) {
        match operation {
            Operation::Machine { code } => self.machine_frame(code),
            Operation::Push(register) => {
                self.push(self.registers[usize::from(register)]);
                self.kept.push(self.sp);
            }
            Operation::Down(count) => self.sp -= count,
            Operation::Save(register, at) => {
                self.write(self.sp + at, self.registers[usize::from(register)]);
                self.kept.push(self.sp + at);
            }
            Operation::Vector(at) => {
                let noise = self.random.next();
                self.write(self.sp + at, noise);
                self.kept.push(self.sp + at);
            }
            Operation::Frame(register, at) => self.registers[usize::from(register)] = self.sp + at,
            Operation::Dynamic => self.sp -= 0x10 * self.random.between(2, 9),
        }
    }

    fn machine_frame(&mut self, code: bool) {
        let Outside { pc, sp, user } = self.outside;
        if self.arm {
            return if code { self.arm_trap_frame() } else { self.arm_machine_frame() };
        }
        let (code_segment, stack_segment) = if user { (0x33, 0x2B) } else { (0x10, 0x18) };
        self.sp &= !0xF;
        for value in [stack_segment, sp, 0x246, code_segment, pc] {
            self.push(value);
            self.kept.push(self.sp);
        }
        if code {
            self.push(0);
            self.trap_frame = Some(self.sp + 8 - 0x168);
        }
    }

    /// KTRAP_FRAME of ARM64, where the unwind code `trap_frame` has its fields.
    fn arm_trap_frame(&mut self) {
        const SIZE: u64 = 0x150;
        const PREVIOUS_MODE: u64 = 0;
        const SPSR: u64 = 0x90;
        const SP: u64 = 0x98;
        const X0: u64 = 0xA0;
        const LR: u64 = 0x138;
        const FP: u64 = 0x140;
        const PC: u64 = 0x148;
        let Outside { pc, sp, user } = self.outside;
        self.sp = (self.sp & !0xF) - SIZE;
        let top = self.sp;
        // Above the flags of EL1h; user mode is EL0.
        let (mode, status) = if user { (1 << 24, 0x6000_0000) } else { (0, 0x6000_0005) };
        for (at, value) in [
            (PREVIOUS_MODE, mode),
            (SPSR, status),
            (SP, sp),
            (LR, self.registers[LINK]),
            (FP, self.registers[usize::from(ARM_FRAME)]),
            (PC, pc),
        ] {
            self.write(top + at, value);
        }
        for number in 0..19 {
            self.write(top + X0 + number * 8, self.registers[number as usize]);
        }
        self.kept.extend((0..SIZE).step_by(8).map(|at| top + at));
        self.trap_frame = Some(top);
    }

    /// A stack pointer and where to go on.
    fn arm_machine_frame(&mut self) {
        let Outside { pc, sp, .. } = self.outside;
        self.sp &= !0xF;
        for value in [pc, sp] {
            self.push(value);
            self.kept.push(self.sp);
        }
    }

    /// What the function keeps, and what old calls left behind.
    fn locals(&mut self, top: u64, step: &Step) {
        self.scratch();
        // On x64, the callee's home and more lies at the stack pointer.
        let first = self.sp + if self.arm { 8 } else { 0x28 };
        for address in (first..first + 0x60).step_by(0x18) {
            let value = self.random.below(0x20_0000);
            if value < 0x10_0000 {
                self.put_local(address, top, value);
            }
        }
        if let Some(value) = step.keeps {
            self.put_local(first, top, value);
            // rsi and x19: what compilers take first.
            self.registers[if self.arm { 19 } else { 6 }] = value;
        }
    }

    fn put_local(&mut self, address: u64, top: u64, value: u64) {
        if address + 8 <= top && !self.kept.contains(&address) {
            self.write(address, value);
        }
    }

    /// All general registers, as the innermost function has them.
    pub(crate) fn registers(&self) -> &[u64; 32] {
        &self.registers
    }
}
