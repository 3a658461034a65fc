//! What is done to a file.

use crate::base::{Base, kind_field};
use crate::random::Random;

/// A changed copy of `base`; `other` lends pieces.
pub(crate) fn changed(base: &Base, other: &Base, random: &mut Random) -> Vec<u8> {
    let mut file = base.bytes.clone();
    for _ in 0..=random.below(5) {
        match random.below(16) {
            0..=6 => field(&mut file, base, random),
            7 | 8 => bits(&mut file, random),
            9 => piece(&mut file, random),
            10 => splice(&mut file, &other.bytes, random),
            11 => extend(&mut file, random),
            12 => kind(&mut file, random),
            13 => entry(&mut file, random),
            14 => repeat(&mut file, random),
            _ => cut(&mut file, random),
        }
    }
    file
}

/// Bytes without meaning, which may begin as a dump does.
pub(crate) fn noise(random: &mut Random) -> Vec<u8> {
    let length = random.index(0x4000);
    let mut file: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
    if random.below(4) > 0 {
        let width = random.pick(&[b"PAGEDU64", b"PAGEDUMP"]);
        put(&mut file, 0, width);
        kind(&mut file, random);
        put(&mut file, 0x2000, b"SDMPDUMP");
        put(&mut file, 0x1050, &[0; 4]);
        put(&mut file, 0x8A0, &[0; 4]);
    }
    file
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = file.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Numbers at which something changes.
fn value(file: &[u8], random: &mut Random) -> u64 {
    let length = file.len() as u64;
    match random.below(12) {
        0 => 0,
        1 => 1,
        2 => u64::MAX - random.below(16),
        3 => u64::from(u32::MAX) - random.below(16),
        4 => 1 << random.below(64),
        5 => (1_u64 << random.below(64)).wrapping_sub(1),
        6 => length.wrapping_sub(random.below(32)).wrapping_add(16),
        7 => random.below(length),
        8 => random.below(0x40) * 0x1000,
        9 => random.below(0x100),
        10 => u64::from_le_bytes(*b"PAGEPAGE"),
        _ => random.next(),
    }
}

fn field(file: &mut [u8], base: &Base, random: &mut Random) {
    let (at, size) = random.pick(&base.fields);
    let value = value(file, random);
    put(file, at, &value.to_le_bytes()[..size]);
}

fn bits(file: &mut [u8], random: &mut Random) {
    let reach = random.pick(&[0x100, 0x3000, usize::MAX]).min(file.len());
    for _ in 0..=random.below(8) {
        let at = random.index(reach);
        if let Some(byte) = file.get_mut(at) {
            *byte ^= 1 << random.below(8);
        }
    }
}

fn piece(file: &mut [u8], random: &mut Random) {
    let (at, length) = (random.index(file.len()), random.index(0x100));
    let any = random.next() as u8;
    let byte = random.pick(&[0, 0xFF, b'P', any]);
    if let Some(place) = file.get_mut(at..at + length) {
        place.fill(byte);
    }
}

/// An entry of a page table, wherever one may be: in place, so that tables loop.
fn entry(file: &mut [u8], random: &mut Random) {
    let at = random.index(file.len()) & !7;
    let value = random.below(0x1500) << 12 | random.pick(&[0x63, 0xE3, 0x1E3, 3, 0x800, 0x400]);
    put(file, at, &value.to_le_bytes());
}

/// The head of one file on the body of another.
fn splice(file: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let anywhere = random.index(file.len());
    let at = random.pick(&[0x1000, 0x2000, anywhere]);
    if random.below(2) == 0 {
        file.truncate(at);
        file.extend_from_slice(other.get(at..).unwrap_or_default());
    } else {
        let length = at.min(other.len()).min(file.len());
        file[..length].copy_from_slice(&other[..length]);
    }
}

fn extend(file: &mut Vec<u8>, random: &mut Random) {
    let any = random.index(0x3000);
    let length = random.pick(&[1, 7, 0x1000, any]);
    match random.below(3) {
        0 => file.resize(file.len() + length, 0),
        1 => file.extend((0..length).map(|_| random.next() as u8)),
        _ => {
            file.extend_from_slice(b"DumpBlob\x10\0\0\0\x61\x4A\0\xF0");
            file.resize(file.len() + length, random.pick(&[0, 0x20]));
        }
    }
}

fn kind(file: &mut [u8], random: &mut Random) {
    if random.below(8) == 0 {
        put(file, 4, random.pick(&[b"DU64", b"DUMP"]));
    }
    let kind = random.below(13) as u32;
    put(file, kind_field(file), &kind.to_le_bytes());
}

/// A piece of the file once more, elsewhere: entries that overlap, lists that meet themselves.
fn repeat(file: &mut [u8], random: &mut Random) {
    let length = random.pick(&[4, 8, 16, 0x100, 0x1000]).min(file.len());
    let (from, to) = (random.index(file.len() - length + 1), random.index(file.len() - length + 1));
    file.copy_within(from..from + length, to);
}

fn cut(file: &mut Vec<u8>, random: &mut Random) {
    let length = random.index(file.len() + 1);
    file.truncate(if random.below(2) == 0 { length } else { length & !0xFFF });
}
