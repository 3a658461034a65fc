//! Dumps that others wrote, converted to every kind and back.

#![allow(clippy::unwrap_used)]

mod write_support;

use format::write::{DumpPages, Error, Kind, Plan};
use format::{Attributes, Dump, Level, Verdict, verify};
use simulator::files::{Blob, FileSpec, Hazard, Machine, Page};
use write_support::*;

const WITH_PAGES: [simulator::files::Kind; 8] = {
    use simulator::files::Kind;
    [
        Kind::Full,
        Kind::Summary,
        Kind::BitmapFull,
        Kind::BitmapKernel,
        Kind::Automatic,
        Kind::KernelRanges,
        Kind::KernelAndUserRanges,
        Kind::CompleteRanges,
    ]
};

fn converted(dump: &[u8], kind: Kind) -> Result<Vec<u8>, Error> {
    let source = DumpPages::open(&dump)?;
    let request = source.request(kind)?;
    written(&source, request)
}

fn made(kind: simulator::files::Kind, machine: Machine) -> FileSpec {
    FileSpec::new(kind, machine)
        .pages(0x2000, 70, Page::Addresses)
        .pages(0x3000, 3, Page::Noise(7))
        .pages(0x4000, 40, Page::Zero)
}

/// The pages as the simulator knows that it wrote them.
fn truth(spec: &FileSpec) -> Pages {
    let file = spec.build();
    let stored = file.truth().stored.iter().filter(|stored| !stored.repeated);
    let frames = stored.flat_map(|stored| stored.first..stored.first + stored.count);
    frames.map(|frame| (frame, file.page(frame).unwrap())).collect()
}

#[test]
fn every_kind_becomes_every_other_and_keeps_its_pages() {
    for from in WITH_PAGES {
        for machine in [Machine::X64, Machine::Arm64, Machine::X86Pae] {
            let spec = made(from, machine);
            let (dump, pages) = (spec.build().bytes(), truth(&spec));
            for kind in KINDS {
                let once = converted(&dump, kind).unwrap();
                assert!(read(&once) == pages, "{from:?} of {machine:?} to {kind:?}");
                let found = verify(&once, Level::Structure);
                assert_eq!(
                    found.verdict,
                    Verdict::Good,
                    "{from:?} {machine:?} {kind:?}: {found:#?}"
                );
                for back in KINDS {
                    let twice = converted(&once, back).unwrap();
                    assert!(read(&twice) == pages, "{from:?} {machine:?} to {kind:?} to {back:?}");
                    // What was converted before is not changed again, but for its kind.
                    assert!(back != kind || twice == once, "{from:?} {machine:?} {kind:?}");
                }
            }
        }
    }
}

#[test]
fn a_machine_whose_pages_have_another_size_is_not_converted() {
    let mut dump = made(simulator::files::Kind::Full, Machine::X64).build().bytes();
    for (value, written) in [(0x8664_u32, true), (0xAA64, true), (0x200, false), (0x1234, false)] {
        dump[0x30..0x34].copy_from_slice(&value.to_le_bytes());
        let answer = converted(&dump, Kind::Bitmap);
        assert_eq!(answer.is_ok(), written, "{value:#x}");
        assert!(written || matches!(answer, Err(Error::Machine(_))), "{value:#x}");
    }
    assert!(matches!(format::write::Head::new(format::Machine::Ia64), Err(Error::Machine(_))));
}

#[test]
fn runs_that_are_not_in_order_are_sorted() {
    let spec =
        made(simulator::files::Kind::CompleteRanges, Machine::X64).with(Hazard::UnsortedRuns);
    let once = converted(&spec.build().bytes(), Kind::Bitmap).unwrap();
    assert!(read(&once) == truth(&spec));
}

#[test]
fn a_page_that_is_in_two_runs_is_the_first_one_s_and_written_once() {
    for from in [simulator::files::Kind::Full, simulator::files::Kind::CompleteRanges] {
        let spec = made(from, Machine::X64).with(Hazard::OverlappingRuns);
        let once = converted(&spec.build().bytes(), Kind::Full).unwrap();
        assert!(read(&once) == truth(&spec), "{from:?}");
        assert_eq!(verify(&once, Level::Structure).verdict, Verdict::Good, "{from:?}");
    }
}

