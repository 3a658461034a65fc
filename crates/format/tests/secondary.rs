//! Facts about what follows the dump proper.

mod common;

use common::{BUILD_TAG, Image, add_blobs, check, full, small_bitmap, small_triage};
use format::{Outcome, Verdict, info};

const TAG: [u8; 16] = [0xAB; 16];

fn build_blob() -> Vec<u8> {
    let mut data = b"Zb\x02\0\x65\x4A\0\xF0\x09\x0E\0\0".to_vec();
    data.resize(40, 0);
    data
}

fn with_blobs() -> Image {
    let mut image = small_bitmap();
    add_blobs(&mut image, &[(TAG, &[], 0), (TAG, &[1; 13], 3), (BUILD_TAG, &build_blob(), 0)]);
    image
}

#[test]
fn blobs_are_listed_and_the_true_build_is_read() {
    for mut image in [small_bitmap(), small_triage().0] {
        add_blobs(&mut image, &[(TAG, &[1; 13], 3), (BUILD_TAG, &build_blob(), 0)]);
        assert_eq!(image.verify().verdict, Verdict::Good, "{:#?}", image.verify());
        let info = info(&image.0).unwrap();
        assert_eq!((info.build, info.true_build), (Some(26100), Some(19045)));
        assert_eq!(info.processor_megahertz, Some(3593));
        let sizes: Vec<_> = info.blobs.iter().map(|blob| blob.size).collect();
        assert_eq!(sizes, [13, 40]);
        assert_eq!(info.blobs[0].tag, "abababab-abab-abab-abab-abababababab");
        assert_eq!(info.blobs[0].meaning, None);
        assert!(info.blobs[1].meaning.is_some());
    }
}

#[test]
fn a_blob_that_is_cut_is_damage_by_so_many_bytes() {
    let mut image = with_blobs();
    let found = image.cut(7).verify();
    assert_eq!((found.verdict, found.missing_bytes), (Verdict::Damaged, Some(7)));
    assert!(found.summary.contains("inside blob 3"), "{}", found.summary);
    // Between two blobs nothing tells a cut from an end: 40 bytes of data and a header of 32.
    assert_eq!(image.cut(40 + 32 - 7).verify().verdict, Verdict::Good);
}

#[test]
fn a_blob_that_claims_too_much_is_damage() {
    let whole = with_blobs();
    let header = small_bitmap().0.len() + 0x10;
    for field in [0x14, 0x18, 0x1C] {
        let mut image = whole.clone();
        let found = image.u32(header + field, u32::MAX).verify();
        assert_eq!(found.verdict, Verdict::Damaged, "{field:#x}");
    }
    let mut image = whole.clone();
    let found = image.u32(header, 0x21).verify();
    assert_eq!(check(&found, "secondary.blobs").outcome, Outcome::Fail);
}

#[test]
fn slack_of_zeros_after_the_blobs_is_a_note() {
    for slack in [5, 0x20, 0x1000] {
        let mut image = with_blobs();
        image.push(&vec![0; slack]);
        let found = image.verify();
        assert_eq!(found.verdict, Verdict::Good, "{found:#?}");
        assert_eq!(check(&found, "secondary.slack").outcome, Outcome::Note);
    }
}

#[test]
fn a_tail_of_zeros_is_a_note_and_one_that_nothing_explains_makes_a_dump_partial() {
    let tails = [(0, "are zero", Verdict::Good), (9, "nothing explains", Verdict::Partial)];
    for (byte, word, verdict) in tails {
        let mut image = small_bitmap();
        image.push(&[byte; 0x300]);
        let found = image.verify();
        assert_eq!(found.verdict, verdict);
        assert!(check(&found, "tail").text.contains(word));
    }
}

#[test]
fn a_full_dump_that_lost_a_run_is_not_called_good() {
    let whole = full(&[(0, 2), (5, 1)]);
    assert_eq!(whole.verify().verdict, Verdict::Good);
    let mut lost = full(&[(0, 2), (5, 1)]);
    let found = lost.u32(0x88, 1).verify();
    assert_eq!(found.verdict, Verdict::Partial, "{found:#?}");
    assert_eq!(check(&found, "runs.pages").found.as_deref(), Some("3"));
    assert_eq!(check(&found, "runs.pages").expected.as_deref(), Some("2"));
}

#[test]
fn more_blobs_than_are_believed_is_damage() {
    let mut image = small_bitmap();
    let blobs = vec![(TAG, [].as_slice(), 0); (1 << 20) + 1];
    add_blobs(&mut image, &blobs);
    let found = image.verify();
    assert_eq!(found.verdict, Verdict::Damaged);
    assert!(found.summary.contains("too many"), "{}", found.summary);
}
