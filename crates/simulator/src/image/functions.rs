//! The functions of this machine's kernel: where they are and how large their frames.

use crate::image::stack::Purpose;

/// One function of the kernel's code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Relative to the image's base.
    pub(crate) rva: u32,
    pub(crate) size: u32,
    /// Bytes the prologue takes from the stack: 8 more than a multiple of 16.
    pub(crate) frame: u32,
}

const fn function(index: u32, name: &'static str, frame: u32) -> Function {
    Function { name, rva: 0x1_1000 + index * 0x400, size: 0x300, frame }
}

macro_rules! functions {
    ($($constant:ident = $index:literal, $name:literal, $frame:literal;)*) => {
        $(const $constant: Function = function($index, $name, $frame);)*
        /// In the order of their addresses.
        pub(crate) const ALL: &[Function] = &[$($constant),*];
    };
}

functions! {
    SWAP_CONTEXT = 0, "KiSwapContext", 0x138;
    SWAP_THREAD = 1, "KiSwapThread", 0xC8;
    COMMIT_WAIT = 2, "KiCommitThreadWait", 0x98;
    WAIT_SINGLE = 3, "KeWaitForSingleObject", 0xE8;
    WAIT_MULTIPLE = 4, "KeWaitForMultipleObjects", 0x108;
    DELAY = 5, "KeDelayExecutionThread", 0x88;
    REMOVE_QUEUE = 6, "KeRemoveQueueEx", 0xB8;
    REMOVE_PRIORITY_QUEUE = 7, "KeRemovePriQueue", 0x78;
    OB_WAIT = 8, "ObWaitForSingleObject", 0x58;
    NT_WAIT = 9, "NtWaitForSingleObject", 0x68;
    NT_WAIT_MULTIPLE = 10, "NtWaitForMultipleObjects", 0x2E8;
    NT_DELAY = 11, "NtDelayExecution", 0x48;
    NT_REMOVE_COMPLETION = 12, "NtRemoveIoCompletion", 0xA8;
    NT_WORKER_FACTORY = 13, "NtWaitForWorkViaWorkerFactory", 0x158;
    NT_ALPC = 14, "NtAlpcSendWaitReceivePort", 0x118;
    SYSTEM_SERVICE = 15, "KiSystemServiceCopyEnd", 0x8;
    WORKER = 16, "ExpWorkerThread", 0x108;
    SYSTEM_STARTUP = 17, "PspSystemThreadStartup", 0x58;
    START_SYSTEM = 18, "KiStartSystemThread", 0x38;
    IDLE_LOOP = 19, "KiIdleLoop", 0x58;
    PUSH_LOCK = 20, "ExfAcquirePushLockExclusiveEx", 0x88;
    RESOURCE = 21, "ExpWaitForResource", 0xF8;
    NT_READ_FILE = 22, "NtReadFile", 0x128;
    SYNCHRONOUS_READ = 23, "IopSynchronousServiceTail", 0x78;
    CALL_DRIVER = 24, "IofCallDriver", 0x38;
    PAGE_WAIT = 25, "MiWaitForInPageComplete", 0x98;
    DELIVER_APC = 26, "KiDeliverApc", 0xD8;
    SNAP_APC = 27, "DbgkpLkmdSnapThreadApc", 0x68;
    SNAP_IN_CONTEXT = 28, "DbgkpLkmdSnapThreadInContext", 0x1F8;
    SNAP_THREAD = 29, "DbgkpLkmdSnapThread", 0xA8;
    DEBUG_CONTROL = 30, "NtSystemDebugControl", 0x148;
    LIVE_DUMP = 31, "DbgkCaptureLiveKernelDump", 0x178;
    LIVE_DUMP_CAPTURE = 32, "IoCaptureLiveDump", 0x1C8;
    CORRAL_INITIATE = 33, "IopLiveDumpStartCorralling", 0x98;
    CORRAL = 34, "IopLiveDumpCorralDpc", 0xB8;
    RETIRE_DPC = 35, "KiRetireDpcList", 0x218;
    DISPATCH_INTERRUPT = 36, "KxRetireDpcList", 0x18;
    SPIN_LOCK = 37, "KxWaitForSpinLockAndAcquire", 0x38;
}

/// What the capture's own APC adds on top of a thread's stack.
pub(crate) const CAPTURE_CALL: &[Function] = &[SNAP_IN_CONTEXT, SNAP_APC, DELIVER_APC];

/// Functions from the innermost outwards.
pub(crate) fn chain_of(purpose: Purpose, wait_reason: u8, variant: u64) -> Vec<Function> {
    let wait = |rest: &[Function]| {
        let mut chain = vec![SWAP_CONTEXT, SWAP_THREAD, COMMIT_WAIT];
        chain.extend_from_slice(rest);
        chain
    };
    match purpose {
        Purpose::Idle => vec![CORRAL, RETIRE_DPC, DISPATCH_INTERRUPT, IDLE_LOOP],
        Purpose::Capture => {
            vec![CORRAL_INITIATE, LIVE_DUMP_CAPTURE, LIVE_DUMP, DEBUG_CONTROL, SYSTEM_SERVICE]
        }
        Purpose::Stuck => vec![CORRAL, SPIN_LOCK, CALL_DRIVER, SYSTEM_STARTUP, START_SYSTEM],
        Purpose::System if variant.is_multiple_of(2) => {
            wait(&[REMOVE_PRIORITY_QUEUE, WORKER, SYSTEM_STARTUP, START_SYSTEM])
        }
        Purpose::System => wait(&[WAIT_SINGLE, WORKER, SYSTEM_STARTUP, START_SYSTEM]),
        Purpose::User => match wait_reason {
            4 => wait(&[DELAY, NT_DELAY, SYSTEM_SERVICE]),
            15 => wait(&[REMOVE_QUEUE, NT_WORKER_FACTORY, SYSTEM_SERVICE]),
            13 => wait(&[WAIT_MULTIPLE, NT_WAIT_MULTIPLE, SYSTEM_SERVICE]),
            16 => wait(&[WAIT_SINGLE, NT_ALPC, SYSTEM_SERVICE]),
            27 | 28 => wait(&[WAIT_SINGLE, PUSH_LOCK, RESOURCE, NT_READ_FILE, SYSTEM_SERVICE]),
            0 => wait(&[
                WAIT_SINGLE,
                PAGE_WAIT,
                CALL_DRIVER,
                SYNCHRONOUS_READ,
                NT_READ_FILE,
                SYSTEM_SERVICE,
            ]),
            _ if variant.is_multiple_of(3) => {
                wait(&[REMOVE_QUEUE, NT_REMOVE_COMPLETION, SYSTEM_SERVICE])
            }
            _ => wait(&[WAIT_SINGLE, OB_WAIT, NT_WAIT, SYSTEM_SERVICE]),
        },
    }
}

/// An address inside a function, behind one of its calls.
pub(crate) fn address_in(kernel_base: u64, function: &Function) -> u64 {
    kernel_base + u64::from(function.rva) + 0x56
}

pub(crate) fn start_of_system_threads(kernel_base: u64) -> u64 {
    kernel_base + u64::from(START_SYSTEM.rva)
}

/// Where a processor is that waits for the end of the capture.
pub(crate) const CORRALLED: Function = CORRAL;
/// Where the capturing processor is.
pub(crate) const CAPTURING: Function = CORRAL_INITIATE;
/// Where the thread is that asks for a triage dump.
pub(crate) const SNAPPING: Function = SNAP_THREAD;
