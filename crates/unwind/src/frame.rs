//! What a walk answers: frames with their trust, and why it ended.

use memory::VirtualAddress;
use serde::{Serialize, Serializer};

use crate::{Registers, StackKind};

/// How a frame was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// Given: the registers the walk, or one of its stacks, begins with.
    Context,
    /// By unwind data, or as the caller of a leaf function.
    Unwind,
    /// Interrupted there: a machine frame, a trap frame or a saved context says so.
    MachineFrame,
    /// It had called the function that calls user mode, from where the frames
    /// before it came into the kernel again.
    Callback,
    /// By the chain of frame pointers.
    FramePointer,
    /// A value on the stack that looks like a return address.
    Scan,
}

/// How far a frame can be believed, worst first. No frame is better than the
/// one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// A scan's find that nothing supports: the code before it is not at hand.
    Weak,
    /// A scan's find behind a call instruction. It may be of a call long over.
    Guessed,
    /// Something that could have said otherwise was not at hand.
    Probable,
    /// The machine's own rules, over bytes that were all at hand.
    Certain,
}

/// What hindered the step from a frame to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// The code at the frame is not at hand: it could not be ruled out that
    /// the frame was in an epilogue.
    MissingCode,
    /// The frame's code does not lie in a section that may be executed.
    NotExecutable,
    /// ARM64: the frame's stack pointer is the lowest it can be, not proved.
    StackPointerLowest,
    /// Unwinding failed, and the next frame was found another way.
    NotUnwound(End),
}

/// One frame of a walk, the innermost first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// The program counter: the instruction itself where [`Frame::exact`],
    /// the return address elsewhere. Without pointer authentication.
    #[serde(serialize_with = "hex")]
    pub address: VirtualAddress,
    /// The program counter as it lay there, when pointer authentication was
    /// taken off it.
    #[serde(serialize_with = "maybe_hex", skip_serializing_if = "Option::is_none")]
    pub raw_address: Option<VirtualAddress>,
    /// RSP or SP.
    #[serde(serialize_with = "hex")]
    pub stack_pointer: VirtualAddress,
    /// RBP or x29, where known.
    #[serde(serialize_with = "maybe_hex", skip_serializing_if = "Option::is_none")]
    pub frame_pointer: Option<VirtualAddress>,
    /// How it was found.
    pub found: Found,
    /// How far it can be believed.
    pub trust: Trust,
    /// Whether the address is where the processor was, not where a call returns to.
    pub exact: bool,
    /// The stack it lies on.
    pub stack: StackKind,
    /// Whether the frame before it lies on another stack.
    pub boundary: bool,
    /// What hindered the step to the next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// All registers that are known of it.
    #[serde(skip)]
    pub registers: Registers,
}

/// Why a walk ended, or why a step could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum End {
    /// The stack's base was reached.
    #[error("end of stack")]
    EndOfStack,
    /// The return address, or the frame pointer of the chain, is zero.
    #[error("zero return")]
    ZeroReturn,
    /// The next frame is in user mode.
    #[error("in user mode at {address}")]
    UserMode {
        /// The program counter there.
        #[serde(serialize_with = "hex")]
        address: VirtualAddress,
        /// The stack pointer there.
        #[serde(serialize_with = "hex")]
        stack_pointer: VirtualAddress,
    },
    /// The next frame is in user mode, which the kernel had called: its stack
    /// goes on elsewhere, and where was not proved.
    #[error(
        "in user mode at {address}, in a callback of the kernel: how its stack at {left} goes on was not proved"
    )]
    UserCallback {
        /// The program counter in user mode.
        #[serde(serialize_with = "hex")]
        address: VirtualAddress,
        /// Where the stack that it called from was left.
        #[serde(serialize_with = "hex")]
        left: VirtualAddress,
    },
    /// A part of the stack that is needed is not at hand.
    #[error("stack not resident at {address}")]
    NotResident {
        /// What could not be read.
        #[serde(serialize_with = "hex")]
        address: VirtualAddress,
    },
    /// No image holds the address.
    #[error("no module at {address}")]
    NoModule {
        /// The address.
        #[serde(serialize_with = "hex")]
        address: VirtualAddress,
    },
    /// No unwind data describes the address, and it is not that of a leaf function.
    #[error("no unwind data for {address}")]
    NoUnwindData {
        /// The address.
        #[serde(serialize_with = "hex")]
        address: VirtualAddress,
    },
    /// The unwind data of the image is not at hand.
    #[error("unwind data missing for {address}")]
    MissingUnwindData {
        /// The address to unwind from.
        #[serde(serialize_with = "hex")]
        address: VirtualAddress,
    },
    /// The unwind data contradicts itself.
    #[error("bad unwind data for {address}: {what}")]
    BadUnwindData {
        /// The address to unwind from.
        #[serde(serialize_with = "hex")]
        address: VirtualAddress,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Unwind data of a version that is not understood.
    #[error("unwind data not understood: version {version}")]
    VersionNotUnderstood {
        /// The version.
        version: u8,
    },
    /// The unwind data needs a register that nobody saved where it was looked for.
    #[error("register {register} not known")]
    UnknownRegister {
        /// Its name.
        register: &'static str,
    },
    /// The stack pointer did not grow.
    #[error("loop: the stack pointer did not grow at {stack_pointer}")]
    Loop {
        /// Where it would have gone.
        #[serde(serialize_with = "hex")]
        stack_pointer: VirtualAddress,
    },
    /// No machine has such a stack pointer.
    #[error("bad alignment of stack pointer {stack_pointer}")]
    BadAlignment {
        /// The stack pointer.
        #[serde(serialize_with = "hex")]
        stack_pointer: VirtualAddress,
    },
    /// The stack pointer left every stack that it may lie on.
    #[error("stack pointer {stack_pointer} is outside the stack")]
    OutsideStack {
        /// The stack pointer.
        #[serde(serialize_with = "hex")]
        stack_pointer: VirtualAddress,
    },
    /// As many frames as were asked for.
    #[error("limit of {frames} frames")]
    Limit {
        /// That many.
        frames: usize,
    },
}

impl End {
    /// Whether another way to the next frame is worth trying: the stack goes
    /// on, only the way was lost.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(
            self,
            Self::EndOfStack
                | Self::ZeroReturn
                | Self::UserMode { .. }
                | Self::UserCallback { .. }
                | Self::NotResident { .. }
                | Self::Limit { .. }
        )
    }
}

/// A whole walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Walk {
    /// The frames, the innermost first. Never empty.
    pub frames: Vec<Frame>,
    /// Why there are no more.
    pub end: End,
}

fn hex<S: Serializer>(address: &VirtualAddress, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(address)
}

fn maybe_hex<S: Serializer>(address: &Option<VirtualAddress>, to: S) -> Result<S::Ok, S::Error> {
    match address {
        Some(address) => to.collect_str(address),
        None => to.serialize_none(),
    }
}
