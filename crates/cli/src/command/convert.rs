//! `livedump convert`.

mod notes;
mod watch;

use std::path::Path;

use capture::new_file::{self, Creation, NewFile, ReadBack, Room};
use capture::{Class, Failure, Phase};
use format::write::{
    DumpPages, Error, Kind, PARTIAL_COPY, Plan, Readable, Written, measure, write,
};
use format::{Bytes, Dump, DumpType, Level, Verdict, Verification};
use machine::{Host, Target};

use self::notes::notes;
use self::watch::{File, Watch, discard};
use super::{Outcome, answer, file};
use crate::args::{ConvertArgs, OpenArgs};
use crate::render::convert::{ConvertReport, Times, text};
use crate::world;

pub(super) fn run(typed: &ConvertArgs) -> Outcome {
    let host = world::host()?;
    let mut watch = Watch::begin(host.clone(), typed.progress);
    let (class, report) = converted(typed, host.as_ref(), &mut watch)?;
    drop(watch);
    answer(typed.answer.json, class, &report, text)
}

/// Sized, placed, written, verified, named.
fn converted(
    typed: &ConvertArgs,
    host: &dyn Host,
    watch: &mut Watch,
) -> Result<(Class, ConvertReport), Failure> {
    let mut times = Times::default();
    let (input, output) = (&typed.input, &typed.output);
    let name = input.file_name().map(Path::new);
    let (overwrite, allow_synced) = (typed.overwrite, typed.allow_synced);
    let place = NewFile::made_from(host, input, output, name, overwrite, allow_synced)?;
    let bytes = file::open(input, &OpenArgs { no_map: true })?;
    let found = checked(input, &bytes)?;
    let source = DumpPages::open(&bytes).map_err(|error| unsuited(input, &error))?;
    let mut job = Job::new(typed, &source, &found)?;
    job.check_room(host, &place, watch)?;
    times.sizing = watch.ends();

    let mut more = Vec::new();
    // Without this only administrators could read it, where access lists are kept.
    let reader = host.reader("me").ok().map(|reader| reader.sid);
    let target = place.create(host, &Creation { reader, ..Creation::default() }, &mut more)?;
    target.set_sparse();
    watch.guard(target.path());
    times.placing = watch.begins(Phase::Writing);

    let written = job.write(target.as_ref(), watch);
    let written = written.map_err(|failure| discard(target.as_ref(), failure))?;
    times.writing = watch.begins(Phase::Verifying);
    let verification = format::verify(&ReadBack::new(target.as_ref())?, Level::Structure);
    times.verifying = watch.ends();
    if watch.step().is_break() {
        return Err(discard(target.as_ref(), cancelled()));
    }
    watch.is_over();
    let class = class(&verification, &found, target.as_ref())?;
    let path = new_file::give_name(target.as_ref(), &place.name, typed.overwrite);
    let path = path.map_err(|not| not.failure)?;
    let notes = notes(&job, &found, &more);
    let readers = target.facts().readers.clone();
    let report = job.report(written, ConvertReport::new(path, class, readers, notes, times));
    Ok((class, ConvertReport { verification: Some(verification), ..report }))
}

/// What verification says of the source; a damaged one is converted as far as it can be read.
fn checked(path: &Path, bytes: &dyn Bytes) -> Result<Verification, Failure> {
    Dump::open(bytes).map_err(|error| file::unreadable(path, &error))?;
    let found = format::verify(&bytes, Level::Structure);
    match found.verdict {
        Verdict::Encrypted => Err(file::unreadable(path, &format::Error::Encrypted)),
        _ => Ok(found),
    }
}

/// Why a source has nothing to convert.
fn unsuited(path: &Path, error: &format::Error) -> Failure {
    let remedy = match error {
        format::Error::NoPages { kind: DumpType::Triage } => {
            "it has pieces of virtual memory only: use it as it is, or take a `livedump kernel` dump"
        }
        format::Error::NoPages { .. } | format::Error::NotUnderstood { .. } => {
            "only dumps with pages of physical memory can be converted"
        }
        _ => return file::unreadable(path, error),
    };
    let text = format!("'{}' cannot be converted: {error}", path.display());
    Failure::new(Class::Unsupported, text).remedy(remedy)
}

/// Why there is no plan.
fn refused(path: &Path, error: Error) -> Failure {
    let text = format!("'{}' cannot be converted: {error}", path.display());
    match error {
        Error::Source(error) => unsuited(path, &error),
        Error::TooManyRuns { .. } => {
            Failure::new(Class::Unsupported, text).remedy("say --type bitmap")
        }
        Error::Machine(_) => Failure::new(Class::Unsupported, text)
            .remedy("dumps of x86, x64, ARM32 and ARM64 machines can be converted"),
        _ => Failure::new(Class::Unverified, text)
            .remedy("`livedump verify` says what is wrong with it; fetch it again if it was cut"),
    }
}

fn cancelled() -> Failure {
    Failure::new(Class::Cancelled, "cancelled")
}

