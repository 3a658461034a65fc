//! The kernel's side of `NtSystemDebugControl`.
//!
//! Source: interface specification, sections 1.1 to 1.8. What is marked [L]
//! there is reported behaviour: this kernel does what was reported.

mod live;
mod objects;
mod triage;

pub use objects::{EventObject, FileObject, Objects, ThreadObject};

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use machine::{Clock, Wake};

use crate::image::Image;
use crate::population::{RealProcess, START_TICKS, TICK};
use crate::scenario::{Fault, Scenario};
use crate::status;

/// One call as it crosses into the kernel.
pub struct RawCall<'a> {
    /// SYSDBG_COMMAND.
    pub class: u32,
    /// The input structure's bytes, `input length` of them.
    pub input: &'a [u8],
    /// The input pointer is not a multiple of 4.
    pub misaligned: bool,
    /// The output buffer, where there is one.
    pub output: Option<&'a mut [u8]>,
    /// The output length as given.
    pub output_length: u32,
}

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// NTSTATUS.
    pub status: u32,
    /// ReturnLength.
    pub length: u32,
}

impl Answer {
    fn failed(status: u32) -> Self {
        Self { status, length: 0 }
    }
}

/// One machine's kernel: its memory, its lock on dumps, its policies.
pub struct Kernel {
    scenario: Scenario,
    clock: Arc<dyn Clock>,
    image: Mutex<Option<Arc<Image>>>,
    real: Mutex<Vec<RealProcess>>,
    dumping: AtomicBool,
    attempts: AtomicU32,
    volume_is_low: AtomicBool,
}

pub(crate) const TRIAGE_DUMP: u32 = 29;
pub(crate) const LIVE_DUMP: u32 = 37;
const PULL_REMOTE_FILE: u32 = 38;

impl Kernel {
    /// The kernel of a scenario's machine, on a clock. Nothing is built before it is asked for.
    pub fn new(scenario: Scenario, clock: Arc<dyn Clock>) -> Self {
        Self {
            scenario,
            clock,
            image: Mutex::default(),
            real: Mutex::default(),
            dumping: AtomicBool::new(false),
            attempts: AtomicU32::new(0),
            volume_is_low: AtomicBool::new(false),
        }
    }

    /// Puts real processes into the machine: a triage dump of their threads then finds them.
    pub fn adopt(&self, processes: &[RealProcess]) {
        *self.real.lock().unwrap_or_else(PoisonError::into_inner) = processes.to_vec();
        *self.image.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What was planted in the machine's memory, as JSON; `None` for a machine whose kernel
    /// is no real code (one without `layout=` and without a planted scenario).
    pub fn truth(&self) -> Option<String> {
        let truth = self.image().truth(&self.scenario)?;
        Some(format!("{truth:#}"))
    }

    /// NtSystemDebugControl.
    pub fn system_debug_control(&self, call: RawCall<'_>, objects: &dyn Objects) -> Answer {
        let checked = self.check_caller(&call);
        match (checked, call.class) {
            (Err(status), _) => Answer::failed(status),
            (Ok(()), TRIAGE_DUMP) => self.triage_dump(call, objects),
            (Ok(()), LIVE_DUMP) => Answer::failed(self.live_dump(&call, objects)),
            (Ok(()), 0..=5 | 7..=20) => Answer::failed(status::NOT_IMPLEMENTED),
            (Ok(()), _) => Answer::failed(status::INVALID_INFO_CLASS),
        }
    }

    /// Section 1.3, from outside in.
    fn check_caller(&self, call: &RawCall<'_>) -> Result<(), u32> {
        if call.misaligned && !call.input.is_empty() {
            return Err(status::DATATYPE_MISALIGNMENT);
        }
        if !matches!(call.class, TRIAGE_DUMP | LIVE_DUMP) && !self.scenario.has(Fault::Debugger) {
            return Err(status::DEBUGGER_INACTIVE);
        }
        if call.class != PULL_REMOTE_FILE && !self.has_debug_privilege() {
            return Err(status::ACCESS_DENIED);
        }
        if self.scenario.has(Fault::Container) && self.scenario.build >= 26100 {
            return Err(status::ACCESS_DENIED);
        }
        Ok(())
    }

    pub(crate) fn has_debug_privilege(&self) -> bool {
        !self.scenario.has(Fault::NotElevated) && !self.scenario.has(Fault::NoDebugPrivilege)
    }

    pub(crate) fn image(&self) -> Arc<Image> {
        let mut image = self.image.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || {
            let real = self.real.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::new(Image::new(&self.scenario, &real))
        };
        image.get_or_insert_with(build).clone()
    }

    /// The kernel's tick count now.
    pub(crate) fn ticks(&self) -> u64 {
        let passed = self.clock.now().as_nanos() / 100 / u128::from(TICK);
        u64::from(START_TICKS) + passed as u64
    }

    /// The calling thread waits in the kernel; nothing wakes it early.
    fn wait(&self, time: Duration) {
        let until = self.clock.now() + time;
        self.clock.sleep_until(Some(until), &Wake::new());
    }

    /// Whether the volume filled up in the middle of a write.
    pub(crate) fn volume_is_low(&self) -> bool {
        self.volume_is_low.load(Ordering::SeqCst)
    }

    fn count_attempt(&self) -> u32 {
        self.attempts.fetch_add(1, Ordering::SeqCst)
    }

    /// Only one live dump at a time.
    fn lock(&self) -> Option<DumpLock<'_>> {
        let taken = self.dumping.swap(true, Ordering::SeqCst);
        (!taken).then(|| DumpLock(&self.dumping))
    }
}

struct DumpLock<'a>(&'a AtomicBool);

impl Drop for DumpLock<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
