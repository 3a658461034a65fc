//! A file that was cut is never called good, of whatever kind and machine. The
//! one thing that cannot be seen is a cut exactly behind the pages or between
//! two blobs: secondary data has neither a count nor an end.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use format::{Level, Verdict, verify};
use simulator::files::{FileSpec, Kind, Machine, Page, Seed, seeds};

/// Where a file ends as a whole one would: behind the dump proper, behind the
/// header of its secondary data, behind a blob.
fn unseen(bytes: &[u8]) -> Vec<usize> {
    let start = bytes.windows(8).rposition(|window| window == b"DumpBlob");
    let Some(start) = start else { return Vec::new() };
    let (mut all, mut at) = (vec![start], start + 0x10);
    while at < bytes.len() {
        all.push(at);
        let word = |field: usize| {
            u32::from_le_bytes(bytes[at + field..at + field + 4].try_into().unwrap()) as usize
        };
        at += 0x20 + word(0x14) + word(0x18) + word(0x1C);
    }
    all
}

fn good(bytes: &[u8]) -> bool {
    verify(&bytes, Level::Structure).verdict == Verdict::Good
}

fn whole() -> impl Iterator<Item = (Seed, Vec<u8>)> {
    // A tail of zeros that is cut is still a tail of zeros.
    let exact = seeds().into_iter().filter(|seed| !seed.name.ends_with("-slack"));
    let made = exact.map(|seed| {
        let bytes = seed.bytes();
        (seed, bytes)
    });
    made.filter(|(_, bytes)| good(bytes))
}

#[test]
fn a_file_of_each_kind_and_machine_cut_at_every_4_kib_is_never_good() {
    let (mut files, mut cuts) = (0, 0);
    for (seed, bytes) in whole() {
        let unseen = unseen(&bytes);
        for length in (0..bytes.len()).step_by(0x1000) {
            if !unseen.contains(&length) {
                assert!(!good(&bytes[..length]), "{} cut at {length:#x}", seed.name);
                cuts += 1;
            }
        }
        files += 1;
    }
    // Every kind of every machine, and some hazards that are no damage.
    assert!(files > Kind::ALL.len() * Machine::ALL.len() && cuts > 1000, "{files} {cuts}");
}

#[test]
fn a_file_cut_at_any_byte_near_its_end_is_never_good() {
    for (seed, bytes) in whole() {
        let unseen = unseen(&bytes);
        for length in bytes.len() - 0x200..bytes.len() {
            let seen = !unseen.contains(&length);
            assert!(!(seen && good(&bytes[..length])), "{} cut at {length:#x}", seed.name);
        }
    }
}

#[test]
fn no_cut_into_the_pages_of_a_large_file_is_good() {
    for kind in [Kind::Full, Kind::BitmapKernel, Kind::CompleteRanges] {
        let spec = FileSpec::new(kind, Machine::X64).bare().blobs(Vec::new());
        let bytes = spec.pages(5, 2, Page::Fill(1)).pages(0x500, 40, Page::Zero).build().bytes();
        assert!(good(&bytes), "{kind:?}");
        for missing in [1, 8, 0xFFF, 0x1000, 0x1001, 0x5000] {
            let found = verify(&&bytes[..bytes.len() - missing], Level::Structure);
            assert_eq!(found.verdict, Verdict::Damaged, "{kind:?}");
            assert_eq!(found.missing_bytes, Some(missing as u64), "{kind:?}");
        }
    }
}
