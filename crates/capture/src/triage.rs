//! The kernel stacks of one process: class 29, in batches that fit.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use machine::{
    CallAnswer, OsError, OsErrorKind, Process, Target, Thread, ThreadHandle, TriageRequest,
};
use nt::NtStatus;

use crate::batch::{self, Batches};
use crate::call::{self, Reason, Watched};
use crate::kernel::{code_and_parameters, record_attempt, wait_to_retry};
use crate::name::{self, NameParts};
use crate::new_file;
use crate::place::{self, Place};
use crate::progress::seconds;
use crate::session::Session;
use crate::waiting::WaitScale;
use crate::{
    Class, Event, Failure, FileReport, Note, Observer, Phase, Report, ThreadReport, ThreadState,
    TriageOptions, TriageReport, World, coverage, event, finish, pick, preflight, process, set,
    status, threads,
};

/// How long the kernel is reported to wait for a thread that does not answer.
const STUCK: u64 = 5;
/// The way out when threads cannot be opened.
const NO_HANDLES_NEEDED: &str = "security software may guard it; `livedump kernel --stacks-only FILE` needs no thread handles (reported to need Windows 11 22H2)";
/// Length of SYSDBG_TRIAGE_DUMP.
const STRUCTURE: u32 = 56;

/// Takes a triage dump. Always answers with a report, whatever happened.
pub fn triage(world: &World, options: &TriageOptions, observer: Arc<dyn Observer>) -> Report {
    match Session::begin(
        world,
        "triage",
        "kernel stacks of one process".into(),
        options.common.timeout,
        observer,
    ) {
        Err(report) => *report,
        Ok(mut session) => {
            let outcome = capture(&mut session, options);
            session.end(outcome)
        }
    }
}

/// A triage capture under way.
struct Capture<'a> {
    options: &'a TriageOptions,
    process: Process,
    place: Place,
    batches: Batches,
    /// What became of each thread, by its place in the report.
    files: Vec<FileReport>,
    /// Files that wait for the end of the set before they are named (`--require-complete`).
    held: Vec<Arc<dyn Target>>,
    /// Asked for during a call, which cannot be cancelled: what that call took is kept.
    stop: Option<Reason>,
}

fn capture(session: &mut Session, options: &TriageOptions) -> Result<Class, Failure> {
    let world = session.world.clone();
    preflight::refuse(session, preflight::triage(&session.facts))?;
    let process = process::find(&world, &options.process)?;
    process::check_protection(&world, &process)?;
    let _privilege = preflight::debug_privilege(&world)?;
    let picked = picked(session, options, &process)?;
    session.report.content = format!("kernel stacks of {} ({})", process.name, process.pid);
    let place = place::plan(&world, &options.common, &name_parts(session, &process))?;
    session.notes(place.notes.clone());
    let batches = Batches::new(picked, session.facts.processors);
    set::refuse_existing(&world, &place, batches.expected(), options.common.overwrite)?;
    session.report.times.planning = seconds(session.elapsed());
    let mut capture = Capture {
        options,
        process,
        place,
        batches,
        files: Vec::new(),
        held: Vec::new(),
        stop: None,
    };
    let outcome = capture.run(session);
    session.report.files.extend(std::mem::take(&mut capture.files));
    let class = outcome.as_ref().map_or_else(|f| f.class, |c| *c);
    event::record(session, &options.common, "triage", class);
    outcome
}

/// Picks the threads, says what it may cost, and begins the process's part of the report.
fn picked(
    session: &mut Session,
    options: &TriageOptions,
    process: &Process,
) -> Result<Vec<Thread>, Failure> {
    let world = session.world.clone();
    let all = threads::list(&world, process.pid)?;
    if all.is_empty() {
        return Err(process::gone(process));
    }
    let scale = WaitScale::calibrate(world.machine.as_ref());
    let picked = pick::pick(&all, options, scale, |tid| world.machine.thread_details(tid).name)?;
    let worst = STUCK.saturating_mul(picked.len() as u64);
    session.note(Note::info(format!(
        "{} of {} threads; each that does not answer is reported to cost {STUCK} s, so {worst} s in the worst case, which cannot be cancelled within a batch",
        picked.len(),
        all.len()
    )));
    session.report.triage = Some(TriageReport {
        pid: process.pid,
        process: process.name.clone(),
        threads_total: all.len(),
        wait_unit: scale.unit,
        worst_case_seconds: worst,
        threads: Vec::new(),
    });
    Ok(picked)
}

