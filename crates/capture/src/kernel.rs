//! The live dump of the whole machine: class 37.

use std::sync::Arc;
use std::time::Duration;

use machine::{CallAnswer, LiveDumpRequest, Pages, StructureVersion, Target};
use nt::NtStatus;

use crate::call::{self, Ended, Watched};
use crate::estimate::{self, Estimate};
use crate::name::NameParts;
use crate::place::{self, Place};
use crate::progress::seconds;
use crate::session::Session;
use crate::{
    Attempt, Class, Common, Event, Failure, KernelOptions, Note, Observer, Phase, Report,
    StatusReport, World, event, finish, preflight, status,
};

/// The customary code of a live dump that an administrator asked for: LIVE_SYSTEM_DUMP.
pub(crate) const LIVE_SYSTEM_DUMP: u32 = 0x161;
/// "livedump" as it reads in a debugger.
const SIGNATURE: u64 = u64::from_be_bytes(*b"livedump");
/// What a cancel waits for, for the user.
const CANCEL_TAKES: &str = "Windows is reported to look for it at each chunk it writes; while it prepares, it cannot be cancelled and goes on until it writes";
/// Seconds before the first, second, ... retry; the last one repeats.
const WAITS: [u64; 5] = [1, 2, 4, 8, 15];

/// Takes a live dump. Always answers with a report, whatever happened.
pub fn kernel(world: &World, options: &KernelOptions, observer: Arc<dyn Observer>) -> Report {
    let content = estimate::content(&options.pages);
    match Session::begin(world, "kernel", content, options.common.timeout, observer) {
        Err(report) => *report,
        Ok(mut session) => {
            let outcome = capture(&mut session, options);
            session.end(outcome)
        }
    }
}

/// Code and parameters for the header.
pub(crate) fn code_and_parameters(common: &Common) -> (u32, [u64; 4]) {
    let mut parameters = [0; 4];
    if common.parameters.is_empty() {
        parameters[0] = SIGNATURE;
    }
    for (slot, value) in parameters.iter_mut().zip(&common.parameters) {
        *slot = *value;
    }
    (common.bugcheck.unwrap_or(LIVE_SYSTEM_DUMP), parameters)
}

fn capture(session: &mut Session, options: &KernelOptions) -> Result<Class, Failure> {
    let pages = with_implied(options.pages)?;
    preflight::refuse(session, preflight::kernel(&session.facts, &pages))?;
    let world = session.world.clone();
    let place = place::plan(&world, &options.common, &name_parts(session))?;
    session.notes(place.notes.clone());
    let report = estimate::report(&world, &session.facts, &pages, place.volume.as_ref());
    session.report.estimate = Some(report);
    let bounds = estimate::bounds(&session.facts.memory, &pages);
    place::check_space(&place, bounds, options.common.overwrite)?;
    let _privilege = preflight::debug_privilege(&world)?;
    let mut notes = Vec::new();
    let allocate = bounds.map_or(0, |b| b.lower);
    let created = place::create(&world, &place, &place.file.name, allocate, &mut notes);
    session.notes(notes);
    let target = created?;
    session.report.times.planning = seconds(session.elapsed());
    let live = Live { options, pages, place, target, bounds };
    let outcome = live.take(session);
    let class = outcome.as_ref().map_or_else(|f| f.class, |c| *c);
    event::record(session, &options.common, &flags_text(&pages), class);
    outcome
}

fn with_implied(mut pages: Pages) -> Result<Pages, Failure> {
    pages.hypervisor |= pages.nonessential_hypervisor;
    if pages.kernel_stacks_only && (pages.hypervisor || pages.include_user_space) {
        return Err(Failure::new(
            Class::Usage,
            "kernel stacks only cannot be combined with hypervisor or user pages",
        ));
    }
    Ok(pages)
}

fn name_parts(session: &Session) -> NameParts {
    let host = &session.world.host;
    NameParts {
        host: host.computer(),
        kind: "kernel".into(),
        process: None,
        pid: None,
        time: crate::time::compact(host.wall_time(), host.utc_offset()),
    }
}

fn flags_text(pages: &Pages) -> String {
    let content = estimate::content(pages);
    if pages.abort_if_memory_pressure {
        format!("{content}; abort on memory pressure")
    } else {
        content
    }
}

/// One live dump: what was asked for, and where it goes.
struct Live<'a> {
    options: &'a KernelOptions,
    pages: Pages,
    place: Place,
    target: Arc<dyn Target>,
    bounds: Option<Estimate>,
}

