//! What lies on a kernel stack: return addresses at the distances that the functions' frames have.

use machine::Architecture;

use crate::bytes::{put32, put64};
use crate::image::functions::{CAPTURE_CALL, Function, address_in, chain_of};
use crate::nt::frames::Layer;
use crate::nt::stacks::{RealStacks, Thread, USED};
use crate::random::Random;

/// Pages of a kernel stack, 24 KiB.
pub(crate) const STACK_PAGES: usize = 6;
/// KTRAP_FRAME of x64.
const TRAP_FRAME: usize = 0x190;
/// KSWITCH_FRAME up to the stack pointer that execution resumes with.
const SWITCH_FRAME: usize = 0x40;
const SWITCH_RETURN: usize = 0x38;
/// x19 to x28 of ARM64, before frame pointer and return address.
const SAVED_REGISTERS: usize = 10;
/// Where a frame of ARM64 has its record. UNCONFIRMED, as is the order of the saved registers.
const RECORD: usize = 0x28;
const HOME: usize = 0x50;

/// What a stack's contents follow from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StackSeed {
    /// The thread's number among all.
    pub(crate) thread: u32,
    pub(crate) wait_reason: u8,
    pub(crate) purpose: Purpose,
    /// StackBase, the end of the stack.
    pub(crate) base: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Came from user mode and waits.
    #[default]
    User,
    /// A system thread that waits.
    System,
    /// Runs the idle loop, stopped by the capture.
    Idle,
    /// Took the dump.
    Capture,
    /// Runs at raised IRQL in a driver.
    Stuck,
}

/// All stacks, each made when it is read.
#[derive(Debug, Default)]
pub(crate) struct Stacks {
    pub(crate) seeds: Vec<StackSeed>,
    pub(crate) kernel_base: u64,
    pub(crate) seed: u64,
    pub(crate) arm: bool,
    /// Where the kernel is real code.
    pub(crate) real: Option<RealStacks>,
}

impl Stacks {
    pub(crate) fn new(seed: u64, kernel_base: u64, architecture: Architecture) -> Self {
        let arm = architecture == Architecture::Arm64;
        Self { seeds: Vec::new(), kernel_base, seed, arm, real: None }
    }

    fn real_thread(&self, thread: usize) -> Option<(&RealStacks, Thread)> {
        let seed = self.seeds.get(thread)?;
        let user = matches!(seed.purpose, Purpose::User | Purpose::Capture);
        Some((self.real.as_ref()?, Thread { number: seed.thread, base: seed.base, user }))
    }

    /// The way into the kernel of a thread, where the kernel is real code.
    pub(crate) fn lay(&self, thread: usize) -> Option<Layer> {
        self.real_thread(thread).map(|(real, thread)| real.lay(thread))
    }

    /// A running thread's stack pointer and what lies there up to the base.
    pub(crate) fn running(&self, thread: usize) -> (u64, Vec<u8>) {
        if let Some(layer) = self.lay(thread) {
            let sp = if layer.stacks.len() > 1 { layer.left_at } else { layer.sp };
            return (sp, layer.stacks[0].from(sp).to_vec());
        }
        let bytes = self.contents(thread);
        (self.kernel_stack(thread) + SWITCH_FRAME as u64, bytes[SWITCH_FRAME..].to_vec())
    }

    /// From the stack pointer to the stack's base.
    pub(crate) fn contents(&self, thread: usize) -> Vec<u8> {
        if let Some(layer) = self.lay(thread) {
            let low =
                if layer.stacks.len() > 1 { layer.stacks[0].top - USED as u64 } else { layer.sp };
            return layer.stacks[0].from(low).to_vec();
        }
        let Some(seed) = self.seeds.get(thread) else { return Vec::new() };
        self.build(seed, &Self::chain(seed))
    }

    fn chain(seed: &StackSeed) -> Vec<Function> {
        chain_of(seed.purpose, seed.wait_reason, u64::from(seed.thread))
    }

    /// The same as a triage dump finds it: the thread has woken up, left its
    /// innermost function, and runs the capture's own call.
    pub(crate) fn contents_in_capture(&self, thread: usize) -> Vec<u8> {
        if let Some((real, thread)) = self.real_thread(thread) {
            let layer = real.lay_in_capture(thread);
            return layer.stacks[0].from(layer.sp).to_vec();
        }
        let contents = self.contents(thread);
        let Some(seed) = self.seeds.get(thread) else { return contents };
        let [left, goes_on, ..] = Self::chain(seed)[..] else { return contents };
        let below = &contents[SWITCH_FRAME + left.frame as usize + 8..];
        let bottom = seed.base - below.len() as u64;
        let outer = Outer {
            address: address_in(self.kernel_base, &goes_on),
            frame: bottom + RECORD as u64,
        };
        let mut bytes = vec![0; SWITCH_FRAME + frames_size(CAPTURE_CALL)];
        self.frames(&mut bytes, bottom, CAPTURE_CALL, &outer, seed.thread);
        bytes.extend_from_slice(below);
        bytes
    }

