//! What a file claims costs no memory and no time. Every test takes the lock
//! before it makes anything, because memory is counted for the whole process.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Seek, SeekFrom, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{Image, add_blobs, full, header64, small_bitmap, small_triage};
use format::{Dump, File, Level, MAX_BLOCKS, MAX_RANGES, Verdict, Verification, info, verify};
use memory::{PageFrame, VirtualAddress, VirtualMemory};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

static LOCK: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file of these pieces, mapped so that its own bytes are not counted, and
/// the same read by position; then everything is done with it under the limit.
fn looked_at(length: u64, pieces: &[(u64, &[u8])], see: impl Fn(&Dump<'_>)) -> Verification {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (offset, bytes) in pieces {
        file.seek(SeekFrom::Start(*offset)).unwrap();
        file.write_all(bytes).unwrap();
    }
    file.as_file().set_len(length).unwrap();
    let mut verdicts = Vec::new();
    for file in [File::open(file.path()).unwrap(), File::open_mapped(file.path()).unwrap()] {
        let before = ALLOCATED.current_usage();
        ALLOCATED.reset_peak_usage();
        verdicts.push(verify(&file, Level::Deep));
        let _ = info(&file);
        if let Ok(dump) = Dump::open(&file) {
            see(&dump);
        }
        let peak = ALLOCATED.peak_usage() - before;
        assert!(peak < 64 << 20, "{peak} bytes of memory");
    }
    assert_eq!(verdicts[0].verdict, verdicts[1].verdict);
    verdicts.remove(0)
}