impl Live<'_> {
    /// The call and all that follows it. The `.partial` is removed here when nothing came of it.
    fn take(&self, session: &mut Session) -> Result<Class, Failure> {
        match self.call_until_taken(session) {
            Ok(partial) => self.keep(session, partial),
            Err(failure) => {
                if !session.report.abandoned {
                    finish::discard(session, self.target.as_ref(), &self.options.common);
                }
                Err(failure)
            }
        }
    }

    /// Verifies and names what the kernel called a success; from here on nothing is deleted.
    fn keep(&self, session: &mut Session, partial: bool) -> Result<Class, Failure> {
        let (target, common) = (self.target.as_ref(), &self.options.common);
        let checked = match finish::check(session, target, common) {
            Ok(checked) => checked,
            Err(failure) => {
                session.report.files.push(finish::file_report(target, None, None));
                return Err(failure);
            }
        };
        let mut file = checked.file;
        let class = checked.class.and_then(|class| require(class, partial, common));
        let named = class.and_then(|class| {
            finish::name(target, &mut file, &self.place.file.name, common.overwrite)?;
            Ok(class)
        });
        session.report.files.push(file);
        named
    }

    /// Calls, falls back to the other structure version, retries while busy. `Ok(true)`: partial.
    fn call_until_taken(&self, session: &mut Session) -> Result<bool, Failure> {
        let retries = self.options.common.retries;
        let mut version = first_version(session, &self.pages);
        let mut fell_back = false;
        let mut retry = 0;
        loop {
            let ended = self.call_once(session, version)?;
            let status = NtStatus(ended.answer.status);
            let other_length = status == NtStatus::INFO_LENGTH_MISMATCH && !fell_back;
            if other_length && !self.pages.kernel_stacks_only && ended.cancelled.is_none() {
                fell_back = true;
                version = other(version);
                continue;
            }
            if status.is_success() {
                return Ok(success(session, status, &ended));
            }
            if !status::is_busy(status) || retry >= retries || ended.cancelled.is_some() {
                return Err(self.refused(session, status, &ended));
            }
            retry += 1;
            wait_to_retry(session, status, retry, retries)?;
            // Emptying gives back what was allocated: only where something was written.
            if self.target.is_empty().unwrap_or(false) {
                continue;
            }
            self.target.set_len(0).map_err(|e| {
                Failure::new(Class::Disk, format!("the file could not be emptied for a retry: {e}"))
            })?;
        }
    }

    fn call_once(
        &self,
        session: &mut Session,
        version: StructureVersion,
    ) -> Result<Ended, Failure> {
        let machine = session.world.machine.clone();
        let token = machine.cancel_token().map_err(|e| {
            Failure::new(Class::Memory, format!("no cancel event could be made: {e}"))
        })?;
        let watched = Watched {
            path: Some(self.target.path()),
            cancel: Some(token.clone()),
            estimate: self.bounds,
            volume: self.place.volume.clone(),
            how_long: CANCEL_TAKES.into(),
        };
        let (bugcheck_code, parameters) = code_and_parameters(&self.options.common);
        let (pages, target) = (self.pages, self.target.clone());
        session.phase(Phase::Preparing);
        let ended = call::run(session, watched, move || {
            machine.live_dump(&LiveDumpRequest {
                version,
                bugcheck_code,
                parameters,
                pages,
                target: target.as_ref(),
                cancel: Some(token.as_ref()),
            })
        })?;
        record_attempt(session, &ended, structure_length(version));
        Ok(ended)
    }

    fn refused(&self, session: &Session, status: NtStatus, ended: &Ended) -> Failure {
        // A busy kernel would have been asked again: it is the cancel that ended it.
        let by_us = status == NtStatus::CANCELLED || status::is_busy(status);
        if let (true, Some(reason)) = (by_us, ended.cancelled) {
            let report = status::report(status);
            return reason.failure().status(StatusReport { remedy: None, ..report });
        }
        let failure = status::failure(status, "the live dump was refused");
        match status {
            NtStatus::DISK_FULL => explain_disk_full(session, failure, &self.place),
            NtStatus::INFO_LENGTH_MISMATCH | NtStatus::INVALID_PARAMETER
                if self.pages.kernel_stacks_only =>
            {
                failure.remedy(
                    "kernel stacks only is reported to need Windows 11 22H2: capture without --stacks-only",
                )
            }
            NtStatus::DEBUGGER_INACTIVE if self.pages.include_user_space => failure.remedy(
                "leave out -u: this build is reported to take user pages only when booted with kernel debugging",
            ),
            _ => failure,
        }
    }
}

