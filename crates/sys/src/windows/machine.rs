//! [`Machine`]: this Windows.

use std::sync::Arc;
use std::time::Duration;

use ::machine::{
    CallAnswer, CancelToken, Clock, Facts, LiveDumpRequest, Machine, Origin, OsError, Presence,
    Process, Protection, Thread, ThreadDetails, ThreadHandle, TriageRequest, VolumeFacts,
    WaitProbe,
};

use super::processes::Snapshot;
use super::{
    debug_control, environment, event, host, memory, policy, threads, token, version, wait_probe,
};
use crate::clock::RealClock;

pub(super) struct WindowsMachine {
    clock: Arc<RealClock>,
}

impl WindowsMachine {
    pub(super) fn new() -> Self {
        Self { clock: Arc::new(RealClock::new()) }
    }
}

/// What could not be read, and why.
#[derive(Default)]
struct Unread(Vec<(String, String)>);

impl Unread {
    /// The value, or a note that it could not be read.
    fn keep<T>(&mut self, fact: &str, read: Result<T, OsError>) -> Option<T> {
        read.map_err(|failed| self.0.push((fact.to_owned(), failed.to_string()))).ok()
    }

    fn note<T>(&mut self, fact: &str, read: Option<T>) -> Option<T> {
        if read.is_none() {
            self.0.push((fact.to_owned(), "the system did not tell".to_owned()));
        }
        read
    }

    fn presence(&mut self, fact: &str, found: Presence) -> Presence {
        if found == Presence::Unknown {
            self.0.push((fact.to_owned(), "the system did not tell".to_owned()));
        }
        found
    }
}

fn facts() -> Facts {
    let mut unread = Unread::default();
    let architectures = unread.note("architecture", version::architectures());
    let vbs = unread.keep("VBS", environment::vbs());
    let hvci = unread.keep("HVCI", environment::hvci());
    let mut facts = Facts {
        computer: unread.note("computer", host::computer()),
        os: unread.note("version", version::version()),
        native: architectures.map(|(native, _)| native),
        process: architectures.map(|(_, process)| process),
        elevated: unread.keep("elevation", token::elevated()),
        debug_privilege: unread.keep("SeDebugPrivilege", token::debug_privilege()),
        debugger: unread.keep("kernel debugger", environment::debugger()),
        vbs: vbs.unwrap_or_default(),
        hvci: hvci.unwrap_or_default(),
        hypervisor: unread.presence("hypervisor", environment::hypervisor()),
        hyper_v_host: unread.presence("Hyper-V host", environment::hyper_v_host()),
        cluster_node: unread.presence("cluster", environment::cluster_node()),
        container: unread.presence("container", environment::container()),
        sandbox: unread.presence("sandbox", environment::sandbox()),
        processors: unread.note("processors", environment::processors()),
        ..Facts::default()
    };
    facts.policy = policy::policy(&mut unread.0);
    facts.memory = memory::facts(&mut unread.0);
    facts.unread = unread.0;
    facts
}

impl Machine for WindowsMachine {
    fn origin(&self) -> Origin {
        Origin::Real
    }

    fn facts(&self) -> Facts {
        facts()
    }

    fn volume(&self, measured: VolumeFacts) -> VolumeFacts {
        measured
    }

    fn processes(&self) -> Result<Vec<Process>, OsError> {
        Ok(Snapshot::take()?.entries().map(|entry| entry.process).collect())
    }

    fn threads(&self, pid: u32) -> Result<Vec<Thread>, OsError> {
        let snapshot = Snapshot::take()?;
        let found = snapshot.entries().find(|entry| entry.process.pid == pid);
        Ok(found.map(|entry| entry.threads().collect()).unwrap_or_default())
    }

    fn thread_details(&self, tid: u32) -> ThreadDetails {
        threads::details(tid)
    }

    fn protection(&self, pid: u32) -> Result<Option<Protection>, OsError> {
        threads::protection(pid)
    }

    fn wait_probe(&self, park: Duration) -> Result<WaitProbe, OsError> {
        wait_probe::probe(park)
    }

    fn enable_debug_privilege(&self) -> Result<Box<dyn Send + Sync>, OsError> {
        Ok(Box::new(token::enable_debug_privilege()?))
    }

    fn open_thread(&self, tid: u32) -> Result<ThreadHandle, OsError> {
        threads::open_all_access(tid)
    }

    fn cancel_token(&self) -> Result<Arc<dyn CancelToken>, OsError> {
        Ok(Arc::new(event::Event::new()?))
    }

    fn triage_dump(&self, request: &TriageRequest<'_>, buffer: &mut [u8]) -> CallAnswer {
        debug_control::triage_dump(request, buffer)
    }

    fn live_dump(&self, request: &LiveDumpRequest<'_>) -> CallAnswer {
        debug_control::live_dump(request)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }
}
