//! The two serialisers of the project against each other's readers: what the
//! simulator's makes, whatever it is told, we read; what ours writes, the
//! reader of the simulator's tests reads, which knows offsets of its own.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../simulator/tests/files_support/mod.rs"]
mod files_support;
mod write_support;

use files_support::Reader;
use format::write::{DumpPages, Error, Overlay};
use format::{Dump, Level, Verdict, verify};
use memory::{PageFrame, PhysicalAddress, PhysicalMemory, VirtualAddress, VirtualMemory};
use proptest::prelude::*;
use simulator::files::{self, Answer, Blob, DumpFile, FileSpec, Hazard, Machine, Page, Way};
use write_support::{KINDS, PAGE, Pages, written};

/// Hazards that are no damage.
const HARMLESS: [Hazard; 13] = [
    Hazard::FillerFields,
    Hazard::RequiredSpaceBeyond(0x12_3456),
    Hazard::NoDebuggerBlock,
    Hazard::EncodedDebuggerBlock,
    Hazard::DirectoryBaseFlags,
    Hazard::LargePagesWithPat,
    Hazard::PaddingGarbage,
    Hazard::UnsortedRuns,
    Hazard::UnalignedPages,
    Hazard::StrayBits,
    Hazard::OtherSignature,
    Hazard::TrailingRanges,
    Hazard::FrameZero,
];

fn page() -> impl Strategy<Value = Page> {
    prop_oneof![
        Just(Page::Zero),
        Just(Page::Addresses),
        any::<u64>().prop_map(Page::Noise),
        any::<u8>().prop_map(Page::Fill),
    ]
}

fn blob() -> impl Strategy<Value = Blob> {
    let data = prop::collection::vec(any::<u8>(), 0..40);
    (any::<[u8; 16]>(), data, 0_u32..9, 0_u32..9).prop_map(|(tag, data, before, after)| Blob {
        before,
        after,
        ..Blob::new(tag, data)
    })
}

/// A file, and what its specification does not show.
#[derive(Debug)]
struct Told {
    machine: Machine,
    /// The debugger block is not in clear.
    encoded: bool,
    spec: FileSpec,
}

/// Any file of these kinds and machines, with pages near and far, that is no damage.
fn told(kinds: &'static [files::Kind]) -> impl Strategy<Value = Told> {
    let pages = prop::collection::vec((0x2000_u64..0x6000, 1_u64..9, page()), 0..12);
    let hazards = prop::collection::vec(prop::sample::select(&HARMLESS[..]), 0..4);
    let blobs = prop::option::of(prop::collection::vec(blob(), 0..5));
    let shape = (prop::sample::select(kinds), prop::sample::select(&Machine::ALL[..]));
    let parts = (shape, any::<bool>(), pages, hazards, blobs);
    parts.prop_map(|((kind, machine), bare, pages, hazards, blobs)| {
        let hidden = [Hazard::EncodedDebuggerBlock, Hazard::NoDebuggerBlock];
        let encoded = hazards.iter().any(|hazard| hidden.contains(hazard));
        let mut spec = FileSpec::new(kind, machine).pages(9, 2, Page::Addresses);
        if bare {
            spec = spec.bare();
        }
        spec = pages.into_iter().fold(spec, |spec, (at, count, page)| spec.pages(at, count, page));
        spec = hazards.into_iter().fold(spec, FileSpec::with);
        Told { machine, encoded, spec: blobs.into_iter().fold(spec, FileSpec::blobs) }
    })
}

/// What the simulator wrote, by page.
fn truth(made: &DumpFile) -> Pages {
    let stored = made.truth().stored.iter().filter(|stored| !stored.repeated);
    let frames = stored.flat_map(|stored| stored.first..stored.first + stored.count);
    frames.map(|frame| (frame, made.page(frame).unwrap())).collect()
}

fn same_pages(dump: &Dump<'_>, truth: &Pages) {
    let pages = dump.pages().unwrap();
    let mut shown = 0;
    let all = pages.runs(|run| {
        shown += run.pages;
        let there = (run.base..run.base + run.pages).all(|frame| truth.contains_key(&frame));
        assert!(there, "{run:?}");
        true
    });
    all.unwrap();
    assert_eq!(shown, truth.len() as u64);
    let mut read = vec![0; PAGE];
    for (frame, bytes) in truth {
        let address = PageFrame(*frame).address().unwrap();
        pages.read_physical(address, &mut read).unwrap();
        assert!(read == *bytes, "page {frame:#x}");
    }
}

