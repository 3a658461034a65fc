//! Bytes of a dump on their way out: as lines, as JSON, into a pipe or into a file.

mod sink;
mod target;

use std::path::Path;

use capture::{Class, Failure};
use format::{Bytes, Content, Extent, Missing};

use super::{Outcome, Said, answer, file};
use crate::args::{self, BytesArgs};
use crate::console;
use crate::render::read::{EndReport, GapReport, ReadReport, text};
use sink::{Json, Lines, Raw, Sink};
use target::Out;

/// Gaps that are told at most.
const MAX_GAPS: usize = 4096;

/// Bytes that a JSON answer holds at most: it is made in memory, as digits and three times over.
const MAX_JSON: u64 = 1 << 20;

/// Bytes read at once.
const PART: u64 = 256 << 10;

/// What was asked for, and all that is known before the first byte.
pub(super) struct Asked<'a> {
    /// What a JSON answer calls itself.
    pub(super) schema: &'static str,
    pub(super) path: &'a Path,
    pub(super) bytes: &'a BytesArgs,
    pub(super) json: bool,
    pub(super) address: u64,
    pub(super) length: u64,
    pub(super) space: &'static str,
    pub(super) simulated: bool,
    /// The file of a set that answers.
    pub(super) file: Option<String>,
    pub(super) notes: Vec<String>,
}

/// Tells the extents of what was asked for.
pub(super) type Tell<'t> =
    &'t mut dyn FnMut(&mut dyn FnMut(Extent) -> bool) -> Result<Option<u64>, format::Error>;

/// Refuses what cannot be, before any file is opened.
pub(super) fn check(command: &str, bytes: &BytesArgs, json: bool) -> Result<(), clap::Error> {
    let raw = bytes.raw && bytes.out.is_none();
    if raw && json {
        let text = "--raw writes bytes to standard output, where --json writes its answer: \
                    name a file with -o, or leave out one of them";
        return Err(args::usage(command, text));
    }
    if raw && console::shows_output() {
        let text = "--raw writes bytes, which a console would obey: send them to a file with -o, \
                    or through a pipe";
        return Err(args::usage(command, text));
    }
    Ok(())
}

/// Brings the bytes to where they shall go.
pub(super) fn run(asked: Asked<'_>, source: &dyn Bytes, tell: Tell<'_>) -> Outcome {
    match &asked.bytes.out {
        Some(out) => {
            let mut out = Out::create(out, asked.path, asked.bytes)?;
            let mut report = copied(&asked, source, tell, &mut out, true)?;
            let whole = report.bytes_read == report.length;
            report.output = out.finish(whole, report.bytes_read)?;
            let class = class(whole);
            report.exit_code = class.exit_code();
            answer(asked.json, class, &report, gaps_and_text)
        }
        None if asked.bytes.raw => {
            let mut out = Raw(console::Stream::new());
            let mut report = copied(&asked, source, tell, &mut out, true)?;
            out.0.finish().map_err(unwritable)?;
            let whole = report.bytes_read == report.length;
            report.exit_code = class(whole).exit_code();
            let errors = if whole { String::new() } else { gaps_and_text(&report) };
            Ok(Said { errors, class: class(whole), ..Said::text("") })
        }
        None if asked.json => {
            let mut out = Json::default();
            let mut report = copied(&asked, source, tell, &mut out, false)?;
            report.parts = out.0;
            answer(true, Class::Done, &report, |_| String::new())
        }
        None => {
            let mut out = Lines::new();
            let report = copied(&asked, source, tell, &mut out, false)?;
            if !out.finish().map_err(unwritable)? {
                return Ok(Said::text(""));
            }
            Ok(Said::text(text(&report)))
        }
    }
}

/// Bytes that were to be in one piece and are not are no whole answer.
fn class(whole: bool) -> Class {
    if whole { Class::Done } else { Class::Partial }
}

fn gaps_and_text(report: &ReadReport) -> String {
    let gaps = report.gaps.iter().map(|gap| format!("{}  {}\n", gap.address, gap.words()));
    gaps.collect::<String>() + &text(report)
}

fn unwritable(error: std::io::Error) -> Failure {
    Failure::new(Class::Disk, format!("standard output could not be written: {error}"))
}

