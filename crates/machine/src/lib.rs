//! What a capture needs: a [`Machine`] to dump, and the [`Host`] it runs on.
//!
//! Two traits and plain types, no implementation: `sys` implements both for
//! this computer, `simulator` implements [`Machine`] for a made-up Windows.
//! Under `--simulate` the machine is made up and the host is still real, so
//! that files, rights, free space and interrupts are what the user has.
//!
//! Nothing here knows a kernel structure: the two calls are typed requests
//! that answer with the raw 32-bit status of the kernel.
#![forbid(unsafe_code)]

mod call;
mod clock;
mod error;
mod facts;
mod host;
mod process;
mod target;
mod thread;

pub use call::{
    CallAnswer, CancelToken, LiveDumpRequest, Pages, StructureVersion, ThreadHandle, TriageRequest,
};
pub use clock::{Clock, Participant, Wake};
pub use error::{OsError, OsErrorKind};
pub use facts::{
    Architecture, DebuggerState, Facts, MemoryFacts, Origin, OsVersion, Policy, Presence,
    PrivilegeState, ProductType, TickClock, WaitProbe,
};
pub use host::{EventRecord, Host, Interrupts, PathFacts, Reader, SyncedFolder};
pub use process::{Process, Protection};
pub use target::{
    Buffering, Target, TargetError, TargetFacts, TargetOptions, VolumeFacts, VolumeKind,
};
pub use thread::{Thread, ThreadDetails};

use std::sync::Arc;
use std::time::Duration;

/// A Windows machine that can be asked about itself and dumped.
///
/// All methods may block; none may panic on anything the machine answers.
pub trait Machine: Send + Sync {
    /// Whether this is Windows itself or a made-up machine. Every report carries it.
    fn origin(&self) -> Origin;

    /// Everything that preflight, `doctor` and `estimate` want to know. What
    /// could not be read is `None` and named in [`Facts::unread`].
    fn facts(&self) -> Facts;

    /// The volume as this machine sees it: a real machine returns `measured`
    /// (what the host found at the target), a simulated one may replace parts of it.
    fn volume(&self, measured: VolumeFacts) -> VolumeFacts;

    /// All processes, one snapshot, in the system's order, PID 0 included.
    fn processes(&self) -> Result<Vec<Process>, OsError>;

    /// The threads of one process, from the same source as [`Machine::processes`].
    /// Empty when the process is gone or has none.
    fn threads(&self, pid: u32) -> Result<Vec<Thread>, OsError>;

    /// Name and Win32 start address, by their own queries; absent where refused.
    fn thread_details(&self, tid: u32) -> ThreadDetails;

    /// The protection level of a process, asked without opening its threads.
    /// `Ok(None)`: this Windows cannot say. Kind `NotFound`: no such process.
    fn protection(&self, pid: u32) -> Result<Option<Protection>, OsError>;

    /// Parks a thread of our own for `park` (on the machine's clock) and
    /// reports its raw wait time: this is how the unit of
    /// [`Thread::wait_time_raw`] is found out.
    fn wait_probe(&self, park: Duration) -> Result<WaitProbe, OsError>;

    /// Enables SeDebugPrivilege and checks that it is really enabled
    /// (kind `PrivilegeNotHeld` when the token does not hold it).
    /// Dropping the guard puts the previous state back.
    fn enable_debug_privilege(&self) -> Result<Box<dyn Send + Sync>, OsError>;

    /// Opens a thread with exactly the access that the triage call demands.
    fn open_thread(&self, tid: u32) -> Result<ThreadHandle, OsError>;

    /// A cancel event for one live dump.
    fn cancel_token(&self) -> Result<Arc<dyn CancelToken>, OsError>;

    /// Class 29. Blocks until the kernel returns; cannot be cancelled. The
    /// kernel fills `buffer`; [`CallAnswer::length`] bytes of it are the dump.
    fn triage_dump(&self, request: &TriageRequest<'_>, buffer: &mut [u8]) -> CallAnswer;

    /// Class 37. Blocks until the kernel returns; the kernel writes to
    /// `request.target` itself.
    fn live_dump(&self, request: &LiveDumpRequest<'_>) -> CallAnswer;

    /// The machine's own clock: waits before retries, time-outs.
    fn clock(&self) -> Arc<dyn Clock>;
}
