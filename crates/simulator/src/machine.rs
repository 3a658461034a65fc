//! The machine as a capture sees it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use machine::{
    CallAnswer, CancelToken, Clock, Facts, LiveDumpRequest, Machine, Origin, OsError, OsErrorKind,
    Process, Protection, StructureVersion, Thread, ThreadDetails, ThreadHandle, TickClock,
    TriageRequest, VolumeFacts, WaitProbe, Wake,
};

use crate::bytes::{put32, put64};
use crate::clock::SimulatedClock;
use crate::handles::{EVENT, FILE, InProcess, MEMORY};
use crate::kernel::{Answer, Kernel, LIVE_DUMP, RawCall, TRIAGE_DUMP};
use crate::population::{Population, RUNNING, START_TICKS, TICK, ThreadModel};
use crate::scenario::{Fault, Scenario, ScenarioError};

/// A made-up Windows machine.
pub struct SimulatedMachine {
    kernel: Kernel,
    clock: Arc<dyn Clock>,
    population: OnceLock<Population>,
    /// Processes that ended since.
    gone: Mutex<Vec<u32>>,
}

const ACCESS_DENIED: u32 = 5;
const NOT_ALL_ASSIGNED: u32 = 1300;
const INVALID_PARAMETER: u32 = 87;
const ALMOST_NOTHING: u64 = 64 << 10;

impl SimulatedMachine {
    /// The machine of a scenario.
    ///
    /// # Errors
    /// Settings that contradict each other (none does today).
    pub fn new(scenario: Scenario) -> Result<Self, ScenarioError> {
        let clock: Arc<dyn Clock> = SimulatedClock::new(scenario.real_time);
        Ok(Self {
            kernel: Kernel::new(scenario, clock.clone()),
            clock,
            population: OnceLock::new(),
            gone: Mutex::default(),
        })
    }

    /// The kernel's side, for calls as raw bytes.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    fn scenario(&self) -> &Scenario {
        self.kernel.scenario()
    }

    fn population(&self) -> &Population {
        self.population.get_or_init(|| Population::new(self.scenario(), &[]))
    }

    fn is_gone(&self, pid: u32) -> bool {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).contains(&pid)
    }

    fn end(&self, pid: u32) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
    }

    fn thread(&self, number: usize, model: &ThreadModel) -> Thread {
        let running = self.is_running(number, model);
        let now = self.kernel.ticks();
        let began = u64::from(START_TICKS - model.waited);
        let wait_time = if self.scenario().has(Fault::WaitDurations) { now - began } else { began };
        Thread {
            tid: model.tid,
            pid: model.pid,
            state: if running { RUNNING } else { model.state }.into(),
            wait_reason: if running { 0 } else { model.wait_reason }.into(),
            wait_time_raw: wait_time as u32,
            kernel_time: model.kernel_time,
            user_time: model.user_time,
            created: model.created,
            start_address: model.start_address,
            priority: model.priority,
            context_switches: model.switches,
        }
    }

    /// The second thread of livedump.exe is the one that asks.
    fn is_running(&self, number: usize, model: &ThreadModel) -> bool {
        let owner = self.population().process(model.pid);
        owner.is_some_and(|p| p.name == "livedump.exe" && p.threads.start + 1 == number)
    }

    fn call(
        &self,
        class: u32,
        input: &[u8],
        output: Option<&mut [u8]>,
        objects: &InProcess<'_>,
    ) -> CallAnswer {
        let output_length =
            output.as_ref().map_or(0, |o| u32::try_from(o.len()).unwrap_or(u32::MAX));
        let call = RawCall { class, input, misaligned: false, output, output_length };
        let Answer { status, length } = self.kernel.system_debug_control(call, objects);
        CallAnswer { status, length }
    }
}

fn error(doing: String, kind: OsErrorKind, code: u32, message: &str) -> OsError {
    OsError { doing, kind, code, message: message.to_owned() }
}

impl Machine for SimulatedMachine {
    fn origin(&self) -> Origin {
        Origin::Simulated { scenario: self.scenario().text.clone() }
    }

