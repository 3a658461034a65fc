//! Virtual memory of every machine, and the deep level, against the
//! simulator's files, which know what is where.
// Helpers of tests may unwrap as tests do, and say what failed.
#![allow(clippy::unwrap_used, clippy::panic)]

use format::{Check, Dump, Error, Level, Outcome, Verdict, Verification, verify};
use memory::{Paging, ReadError, TranslateError, VirtualAddress, VirtualMemory};
use simulator::files::{Answer, FileSpec, Hazard, Kind, Known, Machine, seeds};

const MACHINES: [Machine; 5] =
    [Machine::X64, Machine::X64FiveLevels, Machine::Arm64, Machine::X86Pae, Machine::X86];

const WITH_PAGES: [Kind; 8] = [
    Kind::Full,
    Kind::Summary,
    Kind::BitmapFull,
    Kind::BitmapKernel,
    Kind::Automatic,
    Kind::KernelRanges,
    Kind::KernelAndUserRanges,
    Kind::CompleteRanges,
];

fn holds(known: &Known, read: &Result<(), ReadError>, found: &[u8]) -> bool {
    match (&known.answer, read) {
        (Answer::Bytes { bytes, .. }, Ok(())) => found == bytes,
        (Answer::PageNotInFile { physical }, Err(ReadError::PageAbsent { physical: p, .. })) => {
            p.0 == *physical
        }
        (
            Answer::TableNotInFile { frame, .. },
            Err(ReadError::Untranslated {
                source: TranslateError::NotInDump { frame: f, .. }, ..
            }),
        ) => f.0 == *frame,
        (
            Answer::NotMapped { .. },
            Err(ReadError::Untranslated { source: TranslateError::NotPresent { .. }, .. }),
        ) => true,
        _ => false,
    }
}

#[test]
fn what_every_machine_maps_is_read_from_every_kind_and_each_miss_says_why() {
    for machine in MACHINES {
        for kind in WITH_PAGES {
            let made = FileSpec::new(kind, machine).build();
            let bytes = made.bytes();
            let space = Dump::open(&bytes).unwrap().space().unwrap();
            assert!(made.truth().known.len() > 3);
            for known in &made.truth().known {
                let length = match &known.answer {
                    Answer::Bytes { bytes, .. } => bytes.len(),
                    _ => 1,
                };
                let mut found = vec![0; length];
                let read = space.read_virtual(VirtualAddress(known.virtual_address), &mut found);
                assert!(
                    holds(known, &read, &found),
                    "{kind:?} {machine:?} {}: {read:?}",
                    known.name
                );
            }
        }
    }
}

#[test]
fn five_levels_are_found_by_what_they_lead_to() {
    let paging = |machine, hazard: Option<Hazard>| {
        let spec = FileSpec::new(Kind::BitmapKernel, machine);
        let spec = hazard.into_iter().fold(spec, FileSpec::with);
        let bytes = spec.build().bytes();
        Dump::open(&bytes).unwrap().space().unwrap().paging()
    };
    assert_eq!(paging(Machine::X64, None), Paging::X64);
    assert_eq!(paging(Machine::X64FiveLevels, None), Paging::X64FiveLevel);
    let encoded = Some(Hazard::EncodedDebuggerBlock);
    assert_eq!(paging(Machine::X64FiveLevels, encoded), Paging::X64FiveLevel);
    assert_eq!(paging(Machine::X86, None), Paging::X86);
    assert_eq!(paging(Machine::X86Pae, None), Paging::X86Pae);
}

#[test]
fn machines_without_known_page_tables_have_a_header_and_no_more() {
    use simulator::files::Page;
    for machine in [Machine::Arm32, Machine::Ia64] {
        let made = FileSpec::new(Kind::BitmapFull, machine).pages(1, 4, Page::Addresses).build();
        let bytes = made.bytes();
        let dump = Dump::open(&bytes).unwrap();
        assert!(matches!(dump.space(), Err(Error::NoTranslation { .. })));
        assert_eq!(dump.pages().unwrap().count(), 4);
        assert_eq!(verify(&bytes, Level::Deep).verdict, Verdict::Good);
    }
}

