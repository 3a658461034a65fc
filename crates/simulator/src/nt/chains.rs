//! Who calls whom on the stacks: names from the innermost function outwards.

use crate::nt::Fixture;
use crate::nt::frames::Step;

/// Where user threads and system threads come in.
pub(crate) const SYSTEM_CALL: &str = "KiSystemCall64";
const SYSTEM_THREAD: [&str; 2] = ["PspSystemThreadStartup", "KiStartSystemThread"];
const SWITCH: [&str; 4] = ["SwapContext", "KiSwapContext", "KiSwapThread", "KiCommitThreadWait"];

/// What a thread is doing, as its stack shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Activity {
    #[default]
    WaitForObject,
    WaitForObjects,
    Delay,
    WorkerFactory,
    Completion,
    AlertByThreadId,
    AlpcReceive,
    AlpcRequest,
    /// ExpWorkerThread without work.
    Worker,
    /// A system thread of a driver that waits for its event.
    DriverThread,
    /// A read that a filter stops at a resource, asked for alone or shared.
    ReadResource,
    ReadResourceShared,
    /// A write, the same on an expanded stack.
    WriteResource,
    /// A system thread of the filter.
    ThreadResource,
    /// A read in the bus driver, below the filter.
    ReadRequest,
    FastMutex,
    PushLock,
    /// A worker whose work item waits for the controller.
    WorkItem,
    Capture,
    Idle,
}

impl Activity {
    fn inner(self) -> &'static [&'static str] {
        match self {
            Self::WaitForObject => {
                &["KeWaitForSingleObject", "ObWaitForSingleObject", "NtWaitForSingleObject"]
            }
            Self::WaitForObjects => &[
                "KeWaitForMultipleObjects",
                "ObWaitForMultipleObjects",
                "NtWaitForMultipleObjects",
            ],
            Self::Delay => &["KeDelayExecutionThread", "NtDelayExecution"],
            Self::WorkerFactory => {
                &["KeRemoveQueueEx", "IoRemoveIoCompletion", "NtWaitForWorkViaWorkerFactory"]
            }
            Self::Completion => {
                &["KeRemoveQueueEx", "IoRemoveIoCompletion", "NtRemoveIoCompletion"]
            }
            Self::AlertByThreadId => &["KeWaitForAlertByThreadId", "NtWaitForAlertByThreadId"],
            Self::AlpcReceive => &[
                "KeWaitForSingleObject",
                "AlpcpSignalAndWait",
                "AlpcpReceiveMessagePort",
                "NtAlpcSendWaitReceivePort",
            ],
            Self::AlpcRequest => &[
                "KeWaitForSingleObject",
                "AlpcpSignalAndWait",
                "AlpcpReceiveSynchronousReply",
                "AlpcpProcessSynchronousRequest",
                "NtAlpcSendWaitReceivePort",
            ],
            Self::Worker => &["KeRemovePriQueue", "ExpWorkerThread"],
            Self::DriverThread => {
                &["KeWaitForSingleObject", "VolFilterWaitForService", "VolFilterWorker"]
            }
            Self::ReadResource => &[
                "KeWaitForSingleObject",
                "ExpWaitForResource",
                "ExAcquireResourceExclusiveLite",
                "VolFilterLockVolume",
                "VolFilterScan",
                "VolFilterDispatchRead",
                "IofCallDriver",
                "IopSynchronousServiceTail",
                "NtReadFile",
            ],
            Self::ReadResourceShared => &[
                "KeWaitForSingleObject",
                "ExpWaitForResource",
                "ExAcquireResourceSharedLite",
                "VolFilterShareVolume",
                "VolFilterScan",
                "VolFilterDispatchRead",
                "IofCallDriver",
                "IopSynchronousServiceTail",
                "NtReadFile",
            ],
            Self::WriteResource => &[
                "KeWaitForSingleObject",
                "ExpWaitForResource",
                "ExAcquireResourceExclusiveLite",
                "VolFilterLockVolume",
                "VolFilterDispatchWrite",
                "IofCallDriver",
                "IopSynchronousServiceTail",
                "NtWriteFile",
            ],
            Self::ThreadResource => &[
                "KeWaitForSingleObject",
                "ExpWaitForResource",
                "ExAcquireResourceExclusiveLite",
                "VolFilterLockVolume",
                "VolFilterWorker",
            ],
            Self::ReadRequest => &[
                "KeWaitForSingleObject",
                "DiskBusWaitForController",
                "DiskBusStartRequest",
                "DiskBusDispatchReadWrite",
                "IofCallDriver",
                "VolFilterPassThrough",
                "VolFilterDispatchRead",
                "IofCallDriver",
                "IopSynchronousServiceTail",
                "NtReadFile",
            ],
            Self::FastMutex => &[
                "KeWaitForSingleObject",
                "ExpWaitForFastMutex",
                "ExAcquireFastMutex",
                "VolFilterUpdateCache",
                "VolFilterWorker",
            ],
            Self::PushLock => {
                &["KeWaitForGate", "ExfAcquirePushLockExclusiveEx", "NtAllocateVirtualMemory"]
            }
            Self::WorkItem => &[
                "KeWaitForSingleObject",
                "DiskBusWaitForController",
                "DiskBusResetWorker",
                "ExpWorkerThread",
            ],
            Self::Capture => &[
                "KeStallExecutionProcessor",
                "IopLiveDumpStartCorralling",
                "IoCaptureLiveDump",
                "DbgkCaptureLiveKernelDump",
                "NtSystemDebugControl",
            ],
            Self::Idle => &["KiIdleLoop", "KiSystemStartup"],
        }
    }

    fn is_waiting(self) -> bool {
        !matches!(self, Self::Capture | Self::Idle)
    }

    /// Its functions from the innermost outwards, to user mode or to a system thread's start.
    pub(crate) fn names(self, user: bool) -> Vec<&'static str> {
        let mut names = Vec::new();
        if self.is_waiting() {
            names.extend(SWITCH);
        }
        names.extend(self.inner());
        match self {
            Self::Idle => {}
            _ if user => names.push(SYSTEM_CALL),
            _ => names.extend(SYSTEM_THREAD),
        }
        names
    }
}

