//! Every kind, machine and hazard of the simulator's files, which know what
//! they hold, against what we read in them.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use format::{Dump, Error, File, Level, Verdict, verify};
use memory::{PageFrame, PhysicalMemory, VirtualAddress, VirtualMemory};
use simulator::files::{FileSpec, Hazard, Kind, Machine, Page, Truth, seeds};

/// What the structure level has to say of a seed, by what is special about it.
fn verdict(name: &str) -> Verdict {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    match name {
        _ if ends(&["-encrypted"]) => Verdict::Encrypted,
        "ranges-a-x64-count" | "full-x64-filler-block" => Verdict::Damaged,
        "full-x64-count" => Verdict::Good,
        _ if ends(&["-count", "-short", "-overlapping", "-wrapping", "-no-end"])
            && !name.starts_with("triage") =>
        {
            Verdict::Damaged
        }
        _ if ends(&["-wrapping", "-no-end"]) => Verdict::Damaged,
        _ if ends(&["-conflicting"]) => Verdict::Partial,
        _ => Verdict::Good,
    }
}

#[test]
fn each_seed_gets_the_verdict_that_it_deserves() {
    let mut wrong = Vec::new();
    for seed in seeds() {
        let found = verify(&seed.bytes(), Level::Structure);
        if found.verdict != verdict(&seed.name) {
            wrong.push(format!("{}: {}", seed.name, found.summary));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_file_of_any_kind_cut_at_any_page_is_never_called_good() {
    for kind in Kind::ALL {
        for machine in [Machine::X64, Machine::X86Pae] {
            let bytes = FileSpec::new(kind, machine).build().bytes();
            let whole = verify(&bytes, Level::Structure);
            assert_eq!(whole.verdict, Verdict::Good, "{kind:?} {machine:?}: {}", whole.summary);
            // Behind the pages, or behind any blob, a dump may end: that is documented.
            let dump = Dump::open(&bytes).unwrap();
            let pages_end = dump.body_end().unwrap() as usize;
            for cut in (0..bytes.len()).step_by(4096).filter(|cut| *cut != pages_end) {
                let found = verify(&bytes[..cut].to_vec(), Level::Structure);
                let fine = matches!(found.verdict, Verdict::Good);
                assert!(!fine, "{kind:?} {machine:?} cut at {cut:#x}: {}", found.summary);
            }
        }
    }
}

/// Opens the file mapped and by position.
fn both_ways(bytes: &[u8], see: impl Fn(&Dump<'_>)) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    for file in [File::open(file.path()).unwrap(), File::open_mapped(file.path()).unwrap()] {
        see(&Dump::open(&file).unwrap());
    }
}

#[test]
fn every_stored_page_is_read_at_its_address_and_no_other_is() {
    for seed in seeds().iter().filter(|seed| {
        !seed.spec.build().truth().stored.is_empty() && seed.name != "full-x64-filler-block"
    }) {
        let made = seed.spec.build();
        both_ways(&made.bytes(), |dump| {
            let pages = dump.pages().unwrap();
            let (mut page, mut stored) = ([0; 4096], 0);
            let last = made.truth().stored.iter().map(|run| run.first + run.count).max().unwrap();
            for frame in 0..last + 70 {
                let address = PageFrame(frame).address().unwrap();
                let read = pages.read_physical(address, &mut page);
                assert_eq!(
                    read.is_ok(),
                    made.offset_of(frame).is_some(),
                    "{} {frame:#x}",
                    seed.name
                );
                if let Some(expected) = made.page(frame) {
                    stored += 1;
                    assert!(page == *expected, "{} page {frame:#x}", seed.name);
                    assert!(pages.page(PageFrame(frame)).is_none_or(|page| page == &*expected));
                }
            }
            let mut shown = 0;
            pages
                .runs(|run| {
                    shown += run.pages;
                    assert_eq!(made.offset_of(run.base), Some(run.offset));
                    assert_eq!(
                        made.offset_of(run.base + run.pages - 1),
                        Some(run.offset + (run.pages - 1) * 4096)
                    );
                    true
                })
                .unwrap();
            assert_eq!(shown, stored, "{}", seed.name);
        });
    }
}

#[test]
fn pages_that_are_encrypted_or_not_there_in_full_are_never_mapped() {
    for kind in [Kind::BitmapFull, Kind::BitmapKernel, Kind::Summary] {
        for hazard in [Hazard::Encrypted, Hazard::ShortPages] {
            let bytes = FileSpec::new(kind, Machine::X64).with(hazard).build().bytes();
            let error = Dump::open(&bytes).unwrap().pages().err().unwrap();
            let said = matches!(
                (hazard, &error),
                (Hazard::Encrypted, Error::Encrypted)
                    | (Hazard::ShortPages, Error::PagesShort { .. })
            );
            assert!(said, "{kind:?} {hazard:?}: {error}");
        }
    }
}

#[test]
fn a_bitmap_dump_that_was_cut_keeps_the_pages_that_are_left() {
    let made =
        FileSpec::new(Kind::BitmapFull, Machine::X64).pages(0x3000, 8, Page::Fill(7)).build();
    let mut bytes = made.bytes();
    bytes.truncate(made.offset_of(0x3004).unwrap() as usize);
    let dump = Dump::open(&bytes).unwrap();
    let pages = dump.pages().unwrap();
    assert!(pages.page(PageFrame(0x3003)).is_some_and(|page| page[0] == 7));
    assert!(pages.page(PageFrame(0x3004)).is_none());
}

fn with_triage(see: impl Fn(&str, &Dump<'_>, &Truth)) {
    let triage = |name: &str| name.starts_with("triage") && !name.ends_with("-encrypted");
    for seed in seeds().iter().filter(|seed| triage(&seed.name)) {
        let made = seed.spec.build();
        let bytes = made.bytes();
        see(&seed.name, &Dump::open(&bytes).unwrap(), made.truth());
    }
}

#[test]
fn what_a_triage_dump_lists_is_read_as_it_was_written() {
    with_triage(|name, dump, truth| {
        let triage = dump.triage().unwrap();
        let drivers: Vec<_> = triage.drivers().map(|d| d.unwrap().name.unwrap()).collect();
        assert_eq!(drivers, truth.drivers, "{name}");
        let unloaded: Vec<_> =
            triage.unloaded_drivers().unwrap().into_iter().map(|d| d.name).collect();
        assert_eq!(unloaded, truth.unloaded, "{name}");
        let blobs: Vec<_> = dump.blobs().unwrap().map(|b| b.list).unwrap_or_default();
        let blobs: Vec<_> = blobs.iter().map(|b| (b.tag.0, b.offset, b.size)).collect();
        let known: Vec<_> = truth.blobs.iter().map(|b| (b.tag, b.offset, b.size)).collect();
        assert_eq!(blobs, known, "{name}");
    });
}

#[test]
fn a_triage_dump_is_read_by_virtual_address() {
    with_triage(|name, dump, truth| {
        let triage = dump.triage().unwrap();
        if let Some((top, stack)) = &truth.call_stack {
            let mut read = vec![0; stack.len()];
            triage.read_virtual(VirtualAddress(*top), &mut read).unwrap();
            assert!(read == *stack, "{name}");
        }
        for known in &truth.known {
            let simulator::files::Answer::Bytes { bytes, .. } = &known.answer else { continue };
            // Where the copies of structures belong, only a debugger block in clear says.
            if name.ends_with("encoded-kdbg")
                && ["processor", "thread", "process"].contains(&known.name)
            {
                continue;
            }
            let mut read = vec![0; bytes.len()];
            let address = VirtualAddress(known.virtual_address);
            triage
                .read_virtual(address, &mut read)
                .unwrap_or_else(|e| panic!("{name} {}: {e}", known.name));
            assert!(read == *bytes, "{name} {}", known.name);
        }
    });
}
