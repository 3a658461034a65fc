//! A simulated machine on this real computer, with interrupts that a test sends.

pub(crate) mod as_real;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use capture::{Event, Observer, World};
use machine::{
    EventRecord, Host, Interrupts, OsError, PathFacts, Reader, SyncedFolder, Target, TargetError,
    TargetOptions, VolumeFacts, Wake,
};

/// The real host, but for interrupts, synced folders and the event log.
pub(crate) struct TestHost {
    real: Arc<dyn Host>,
    pub(crate) interrupts: Arc<AtomicU32>,
    pub(crate) synced: Vec<SyncedFolder>,
    pub(crate) current: Option<PathBuf>,
    pub(crate) system: Option<PathBuf>,
    pub(crate) events: Mutex<Vec<EventRecord>>,
    pub(crate) log_fails: bool,
}

impl TestHost {
    pub(crate) fn new() -> Self {
        Self {
            real: sys::host().unwrap(),
            interrupts: Arc::default(),
            synced: Vec::new(),
            current: None,
            system: None,
            events: Mutex::default(),
            log_fails: false,
        }
    }
}

struct Sent(Arc<AtomicU32>);

impl Interrupts for Sent {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
    fn session_ends(&self) -> bool {
        false
    }
    fn finished(&self) {}
}

impl Host for TestHost {
    fn computer(&self) -> String {
        "TEST-PC".into()
    }
    fn wall_time(&self) -> SystemTime {
        self.real.wall_time()
    }
    fn utc_offset(&self) -> i32 {
        0
    }
    fn current_folder(&self) -> Result<PathBuf, OsError> {
        self.current.clone().map_or_else(|| self.real.current_folder(), Ok)
    }
    fn system_folder(&self) -> Option<PathBuf> {
        self.system.clone()
    }
    fn fallback_folder(&self) -> PathBuf {
        self.real.fallback_folder()
    }
    fn path_facts(&self, path: &Path) -> PathFacts {
        self.real.path_facts(path)
    }
    fn resolved(&self, folder: &Path) -> PathBuf {
        self.real.resolved(folder)
    }
    fn synced_folders(&self) -> Vec<SyncedFolder> {
        self.synced.clone()
    }
    fn volume(&self, folder: &Path) -> Result<VolumeFacts, OsError> {
        self.real.volume(folder)
    }
    fn create_target(&self, options: &TargetOptions) -> Result<Box<dyn Target>, TargetError> {
        self.real.create_target(options)
    }
    fn file_length(&self, path: &Path) -> Option<u64> {
        self.real.file_length(path)
    }
    fn delete_later(&self, path: &Path) -> Result<(), OsError> {
        self.real.delete_later(path)
    }
    fn interrupts(&self, _wake: Arc<Wake>) -> Result<Arc<dyn Interrupts>, OsError> {
        Ok(Arc::new(Sent(self.interrupts.clone())))
    }
    fn reader(&self, who: &str) -> Result<Reader, OsError> {
        self.real.reader(who)
    }
    fn user(&self) -> Option<String> {
        Some("TEST\\user".into())
    }
    fn write_event(&self, record: &EventRecord) -> Result<(), OsError> {
        self.events.lock().unwrap().push(record.clone());
        if self.log_fails {
            let error = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
            return Err(OsError::from_io("write the event", &error));
        }
        Ok(())
    }
    fn register_event_source(&self, _register: bool) -> Result<(), OsError> {
        Ok(())
    }
}

/// Keeps every event.
#[derive(Default)]
pub(crate) struct Seen(pub(crate) Mutex<Vec<Event>>);

impl Observer for Seen {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// A simulated machine by scenario text.
pub(crate) fn world(scenario: &str) -> World {
    on(scenario, TestHost::new())
}

pub(crate) fn on(scenario: &str, host: TestHost) -> World {
    let scenario = simulator::Scenario::parse(scenario).unwrap();
    World {
        machine: Arc::new(simulator::SimulatedMachine::new(scenario).unwrap()),
        host: Arc::new(host),
    }
}

/// What lies in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