fn check<'v>(found: &'v Verification, name: &str) -> &'v Check {
    let check = found.checks.iter().find(|check| check.name == name);
    check.unwrap_or_else(|| panic!("{name} in {found:#?}"))
}

#[test]
fn a_whole_dump_is_good_at_every_level_and_its_pages_have_a_sum() {
    for machine in MACHINES {
        for kind in Kind::ALL {
            let bytes = FileSpec::new(kind, machine).build().bytes();
            let found = verify(&bytes, Level::Deep);
            assert_eq!(found.verdict, Verdict::Good, "{kind:?} {machine:?}: {found:#?}");
            if kind != Kind::Header {
                assert!(check(&found, "memory.sum").found.as_ref().unwrap().starts_with("CRC-32"));
                assert_eq!(check(&found, "kernel.debugger_block").outcome, Outcome::Pass);
                assert_eq!(check(&found, "kernel.PsLoadedModuleList").outcome, Outcome::Pass);
            }
            if WITH_PAGES.contains(&kind) {
                let base = check(&found, "kernel.base");
                assert_eq!(base.outcome, Outcome::Pass, "{kind:?} {machine:?}: {base}");
            }
        }
    }
}

#[test]
fn an_encoded_or_missing_debugger_block_is_no_fault() {
    for hazard in [Hazard::EncodedDebuggerBlock, Hazard::NoDebuggerBlock] {
        let bytes = FileSpec::new(Kind::BitmapKernel, Machine::X64).with(hazard).build().bytes();
        let found = verify(&bytes, Level::Deep);
        assert_eq!(found.verdict, Verdict::Good, "{found:#?}");
        assert_eq!(check(&found, "kernel.debugger_block").outcome, Outcome::Note);
    }
}

#[test]
fn a_header_and_a_debugger_block_that_disagree_are_damage() {
    let mut bytes = FileSpec::new(Kind::BitmapKernel, Machine::X64).build().bytes();
    bytes[0x28] ^= 0x10;
    assert_eq!(verify(&bytes, Level::Structure).verdict, Verdict::Good);
    let found = verify(&bytes, Level::Deep);
    assert_eq!(found.verdict, Verdict::Damaged);
    assert_eq!(check(&found, "kernel.PsActiveProcessHead").outcome, Outcome::Fail);
}

#[test]
fn a_kernel_that_is_no_image_is_not_called_good() {
    let made = FileSpec::new(Kind::Full, Machine::X64).build();
    let mut bytes = made.bytes();
    let base = VirtualAddress(made.truth().kernel_base);
    let physical = Dump::open(&bytes).unwrap().space().unwrap().physical(base).unwrap();
    let offset = made.offset_of(physical.frame().0).unwrap() as usize;
    bytes[offset] = b'X';
    let found = verify(&bytes, Level::Deep);
    assert_eq!(check(&found, "kernel.base").outcome, Outcome::Warn);
    assert_eq!(found.verdict, Verdict::Partial);
}

#[test]
fn the_sum_changes_with_a_bit_of_any_page() {
    let made = FileSpec::new(Kind::Full, Machine::X64).build();
    let mut bytes = made.bytes();
    let sum = |bytes: &Vec<u8>| check(&verify(bytes, Level::Deep), "memory.sum").found.clone();
    let before = sum(&bytes);
    let last = made.truth().stored.last().unwrap();
    bytes[(last.offset + last.count * 4096) as usize - 1] ^= 1;
    assert_ne!(sum(&bytes), before);
}

#[test]
fn no_seed_is_better_looked_at_closely_than_from_afar() {
    for seed in seeds() {
        let bytes = seed.bytes();
        let near = verify(&bytes, Level::Deep).verdict;
        let far = verify(&bytes, Level::Structure).verdict;
        assert!(near >= far, "{}: {near} {far}", seed.name);
    }
}
