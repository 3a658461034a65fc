//! One capture from its beginning to its report: clock, notes, interrupts, and who watches.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use machine::{Clock, Facts, Interrupts, Origin, Participant, Wake};

use crate::progress::seconds;
use crate::{
    Class, Event, Failure, MachineSummary, Note, Observer, Phase, PhaseTimes, Report, World,
};

/// The scenario, when the machine is a simulated one.
pub(crate) fn simulated(world: &World) -> Option<String> {
    match world.machine.origin() {
        Origin::Simulated { scenario } => Some(scenario),
        Origin::Real => None,
    }
}

/// Sends events to the observer's thread; never blocks the sender.
#[derive(Clone)]
pub(crate) struct Teller(Arc<Mutex<Option<Sender<Event>>>>);

impl Teller {
    pub(crate) fn tell(&self, event: Event) {
        if let Ok(sender) = self.0.lock()
            && let Some(sender) = sender.as_ref()
        {
            let _ = sender.send(event);
        }
    }

    fn close(&self) {
        if let Ok(mut sender) = self.0.lock() {
            *sender = None;
        }
    }
}

/// A capture under way.
pub(crate) struct Session {
    pub(crate) world: World,
    pub(crate) facts: Facts,
    pub(crate) clock: Arc<dyn Clock>,
    /// Raised by interrupts, by the end of a call and by the gauge.
    pub(crate) wake: Arc<Wake>,
    pub(crate) interrupts: Arc<dyn Interrupts>,
    /// Interrupts that were answered.
    pub(crate) answered: u32,
    pub(crate) deadline: Option<Duration>,
    pub(crate) teller: Teller,
    pub(crate) report: Report,
    began: Duration,
    observer: Option<JoinHandle<()>>,
    _participant: Participant,
}

impl Session {
    /// Begins: listens for interrupts, starts the observer's thread, asks the machine for its facts.
    pub(crate) fn begin(
        world: &World,
        command: &str,
        content: String,
        timeout: Option<Duration>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Box<Report>> {
        let clock = world.machine.clock();
        let participant = Participant::new(clock.clone());
        let wake = Wake::new();
        let began = clock.now();
        let report = empty_report(world, command, content);
        let interrupts = match world.host.interrupts(wake.clone()) {
            Ok(interrupts) => interrupts,
            Err(e) => {
                let failure = Failure::new(
                    Class::Internal,
                    format!("interrupts cannot be listened for: {e}"),
                );
                return Err(Box::new(failed(report, failure)));
            }
        };
        let (sender, receiver) = channel();
        let observer = std::thread::Builder::new()
            .name("observer".into())
            .spawn(move || observe(&receiver, observer.as_ref()))
            .ok();
        let facts = world.machine.facts();
        let mut session = Self {
            world: world.clone(),
            clock,
            wake,
            interrupts,
            answered: 0,
            deadline: timeout.map(|t| began.saturating_add(t)),
            teller: Teller(Arc::new(Mutex::new(Some(sender)))),
            report,
            began,
            observer,
            facts,
            _participant: participant,
        };
        session.report.machine = summary(&session.facts);
        session.phase(Phase::Planning);
        Ok(session)
    }

    /// Time since the beginning, on the machine's clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.began)
    }

    /// Tells a new phase.
    pub(crate) fn phase(&self, phase: Phase) {
        self.teller.tell(Event::Phase { phase, at: seconds(self.elapsed()) });
    }

    /// Tells the user something, once, and keeps it for the report.
    pub(crate) fn note(&mut self, note: Note) {
        if self.report.notes.contains(&note) {
            return;
        }
        self.teller.tell(Event::Note(note.clone()));
        self.report.notes.push(note);
    }

    /// Several notes.
    pub(crate) fn notes(&mut self, notes: impl IntoIterator<Item = Note>) {
        notes.into_iter().for_each(|n| self.note(n));
    }