#[test]
fn a_dump_read_by_position_comes_out_like_one_in_memory() {
    let dump = made(simulator::files::Kind::BitmapKernel, Machine::X64).build().bytes();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &dump).unwrap();
    let bytes = format::File::open(file.path()).unwrap();
    let source = DumpPages::open(&bytes).unwrap();
    let once = written(&source, source.request(Kind::Bitmap).unwrap()).unwrap();
    assert!(once == converted(&dump, Kind::Bitmap).unwrap());
}

#[test]
fn pages_that_are_not_aligned_are_aligned_by_a_conversion() {
    let spec = made(simulator::files::Kind::BitmapKernel, Machine::X64)
        .with(Hazard::UnalignedPages)
        .with(Hazard::OtherSignature)
        .with(Hazard::StrayBits);
    let once = converted(&spec.build().bytes(), Kind::KernelBitmap).unwrap();
    assert!(read(&once) == truth(&spec));
    let open = Dump::open(&once).unwrap();
    assert_eq!(open.bitmap().unwrap().first_page_offset() % 4096, 0);
    assert_eq!(&open.bitmap().unwrap().signature(), b"SDMP");
}

#[test]
fn secondary_data_is_carried_over_unchanged() {
    let blobs =
        vec![Blob::new([0x11; 16], b"odd".to_vec()), Blob::padded([0x22; 16], vec![5; 100])];
    let spec = made(simulator::files::Kind::Full, Machine::X64).blobs(blobs);
    let dump = spec.build().bytes();
    let start = Dump::open(&dump).unwrap().blobs().unwrap().unwrap().offset as usize;
    for kind in KINDS {
        let once = converted(&dump, kind).unwrap();
        let found = Dump::open(&once).unwrap().blobs().unwrap().unwrap();
        assert_eq!(once[found.offset as usize..], dump[start..]);
        assert_eq!(found.list.len(), 2);
    }
}

#[test]
fn slack_behind_the_secondary_data_is_left_out() {
    let spec =
        made(simulator::files::Kind::BitmapFull, Machine::X64).with(Hazard::SlackTail(0x3000));
    let dump = spec.build().bytes();
    let once = converted(&dump, Kind::Bitmap).unwrap();
    assert_eq!(once.len(), dump.len() - 0x3000);
}

#[test]
fn a_converted_dump_says_so_and_a_live_one_stays_live() {
    let spec = made(simulator::files::Kind::BitmapKernel, Machine::X64);
    let mut dump = spec.build().bytes();
    for (before, after) in [(0x10_u32, 0x30_u32), (0x2_1800, 0x2_1820), (0x4547_4150, 0x20)] {
        dump[0x1050..0x1054].copy_from_slice(&before.to_le_bytes());
        let once = converted(&dump, Kind::Full).unwrap();
        let attributes = Dump::open(&once).unwrap().header().attributes;
        assert_eq!(attributes, Some(Attributes::from_bits_retain(after)));
    }
}

#[test]
fn a_converted_header_is_the_source_s_but_for_what_has_to_change() {
    let spec = made(simulator::files::Kind::BitmapKernel, Machine::X64);
    let dump = spec.build().bytes();
    let once = converted(&dump, Kind::Bitmap).unwrap();
    let changed: Vec<usize> = (0..0x2000).filter(|at| dump[*at] != once[*at]).collect();
    let may = |at: &usize| {
        // DumpType, RequiredDumpSpace, Attributes.
        (0xF98..0xF9C).contains(at) || (0xFA0..0xFA8).contains(at) || (0x1050..0x1054).contains(at)
    };
    assert!(changed.iter().all(may), "{changed:x?}");
    assert!(Dump::open(&once).unwrap().header().is_simulated());
}

#[test]
fn too_many_runs_for_a_type_1_dump_are_refused_with_their_number() {
    let mut spec = FileSpec::new(simulator::files::Kind::BitmapFull, Machine::X64).bare();
    for n in 0..50 {
        spec = spec.pages(n * 2, 1, Page::Addresses);
    }
    let dump = spec.build().bytes();
    let source = DumpPages::open(&dump).unwrap();
    let refused = Plan::new(&source, source.request(Kind::Full).unwrap()).err();
    assert!(matches!(refused, Some(Error::TooManyRuns { runs: 50, limit: 42 })), "{refused:?}");
    assert!(read(&converted(&dump, Kind::Bitmap).unwrap()) == truth(&spec));
}