fn image(image: &Image, see: impl Fn(&Dump<'_>)) -> Verification {
    looked_at(image.0.len() as u64, &[(0, &image.0)], see)
}

#[test]
fn eight_kib_that_claim_all_pages_there_can_be() {
    let _alone = alone();
    let mut claims = full(&[(0, 1)]);
    claims.u64(0x98, 0).u64(0xA0, 1 << 40).u64(0x90, 1 << 40).0.truncate(0x2000);
    let found = image(&claims, |dump| {
        assert!(dump.pages().unwrap().page(PageFrame(5)).is_none());
    });
    assert_eq!(found.verdict, Verdict::Damaged);
    assert_eq!(found.missing_bytes, Some(1 << 52));
}

#[test]
fn bitmaps_of_more_bits_than_the_file_has() {
    let _alone = alone();
    for bits in [1_u64 << 60, u64::MAX, 1 << 36, 0x1_0000] {
        let mut claims = small_bitmap();
        claims.u64(0x2030, bits);
        assert_eq!(image(&claims, |_| {}).verdict, Verdict::Damaged, "{bits:#x}");
    }
}

#[test]
fn a_bitmap_of_four_tib_takes_a_64th_of_itself() {
    let _alone = alone();
    let (bits, first) = (1_u64 << 30, 0x2038 + (1_u64 << 27));
    let mut header = header64(6);
    header.put(0x2000, b"SDMPDUMP").put(0x2008, &[0; 0x18]);
    header.u64(0x2020, first).u64(0x2028, 2).u64(0x2030, bits);
    let length = first + 2 * 0x1000;
    let pieces: [(u64, &[u8]); 3] =
        [(0, &header.0), (0x2038, &[2]), (0x2038 + (1 << 27) - 1, &[0x80])];
    let found = looked_at(length, &pieces, |dump| {
        let pages = dump.pages().unwrap();
        let at = |frame| pages.offset(PageFrame(frame)).unwrap();
        assert_eq!((at(0), at(1), at(2)), (None, Some(first), None));
        assert_eq!((at(bits - 1), at(bits)), (Some(first + 0x1000), None));
    });
    assert_ne!(found.verdict, Verdict::Damaged, "{}", found.summary);
}

/// Blocks that all overlap, each a byte further on.
fn blocks(count: u32) -> (Image, Vec<u8>) {
    let (mut head, _) = small_triage();
    let table = head.0.len().next_multiple_of(16);
    head.u32(0x2078, table as u32).u32(0x207C, count);
    let end = (table as u64 + u64::from(count) * 16) as u32;
    head.u32(0x2004, end + 4).u32(0x2008, end);
    let mut bytes = Vec::with_capacity(count as usize * 16 + 4);
    for number in (0..count).rev() {
        bytes.extend((0xFFFF_8500_0000_0000_u64 + u64::from(number) * 3).to_le_bytes());
        bytes.extend(0x2080_u32.to_le_bytes());
        bytes.extend(0x1000_u32.to_le_bytes());
    }
    bytes.extend(b"TRGD");
    head.0.resize(table, 0);
    (head, bytes)
}

#[test]
fn a_million_blocks_that_overlap_are_read_and_one_more_is_too_many() {
    let _alone = alone();
    let (head, table) = blocks(MAX_BLOCKS);
    let length = (head.0.len() + table.len()) as u64;
    let found = looked_at(length, &[(0, &head.0), (head.0.len() as u64, &table)], |dump| {
        let triage = dump.triage().unwrap();
        triage.read_virtual(VirtualAddress(0xFFFF_8500_0000_0100), &mut [0; 64]).unwrap();
    });
    assert!(!found.summary.contains("too many"), "{}", found.summary);
    let (head, table) = blocks(MAX_BLOCKS + 1);
    let length = (head.0.len() + table.len()) as u64;
    let found = looked_at(length, &[(0, &head.0), (head.0.len() as u64, &table)], |_| {});
    assert!(found.summary.starts_with("damaged: too many data blocks"), "{}", found.summary);
}

/// Ranges of two pages that overlap by one.
fn ranges(count: u64) -> (Image, Vec<u8>) {
    let mut head = header64(9);
    let first = (0x2030 + count * 16).next_multiple_of(0x1000);
    head.put(0x2000, b"\x40\0\0\0RDMPDUMP\0\0\0\0").u64(0x2010, first - 0x2020);
    head.u64(0x2018, first).u64(0x2020, 0).u64(0x2028, 0);
    let mut list = Vec::with_capacity(count as usize * 16);
    for number in (1..=count).rev() {
        list.extend(number.to_le_bytes());
        list.extend(2_u64.to_le_bytes());
    }
    (head, list)
}

#[test]
fn a_million_ranges_that_overlap_are_read_and_one_more_is_too_many() {
    let _alone = alone();
    let (head, list) = ranges(MAX_RANGES);
    let length = 0x2030 + list.len() as u64 + 0x10_0000;
    looked_at(length, &[(0, &head.0), (0x2030, &list)], |dump| {
        let pages = dump.pages().unwrap();
        assert_eq!(pages.repeated(), MAX_RANGES - 1);
        let last = pages.offset(PageFrame(MAX_RANGES)).unwrap();
        assert_eq!(last, Some(pages.start()));
        // What `convert` does while it holds them.
        assert!(dump.runs().unwrap().overlap().is_some());
    });
    let (head, list) = ranges(MAX_RANGES + 1);
    let length = 0x2030 + list.len() as u64 + 0x10_0000;
    let found = looked_at(length, &[(0, &head.0), (0x2030, &list)], |_| {});
    assert!(found.summary.starts_with("damaged: too many ranges"), "{}", found.summary);
}

#[test]
fn a_count_times_a_size_that_overflows_is_damage() {
    let _alone = alone();
    for (field, value) in [(0x207C, u32::MAX), (0x2034, u32::MAX), (0x207C, 1 << 28)] {
        let (mut claims, _) = small_triage();
        claims.u32(field, value);
        assert_eq!(image(&claims, |_| {}).verdict, Verdict::Damaged, "{field:#x}");
    }
}

#[test]
fn blobs_without_data_end_with_the_file_and_with_the_limit() {
    let _alone = alone();
    let mut some = small_bitmap();
    add_blobs(&mut some, &vec![([7; 16], [].as_slice(), 0); 70_000]);
    let found = image(&some, |dump| {
        let blobs = dump.blobs().unwrap().unwrap();
        assert_eq!((blobs.count, blobs.list.len()), (70_000, format::LISTED_BLOBS));
    });
    assert_ne!(found.verdict, Verdict::Damaged, "{}", found.summary);
}

/// A type 1 dump of one page, at frame 1, that is every table of its own page
/// tables: all of memory is mapped, to itself.
fn mapped_to_itself(machine: u32, entry: u64) -> Image {
    let mut looped = full(&[(1, 1)]);
    looped.u32(0x30, machine).u64(0x10, 0x1000).u64(0x20, 0xFFFF_F800_0000_2000);
    for at in (0..0x1000).step_by(8) {
        looped.u64(0x2000 + at, entry);
    }
    looped
}

#[test]
fn page_tables_and_lists_that_lead_back_to_themselves_end() {
    let _alone = alone();
    // x64 and ARM64; then an entry of Windows that names a prototype, itself.
    for (machine, entry) in [(0x8664, 0x1063), (0xAA64, 0x1703), (0x8664, 0xFFFF_F800_0000_0401)] {
        let looped = mapped_to_itself(machine, entry);
        image(&looped, |dump| {
            let space = dump.space().unwrap();
            let walk = space.walk(VirtualAddress(0xFFFF_F800_0000_2000));
            assert!(walk.levels.len() <= 6, "{walk:?}");
            let mut extents = 0;
            let told = dump.virtual_extents(&space, VirtualAddress(0), 1 << 30, |_| {
                extents += 1;
                extents < 1000
            });
            told.unwrap();
            let _ = space.read_virtual(VirtualAddress(0xFFFF_F800_0000_0FFC), &mut [0; 0x3000]);
        });
    }
}

#[test]
fn a_prototype_that_names_itself_is_followed_once() {
    let _alone = alone();
    let mut looped = mapped_to_itself(0x8664, 0x1063);
    // The table's first entry: not valid, and its prototype stands where it does.
    looped.u64(0x2000, 0xF800_0000_0000_0400);
    image(&looped, |dump| {
        let space = dump.space().unwrap();
        let walk = space.walk(VirtualAddress(0xFFFF_F808_0020_1000));
        assert!(walk.levels.len() <= 6, "{walk:?}");
        assert!(space.read_virtual(VirtualAddress(0), &mut [0; 8]).is_err());
    });
}

#[test]
fn an_empty_file_and_tiny_ones_are_named() {
    let _alone = alone();
    for length in [0, 1, 7, 8, 0xFFF, 0x1000, 0x1FFF] {
        let mut bytes = header64(6).0;
        bytes.truncate(length);
        let found = image(&Image(bytes), |_| {});
        assert_eq!(found.verdict, Verdict::Unusable, "{length:#x}");
    }
}
