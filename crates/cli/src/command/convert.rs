//! `livedump convert`.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use capture::{Class, Failure};
use format::write::{DumpPages, Error, Kind, Output, Plan, Written, write};
use format::{Bytes, Level, Verdict, Verification};
use machine::{Host, Target, Wake};

use super::new_file::Place;
use super::{Outcome, answer, file};
use crate::args::ConvertArgs;
use crate::render::convert::{ConvertReport, text};
use crate::world;

pub(super) fn run(typed: &ConvertArgs) -> Outcome {
    let host = world::host()?;
    let name = typed.input.file_name().map(Path::new);
    let place = Place::plan(host.as_ref(), &typed.output, name, typed.overwrite)?;
    check_place(host.as_ref(), typed, &place)?;
    let bytes = file::open_suited(&typed.input)?;
    check_source(&typed.input, &bytes)?;
    let refused = |error| refused(&typed.input, error);
    let source = DumpPages::open(&bytes).map_err(|error| refused(error.into()))?;
    let request = source.request(typed.kind.into()).map_err(refused)?;
    let plan = Plan::new(&source, request).map_err(refused)?;

    let target = place.create(host.as_ref())?;
    let began = Instant::now();
    let written = written(host.as_ref(), &plan, &source, target.as_ref());
    let written = written.map_err(|error| failed(error, target.as_ref()))?;
    let writing_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let verification = verified(target.as_ref())?;
    let verifying_seconds = began.elapsed().as_secs_f64();
    let class = class(&verification, target.as_ref())?;
    let path = place.name(target.as_ref())?;

    let header = source.dump().header();
    let report = ConvertReport {
        schema: "livedump.convert/1".into(),
        exit_code: class.exit_code(),
        source: typed.input.display().to_string(),
        source_kind: header.dump_type.to_string(),
        path: shown(&path),
        kind: plan.kind().dump_type().to_string(),
        dump_type: plan.kind().dump_type().value(),
        simulated: header.is_simulated(),
        size: written.length,
        holes: written.holes,
        pages: plan.pages(),
        runs: plan.runs(),
        secondary_bytes: plan.secondary_length(),
        readers: target.facts().readers.clone(),
        notes: notes(&source, plan.kind()),
        writing_seconds,
        verifying_seconds,
        verification,
    };
    answer(typed.answer.json, class, &report, text)
}

fn check_place(host: &dyn Host, typed: &ConvertArgs, place: &Place) -> Result<(), Failure> {
    let source = host.path_facts(&typed.input).full;
    if source == place.folder.join(&place.name) {
        return Err(Failure::new(Class::Usage, "IN and OUT are the same file")
            .remedy("name another OUT: the source is never written to"));
    }
    let synced = host
        .synced_folders()
        .into_iter()
        .find(|synced| place.folder.starts_with(&synced.path) && !source.starts_with(&synced.path));
    match synced.filter(|_| !typed.allow_synced) {
        None => Ok(()),
        Some(synced) => Err(Failure::new(
            Class::Policy,
            format!("{} is synchronised by {}", place.folder.display(), synced.provider),
        )
        .remedy("name a folder outside it, or say --allow-synced")),
    }
}

/// A damaged dump would come out with no sign of its damage.
fn check_source(path: &Path, bytes: &dyn Bytes) -> Result<(), Failure> {
    let found = format::verify(&bytes, Level::Structure);
    match found.verdict {
        Verdict::Good | Verdict::Partial => Ok(()),
        _ => {
            let text = format!("'{}' cannot be converted: {}", path.display(), found.summary);
            let remedy = "`livedump verify` says what is wrong with it; fetch it again if it was cut in transfer";
            Err(Failure::new(Class::Unverified, text).remedy(remedy))
        }
    }
}

/// Why there is no plan.
fn refused(path: &Path, error: Error) -> Failure {
    use format::Error::{NoPages, NotUnderstood};

    let text = format!("'{}' cannot be converted: {error}", path.display());
    match error {
        Error::TooManyRuns { .. } => {
            Failure::new(Class::Unsupported, text).remedy("say --type bitmap")
        }
        Error::NoPages(_) | Error::Source(NoPages { .. } | NotUnderstood { .. }) => {
            Failure::new(Class::Unsupported, text)
                .remedy("only dumps with pages of physical memory can be converted")
        }
        _ => Failure::new(Class::Unverified, text),
    }
}

fn written(
    host: &dyn Host,
    plan: &Plan<'_>,
    source: &DumpPages<'_>,
    target: &dyn Target,
) -> Result<Written, Error> {
    // Who cannot be interrupted in an orderly way still leaves no dump behind.
    let interrupts = host.interrupts(Wake::new()).ok();
    let mut out = File(target);
    let written = write(plan, source, &mut out, &mut |_| match interrupts
        .as_ref()
        .is_some_and(|interrupts| interrupts.count() > 0)
    {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    if let Some(interrupts) = interrupts {
        interrupts.finished();
    }
    written
}

fn failed(error: Error, target: &dyn Target) -> Failure {
    let left = shown(&target.path());
    if matches!(error, Error::Cancelled) {
        let text = match target.delete() {
            Ok(()) => "cancelled; nothing was left behind".to_owned(),
            Err(error) => format!("cancelled; {left} could not be deleted: {error}"),
        };
        return Failure::new(Class::Cancelled, text);
    }
    let class = match &error {
        Error::Read { .. } | Error::Write { .. } => Class::Disk,
        _ => Class::Unverified,
    };
    Failure::new(class, format!("the dump could not be written: {error}"))
        .remedy(format!("{left} is left, without a header: it is no dump and may be deleted"))
}

fn verified(target: &dyn Target) -> Result<Verification, Failure> {
    let length = target.len().map_err(|error| {
        let text = format!("{} cannot be read back: {error}", shown(&target.path()));
        Failure::new(Class::Unverified, text)
    })?;
    Ok(format::verify(&ReadBack { target, length }, Level::Structure))
}

/// What the verdict means; a bad file keeps the name it has.
fn class(found: &Verification, target: &dyn Target) -> Result<Class, Failure> {
    match found.verdict {
        Verdict::Good => Ok(Class::Done),
        Verdict::Partial => Ok(Class::Partial),
        _ => {
            let text = format!("the result does not verify: {}", found.summary);
            let remedy = format!("it is kept at {}; please report this", shown(&target.path()));
            Err(Failure::new(Class::Unverified, text).remedy(remedy))
        }
    }
}

fn notes(source: &DumpPages<'_>, kind: Kind) -> Vec<String> {
    let from = source.dump().kind();
    let mut notes =
        vec!["its header says that it was made offline (DumpIsGeneratedOffline)".to_owned()];
    match (from.is_complete(), kind) {
        (false, Kind::Full | Kind::Bitmap) => notes.push(format!(
            "its type says complete, but what the {from} left out is not in it either"
        )),
        (true, Kind::KernelBitmap) => notes.push(format!(
            "its type says kernel, but all pages of the {from} are in it, those of programs too"
        )),
        _ => {}
    }
    notes
}

/// A path as the user would type it: the long-path prefix is ours, not theirs.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    match text.strip_prefix(r"\\?\UNC\") {
        Some(share) => format!(r"\\{share}"),
        None => text.strip_prefix(r"\\?\").map_or(text.clone(), Into::into),
    }
}

/// A target, to be written.
struct File<'a>(&'a dyn Target);

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

/// A target, to be verified through the handle that it was written by.
struct ReadBack<'a> {
    target: &'a dyn Target,
    length: u64,
}

impl Bytes for ReadBack<'_> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.target.read_at(offset, buffer)
    }
}