/// Between a driver and what it calls on an expanded stack.
pub(crate) const EXPANSION: [&str; 3] = [
    "KxSwitchKernelStackCallout",
    "KeExpandKernelStackAndCalloutInternal",
    "KeExpandKernelStackAndCalloutEx",
];
/// The driver's function that does so.
const EXPANDS: &str = "VolFilterDispatchWrite";

/// The same names, with the expansion where there is a function that does it.
pub(crate) fn expanded(names: &[&'static str]) -> Vec<&'static str> {
    let at = names.iter().position(|n| *n == EXPANDS).unwrap_or(names.len());
    names[..at].iter().chain(&EXPANSION[..]).chain(&names[at..]).copied().collect()
}

/// Leaves the kernel for a callback: where it went out, no stack tells.
pub(crate) const CALLS_USER_MODE: &str = "KiCallUserMode";
/// On the stack that a callback left.
const CALLBACK: [&str; 4] =
    [CALLS_USER_MODE, "KeUserModeCallback", "NtUserDispatchMessage", SYSTEM_CALL];

/// The same names, of a thread that came in a second time.
pub(crate) fn called_back(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().chain(&CALLBACK).copied().collect()
}

/// On the processor's own stack while it is held, or while it works off calls.
pub(crate) const CORRAL: [&str; 5] = [
    "KeStallExecutionProcessor",
    "IopLiveDumpCorralDpc",
    "KiExecuteAllDpcs",
    "KiRetireDpcList",
    "KyRetireDpcList",
];
/// The same in a driver's call that does not end.
pub(crate) const DRIVER_DPC: [&str; 6] = [
    "KeStallExecutionProcessor",
    "DiskBusPollHardware",
    "DiskBusDpcRoutine",
    "KiExecuteAllDpcs",
    "KiRetireDpcList",
    "KyRetireDpcList",
];
/// An interrupted thread, below such a stack.
pub(crate) const INTERRUPTED: [&str; 2] = ["KiDispatchInterrupt", "KiDpcInterrupt"];
/// The capture's own call on a thread of a triage dump.
pub(crate) const SNAP: [&str; 5] = [
    "KeStallExecutionProcessor",
    "DbgkpLkmdSnapThreadInContext",
    "DbgkpLkmdSnapThreadApc",
    "KiDeliverApc",
    "KiCheckForKernelApcDelivery",
];

/// The steps of a chain, innermost first; the bases of the fixture's images are given.
pub(crate) fn steps(fixture: &'static Fixture, bases: &[u64], names: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for name in names {
        let found = fixture.pictures.iter().zip(bases).find_map(|(picture, base)| {
            picture.table.function(name).map(|function| (function, *base))
        });
        debug_assert!(found.is_some(), "no function {name}");
        let Some((function, base)) = found else { continue };
        let inside = match steps.last() {
            Some(callee) if callee.function.interrupts() => Some(function.inside),
            Some(callee) => function.return_from(callee.function.name),
            None => Some(function.inside),
        };
        debug_assert!(inside.is_some(), "{name} does not call the function before it");
        let at = base + u64::from(inside.unwrap_or(function.inside));
        steps.push(Step { function, base, at, keeps: None });
    }
    steps
}