fn copied(
    asked: &Asked<'_>,
    source: &dyn Bytes,
    tell: Tell<'_>,
    sink: &mut dyn Sink,
    to_first_gap: bool,
) -> Result<ReadReport, Failure> {
    let report = ReadReport {
        schema: asked.schema.into(),
        path: asked.path.display().to_string(),
        simulated: asked.simulated,
        file: asked.file.clone(),
        space: asked.space.into(),
        address: format!("{:016x}", asked.address),
        length: asked.length,
        notes: asked.notes.clone(),
        ..ReadReport::default()
    };
    let mut copy = Copy { report, source, sink, to_first_gap, failure: None, buffer: Vec::new() };
    let gave_up = tell(&mut |extent| match copy.extent(&extent) {
        Ok(more) => more,
        Err(failure) => {
            copy.failure = Some(failure);
            false
        }
    });
    let gave_up = gave_up.map_err(|error| file::unreadable(asked.path, &error))?;
    if let Some(failure) = copy.failure {
        return Err(was_cut(asked, source).unwrap_or(failure));
    }
    let mut report = copy.report;
    if let Some(at) = gave_up {
        report.ended = Some(end(at, "there is no end of gaps: read on from there".to_owned()));
    }
    Ok(report)
}

/// Bytes of a mapped file that was cut cannot be written anywhere, and the system blames where to.
fn was_cut(asked: &Asked<'_>, source: &dyn Bytes) -> Option<Failure> {
    let one = asked.file.is_none();
    let now = std::fs::metadata(asked.path).ok().filter(|_| one)?.len();
    (now < source.len()).then(|| {
        let text = format!("'{}' was cut while it was read", asked.path.display());
        Failure::new(Class::Disk, text).remedy("read it again when it is whole")
    })
}

fn end(at: u64, reason: String) -> EndReport {
    EndReport { address: format!("{at:016x}"), reason }
}

struct Copy<'c> {
    report: ReadReport,
    source: &'c dyn Bytes,
    sink: &'c mut dyn Sink,
    to_first_gap: bool,
    failure: Option<Failure>,
    buffer: Vec<u8>,
}

impl Copy<'_> {
    /// Answers whether more is wanted.
    fn extent(&mut self, extent: &Extent) -> Result<bool, Failure> {
        match &extent.content {
            Content::Held { offset } => self.held(extent.address, extent.length, *offset),
            Content::Gap { reason, alike } => {
                self.gap(extent.address, extent.length, reason, *alike)
            }
        }
    }

    fn held(&mut self, address: u64, length: u64, offset: u64) -> Result<bool, Failure> {
        let mut done = 0;
        while done < length {
            let at = address.wrapping_add(done);
            let room = self.sink.room().unwrap_or(u64::MAX);
            if room == 0 {
                let text = "an answer as JSON holds no more: read on from there, or use -o";
                self.report.ended = Some(end(at, text.to_owned()));
                return Ok(false);
            }
            let size = (length - done).min(PART).min(room);
            let bytes = read(self.source, offset + done, size as usize, &mut self.buffer)?;
            if !self.sink.held(at, offset + done, bytes)? {
                return Ok(false);
            }
            done += size;
            self.report.bytes_read += size;
        }
        Ok(true)
    }

    fn gap(&mut self, at: u64, length: u64, why: &Missing, alike: u64) -> Result<bool, Failure> {
        let gap = GapReport::new(at, length, why, alike);
        let more = self.sink.gap(at, &gap)?;
        self.report.gaps.push(gap);
        if self.to_first_gap {
            let text = "bytes behind a gap would stand in the wrong place";
            self.report.ended = Some(end(at, text.to_owned()));
            return Ok(false);
        }
        if self.report.gaps.len() >= MAX_GAPS {
            let text = format!("{MAX_GAPS} gaps are told at most: read on from there");
            self.report.ended = Some(end(at.wrapping_add(length), text));
            return Ok(false);
        }
        Ok(more)
    }
}

/// Bytes of the file: lent where it is mapped.
fn read<'b>(
    source: &'b dyn Bytes,
    offset: u64,
    size: usize,
    buffer: &'b mut Vec<u8>,
) -> Result<&'b [u8], Failure> {
    let lent = source.as_slice().and_then(|all| {
        let start = usize::try_from(offset).ok()?;
        all.get(start..start.checked_add(size)?)
    });
    if let Some(lent) = lent {
        return Ok(lent);
    }
    buffer.resize(size, 0);
    source.read_exact_at(offset, buffer).map_err(|error| {
        let text = format!("reading {size} bytes at file offset {offset:#x}: {error}");
        Failure::new(Class::Disk, text)
            .remedy("if the file was cut or went away meanwhile, fetch it again")
    })?;
    Ok(buffer)
}
