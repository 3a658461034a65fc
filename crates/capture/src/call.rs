//! One call of the kernel, on a thread of its own, watched by threads that never touch the dump's handle.
//!
//! Three roles: the *call* blocks in the kernel; the *gauge* asks for the
//! file's length and the free space by handles of its own, and may stall with
//! the volume; the *watch* (the session's thread) cancels, times out and
//! answers interrupts, and waits for nothing but its wake.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use machine::{CallAnswer, CancelToken, OsError, Participant, VolumeFacts, Wake};

use crate::estimate::Estimate;
use crate::progress::seconds;
use crate::session::{Session, Teller};
use crate::{Class, Event, Failure, Note, Phase, Progress, World};

/// How often the gauge looks, on the machine's clock.
const LOOK: Duration = Duration::from_millis(250);

/// How long an abandoned capture waits for its file to be marked, real time.
const DELETE_TAKES: Duration = Duration::from_secs(2);

/// What is watched during a call.
pub(crate) struct Watched {
    /// The file that the kernel writes; `None`: it fills a buffer of ours.
    pub(crate) path: Option<PathBuf>,
    /// Cancels the call; `None`: it cannot be cancelled.
    pub(crate) cancel: Option<Arc<dyn CancelToken>>,
    pub(crate) estimate: Option<Estimate>,
    /// The volume as it was before.
    pub(crate) volume: Option<VolumeFacts>,
    /// Why a call without `cancel` cannot be cancelled, and for how long.
    pub(crate) how_long: String,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) answer: CallAnswer,
    pub(crate) took: Duration,
    /// When the first byte was seen, after the call began.
    pub(crate) first_byte: Option<Duration>,
    /// Why we asked for the cancel, if we did.
    pub(crate) cancelled: Option<Reason>,
}

/// Why a call was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Interrupt,
    Timeout,
    LowDisk,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupt",
            Self::Timeout => "timeout",
            Self::LowDisk => "low disk",
        }
    }

    /// The failure of a capture that ended so.
    pub(crate) fn failure(self) -> Failure {
        match self {
            Self::Interrupt => Failure::new(Class::Cancelled, "cancelled by the user"),
            Self::Timeout => {
                Failure::new(Class::Cancelled, "timed out").remedy("allow more with --timeout")
            }
            Self::LowDisk => Failure::new(Class::Disk, "cancelled: the target's volume ran low")
                .remedy("free some space or name another volume"),
        }
    }
}

/// What the call's thread and the gauge tell the watch.
#[derive(Default)]
struct Shared {
    answer: Mutex<Option<CallAnswer>>,
    over: AtomicBool,
    low_disk: AtomicBool,
    /// Nanoseconds after the beginning plus one; 0: none seen.
    first_byte: AtomicU64,
}

/// Says "over" and wakes the watch even when the call's thread dies.
struct Over(Arc<Shared>, Arc<Wake>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
        self.1.raise();
    }
}

/// Makes the call and watches it. `Err`: abandoned by a second interrupt, or the thread could not be had.
pub(crate) fn run(
    session: &mut Session,
    watched: Watched,
    call: impl FnOnce() -> CallAnswer + Send + 'static,
) -> Result<Ended, Failure> {
    let shared = Arc::new(Shared::default());
    let began = session.clock.now();
    spawn_call(session, &shared, call)?;
    let gauge = spawn_gauge(session, &shared, &watched, began);
    let cancelled = watch(session, &shared, &watched);
    gauge.raise();
    let cancelled = cancelled?;
    let answer = shared.answer.lock().ok().and_then(|a| *a);
    let first = shared.first_byte.load(Ordering::SeqCst);
    Ok(Ended {
        answer: answer
            .ok_or_else(|| Failure::new(Class::Internal, "the thread of the call died"))?,
        took: session.clock.now().saturating_sub(began),
        first_byte: first.checked_sub(1).map(Duration::from_nanos),
        cancelled,
    })
}

fn spawn_call(
    session: &Session,
    shared: &Arc<Shared>,
    call: impl FnOnce() -> CallAnswer + Send + 'static,
) -> Result<(), Failure> {
    let participant = Participant::new(session.clock.clone());
    let (shared, wake) = (shared.clone(), session.wake.clone());
    std::thread::Builder::new()
        .name("call".into())
        .spawn(move || {
            let participant = participant;
            let over = Over(shared.clone(), wake);
            let answer = call();
            if let Ok(mut slot) = shared.answer.lock() {
                *slot = Some(answer);
            }
            drop(over);
            drop(participant);
        })
        .map(|_| ())
        .map_err(|e| Failure::new(Class::Memory, format!("no thread for the call: {e}")))
}

/// Cancels on interrupt, time-out and low disk until the call is over.
fn watch(
    session: &mut Session,
    shared: &Shared,
    watched: &Watched,
) -> Result<Option<Reason>, Failure> {
    let mut cancelled = None;
    let mut interrupts = 0;
    loop {
        if shared.over.load(Ordering::SeqCst) {
            return Ok(cancelled);
        }
        if session.interrupted() {
            session.answered = session.interrupts.count();
            interrupts = session.answered.max(interrupts + 1);
        }
        if interrupts >= 2 {
            return Err(abandon(session, watched));
        }
        let reason = reason(session, shared, interrupts);
        if let (None, Some(reason)) = (cancelled, reason) {
            cancelled = Some(reason);
            cancel(session, watched, reason);
        }
        let deadline = session.deadline.filter(|_| cancelled.is_none());
        session.clock.sleep_until(deadline, &session.wake);
    }
}

fn reason(session: &Session, shared: &Shared, interrupts: u32) -> Option<Reason> {
    if interrupts > 0 {
        Some(Reason::Interrupt)
    } else if session.timed_out() {
        Some(Reason::Timeout)
    } else if shared.low_disk.load(Ordering::SeqCst) {
        Some(Reason::LowDisk)
    } else {
        None
    }
}