    pub(crate) fn kernel_stack(&self, thread: usize) -> u64 {
        if let Some(layer) = self.lay(thread) {
            return layer.sp;
        }
        self.seeds.get(thread).map_or(0, |s| s.base - self.contents(thread).len() as u64)
    }

    pub(crate) fn has_trap_frame(&self, thread: usize) -> bool {
        self.seeds
            .get(thread)
            .is_some_and(|s| matches!(s.purpose, Purpose::User | Purpose::Capture))
    }

    pub(crate) fn trap_frame(&self, thread: usize) -> u64 {
        if let Some(trap) = self.lay(thread).and_then(|layer| layer.trap_frame) {
            return trap;
        }
        self.seeds.get(thread).map_or(0, |s| s.base - (HOME + TRAP_FRAME) as u64)
    }

    fn build(&self, seed: &StackSeed, chain: &[Function]) -> Vec<u8> {
        let from_user = matches!(seed.purpose, Purpose::User | Purpose::Capture);
        let tail = HOME + if from_user { TRAP_FRAME } else { 0 };
        let mut bytes = vec![0; SWITCH_FRAME + frames_size(chain) + tail];
        let end = bytes.len() - tail;
        let outermost = Outer { address: 0, frame: 0 };
        self.frames(&mut bytes[..end], seed.base - tail as u64, chain, &outermost, seed.thread);
        if from_user {
            let mut random = Random::new(self.seed, 0x6000_0000 + u64::from(seed.thread));
            trap_frame(&mut bytes[end..], &mut random);
        }
        bytes
    }

    /// A switch frame and one frame for each function, ending at address `top`.
    fn frames(&self, bytes: &mut [u8], top: u64, chain: &[Function], outer: &Outer, thread: u32) {
        let bottom = top - bytes.len() as u64;
        let mut random = Random::new(self.seed, 0x5000_0000 + u64::from(thread));
        if self.arm {
            self.arm_frames(bytes, bottom, chain, outer, &mut random);
        } else {
            self.x64_frames(bytes, bottom, chain, outer, &mut random);
        }
    }

    fn x64_frames(
        &self,
        bytes: &mut [u8],
        bottom: u64,
        chain: &[Function],
        outer: &Outer,
        random: &mut Random,
    ) {
        let mut at = SWITCH_FRAME;
        let mut return_to = SWITCH_RETURN;
        for function in chain {
            put64(bytes, return_to, address_in(self.kernel_base, function));
            let frame = function.frame as usize;
            // What old calls left behind: addresses of the stack, small numbers, nothing.
            for word in (0x20..frame).step_by(0x18) {
                let value = match random.below(4) {
                    0 => bottom + (random.below(bytes.len() as u64) & !7),
                    1 => random.below(0x1_0000),
                    _ => 0,
                };
                put64(bytes, at + word, value);
            }
            return_to = at + frame;
            at = return_to + 8;
        }
        put64(bytes, return_to, outer.address);
    }

    /// The caller's frame pointer and the return address lie at the same place of every frame.
    fn arm_frames(
        &self,
        bytes: &mut [u8],
        bottom: u64,
        chain: &[Function],
        outer: &Outer,
        random: &mut Random,
    ) {
        for register in 0..SAVED_REGISTERS {
            put64(bytes, register * 8, random.below(0x1_0000));
        }
        let mut record = SAVED_REGISTERS * 8;
        let mut at = SWITCH_FRAME + RECORD;
        for function in chain {
            put64(bytes, record, bottom + at as u64);
            put64(bytes, record + 8, address_in(self.kernel_base, function));
            record = at;
            at += function.frame as usize + 8;
            if record + 16 > bytes.len() {
                return;
            }
        }
        put64(bytes, record, outer.frame);
        put64(bytes, record + 8, outer.address);
    }
}

/// Whom the outermost function returns to: 0 for nobody.
struct Outer {
    address: u64,
    /// On ARM64, its frame record.
    frame: u64,
}

fn frames_size(chain: &[Function]) -> usize {
    chain.iter().map(|f| f.frame as usize + 8).sum()
}

/// A KTRAP_FRAME of a system call: where user mode goes on.
fn trap_frame(bytes: &mut [u8], random: &mut Random) {
    const MXCSR: usize = 0x2C;
    const RBP: usize = 0x158;
    const RIP: usize = 0x168;
    put32(bytes, MXCSR, 0x1F80);
    put64(bytes, RBP, 0);
    put64(bytes, RIP, 0x7ffb_4000_0000 + (random.below(0x20_0000) & !0xF) + 4);
    put64(bytes, RIP + 8, 0x33);
    put64(bytes, RIP + 0x10, 0x246);
    put64(bytes, RIP + 0x18, 0x00d0_0000_0000 + (random.below(0x1000_0000) & !0xF) + 8);
    put64(bytes, RIP + 0x20, 0x2B);
}
