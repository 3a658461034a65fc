//! `livedump translate`.

use std::borrow::Borrow;

use capture::Class;
use format::{Dump, KernelMemory, LISTED_PLACES, Missing, Pages, Set, Triage};
use memory::{Access, Level, Paging, PhysicalMemory, Space, Translation, VirtualAddress};

use super::file::{self, Input};
use super::place::{self, Question};
use super::{Outcome, Refused, answer, members};
use crate::args::TranslateArgs;
use crate::render::entry;
use crate::render::translation::{LevelReport, MissingReport, PlaceReport, TranslateReport, text};

pub(super) fn run(typed: &TranslateArgs) -> Outcome {
    let report = match file::input(&typed.file, &typed.open)? {
        Input::One(source) => one(typed, &source)?,
        Input::Set(set) => of_set(typed, &set)?,
    };
    let cut = report.places.len() >= LISTED_PLACES;
    let note = cut.then(|| format!("no more than {LISTED_PLACES} parts are listed"));
    let notes = report.notes.into_iter().chain(note).collect();
    answer(typed.output.json, Class::Done, &TranslateReport { notes, ..report }, text)
}

fn question(typed: &TranslateArgs) -> Question {
    Question { command: "translate", address: typed.address, length: 1 }
}

fn report(typed: &TranslateArgs, address: u64, simulated: bool) -> TranslateReport {
    TranslateReport {
        schema: "livedump.translate/1".into(),
        path: typed.file.display().to_string(),
        simulated,
        address: format!("{address:016x}"),
        ..TranslateReport::default()
    }
}

fn one(typed: &TranslateArgs, source: &map::File) -> Result<TranslateReport, Refused> {
    let unreadable = |error| file::unreadable(&typed.file, &error);
    let dump = Dump::open(source).map_err(unreadable)?;
    let header = dump.header();
    match dump.kernel_memory().map_err(unreadable)? {
        KernelMemory::Triage(triage) => {
            place::refuse_tables(typed.dtb)?;
            let address = place::in_triage(&question(typed), header.width)?;
            let report = report(typed, address, header.is_simulated());
            let places = places(&triage, address, None);
            Ok(TranslateReport { missing: none(places.is_empty()), places, ..report })
        }
        KernelMemory::Pages(space) => {
            let bits = space.paging().address_bits();
            let address = place::linear(&question(typed), header.width, bits)?;
            let report = report(typed, address, header.is_simulated());
            let walked = match typed.dtb {
                Some(base) => walked(report, &space.at(base), address),
                None => walked(report, &space, address),
            };
            Ok(walked.map_err(unreadable)?)
        }
    }
}

/// Every file of the set that has it: they are of different moments.
fn of_set(typed: &TranslateArgs, set: &Set) -> Result<TranslateReport, Refused> {
    place::refuse_tables(typed.dtb)?;
    let mut found: Option<TranslateReport> = None;
    let mut notes = Vec::new();
    for number in 0..set.moments().len() {
        match members::open(&typed.file, set, number, &question(typed))? {
            Ok(member) => {
                let all =
                    found.get_or_insert_with(|| report(typed, member.address, member.simulated));
                let places = places(&member.triage, member.address, Some(&member.name));
                let room = LISTED_PLACES - all.places.len().min(LISTED_PLACES);
                all.places.extend(places.into_iter().take(room));
            }
            Err(why) => notes.push(why),
        }
    }
    let Some(report) = found else { return Err(members::none(&typed.file, notes).into()) };
    Ok(TranslateReport { missing: none(report.places.is_empty()), notes, ..report })
}

fn places(triage: &Triage<'_>, address: u64, file: Option<&str>) -> Vec<PlaceReport> {
    let place = |place: format::Place| PlaceReport {
        file: file.map(str::to_owned),
        part: place.part.to_string(),
        start: place.start.to_string(),
        size: place.size,
        offset: place.offset,
        is_read: place.is_read,
    };
    triage.places(VirtualAddress(address)).into_iter().map(place).collect()
}

fn none(nothing: bool) -> Option<MissingReport> {
    nothing.then(|| missing(Missing::NoBlock.to_string(), &Missing::NoBlock))
}

fn missing(reason: String, why: &Missing) -> MissingReport {
    MissingReport {
        reason,
        level: why.level().map(|level| level.to_string()),
        entry: why.entry().map(|entry| format!("{entry:016x}")),
        frame: why.frame().map(|frame| frame.to_string()),
    }
}

fn walked<'a, P>(
    report: TranslateReport,
    space: &Space<P>,
    address: u64,
) -> Result<TranslateReport, format::Error>
where
    P: PhysicalMemory + Borrow<Pages<'a>>,
{
    let paging = space.paging();
    let walk = space.walk(VirtualAddress(address));
    let report = TranslateReport {
        paging: Some(words(paging).to_owned()),
        root: Some(space.root().to_string()),
        levels: walk.levels.iter().map(|level| of_level(paging, level)).collect(),
        ..report
    };
    match walk.outcome {
        Ok(translation) => ends_at(report, space.memory().borrow(), &translation),
        Err(error) => match Missing::of(&error) {
            Some(why) => {
                Ok(TranslateReport { missing: Some(missing(why.to_string(), &why)), ..report })
            }
            None => Err(format::Error::Io {
                what: "the page tables",
                offset: 0,
                length: paging.entry_size(),
                source: std::io::Error::other(error.to_string()),
            }),
        },
    }
}

fn ends_at(
    report: TranslateReport,
    pages: &Pages<'_>,
    found: &Translation,
) -> Result<TranslateReport, format::Error> {
    let frame = found.physical.frame();
    let offset = pages.offset(frame).map_err(|source| format::Error::Io {
        what: "the index of the pages",
        offset: pages.start(),
        length: memory::PAGE_SIZE,
        source,
    })?;
    let absent = Missing::PageNotInDump { frame };
    Ok(TranslateReport {
        physical: Some(found.physical.to_string()),
        page_size: Some(found.page_size),
        trust: Some(found.trust.to_string()),
        guessed: found.guessed,
        access: found.access.map(access).unwrap_or_default(),
        file_offset: offset.map(|offset| offset + found.physical.page_offset()),
        missing: offset.is_none().then(|| missing(absent.to_string(), &absent)),
        ..report
    })
}

fn access(access: Access) -> Vec<String> {
    let all = [
        (true, "read"),
        (access.writable, "write"),
        (access.executable, "execute"),
        (access.user, "user"),
    ];
    all.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect()
}

fn of_level(paging: Paging, level: &Level) -> LevelReport {
    let at = level.table.0 + u64::from(level.index) * paging.entry_size();
    let flags = entry::flags(paging, level.name, level.entry);
    LevelReport {
        level: level.name.to_string(),
        table: level.table.to_string(),
        index: level.index,
        entry_address: format!("{at:016x}"),
        entry: format!("{:016x}", level.entry),
        flags: flags.into_iter().map(str::to_owned).collect(),
        meaning: level.meaning.to_string(),
    }
}

fn words(paging: Paging) -> &'static str {
    match paging {
        Paging::X64 => "x64, 4 levels",
        Paging::X64FiveLevel => "x64, 5 levels",
        Paging::X86 => "x86, 2 levels",
        Paging::X86Pae => "x86 with PAE, 3 levels",
        Paging::Arm64 => "ARM64, 4 levels",
    }
}