fn name_parts(session: &Session, process: &Process) -> NameParts {
    let host = &session.world.host;
    NameParts {
        host: host.computer(),
        kind: "triage".into(),
        process: Some(process.name.clone()),
        pid: Some(process.pid),
        time: crate::time::compact(host.wall_time(), host.utc_offset()),
    }
}

/// What one batch came to.
struct Taken {
    dump: Vec<u8>,
    states: Vec<(u32, ThreadState)>,
}

impl Capture<'_> {
    /// All batches. What earlier batches took stays when a later one fails: it is verified.
    fn run(&mut self, session: &mut Session) -> Result<Class, Failure> {
        let mut worst = Class::Done;
        let mut failure = None;
        while let Some(threads) = self.batches.next() {
            match self.batch(session, &threads) {
                Ok(class) => worst = worst.max_partial(class),
                Err(f) => {
                    failure = Some(f);
                    break;
                }
            }
        }
        self.finish_set(session, worst, failure)
    }

    /// Captures one batch, halves it where the result was too full, writes and verifies the file.
    fn batch(&mut self, session: &mut Session, threads: &[Thread]) -> Result<Class, Failure> {
        if let Some(reason) = self.stop {
            return Err(reason.failure());
        }
        session.stop_if_asked()?;
        let number = self.files.len() + 1;
        session.teller.tell(Event::Batch {
            number,
            threads: threads.len(),
            left: self.batches.left(),
        });
        let (handles, mut states) = open(session, threads);
        if handles.is_empty() {
            add_states(session, &states, None);
            return Ok(Class::Partial);
        }
        let tids: Vec<u32> = handles.iter().map(|h| h.tid).collect();
        let taken_at = crate::time::iso(session.world.host.wall_time());
        let Some(taken) = self.call(session, handles)? else {
            return Err(Failure::new(
                Class::Internal,
                "the kernel answered with an empty triage dump",
            )
            .remedy("capture other threads, or `livedump kernel --stacks-only`"));
        };
        let lost = taken.states.iter().any(|(_, s)| !matches!(s, ThreadState::Full { .. }));
        if lost && batch::is_suspiciously_full(taken.dump.len()) && self.batches.halve(threads) {
            session.note(Note::info("a result filled the 1 MiB that one call answers with: its threads are captured again, fewer at a time"));
            return Ok(Class::Done);
        }
        states.extend(taken.states);
        let class = self.write(session, &taken.dump, tids, taken_at)?;
        Ok(class.max_partial(self.tell_states(session, threads, &states)))
    }

    /// The call itself, retried while busy. `None`: the kernel answered with nothing.
    fn call(
        &mut self,
        session: &mut Session,
        handles: Vec<ThreadHandle>,
    ) -> Result<Option<Taken>, Failure> {
        let handles = Arc::new(handles);
        let buffer = Arc::new(Mutex::new(vec![0u8; batch::BUFFER]));
        let mut retry = 0;
        loop {
            let answer = self.call_once(session, &handles, &buffer)?;
            let status = NtStatus(answer.status);
            if status.is_success() {
                let Ok(mut dump) = buffer.lock() else { return Ok(None) };
                let length = usize::try_from(answer.length).unwrap_or(usize::MAX).min(dump.len());
                dump.truncate(length);
                let dump = std::mem::take(&mut *dump);
                let tids: Vec<u32> = handles.iter().map(|h| h.tid).collect();
                let states = coverage::examine(&dump, self.process.pid, &tids);
                return Ok((length > 0).then_some(Taken { dump, states }));
            }
            if let Some(reason) = self.stop {
                return Err(reason.failure().status(status::report(status)));
            }
            if !status::is_busy(status) || retry >= self.options.common.retries {
                return Err(status::failure(status, "the triage dump was refused"));
            }
            retry += 1;
            wait_to_retry(session, status, retry, self.options.common.retries)?;
        }
    }

    fn call_once(
        &mut self,
        session: &mut Session,
        handles: &Arc<Vec<ThreadHandle>>,
        buffer: &Arc<Mutex<Vec<u8>>>,
    ) -> Result<CallAnswer, Failure> {
        let most = Duration::from_secs(STUCK.saturating_mul(handles.len() as u64));
        let watched = Watched {
            path: None,
            cancel: None,
            estimate: None,
            volume: None,
            how_long: format!(
                "a triage call cannot be cancelled: it ends by itself, after up to {} s",
                most.as_secs()
            ),
        };
        let machine = session.world.machine.clone();
        let (bugcheck_code, parameters) = code_and_parameters(&self.options.common);
        let (handles, buffer) = (handles.clone(), buffer.clone());
        session.phase(Phase::Preparing);
        let ended = call::run(session, watched, move || {
            let request = TriageRequest { bugcheck_code, parameters, threads: &handles };
            match buffer.lock() {
                Ok(mut buffer) => machine.triage_dump(&request, &mut buffer),
                Err(_) => CallAnswer { status: NtStatus::UNSUCCESSFUL.0, length: 0 },
            }
        })?;
        record_attempt(session, &ended, STRUCTURE);
        self.stop = ended.cancelled;
        Ok(ended.answer)
    }

    /// Writes one result to its `.partial`, verifies it, and names it unless the set has to be complete first.
    fn write(
        &mut self,
        session: &mut Session,
        dump: &[u8],
        tids: Vec<u32>,
        taken: String,
    ) -> Result<Class, Failure> {
        let (world, common) = (session.world.clone(), &self.options.common);
        let name = name::batch(&self.place.file.name, self.files.len() + 1);
        let mut notes = Vec::new();
        let created = place::create(&world, &self.place, &name, dump.len() as u64, &mut notes);
        session.notes(notes);
        let target = created?;
        if let Err(e) = target.write_at(0, dump) {
            finish::discard(session, target.as_ref(), common);
            return Err(new_file::failure(&machine::TargetError::Os(OsError::from_io(
                "write the dump",
                &e,
            ))));
        }
        let checked = finish::check(session, target.as_ref(), common);
        if checked.is_err() {
            self.files.push(finish::file_report(target.as_ref(), None, None));
        }
        let checked = checked?;
        let mut file = FileReport { tids, taken: Some(taken), ..checked.file };
        let class = checked.class.and_then(|class| {
            if common.require_complete {
                self.held.push(target.clone());
            } else {
                finish::name(target.as_ref(), &mut file, &name, common.overwrite)?;
            }
            Ok(class)
        });
        self.files.push(file);
        class
    }

    /// Puts what became of the threads into the report; a thread that is not whole makes it partial.
    fn tell_states(
        &self,
        session: &mut Session,
        threads: &[Thread],
        states: &[(u32, ThreadState)],
    ) -> Class {
        let in_order: Vec<(u32, ThreadState)> = threads
            .iter()
            .filter_map(|t| states.iter().find(|(tid, _)| *tid == t.tid).cloned())
            .collect();
        add_states(session, &in_order, Some(self.files.len()));
        let whole = in_order.iter().all(|(_, s)| matches!(s, ThreadState::Full { .. }));
        if whole { Class::Done } else { Class::Partial }
    }

    /// Names what was held back, describes a set of several files, and says how it ended.
    fn finish_set(
        &mut self,
        session: &mut Session,
        worst: Class,
        failure: Option<Failure>,
    ) -> Result<Class, Failure> {
        let common = &self.options.common;
        let incomplete = worst == Class::Partial && common.require_complete;
        if !incomplete && failure.is_none() {
            for (index, target) in self.held.iter().enumerate() {
                if let Some(file) = self.files.get_mut(index) {
                    finish::name(
                        target.as_ref(),
                        file,
                        &name::batch(&self.place.file.name, index + 1),
                        common.overwrite,
                    )?;
                }
            }
        }
        if self.stop.is_some() && failure.is_none() {
            session.note(Note::info(
                "the dump was complete before the cancel reached it, and is kept",
            ));
        }
        let failure = failure.or_else(|| self.nothing_opened(session));
        let described = self.describe(session);
        if common.overwrite && self.files.iter().any(|file| file.complete_name) {
            let left = set::left_over(&session.world, &self.place, self.files.len());
            session.notes(left);
        }
        match (failure, described) {
            (Some(failure), Err(unwritten)) => {
                session.note(Note::warning(unwritten.message));
                Err(self.with_files(failure))
            }
            (Some(failure), Ok(())) => Err(self.with_files(failure)),
            (None, Err(unwritten)) => Err(unwritten),
            (None, Ok(())) if incomplete => Err(Failure::new(
                Class::Partial,
                "a complete dump was required, and not every thread is whole in it",
            )
            .remedy(
                "capture the threads again, or leave out --require-complete; the .partial is kept",
            )),
            (None, Ok(())) => Ok(worst),
        }
    }

    /// Writes `NAME.json` beside several files.
    fn describe(&self, session: &mut Session) -> Result<(), Failure> {
        let named = self.files.iter().any(|f| f.complete_name);
        if self.files.len() > 1 && named && !session.report.abandoned {
            let overwrite = self.options.common.overwrite;
            session.report.set = set::describe(session, &self.place, &self.files, overwrite)?;
        }
        Ok(())
    }

    /// Says which files of earlier batches are there all the same.
    fn with_files(&self, failure: Failure) -> Failure {
        let verified = self.files.iter().filter(|f| f.verification.is_some());
        let paths: Vec<String> =
            verified.map(|f| format!("taken before and kept: {}", f.path)).collect();
        if paths.is_empty() { failure } else { failure.details(paths) }
    }

    /// Not one thread of any batch could be opened.
    fn nothing_opened(&self, session: &Session) -> Option<Failure> {
        let triage = session.report.triage.as_ref().filter(|_| self.files.is_empty())?;
        if triage.threads.iter().all(|t| t.state == ThreadState::Gone) {
            return Some(process::gone(&self.process));
        }
        let refused = triage.threads.iter().filter_map(|t| match &t.state {
            ThreadState::CouldNotOpen { error } => Some(format!("{} {error}", t.tid)),
            _ => None,
        });
        let Process { name, pid, .. } = &self.process;
        let failure = Failure::new(
            Class::Policy,
            format!("Windows let none of the threads of {name} ({pid}) be opened"),
        );
        Some(failure.details(refused.take(8).collect()).remedy(NO_HANDLES_NEEDED))
    }
}

/// Opens the threads; what cannot be opened is said, not skipped.
fn open(session: &Session, threads: &[Thread]) -> (Vec<ThreadHandle>, Vec<(u32, ThreadState)>) {
    let mut handles = Vec::new();
    let mut states = Vec::new();
    for thread in threads {
        match session.world.machine.open_thread(thread.tid) {
            Ok(handle) => handles.push(handle),
            Err(e) if matches!(e.kind, OsErrorKind::Gone | OsErrorKind::NotFound) => {
                states.push((thread.tid, ThreadState::Gone));
            }
            Err(e) => states.push((thread.tid, ThreadState::CouldNotOpen { error: e.to_string() })),
        }
    }
    (handles, states)
}

fn add_states(session: &mut Session, states: &[(u32, ThreadState)], file: Option<usize>) {
    let machine = session.world.machine.clone();
    let Some(triage) = session.report.triage.as_mut() else { return };
    triage.threads.extend(states.iter().map(|(tid, state)| {
        let in_file = !matches!(state, ThreadState::Gone | ThreadState::CouldNotOpen { .. });
        ThreadReport {
            tid: *tid,
            name: machine.thread_details(*tid).name,
            state: state.clone(),
            file: file.filter(|_| in_file),
        }
    }));
}
