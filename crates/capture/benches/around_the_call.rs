//! Our own time and memory round the kernel's call: `cargo bench -p capture`.
//!
//! The machine is simulated; what is measured is everything but its call. The
//! rival in the same run is a plain sequential write of as many bytes to the
//! same volume. Prints medians; `docs/benchmarks.md` keeps them with their date.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use capture::{
    Class, Common, KernelOptions, Observer, ProcessTarget, Report, ThreadCount, TriageOptions,
    World,
};
use machine::{
    CallAnswer, CancelToken, Clock, Facts, LiveDumpRequest, Machine, Origin, OsError, Pages,
    Process, Protection, Thread, ThreadDetails, ThreadHandle, TriageRequest, VolumeFacts,
    WaitProbe,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A machine whose calls are timed, so that they can be taken off.
struct Timed {
    machine: simulator::SimulatedMachine,
    in_calls: Mutex<Duration>,
}

impl Timed {
    fn time(&self, call: impl FnOnce() -> CallAnswer) -> CallAnswer {
        let began = Instant::now();
        let answer = call();
        *self.in_calls.lock().unwrap() += began.elapsed();
        answer
    }
}

impl Machine for Timed {
    fn origin(&self) -> Origin {
        self.machine.origin()
    }
    fn facts(&self) -> Facts {
        self.machine.facts()
    }
    fn volume(&self, measured: VolumeFacts) -> VolumeFacts {
        self.machine.volume(measured)
    }
    fn processes(&self) -> Result<Vec<Process>, OsError> {
        self.machine.processes()
    }
    fn threads(&self, pid: u32) -> Result<Vec<Thread>, OsError> {
        self.machine.threads(pid)
    }
    fn thread_details(&self, tid: u32) -> ThreadDetails {
        self.machine.thread_details(tid)
    }
    fn protection(&self, pid: u32) -> Result<Option<Protection>, OsError> {
        self.machine.protection(pid)
    }
    fn wait_probe(&self, park: Duration) -> Result<WaitProbe, OsError> {
        self.machine.wait_probe(park)
    }
    fn enable_debug_privilege(&self) -> Result<Box<dyn Send + Sync>, OsError> {
        self.machine.enable_debug_privilege()
    }
    fn open_thread(&self, tid: u32) -> Result<ThreadHandle, OsError> {
        self.machine.open_thread(tid)
    }
    fn cancel_token(&self) -> Result<Arc<dyn CancelToken>, OsError> {
        self.machine.cancel_token()
    }
    fn triage_dump(&self, request: &TriageRequest<'_>, buffer: &mut [u8]) -> CallAnswer {
        self.time(|| self.machine.triage_dump(request, buffer))
    }
    fn live_dump(&self, request: &LiveDumpRequest<'_>) -> CallAnswer {
        self.time(|| self.machine.live_dump(request))
    }
    fn clock(&self) -> Arc<dyn Clock> {
        self.machine.clock()
    }
}

struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &capture::Event) {}
}

/// One capture: all of it, in the call, in the flush, bytes, and the peak of memory beyond the simulator's image.
struct Run {
    own: Duration,
    flush: Duration,
    bytes: u64,
    peak: usize,
}

fn run(scenario: &str, capture: impl Fn(&World, &Path) -> Report) -> Run {
    let folder = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let machine =
        simulator::SimulatedMachine::new(simulator::Scenario::parse(scenario).unwrap()).unwrap();
    let timed = Arc::new(Timed { machine, in_calls: Mutex::default() });
    let world = World { machine: timed.clone(), host: sys::host().unwrap() };
    // The machine builds its image while it is first dumped; that is not ours.
    let warm = tempfile::tempdir_in(folder.path()).unwrap();
    capture(&world, warm.path());
    warm.close().unwrap();
    *timed.in_calls.lock().unwrap() = Duration::ZERO;
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let began = Instant::now();
    let report = capture(&world, folder.path());
    let total = began.elapsed();
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(matches!(report.class, Class::Done), "{:?}", report.failure);
    let flush = Duration::from_secs_f64(report.times.flushing);
    let in_calls = *timed.in_calls.lock().unwrap();
    let bytes = report.files.iter().map(|f| f.size).sum();
    Run { own: total.saturating_sub(in_calls).saturating_sub(flush), flush, bytes, peak }
}