fn cancel(session: &mut Session, watched: &Watched, reason: Reason) {
    if let Some(token) = &watched.cancel {
        token.cancel();
    }
    session.teller.tell(Event::Cancelling {
        reason: reason.text().into(),
        how_long: watched.how_long.clone(),
    });
}

/// The second interrupt: the file goes away by itself, the process ends when the kernel lets it.
fn abandon(session: &mut Session, watched: &Watched) -> Failure {
    if let Some(token) = &watched.cancel {
        token.cancel();
    }
    session.report.abandoned = true;
    let file =
        watched.path.as_ref().map_or_else(String::new, |path| match delete_later(session, path) {
            Some(Ok(())) => format!(", {} goes away with it", path.display()),
            Some(Err(e)) => {
                format!(", {} could not be marked for deletion ({e}) and stays", path.display())
            }
            None => format!(
                ", whether {} goes away with it is not known: its volume does not answer",
                path.display()
            ),
        });
    session.note(Note::warning(
        "Windows lets a process end only when the kernel returns the call: it may stay in the list until then",
    ));
    Failure::new(Class::Cancelled, format!("interrupted twice: livedump ends now{file}"))
}

/// On a thread of its own: the volume may be what hangs.
fn delete_later(session: &Session, path: &Path) -> Option<Result<(), OsError>> {
    let (host, path) = (session.world.host.clone(), path.to_path_buf());
    let (sender, answer) = std::sync::mpsc::channel();
    let deleting = move || sender.send(host.delete_later(&path));
    std::thread::Builder::new().name("delete".into()).spawn(deleting).ok()?;
    answer.recv_timeout(DELETE_TAKES).ok()
}

/// The gauge's thread. It is never joined: it may hang with the volume.
fn spawn_gauge(
    session: &Session,
    shared: &Arc<Shared>,
    watched: &Watched,
    began: Duration,
) -> Arc<Wake> {
    let stop = Wake::new();
    let gauge = Gauge {
        world: session.world.clone(),
        teller: session.teller.clone(),
        shared: shared.clone(),
        wake: session.wake.clone(),
        path: watched.path.clone(),
        estimate: watched.estimate,
        reserve: watched.volume.as_ref().and_then(|v| reserve(v, watched.estimate)),
        began,
    };
    let participant = Participant::new(session.clock.clone());
    let (clock, stopped) = (session.clock.clone(), stop.clone());
    let spawned = std::thread::Builder::new().name("gauge".into()).spawn(move || {
        let _participant = participant;
        while !gauge.shared.over.load(Ordering::SeqCst) {
            gauge.look(clock.now());
            clock.sleep_until(Some(clock.now().saturating_add(LOOK)), &stopped);
        }
    });
    // Without a gauge the capture still runs; only its progress is not seen.
    drop(spawned);
    stop
}

/// Free bytes below which a write is cancelled: enough to keep a system volume alive.
/// What the dump itself is going to take is not missed from it.
fn reserve(volume: &VolumeFacts, estimate: Option<Estimate>) -> Option<u64> {
    let total = volume.total?;
    let left = volume.free?.saturating_sub(estimate.map_or(0, |e| e.upper));
    Some((total / 100).clamp(16 << 20, 512 << 20).min(left / 4))
}

struct Gauge {
    world: World,
    teller: Teller,
    shared: Arc<Shared>,
    wake: Arc<Wake>,
    path: Option<PathBuf>,
    estimate: Option<Estimate>,
    reserve: Option<u64>,
    began: Duration,
}

impl Gauge {
    fn look(&self, now: Duration) {
        let elapsed = now.saturating_sub(self.began);
        let length = self.path.as_ref().and_then(|path| self.world.host.file_length(path));
        let bytes = length.unwrap_or(0);
        if bytes > 0 {
            let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX - 1) + 1;
            let first = self.shared.first_byte.compare_exchange(
                0,
                nanos,
                Ordering::SeqCst,
                Ordering::SeqCst,
            );
            if first.is_ok() {
                self.teller.tell(Event::Phase { phase: Phase::Writing, at: seconds(elapsed) });
            }
            self.check_space();
        }
        self.teller.tell(Event::Progress(self.progress(elapsed, bytes)));
    }

    fn check_space(&self) {
        let Some(reserve) = self.reserve else { return };
        let folder = self.path.as_deref().and_then(Path::parent);
        let free = crate::place::volume_of(&self.world, folder).and_then(|v| v.free);
        if free.is_some_and(|f| f < reserve) && !self.shared.low_disk.swap(true, Ordering::SeqCst) {
            self.wake.raise();
        }
    }

    #[allow(clippy::cast_precision_loss)] // a rate for people
    fn progress(&self, elapsed: Duration, bytes: u64) -> Progress {
        let first = self.shared.first_byte.load(Ordering::SeqCst);
        let writing = first.checked_sub(1).map(|f| elapsed.saturating_sub(Duration::from_nanos(f)));
        let rate = writing.filter(|w| !w.is_zero()).map(|w| bytes as f64 / w.as_secs_f64());
        let left = |bound: u64| {
            rate.filter(|r| *r > 0.0)
                .map(|r| (bound.saturating_sub(bytes) as f64 / r * 10.0).round() / 10.0)
        };
        Progress {
            phase: if bytes > 0 { Phase::Writing } else { Phase::Preparing },
            elapsed: seconds(elapsed),
            bytes,
            rate: rate.map(f64::round),
            left_least: self.estimate.and_then(|e| left(e.lower)),
            left_most: self.estimate.and_then(|e| left(e.upper)),
        }
    }
}
