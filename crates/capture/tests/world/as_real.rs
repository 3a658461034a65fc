//! A simulated machine that says it is real: for what is done for real captures only.

use std::sync::Arc;
use std::time::Duration;

use machine::{
    CallAnswer, CancelToken, Clock, Facts, LiveDumpRequest, Machine, Origin, OsError, Process,
    Protection, Thread, ThreadDetails, ThreadHandle, TriageRequest, VolumeFacts, WaitProbe,
};

pub(crate) struct AsReal(pub(crate) Arc<dyn Machine>);

impl Machine for AsReal {
    fn origin(&self) -> Origin {
        Origin::Real
    }
    fn facts(&self) -> Facts {
        self.0.facts()
    }
    fn volume(&self, measured: VolumeFacts) -> VolumeFacts {
        self.0.volume(measured)
    }
    fn processes(&self) -> Result<Vec<Process>, OsError> {
        self.0.processes()
    }
    fn threads(&self, pid: u32) -> Result<Vec<Thread>, OsError> {
        self.0.threads(pid)
    }
    fn thread_details(&self, tid: u32) -> ThreadDetails {
        self.0.thread_details(tid)
    }
    fn protection(&self, pid: u32) -> Result<Option<Protection>, OsError> {
        self.0.protection(pid)
    }
    fn wait_probe(&self, park: Duration) -> Result<WaitProbe, OsError> {
        self.0.wait_probe(park)
    }
    fn enable_debug_privilege(&self) -> Result<Box<dyn Send + Sync>, OsError> {
        self.0.enable_debug_privilege()
    }
    fn open_thread(&self, tid: u32) -> Result<ThreadHandle, OsError> {
        self.0.open_thread(tid)
    }
    fn cancel_token(&self) -> Result<Arc<dyn CancelToken>, OsError> {
        self.0.cancel_token()
    }
    fn triage_dump(&self, request: &TriageRequest<'_>, buffer: &mut [u8]) -> CallAnswer {
        self.0.triage_dump(request, buffer)
    }
    fn live_dump(&self, request: &LiveDumpRequest<'_>) -> CallAnswer {
        self.0.live_dump(request)
    }
    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock()
    }
}