fn kernel(world: &World, folder: &Path) -> Report {
    let file = Some(folder.join("live.dmp").display().to_string());
    let options =
        KernelOptions { common: Common { file, ..Common::default() }, pages: Pages::default() };
    capture::kernel(world, &options, Arc::new(Silent))
}

fn triage(count: ThreadCount) -> impl Fn(&World, &Path) -> Report {
    move |world, folder| {
        let list = capture::processes(world).unwrap().processes;
        let open = list.iter().filter(|p| p.protection.is_none() && p.pid > 4);
        let options = TriageOptions {
            common: Common {
                file: Some(folder.join("t.dmp").display().to_string()),
                ..Common::default()
            },
            process: ProcessTarget::Pid(open.max_by_key(|p| p.threads).unwrap().pid),
            count: Some(count),
            tids: Vec::new(),
            thread_name: None,
            pick: capture::Pick::Main,
        };
        capture::triage(world, &options, Arc::new(Silent))
    }
}

/// The rival: so many bytes, not zero, written in 2 MiB pieces. Flush apart.
fn plain_write(bytes: u64) -> (Duration, Duration) {
    let folder = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let piece: Vec<u8> =
        (0..2 << 20).map(|i: u32| i.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let mut file = std::fs::File::create_new(folder.path().join("plain")).unwrap();
    let began = Instant::now();
    let mut left = bytes;
    while left > 0 {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        file.write_all(&piece[..n]).unwrap();
        left -= n as u64;
    }
    let wrote = began.elapsed();
    file.sync_all().unwrap();
    (wrote, began.elapsed().saturating_sub(wrote))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

#[allow(clippy::cast_precision_loss)]
fn mib(bytes: usize) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

fn gibibyte() {
    let mut own = Vec::new();
    let (mut flush, mut rival, mut rival_flush, mut bytes) =
        (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..7 {
        let run = run("healthy,memory=4g", kernel);
        own.push(run.own);
        flush.push(run.flush);
        bytes = run.bytes;
        let (wrote, synced) = plain_write(bytes);
        rival.push(wrote);
        rival_flush.push(synced);
    }
    let (own, rival) = (median(own), median(rival));
    println!("kernel, {bytes} bytes: own {own:.1} ms, flush {:.0} ms", median(flush));
    println!("plain write of as many: {rival:.0} ms, flush {:.0} ms", median(rival_flush));
    println!("own time / plain write without its flush: {:.2} %", own / rival * 100.0);
}

fn sixteen_threads() {
    let triages: Vec<Run> =
        (0..21).map(|_| run("healthy,threads=400", triage(ThreadCount::First(16)))).collect();
    let own = median(triages.iter().map(|r| r.own).collect());
    println!("triage, 16 threads: own {own:.2} ms, {} bytes", triages[0].bytes);
}

fn memory() {
    for scenario in ["healthy", "healthy,memory=64g", "healthy,memory=1t"] {
        println!(
            "kernel {scenario}: peak {:.1} MiB beyond the machine's image",
            mib(run(scenario, kernel).peak)
        );
    }
    for scenario in ["many-threads", "many-threads,threads=10000"] {
        let many = run(scenario, triage(ThreadCount::All));
        println!(
            "triage {scenario}: peak {:.1} MiB, the call's own buffers included",
            mib(many.peak)
        );
    }
}

fn main() {
    let parts: [(&str, fn()); 3] =
        [("gibibyte", gibibyte), ("sixteen", sixteen_threads), ("memory", memory)];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            part();
        }
    }
}
