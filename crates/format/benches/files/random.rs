//! Reading and translating at random addresses.

use format::{Bytes, Dump, Pages};
use memory::{Paging, PhysicalAddress, PhysicalMemory, Space, VirtualAddress, VirtualMemory};

use crate::made::{self, Made};
use crate::rival;
use crate::table::{Row, print, time, times};
use crate::timing::{ROUNDS, in_turn, timed};

/// Addresses that are read or translated.
const COUNT: usize = 2_000_000;

#[allow(clippy::cast_precision_loss)]
const EACH: f64 = 1.0 / COUNT as f64;

/// The sum of the 8 bytes at these physical addresses.
pub(crate) fn read(pages: &Pages<'_>, addresses: &[u64]) -> u64 {
    let read = |address: &u64| {
        let mut bytes = [0; 8];
        pages.read_physical(PhysicalAddress(*address), &mut bytes).unwrap();
        u64::from_le_bytes(bytes)
    };
    addresses.iter().map(read).fold(0, u64::wrapping_add)
}

/// The sum of where these virtual addresses lie.
pub(crate) fn translate<P: PhysicalMemory>(space: &Space<P>, addresses: &[u64]) -> u64 {
    let place = |address: &u64| space.physical(VirtualAddress(*address)).unwrap().0;
    addresses.iter().map(place).fold(0, u64::wrapping_add)
}

fn read_virtual<P: PhysicalMemory>(space: &Space<P>, addresses: &[u64]) -> u64 {
    let read = |address: &u64| space.read_u64(VirtualAddress(*address)).unwrap();
    addresses.iter().map(read).fold(0, u64::wrapping_add)
}

/// The floor: the same bytes, when it is known where in the map they lie.
fn bare(bytes: &[u8], offsets: &[usize]) -> u64 {
    let read = |at: &usize| bytes[*at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
    offsets.iter().map(read).fold(0, u64::wrapping_add)
}

pub(crate) fn run() {
    let mut rows = Vec::new();
    let file = made::bitmap();
    physical("bitmap dump", &file, &mut rows);
    translation(&file, &mut rows);
    drop(file);
    physical("type 1 dump of 40 runs", &made::full(), &mut rows);
    print("Random access, 2 GiB, warm, 2 million addresses", &rows);
}

fn physical(name: &str, file: &Made, rows: &mut Vec<Row>) {
    let bytes = format::File::open_mapped(&file.path).unwrap();
    let dump = Dump::open(&bytes).unwrap();
    let (pages, parser) = (dump.pages().unwrap(), rival::open(&file.path));
    let addresses = file.addresses(COUNT, None);
    let offset = |address: &u64| {
        let page = pages.offset(PhysicalAddress(*address).frame()).unwrap().unwrap();
        (page + address % made::PAGE) as usize
    };
    let offsets: Vec<usize> = addresses.iter().map(offset).collect();
    let slice = Bytes::as_slice(&bytes).unwrap();
    let right = bare(slice, &offsets);
    assert_eq!((read(&pages, &addresses), rival::read(&parser, &addresses)), (right, right));
    let [ours, theirs, floor] = in_turn(
        ROUNDS,
        [
            &mut || timed(|| read(&pages, &addresses)),
            &mut || timed(|| rival::read(&parser, &addresses)),
            &mut || timed(|| bare(slice, &offsets)),
        ],
    );
    rows.push(Row {
        what: format!("8 bytes at a physical address, {name}"),
        ours: time(ours * EACH),
        against: format!(
            "{}: {}; the same bytes of the map, places known: {}",
            rival::NAME,
            time(theirs * EACH),
            time(floor * EACH)
        ),
        ratio: times(theirs / ours),
        wanted: "at least 30 times faster".into(),
        met: Some(theirs / ours >= 30.0),
    });
}

fn translation(file: &Made, rows: &mut Vec<Row>) {
    let bytes = format::File::open_mapped(&file.path).unwrap();
    let dump = Dump::open(&bytes).unwrap();
    let parser = rival::open(&file.path);
    let space = Space::new(dump.pages().unwrap(), Paging::X64, file.root);
    let addresses = file.virtual_addresses(COUNT);
    let (root, list) = (file.root, addresses.as_slice());
    assert_eq!(translate(&space, list), rival::translate(&parser, root, list));
    assert_eq!(read_virtual(&space, list), rival::read_virtual(&parser, root, list));
    let [ours, theirs, our_read, their_read] = in_turn(
        ROUNDS,
        [
            &mut || timed(|| translate(&space, list)),
            &mut || timed(|| rival::translate(&parser, root, list)),
            &mut || timed(|| read_virtual(&space, list)),
            &mut || timed(|| rival::read_virtual(&parser, root, list)),
        ],
    );
    rows.push(Row {
        what: "virtual to physical".into(),
        ours: time(ours * EACH),
        against: format!("{}: {}", rival::NAME, time(theirs * EACH)),
        ratio: times(theirs / ours),
        wanted: "at least 7 times faster".into(),
        met: Some(theirs / ours >= 7.0),
    });
    rows.push(Row {
        what: "8 bytes at a virtual address".into(),
        ours: time(our_read * EACH),
        against: format!("{}: {}", rival::NAME, time(their_read * EACH)),
        ratio: times(their_read / our_read),
        ..Row::default()
    });
}
