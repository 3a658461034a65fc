//! The files that are changed, and where in them the numbers stand that steer a reader.

use simulator::files::{Seed, seeds};

/// A whole file.
pub(crate) struct Base {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Offset and size of numbers.
    pub(crate) fields: Vec<(usize, usize)>,
}

pub(crate) fn all() -> Vec<Base> {
    seeds().iter().map(Base::of).collect()
}

/// DumpType, by the header's width.
pub(crate) fn kind_field(bytes: &[u8]) -> usize {
    if bytes.get(4..8) == Some(b"DUMP") { 0xF88 } else { 0xF98 }
}

/// Root, lists, machine, processors, code, debugger block, runs, sizes, attributes.
const WIDE: [(usize, usize); 14] = [
    (0x10, 8),
    (0x20, 8),
    (0x28, 8),
    (0x30, 4),
    (0x34, 4),
    (0x38, 4),
    (0x80, 8),
    (0x88, 4),
    (0x90, 8),
    (0xFA0, 8),
    (0xF98, 4),
    (0x1030, 8),
    (0x1038, 4),
    (0x1050, 4),
];
const NARROW: [(usize, usize); 11] = [
    (0x10, 4),
    (0x18, 4),
    (0x20, 4),
    (0x28, 4),
    (0x5C, 1),
    (0x60, 4),
    (0x64, 4),
    (0x68, 4),
    (0xF88, 4),
    (0xFA0, 8),
    (0x8A0, 4),
];

impl Base {
    fn of(seed: &Seed) -> Self {
        let made = seed.spec.build();
        let bytes = made.bytes();
        let narrow = bytes.get(4..8) == Some(b"DUMP");
        let mut fields = if narrow { NARROW.to_vec() } else { WIDE.to_vec() };
        let (runs, size, header) = if narrow { (0x6C, 4, 0x1000) } else { (0x98, 8, 0x2000) };
        fields.extend((0..12).map(|at| (runs + at * size, size)));
        // What stands first behind the header, and lists behind that.
        fields.extend((0..0x24).map(|at| (header + at * 4, 4)));
        fields.extend((0..0x20).map(|at| (header + at * 8, 8)));
        for blob in &made.truth().blobs {
            let start = (blob.offset as usize).saturating_sub(0x20);
            fields.extend([0, 0x14, 0x18, 0x1C].map(|at| (start + at, 4)));
        }
        if made.truth().blocks.len() > 1 {
            let table = header + if narrow { 0x60 } else { 0x78 };
            let table = bytes
                .get(table..table + 4)
                .map_or(0, |field| u32::from_le_bytes(field.try_into().unwrap()) as usize);
            for entry in (0..made.truth().blocks.len().min(64)).map(|entry| table + entry * 16) {
                fields.extend([(entry, 8), (entry + 8, 4), (entry + 12, 4)]);
            }
        }
        fields.retain(|(at, size)| at + size <= bytes.len());
        Self { name: seed.name.clone(), bytes, fields }
    }
}