    /// Whether an interrupt is waiting for its answer.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupts.count() > self.answered
    }

    /// Whether the time is up.
    pub(crate) fn timed_out(&self) -> bool {
        self.deadline.is_some_and(|d| self.clock.now() >= d)
    }

    /// Sleeps on the machine's clock; an interrupt or the time-out is a failure.
    pub(crate) fn sleep(&mut self, duration: Duration) -> Result<(), Failure> {
        let until = self.clock.now().saturating_add(duration);
        loop {
            self.stop_if_asked()?;
            if self.clock.now() >= until {
                return Ok(());
            }
            let deadline = self.deadline.map_or(until, |d| d.min(until));
            self.clock.sleep_until(Some(deadline), &self.wake);
        }
    }

    /// Between two calls: an interrupt or the time-out ends the capture here.
    pub(crate) fn stop_if_asked(&mut self) -> Result<(), Failure> {
        if self.interrupted() {
            self.answered = self.interrupts.count();
            return Err(Failure::new(Class::Cancelled, "cancelled by the user"));
        }
        if self.timed_out() {
            return Err(Failure::new(Class::Cancelled, "timed out"));
        }
        Ok(())
    }

    /// Ends: the outcome goes into the report, the observer gets its last event.
    pub(crate) fn end(mut self, outcome: Result<Class, Failure>) -> Report {
        let total = seconds(self.elapsed());
        self.report.times.total = total;
        self.phase(Phase::Done);
        self.teller.close();
        self.interrupts.finished();
        // An abandoned capture must not wait for an observer that may be stuck as well.
        if let Some(observer) = self.observer.take()
            && !self.report.abandoned
        {
            let _ = observer.join();
        }
        match outcome {
            Ok(class) => {
                self.report.class = class;
                self.report.exit_code = class.exit_code();
                self.report
            }
            Err(failure) => failed(self.report, failure),
        }
    }
}

fn observe(events: &Receiver<Event>, observer: &dyn Observer) {
    while let Ok(event) = events.recv() {
        observer.event(&event);
    }
}

fn failed(mut report: Report, failure: Failure) -> Report {
    report.class = failure.class;
    report.exit_code = failure.class.exit_code();
    report.failure = Some(failure);
    report
}

fn empty_report(world: &World, command: &str, content: String) -> Report {
    Report {
        schema: "livedump.capture/1".into(),
        command: command.into(),
        class: Class::Internal,
        exit_code: Class::Internal.exit_code(),
        simulated: simulated(world),
        failure: None,
        started: crate::time::iso(world.host.wall_time()),
        machine: MachineSummary::default(),
        content,
        files: Vec::new(),
        set: None,
        status: None,
        attempts: Vec::new(),
        times: PhaseTimes::default(),
        estimate: None,
        findings: Vec::new(),
        notes: Vec::new(),
        triage: None,
        abandoned: false,
    }
}

/// The machine in four lines.
pub(crate) fn summary(facts: &Facts) -> MachineSummary {
    MachineSummary {
        computer: facts.computer.clone(),
        windows: facts.os.as_ref().map(windows),
        architecture: facts.native.map(architecture),
        processors: facts.processors,
        memory: facts.memory.total,
    }
}

fn windows(os: &machine::OsVersion) -> String {
    let is_server = matches!(
        os.product_type,
        Some(machine::ProductType::Server | machine::ProductType::DomainController)
    );
    let name = nt::build::marketing_name(os.build, is_server)
        .map_or_else(|| "Windows".to_owned(), Into::into);
    let revision = os.revision.map(|r| format!(".{r}")).unwrap_or_default();
    format!("{name} ({}.{}.{}{revision})", os.major, os.minor, os.build)
}

pub(crate) fn architecture(architecture: machine::Architecture) -> String {
    use machine::Architecture as A;
    match architecture {
        A::X86 => "x86".into(),
        A::X64 => "x64".into(),
        A::Arm64 => "ARM64".into(),
        A::Unknown(value) => format!("machine 0x{value:04x}"),
    }
}