#[test]
fn a_dump_without_pages_is_refused() {
    for kind in [simulator::files::Kind::Header, simulator::files::Kind::Triage] {
        let dump = FileSpec::new(kind, Machine::X64).build().bytes();
        assert!(DumpPages::open(&dump).is_err(), "{kind:?}");
    }
}

#[test]
fn an_encrypted_dump_is_never_converted() {
    let spec = made(simulator::files::Kind::BitmapFull, Machine::X64).with(Hazard::Encrypted);
    assert!(DumpPages::open(&spec.build().bytes()).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_sparse_dump_stays_sparse_and_its_holes_are_not_read() {
    use std::os::unix::fs::MetadataExt;

    let spec = FileSpec::new(simulator::files::Kind::Full, Machine::X64)
        .pages(0x10_0000, 4 << 18, Page::Zero)
        .pages(0x40_0000, 64, Page::Noise(3));
    let mut from = tempfile::NamedTempFile::new().unwrap();
    let mut to = tempfile::NamedTempFile::new().unwrap();
    spec.build().write_to(from.as_file_mut()).unwrap();
    let bytes = format::File::open(from.path()).unwrap();
    let source = DumpPages::open(&bytes).unwrap();
    let plan = Plan::new(&source, source.request(Kind::Bitmap).unwrap()).unwrap();
    let done = run(&plan, &source, to.as_file_mut()).unwrap();
    assert!(done.holes > (4 << 30) - (1 << 20), "{}", done.holes);
    let taken = to.as_file().metadata().unwrap().blocks() * 512;
    assert!(taken < 16 << 20, "{taken}");
    let found = verify(&format::File::open(to.path()).unwrap(), Level::Structure);
    assert_eq!(found.verdict, Verdict::Good);
}

#[test]
fn every_made_file_that_is_not_damaged_is_converted_to_one_that_is_not() {
    let mut converted_files = 0;
    for seed in simulator::files::seeds() {
        let bytes = seed.bytes();
        let before = verify(&bytes, Level::Structure);
        let whole = matches!(before.verdict, Verdict::Good | Verdict::Partial);
        let Ok(source) = DumpPages::open(&bytes) else { continue };
        if !whole {
            continue;
        }
        let request = match source.request(Kind::Bitmap) {
            Err(Error::Machine(format::Machine::Ia64)) => continue,
            request => request.unwrap(),
        };
        let once = written(&source, request).unwrap();
        let after = verify(&once, Level::Structure);
        assert_eq!(after.verdict, before.verdict, "{}: {after:#?}", seed.name);
        assert!(read(&once) == read(&bytes), "{}", seed.name);
        converted_files += 1;
    }
    assert!(converted_files > 20, "{converted_files}");
}

/// Takes anything, keeps nothing.
struct Nowhere;

impl format::write::Output for Nowhere {
    fn set_len(&mut self, _: u64) -> std::io::Result<()> {
        Ok(())
    }

    fn write_at(&mut self, _: u64, _: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_bytes_of_a_source_make_the_writer_panic() {
    let mut numbers = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        numbers = numbers.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        (numbers >> 33) as usize % below
    };
    for from in WITH_PAGES {
        let whole = FileSpec::new(from, Machine::X64).bare().pages(3, 5, Page::Addresses);
        let whole = whole.build().bytes();
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..=next(4) {
                // The header's list of runs, and what stands behind the header.
                let at = [0x88 + next(0x40), 0x2000 + next(0x60)][next(2)];
                bytes[at] = [0, 1, 0x7F, 0xFF, next(256) as u8][next(5)];
            }
            let Ok(source) = DumpPages::open(&bytes) else { continue };
            let Ok(request) = source.request(Kind::Bitmap) else { continue };
            if let Ok(plan) = Plan::new(&source, request) {
                let _ = run(&plan, &source, &mut Nowhere);
            }
        }
    }
}
