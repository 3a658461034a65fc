//! Streaming all pages with a checksum.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::thread;

use format::{Bytes, Dump, Pages};
use memory::PageFrame;

use crate::table::{Row, print, rate, times};
use crate::timing::{ROUNDS, in_turn, timed};
use crate::{made, rival};

/// CRC-32 of the pages with these numbers, as far as there are such.
fn part(pages: &Pages<'_>, from: u64, to: u64) -> crc32fast::Hasher {
    let mut sum = crc32fast::Hasher::new();
    let shown = pages.runs(|run| {
        for frame in run.base.max(from)..(run.base + run.pages).min(to) {
            sum.update(pages.page(PageFrame(frame)).unwrap());
        }
        run.base < to
    });
    shown.unwrap();
    sum
}

fn stream(pages: &Pages<'_>) -> u32 {
    part(pages, 0, pages.frames()).finalize()
}

/// The same on two threads.
fn stream_on_two(pages: &Pages<'_>) -> u32 {
    let half = pages.frames() / 2;
    thread::scope(|scope| {
        let second = scope.spawn(move || part(pages, half, pages.frames()));
        let mut sum = part(pages, 0, half);
        sum.combine(&second.join().unwrap());
        sum.finalize()
    })
}

/// The page cache's own rate: read(2) and nothing else, on so many threads.
pub(crate) fn plain(path: &Path, threads: u64) -> usize {
    let length = made::length(path);
    let part = |number: u64| {
        let mut file = File::open(path).unwrap();
        file.seek(SeekFrom::Start(length / threads * number)).unwrap();
        let mut buffer = vec![0; 256 << 10];
        let (mut left, mut all) = ((length / threads) as usize, 0);
        while left > 0 {
            let most = buffer.len().min(left);
            let read = file.read(&mut buffer[..most]).unwrap();
            (left, all) = (left - read, all + read);
        }
        all
    };
    let part = &part;
    thread::scope(|scope| {
        let running: Vec<_> = (1..threads).map(|n| scope.spawn(move || part(n))).collect();
        part(0) + running.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    })
}

/// The map's own rate: its words added, on so many threads.
fn added(bytes: &[u8], threads: usize) -> u64 {
    let part = |bytes: &[u8]| {
        let (words, _) = bytes.as_chunks::<8>();
        words.iter().fold(0, |sum: u64, word| sum.wrapping_add(u64::from_le_bytes(*word)))
    };
    thread::scope(|scope| {
        let parts = bytes.chunks(bytes.len().div_ceil(threads).next_multiple_of(8));
        let running: Vec<_> = parts.map(|bytes| scope.spawn(move || part(bytes))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).fold(0, u64::wrapping_add)
    })
}

pub(crate) fn run() {
    let file = made::bitmap();
    let bytes = format::File::open_mapped(&file.path).unwrap();
    let dump = Dump::open(&bytes).unwrap();
    let (pages, parser) = (dump.pages().unwrap(), rival::open(&file.path));
    let sum = rival::stream(&parser);
    assert_eq!((stream(&pages), stream_on_two(&pages)), (sum, sum));
    let (path, map) = (&file.path, Bytes::as_slice(&bytes).unwrap());
    let [one, theirs, two, read_one, read_two, map_one, map_two] = in_turn(
        ROUNDS,
        [
            &mut || timed(|| stream(&pages)),
            &mut || timed(|| rival::stream(&parser)),
            &mut || timed(|| stream_on_two(&pages)),
            &mut || timed(|| plain(path, 1)),
            &mut || timed(|| plain(path, 2)),
            &mut || timed(|| added(map, 1)),
            &mut || timed(|| added(map, 2)),
        ],
    );
    let rate = |seconds| rate(file.length(), seconds);
    let floors = |read, map| {
        format!("the page cache alone: read(2) {}, adding up the map {}", rate(read), rate(map))
    };
    let rows = [
        Row {
            what: "all pages with CRC-32, one thread".into(),
            ours: rate(one),
            against: format!("{}: {}", rival::NAME, rate(theirs)),
            ratio: times(theirs / one),
            wanted: "at least as fast".into(),
            met: Some(theirs >= one),
        },
        Row {
            what: "the same, of the page cache's rate".into(),
            ours: rate(one),
            against: floors(read_one, map_one),
            ratio: format!("{}, {}", times(read_one / one), times(map_one / one)),
            ..Row::default()
        },
        Row {
            what: "all pages with CRC-32, two threads".into(),
            ours: rate(two),
            against: floors(read_two, map_two),
            ratio: format!("{}, {}", times(read_two / two), times(map_two / two)),
            wanted: "nearer to the page cache's rate than one thread".into(),
            met: Some(two < one),
        },
    ];
    print("Streaming, 2 GiB, warm", &rows);
}