fn same_memory(dump: &Dump<'_>, made: &DumpFile, encoded: bool) {
    let Ok(memory) = dump.kernel_memory() else { return };
    for known in &made.truth().known {
        let Answer::Bytes { bytes, .. } = &known.answer else { continue };
        // Where the copies of a triage dump belong, only a debugger block in clear says.
        if encoded && known.way == Way::Block {
            continue;
        }
        let mut read = vec![0; bytes.len()];
        let address = VirtualAddress(known.virtual_address);
        memory.read_virtual(address, &mut read).unwrap_or_else(|e| panic!("{}: {e}", known.name));
        assert!(read == *bytes, "{}", known.name);
    }
}

fn same_blobs(dump: &Dump<'_>, made: &DumpFile) {
    let found = dump.blobs().unwrap().map(|blobs| blobs.list).unwrap_or_default();
    let found: Vec<_> = found.iter().map(|blob| (blob.tag.0, blob.offset, blob.size)).collect();
    let known = made.truth().blobs.iter().map(|blob| (blob.tag, blob.offset, blob.size));
    assert_eq!(found, known.collect::<Vec<_>>());
}

/// The pages that the other reader finds.
fn found_by(reader: &Reader<'_>) -> Pages {
    let runs = reader.runs().into_iter();
    let pages = runs.flat_map(|(first, count, offset)| {
        (0..count).map(move |page| (first + page, offset as usize + page as usize * PAGE))
    });
    pages.map(|(frame, at)| (frame, reader.file[at..at + PAGE].to_vec())).collect()
}

/// The other reader walks the page tables in what we wrote.
fn same_tables(reader: &Reader<'_>, made: &DumpFile) {
    for known in made.truth().known.iter().filter(|known| known.way == Way::Tables) {
        let Answer::Bytes { bytes, .. } = &known.answer else { continue };
        let read = reader.read(known.virtual_address, bytes.len());
        assert!(read.as_ref() == Some(bytes), "{}", known.name);
    }
}

const WITH_PAGES: &[files::Kind] = &files_support::WITH_PAGES;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_the_simulator_writes_is_read_as_it_was_told(told in told(&files::Kind::ALL)) {
        let made = told.spec.build();
        let bytes = made.bytes();
        let found = verify(&bytes, Level::Structure);
        prop_assert_eq!(found.verdict, Verdict::Good, "{}", found.summary);
        let dump = Dump::open(&bytes).unwrap();
        if !made.truth().stored.is_empty() {
            same_pages(&dump, &truth(&made));
        }
        same_memory(&dump, &made, told.encoded);
        same_blobs(&dump, &made);
    }

    #[test]
    fn what_we_write_is_read_by_another_reader(
        told in told(WITH_PAGES),
        kind in prop::sample::select(&KINDS[..]),
        overlay in prop::option::of((0_u64..0x2000, any::<u8>(), 1_usize..0x1000)),
    ) {
        let made = told.spec.build();
        let (bytes, mut pages) = (made.bytes(), truth(&made));
        let source = DumpPages::open(&bytes).unwrap();
        let mut request = match (told.machine, source.request(kind)) {
            (Machine::Ia64, Err(Error::Machine(_))) => return Ok(()),
            (_, request) => request.unwrap(),
        };
        if let Some((at, byte, length)) = overlay {
            let frame = *pages.keys().last().unwrap();
            let start = (at % 0xFFF) as usize;
            let patch = vec![byte; length.min(PAGE - start)];
            pages.get_mut(&frame).unwrap()[start..start + patch.len()].copy_from_slice(&patch);
            let address = PhysicalAddress(frame * PAGE as u64 + start as u64);
            request.overlays.push(Overlay::memory(address, patch));
        }
        let out = match written(&source, request) {
            Err(Error::TooManyRuns { runs: 43.., .. }) => return Ok(()),
            out => out.unwrap(),
        };
        prop_assert_eq!(verify(&out, Level::Structure).verdict, Verdict::Good);
        let reader = Reader { file: &out, machine: told.machine };
        prop_assert!(found_by(&reader) == pages);
        if overlay.is_none() {
            same_tables(&reader, &made);
        }
    }
}