/// The kernel's own word that the dump is partial counts even when the file does not say so.
fn require(class: Class, partial: bool, common: &Common) -> Result<Class, Failure> {
    match (partial, common.require_complete) {
        (false, _) => Ok(class),
        (true, false) => Ok(Class::Partial),
        (true, true) => Err(Failure::new(
            Class::Partial,
            "a complete dump was required; Windows says this one is partial",
        )
        .remedy("free memory or ask for fewer pages and capture again; the .partial is kept")),
    }
}

/// V2 where the build knows it, and always for stacks only, which V1 cannot say.
fn first_version(session: &Session, pages: &Pages) -> StructureVersion {
    let knows_v2 =
        session.facts.os.as_ref().is_some_and(|os| nt::build::has_live_dump_v2(os.build));
    if knows_v2 || pages.kernel_stacks_only { StructureVersion::V2 } else { StructureVersion::V1 }
}

fn other(version: StructureVersion) -> StructureVersion {
    match version {
        StructureVersion::V1 => StructureVersion::V2,
        StructureVersion::V2 => StructureVersion::V1,
    }
}

fn structure_length(version: StructureVersion) -> u32 {
    match version {
        StructureVersion::V1 => 64,
        StructureVersion::V2 => 72,
    }
}

/// Keeps a call's status and times for the report.
pub(crate) fn record_attempt(session: &mut Session, ended: &Ended, structure: u32) {
    let CallAnswer { status, .. } = ended.answer;
    let status = NtStatus(status);
    session.report.status = Some(status::report(status));
    session.report.attempts.push(Attempt {
        status: status.to_string(),
        seconds: seconds(ended.took),
        structure,
    });
    let times = &mut session.report.times;
    match ended.first_byte {
        Some(first) => {
            times.preparing += seconds(first);
            times.writing += seconds(ended.took.saturating_sub(first));
        }
        None if NtStatus(ended.answer.status).is_success() => times.calling += seconds(ended.took),
        None => times.preparing += seconds(ended.took),
    }
}

fn success(session: &mut Session, status: NtStatus, ended: &Ended) -> bool {
    if ended.cancelled.is_some() {
        session.note(Note::info("the dump was complete before the cancel reached it, and is kept"));
    }
    let partial = status == NtStatus::MORE_ENTRIES;
    if partial {
        session.note(Note::warning(
            "Windows wrote a partial dump: some pages did not fit into free memory. Kernel pages are documented to come before user pages; which ones are missing cannot be known from outside",
        ));
    } else if status != NtStatus::SUCCESS {
        session.note(Note::warning(format!(
            "the kernel answered {status}, a success of a kind not met before"
        )));
    }
    partial
}

/// Waits before a retry; an interrupt or the time-out ends it.
pub(crate) fn wait_to_retry(
    session: &mut Session,
    status: NtStatus,
    retry: u32,
    of: u32,
) -> Result<(), Failure> {
    let index = usize::try_from(retry - 1).unwrap_or(usize::MAX).min(WAITS.len() - 1);
    let wait = Duration::from_secs(WAITS[index]);
    session.teller.tell(Event::Retry {
        status: status.to_string(),
        retry,
        of,
        wait: wait.as_secs_f64(),
    });
    session.sleep(wait)
}

/// A full disk with space left has another cause.
fn explain_disk_full(session: &Session, failure: Failure, place: &Place) -> Failure {
    let now = place::volume_of(&session.world, Some(&place.file.folder));
    let Some(volume) = now.or_else(|| place.volume.clone()) else { return failure };
    let Some(free) = volume.free.filter(|f| *f > 64 << 20) else { return failure };
    let free = crate::verdict::size(free);
    match (&volume.file_system, volume.largest_file) {
        (Some(fs), Some(largest)) => {
            let largest = crate::verdict::size(largest);
            failure.remedy(format!(
                "{} still has {free} free, but it is {fs}, whose files end at {largest}: name a target on NTFS or ReFS",
                volume.name
            ))
        }
        _ => failure.remedy(format!(
            "{} still has {free} free: a quota may have ended it, or the dump needed more; compare with `livedump estimate`",
            volume.name
        )),
    }
}