/// Why it could not be written.
fn failed(error: &Error) -> Failure {
    let text = format!("the dump could not be written: {error}");
    match error {
        Error::Cancelled => cancelled(),
        Error::Write { .. } => Failure::new(Class::Disk, text)
            .remedy("free some space on its volume, or name another volume"),
        Error::Read { .. } => Failure::new(Class::Disk, text)
            .remedy("copy the source to a disk that can be read, then convert the copy"),
        _ => Failure::new(Class::Unverified, text)
            .remedy("convert again when nobody writes to the source"),
    }
}

/// What the verdicts mean; a bad file keeps the name it has.
fn class(
    found: &Verification,
    source: &Verification,
    target: &dyn Target,
) -> Result<Class, Failure> {
    match (found.verdict, source.verdict) {
        (Verdict::Good, Verdict::Good) => Ok(Class::Done),
        (Verdict::Good | Verdict::Partial, _) => Ok(Class::Partial),
        _ => {
            let text = format!("the result does not verify: {}", found.summary);
            let kept = new_file::shown(&target.path());
            Err(Failure::new(Class::Unverified, text)
                .details(capture::failed_checks(found))
                .remedy(format!("it is kept at {kept}; please report this")))
        }
    }
}

/// A conversion: from what, into what.
struct Job<'j, 'a> {
    typed: &'j ConvertArgs,
    source: &'j DumpPages<'a>,
    /// The source is damaged: the result says so in its header.
    damaged: bool,
    pages: Readable<'j>,
    plan: Plan<'a>,
}

impl<'j, 'a> Job<'j, 'a> {
    fn new(
        typed: &'j ConvertArgs,
        source: &'j DumpPages<'a>,
        found: &Verification,
    ) -> Result<Self, Failure> {
        let refused = |error| refused(&typed.input, error);
        let damaged = found.verdict == Verdict::Damaged;
        let pages = Readable::new(source).map_err(refused)?;
        let plan = plan(source, &pages, typed.kind.into(), damaged).map_err(refused)?;
        Ok(Self { typed, source, damaged, pages, plan })
    }

    fn kind(&self) -> Kind {
        self.plan.kind()
    }

    /// Refuses a volume without room for the bytes that are really written.
    fn check_room(
        &self,
        host: &dyn Host,
        place: &NewFile,
        watch: &mut Watch,
    ) -> Result<(), Failure> {
        let volume = host.volume(&place.folder).ok();
        let length = self.plan.file_length();
        let tight = volume.as_ref().filter(|it| it.free.is_some_and(|free| free < length));
        let bytes = match tight.is_some_and(new_file::keeps_holes) {
            // Takes a pass over the source: only where it decides.
            true => match measure(&self.plan, &self.pages, &mut |progress| watch.done(progress)) {
                Ok(bytes) => bytes,
                Err(Error::Cancelled) => return Err(cancelled()),
                // Writing deals with pages that cannot be read.
                Err(_) => return Ok(()),
            },
            false => length,
        };
        let overwrite = self.typed.overwrite;
        let room = Room { length, bytes, at_least: false, overwrite };
        new_file::check_room(volume.as_ref(), &room, "or name another volume")
    }

    /// Writes; and once more, without them, when there were pages that the system cannot read.
    fn write(&mut self, target: &dyn Target, watch: &mut Watch) -> Result<Written, Failure> {
        match self.write_once(target, watch) {
            Err(Error::Read { .. }) => {}
            other => return other.map_err(|error| failed(&error)),
        }
        self.pages.look(&mut || watch.step()).map_err(|error| failed(&error))?;
        let kind = self.kind();
        let again = plan(self.source, &self.pages, kind, self.damaged);
        self.plan = again.map_err(|error| refused(&self.typed.input, error))?;
        // What was written before must not show through as pages.
        target.set_len(0).map_err(|error| {
            Failure::new(Class::Disk, format!("the dump could not be written: {error}"))
        })?;
        self.write_once(target, watch).map_err(|error| failed(&error))
    }

    fn write_once(&self, target: &dyn Target, watch: &mut Watch) -> Result<Written, Error> {
        write(&self.plan, &self.pages, &mut File(target), &mut |progress| watch.done(progress))
    }

    fn report(&self, written: Written, report: ConvertReport) -> ConvertReport {
        let header = self.source.dump().header();
        ConvertReport {
            source: self.typed.input.display().to_string(),
            source_kind: header.dump_type.to_string(),
            kind: self.kind().dump_type().to_string(),
            dump_type: self.kind().dump_type().value(),
            simulated: header.is_simulated(),
            size: written.length,
            holes: written.holes,
            pages: self.plan.pages(),
            runs: self.plan.runs(),
            pages_behind_the_end: self.pages.behind_the_end(),
            pages_unreadable: self.pages.failed(),
            secondary_bytes: self.plan.secondary_length(),
            left_out_bytes: self.source.left_out().unwrap_or(0),
            ..report
        }
    }
}

/// The file as it is going to be. Its header says when it has less than it should.
fn plan<'a>(
    source: &DumpPages<'a>,
    pages: &Readable<'_>,
    kind: Kind,
    damaged: bool,
) -> Result<Plan<'a>, Error> {
    let mut request = source.request(kind)?;
    if damaged || pages.lost() > 0 {
        request.head.set_writer_status(PARTIAL_COPY);
    }
    Plan::new(pages, request)
}
