//! What goes on during a conversion: interrupts, how far it is, and for how long.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capture::{Class, Event, Failure, Observer, Phase, Progress, new_file};
use format::write::{self, Output};
use machine::{Host, Interrupts, Target, Wake};

use crate::args::ProgressArg;
use crate::{console, exit, progress};

/// How often progress is told, at most.
const TOLD: Duration = Duration::from_millis(100);

/// How often the guard looks for a second interrupt.
const LOOK: Duration = Duration::from_millis(50);

/// Listens and tells from its beginning until it is dropped.
pub(super) struct Watch {
    host: Arc<dyn Host>,
    /// Who cannot be interrupted in an orderly way still leaves no dump behind.
    interrupts: Option<Arc<dyn Interrupts>>,
    observer: Arc<dyn Observer>,
    began: Instant,
    /// Since when this phase is, and when something was told of it.
    phase: (Phase, Instant, Instant),
    over: Arc<AtomicBool>,
}

impl Watch {
    pub(super) fn begin(host: Arc<dyn Host>, when: ProgressArg) -> Self {
        let now = Instant::now();
        let mut watch = Self {
            interrupts: host.interrupts(Wake::new()).ok(),
            host,
            observer: progress::watching(when).observer,
            began: now,
            phase: (Phase::Planning, now, now),
            over: Arc::default(),
        };
        watch.begins(Phase::Planning);
        watch
    }

    /// A phase begins; answers how many seconds the step before took.
    pub(super) fn begins(&mut self, phase: Phase) -> f64 {
        let took = self.ends();
        self.phase.0 = phase;
        let at = self.began.elapsed().as_secs_f64();
        self.observer.event(&Event::Phase { phase, at });
        took
    }

    /// A step of this phase ends; answers how many seconds it took.
    pub(super) fn ends(&mut self) -> f64 {
        let (phase, began, _) = self.phase;
        let now = Instant::now();
        self.phase = (phase, now, now);
        now.duration_since(began).as_secs_f64()
    }

    /// Between two steps: an interrupt ends the conversion here.
    pub(super) fn step(&self) -> ControlFlow<()> {
        match self.interrupts.as_ref().is_some_and(|interrupts| interrupts.count() > 0) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// The same, when so much is done; tells it now and then.
    pub(super) fn done(&mut self, progress: write::Progress) -> ControlFlow<()> {
        let (phase, began, told) = self.phase;
        if told.elapsed() >= TOLD {
            self.phase.2 = Instant::now();
            let seconds = began.elapsed().as_secs_f64();
            #[allow(clippy::cast_precision_loss)] // a rate for people
            let rate = Some(progress.done as f64 / seconds);
            let elapsed = self.began.elapsed().as_secs_f64();
            let (left_least, left_most) = (None, None);
            let bytes = progress.done;
            let event = Progress { phase, elapsed, bytes, rate, left_least, left_most };
            self.observer.event(&Event::Progress(event));
        }
        self.step()
    }

    /// From now on a second interrupt deletes the file and ends the process at
    /// once, whatever call to the system does not return.
    pub(super) fn guard(&self, path: PathBuf) {
        let Some(interrupts) = self.interrupts.clone() else { return };
        let (host, over) = (self.host.clone(), self.over.clone());
        let guard = move || {
            while !over.load(Ordering::SeqCst) {
                if interrupts.count() > 1 && !over.swap(true, Ordering::SeqCst) {
                    let shown = new_file::shown(&path);
                    let left = match host.delete_later(&path) {
                        Ok(()) => format!("{shown} was deleted"),
                        Err(error) => format!("{shown} could not be deleted: {error}"),
                    };
                    console::complain(&format!("livedump: interrupted twice: {left}\n"));
                    exit::abandon(Class::Cancelled);
                }
                std::thread::sleep(LOOK);
            }
        };
        // Without it only the first interrupt is heeded.
        let _ = std::thread::Builder::new().name("guard".into()).spawn(guard);
    }

    /// The file is verified: what comes now cannot be cancelled.
    pub(super) fn is_over(&self) {
        if self.over.swap(true, Ordering::SeqCst) {
            // The guard was first, and is about to end the process.
            loop {
                std::thread::park();
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.begins(Phase::Done);
        if let Some(interrupts) = &self.interrupts {
            interrupts.finished();
        }
    }
}

/// Takes away what was begun; the failure says whether it is gone.
pub(super) fn discard(target: &dyn Target, failure: Failure) -> Failure {
    let left = new_file::shown(&target.path());
    let text = match target.delete() {
        Ok(()) => "nothing was left behind".to_owned(),
        Err(error) => {
            format!("{left} could not be deleted ({error}): without a header it is no dump")
        }
    };
    let message = format!("{}; {text}", failure.message);
    Failure { message, ..failure }
}

/// A target, to be written.
pub(super) struct File<'a>(pub(super) &'a dyn Target);

impl Output for File<'_> {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