    fn facts(&self) -> Facts {
        crate::facts::facts(self.scenario(), self.population())
    }

    fn volume(&self, mut measured: VolumeFacts) -> VolumeFacts {
        if self.scenario().has(Fault::Fat32) {
            measured.file_system = Some("FAT32".into());
            measured.largest_file = Some(u64::from(u32::MAX));
            measured.access_lists = Some(false);
        }
        if self.kernel.volume_is_low() {
            measured.free = measured.free.map(|free| free.min(ALMOST_NOTHING));
        }
        measured
    }

    fn processes(&self) -> Result<Vec<Process>, OsError> {
        let alive = self.population().processes.iter().filter(|p| !self.is_gone(p.pid));
        Ok(alive
            .map(|model| Process {
                pid: model.pid,
                parent: model.parent,
                name: model.name.clone(),
                session: model.session,
                threads: model.threads.len() as u32,
                created: model.created,
                working_set: model.user_pages * 4096,
            })
            .collect())
    }

    fn threads(&self, pid: u32) -> Result<Vec<Thread>, OsError> {
        let population = self.population();
        let Some(process) = population.process(pid).filter(|_| !self.is_gone(pid)) else {
            return Ok(Vec::new());
        };
        let numbered = process.threads.clone().zip(&population.threads[process.threads.clone()]);
        Ok(numbered.map(|(number, model)| self.thread(number, model)).collect())
    }

    fn thread_details(&self, tid: u32) -> ThreadDetails {
        let Some((_, model)) = self.population().thread(tid) else {
            return ThreadDetails::default();
        };
        let refused = self.population().process(model.pid).is_some_and(|p| {
            p.protection & 7 != 0 || (p.session == 0 && !self.kernel.has_debug_privilege())
        });
        if refused {
            return ThreadDetails::default();
        }
        let start = (model.win32_start != 0).then_some(model.win32_start);
        ThreadDetails { name: model.name.map(str::to_owned), win32_start_address: start }
    }

    fn protection(&self, pid: u32) -> Result<Option<Protection>, OsError> {
        match self.population().process(pid) {
            Some(process) if !self.is_gone(pid) => Ok(Some(Protection(process.protection))),
            _ => Err(error(
                format!("ask for the protection of process {pid}"),
                OsErrorKind::NotFound,
                INVALID_PARAMETER,
                "The parameter is incorrect.",
            )),
        }
    }

    fn wait_probe(&self, park: Duration) -> Result<WaitProbe, OsError> {
        let began = self.kernel.ticks();
        let start = self.clock.now();
        self.clock.sleep_until(Some(start + park), &Wake::new());
        let (parked, ticks) = (self.clock.now() - start, self.kernel.ticks());
        let raw = if self.scenario().has(Fault::WaitDurations) { ticks - began } else { began };
        Ok(WaitProbe { raw: raw as u32, parked, clock: TickClock { ticks, tick_100ns: TICK } })
    }

    fn enable_debug_privilege(&self) -> Result<Box<dyn Send + Sync>, OsError> {
        if self.kernel.has_debug_privilege() {
            return Ok(Box::new(()));
        }
        Err(error(
            "enable SeDebugPrivilege".into(),
            OsErrorKind::PrivilegeNotHeld,
            NOT_ALL_ASSIGNED,
            "Not all privileges or groups referenced are assigned to the caller.",
        ))
    }

