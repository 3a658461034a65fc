//! The threads of one process, with waits in words.

use std::time::Duration;

use machine::{Thread, ThreadDetails};
use schemars::JsonSchema;
use serde::Serialize;

use crate::waiting::WaitScale;
use crate::{Class, Failure, ProcessTarget, WaitUnit, World};

/// The result of `livedump threads`. Any field may be absent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ThreadList {
    /// "livedump.threads/1".
    pub schema: String,
    /// The scenario, when the machine is a simulated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// Process id.
    pub pid: u32,
    /// Image name.
    pub process: String,
    /// How wait times were read.
    pub wait_unit: WaitUnit,
    /// In the system's order.
    pub threads: Vec<ThreadEntry>,
}

/// One thread.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ThreadEntry {
    /// Thread id.
    pub tid: u32,
    /// Its name, where it has one and we may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// KTHREAD state by name.
    pub state: String,
    /// Wait reason by name, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_reason: Option<String>,
    /// How long it has waited, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// Kernel time, milliseconds.
    pub kernel_ms: u64,
    /// User time, milliseconds.
    pub user_ms: u64,
    /// Win32 start address, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_address: Option<String>,
    /// Created, ISO 8601 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Dynamic priority.
    pub priority: i32,
}

/// KTHREAD_STATE Waiting.
pub(crate) const WAITING: u32 = 5;

/// The threads of one process of the machine.
pub fn threads(world: &World, target: &ProcessTarget) -> Result<ThreadList, Failure> {
    let process = crate::process::find(world, target)?;
    let threads = list(world, process.pid)?;
    if threads.is_empty() {
        return Err(Failure::new(
            Class::NotFound,
            format!("{} ({}) has no threads, or has just ended", process.name, process.pid),
        ));
    }
    let scale = WaitScale::calibrate(world.machine.as_ref());
    let entry = |t: &Thread| entry(t, world.machine.thread_details(t.tid), scale);
    Ok(ThreadList {
        schema: "livedump.threads/1".into(),
        simulated: crate::session::simulated(world),
        pid: process.pid,
        process: process.name,
        wait_unit: scale.unit,
        threads: threads.iter().map(entry).collect(),
    })
}

pub(crate) fn list(world: &World, pid: u32) -> Result<Vec<Thread>, Failure> {
    world.machine.threads(pid).map_err(|e| {
        Failure::new(
            Class::Internal,
            format!("the threads of process {pid} could not be listed: {e}"),
        )
        .remedy("run elevated; if it happens again, report it with the error above")
    })
}

/// How long a thread has waited; `None` while it does not wait.
pub(crate) fn waited(thread: &Thread, scale: WaitScale) -> Option<Duration> {
    if thread.state == WAITING { scale.duration(thread.wait_time_raw) } else { None }
}

fn entry(thread: &Thread, details: ThreadDetails, scale: WaitScale) -> ThreadEntry {
    let ms = |t: u64| t / 10_000;
    ThreadEntry {
        tid: thread.tid,
        name: details.name,
        state: nt::thread::ThreadState::from(thread.state).to_string(),
        wait_reason: (thread.state == WAITING)
            .then(|| nt::thread::WaitReason::from(thread.wait_reason).to_string()),
        wait_ms: waited(thread, scale).map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
        kernel_ms: ms(thread.kernel_time),
        user_ms: ms(thread.user_time),
        start_address: details.win32_start_address.map(|a| format!("{a:016x}")),
        created: crate::time::filetime(thread.created),
        priority: thread.priority,
    }
}
