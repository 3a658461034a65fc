//! Facts about dumps with physical pages: types 6 and 1.

mod common;

use common::{bitmap, check, full, header64, small_bitmap};
use format::{Bytes, Outcome, Verdict, info};

#[test]
fn a_whole_bitmap_dump_is_good() {
    let found = small_bitmap().verify();
    assert_eq!(found.verdict, Verdict::Good, "{found:#?}");
    assert_eq!(found.summary, "good: a kernel bitmap dump of 28672 bytes");
}

#[test]
fn info_counts_the_stored_pages() {
    let info = info(&small_bitmap().0).unwrap();
    assert_eq!((info.pages, info.bytes_stored), (Some(4), Some(0x4000)));
    assert!(info.live && !info.partial);
}

#[test]
fn a_cut_file_says_by_how_much() {
    let found = small_bitmap().cut(0x1800).verify();
    assert_eq!(found.verdict, Verdict::Damaged);
    assert_eq!(found.missing_bytes, Some(0x1800));
    assert!(found.summary.contains("2 of 4 pages are missing"), "{}", found.summary);
}

#[test]
fn no_cut_is_ever_called_good() {
    for whole in [small_bitmap(), full(&[(1, 2), (0x100, 3)])] {
        for length in (0..whole.0.len()).step_by(0x100) {
            let mut cut = whole.clone();
            cut.0.truncate(length);
            assert_ne!(cut.verify().verdict, Verdict::Good, "cut at {length:#x}");
        }
    }
}

#[test]
fn a_page_count_that_is_not_the_bits_is_damage_with_both_numbers() {
    let mut image = small_bitmap();
    let found = image.u64(0x2028, 5).verify();
    assert_eq!(found.verdict, Verdict::Damaged);
    let check = check(&found, "bitmap.pages");
    assert_eq!((check.outcome, check.offset), (Outcome::Fail, Some(0x2028)));
    assert_eq!(check.expected.as_deref(), Some("4 (bits set)"));
    assert_eq!(check.found.as_deref(), Some("5"));
}

#[test]
fn pages_need_not_be_aligned_and_bits_behind_the_bitmap_do_not_count() {
    let mut image = bitmap(&[0b101, 0b11], 10, 0x203A);
    assert_eq!(image.verify().verdict, Verdict::Good);
    image.put(0x2039, &[0b1111_1111]);
    assert_eq!(image.verify().verdict, Verdict::Good);
    image.put(0x2038, &[0b111]);
    assert_eq!(image.verify().verdict, Verdict::Damaged);
}

#[test]
fn pages_that_begin_inside_the_bitmap_are_damage() {
    let mut image = small_bitmap();
    let found = image.u64(0x2020, 0x203F).verify();
    assert_eq!(check(&found, "bitmap.first_page").outcome, Outcome::Fail);
}

#[test]
fn claims_that_no_file_can_keep_are_damage() {
    for (offset, value) in [
        (0x2030, 1 << 60),
        (0x2030, u64::MAX),
        (0x2030, 1 << 36),
        (0x2028, 1 << 40),
        (0x2020, u64::MAX),
        (0x2020, u64::MAX - 0x1000),
    ] {
        let mut image = small_bitmap();
        let found = image.u64(offset, value).verify();
        assert_eq!(found.verdict, Verdict::Damaged, "{value:#x} at {offset:#x}");
        assert!(info(&image.0).is_ok());
    }
}

#[test]
fn a_bitmap_header_of_another_kind_is_damage() {
    let mut image = small_bitmap();
    assert_eq!(image.put(0x2000, b"FDMP").verify().verdict, Verdict::Good);
    let found = image.put(0x2000, b"XDMP").verify();
    assert_eq!(check(&found, "bitmap.header").found.as_deref(), Some("XDMPDUMP"));
}

/// A terabyte of memory: 32 MiB of bitmap, of which `set` lists the bytes that are not 0.
struct Terabyte {
    head: Vec<u8>,
    set: Vec<u64>,
    length: u64,
}

impl Terabyte {
    fn new(set: Vec<u64>) -> Self {
        let mut image = header64(6);
        let first = 0x2038 + (32 << 20);
        image.put(0x2000, b"SDMPDUMP").put(0x2008, &[0; 0x18]);
        image.u64(0x2020, first).u64(0x2028, set.len() as u64).u64(0x2030, 1 << 28);
        Self { length: first + set.len() as u64 * 0x1000, head: image.0, set }
    }
}

impl Bytes for Terabyte {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = (self.length.saturating_sub(offset) as usize).min(buffer.len());
        assert!(length <= 1 << 20, "reads stay small however large the bitmap is");
        buffer[..length].fill(0);
        self.head.read_at(offset, &mut buffer[..length])?;
        for at in &self.set {
            if let Some(at) = (0x2038 + at).checked_sub(offset).filter(|at| *at < length as u64) {
                buffer[at as usize] = 0x10;
            }
        }
        Ok(length)
    }
}

#[test]
fn a_large_bitmap_is_counted_in_small_reads() {
    let window = 256 * 1024;
    let set = vec![0, 7, window - 1, window, 5 * window - 1, (32 << 20) - 1];
    let file = Terabyte::new(set);
    let found = format::verify(&file, format::Level::Structure);
    assert_eq!(found.verdict, Verdict::Good, "{found:#?}");
    assert_eq!(info(&file).unwrap().pages, Some(6));
}

#[test]
fn a_whole_dump_of_runs_is_good_and_43_runs_are_read() {
    let runs: Vec<_> = (0..43).map(|run| (run * 0x10, 1)).collect();
    let image = full(&runs);
    assert_eq!(image.verify().verdict, Verdict::Good, "{:#?}", image.verify());
    assert_eq!(info(&image.0).unwrap().pages, Some(43));
}

#[test]
fn runs_that_cannot_be_are_damage() {
    assert_eq!(full(&[(1, 2), (2, 2)]).verify().verdict, Verdict::Damaged);
    let mut many = full(&[(1, 2)]);
    assert_eq!(many.u32(0x88, 44).verify().verdict, Verdict::Damaged);
    assert_eq!(many.u32(0x88, 0).verify().verdict, Verdict::Damaged);
    for (base, pages) in [(u64::MAX, 2), (1, u64::MAX), (1 << 40, 1), (0, 1 << 52)] {
        let mut image = full(&[(1, 2)]);
        let found = image.u64(0x98, base).u64(0xA0, pages).verify();
        assert_eq!(found.verdict, Verdict::Damaged, "{base:#x} {pages:#x}");
    }
}