    fn open_thread(&self, tid: u32) -> Result<ThreadHandle, OsError> {
        let doing = format!("open thread {tid}");
        let gone = |doing| {
            error(doing, OsErrorKind::Gone, INVALID_PARAMETER, "The parameter is incorrect.")
        };
        let denied =
            |doing| error(doing, OsErrorKind::AccessDenied, ACCESS_DENIED, "Access is denied.");
        let Some((number, model)) = self.population().thread(tid) else { return Err(gone(doing)) };
        let process = self.population().process(model.pid);
        if self.scenario().has(Fault::ProcessExits) {
            self.end(model.pid);
        }
        let number = process.map_or(0, |p| number - p.threads.start);
        if self.is_gone(model.pid) || (number % 2 == 1 && self.scenario().has(Fault::ThreadGone)) {
            return Err(gone(doing));
        }
        let protected = process.is_some_and(|p| p.protection & 7 != 0);
        if protected
            || !self.kernel.has_debug_privilege()
            || (number % 2 == 1 && self.scenario().has(Fault::ThreadsDenied))
        {
            return Err(denied(doing));
        }
        Ok(ThreadHandle { tid, raw: tid as usize * 4 + 0x1_0000, owner: Box::new(()) })
    }

    fn cancel_token(&self) -> Result<Arc<dyn CancelToken>, OsError> {
        Ok(Arc::new(Event::default()))
    }

    fn triage_dump(&self, request: &TriageRequest<'_>, buffer: &mut [u8]) -> CallAnswer {
        let mut input = [0; 56];
        put32(&mut input, 4, request.bugcheck_code);
        for (number, parameter) in request.parameters.iter().enumerate() {
            put64(&mut input, 8 + number * 8, *parameter);
        }
        put32(&mut input, 44, request.threads.len() as u32);
        put64(&mut input, 48, MEMORY);
        let population = self.population();
        let threads: HashMap<u64, (u32, u32)> = request
            .threads
            .iter()
            .filter_map(|handle| {
                let (_, model) = population.thread(handle.tid)?;
                Some((handle.raw as u64, (model.tid, model.pid)))
            })
            .collect();
        let memory = request.threads.iter().flat_map(|t| (t.raw as u64).to_le_bytes()).collect();
        let objects = InProcess { threads, memory, ..InProcess::default() };
        self.call(TRIAGE_DUMP, &input, Some(buffer), &objects)
    }

    fn live_dump(&self, request: &LiveDumpRequest<'_>) -> CallAnswer {
        let input = live_dump_control(request);
        let objects = InProcess {
            target: Some(request.target),
            cancel: request.cancel,
            memory: selective_control(),
            ..InProcess::default()
        };
        self.call(LIVE_DUMP, &input, None, &objects)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }
}

/// SYSDBG_LIVEDUMP_CONTROL: interface specification, section 1.2.
fn live_dump_control(request: &LiveDumpRequest<'_>) -> Vec<u8> {
    let new = request.version == StructureVersion::V2;
    let mut input = vec![0; if new { 72 } else { 64 }];
    put32(&mut input, 0, if new { 2 } else { 1 });
    put32(&mut input, 4, request.bugcheck_code);
    for (number, parameter) in request.parameters.iter().enumerate() {
        put64(&mut input, 8 + number * 8, *parameter);
    }
    put64(&mut input, 40, FILE);
    put64(&mut input, 48, if request.cancel.is_some() { EVENT } else { 0 });
    let pages = &request.pages;
    let bits =
        |flags: &[bool]| flags.iter().enumerate().map(|(bit, set)| u32::from(*set) << bit).sum();
    let flags = bits(&[
        pages.use_dump_storage_stack,
        pages.compress_memory_pages_data,
        pages.include_user_space,
        pages.abort_if_memory_pressure,
        pages.kernel_stacks_only,
    ]);
    put32(&mut input, 56, flags);
    put32(&mut input, 60, bits(&[pages.hypervisor, pages.nonessential_hypervisor]));
    if new && pages.kernel_stacks_only {
        put64(&mut input, 64, MEMORY);
    }
    input
}

/// SYSDBG_LIVEDUMP_SELECTIVE_CONTROL with ThreadKernelStacks.
fn selective_control() -> Vec<u8> {
    let mut bytes = vec![0; 48];
    put32(&mut bytes, 0, 1);
    put32(&mut bytes, 4, 48);
    put64(&mut bytes, 8, 1);
    bytes
}

#[derive(Default)]
struct Event(AtomicBool);

impl CancelToken for Event {
    fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn raw(&self) -> usize {
        0
    }
}
