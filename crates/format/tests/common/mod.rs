//! A builder of small dumps that shares no structure with the reader: bytes at
//! offsets, as the specification tells them.
// Every test file uses a part of it, and helpers may fail as tests do.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use format::{Check, Level, Verification, verify};

/// Bytes that are written to by offset, and grow.
#[derive(Clone, Default)]
pub struct Image(pub Vec<u8>);

impl Image {
    pub fn put(&mut self, offset: usize, bytes: &[u8]) -> &mut Self {
        let end = offset + bytes.len();
        if self.0.len() < end {
            self.0.resize(end, 0);
        }
        self.0[offset..end].copy_from_slice(bytes);
        self
    }

    pub fn u32(&mut self, offset: usize, value: u32) -> &mut Self {
        self.put(offset, &value.to_le_bytes())
    }

    pub fn u64(&mut self, offset: usize, value: u64) -> &mut Self {
        self.put(offset, &value.to_le_bytes())
    }

    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let offset = self.0.len();
        self.0.extend_from_slice(bytes);
        offset
    }

    pub fn cut(&mut self, by: usize) -> &mut Self {
        self.0.truncate(self.0.len() - by);
        self
    }

    pub fn verify(&self) -> Verification {
        verify(&self.0, Level::Structure)
    }
}

pub fn check<'v>(found: &'v Verification, name: &str) -> &'v Check {
    found
        .checks
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("{name} in {found:#?}"))
}

pub const KDBG_ADDRESS: u64 = 0xFFFF_F800_0010_0000;

/// A 64-bit header of an x64 machine.
pub fn header64(dump_type: u32) -> Image {
    let mut image = Image(b"PAGE".repeat(0x800));
    image.put(4, b"DU64");
    image.u32(0x08, 15).u32(0x0C, 26100).u64(0x10, 0x1A_D000);
    image.u64(0x18, 0xFFFF_F800_0000_1000).u64(0x20, 0xFFFF_F800_0000_2000);
    image.u64(0x28, 0xFFFF_F800_0000_3000).u32(0x30, 0x8664).u32(0x34, 4);
    image.u32(0x38, 0x161).u64(0x40, 0x0064_756D_7065_766C).u64(0x48, 0).u64(0x50, 0).u64(0x58, 0);
    image.u64(0x80, KDBG_ADDRESS);
    image.u32(0xF98, dump_type).u64(0xFA0, 0).u64(0xFA8, 0x01D9_0000_0000_0000);
    image.u64(0x1030, 3_600 * 10_000_000).u32(0x1038, 0).u32(0x103C, 0).u32(0x1040, 1);
    image.u32(0x1048, 0).u32(0x1050, 0x10);
    image
}

/// A type 6 dump with the pages of the set bits of `bits` (bit n of byte k is page 8k+n).
pub fn bitmap(bits: &[u8], count: u64, first_page: usize) -> Image {
    let mut image = header64(6);
    let pages: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
    image.put(0x2000, b"SDMPDUMP").put(0x2008, &[0; 0x18]);
    image.u64(0x2020, first_page as u64).u64(0x2028, pages.into()).u64(0x2030, count);
    image.put(0x2038, bits);
    for page in 0..pages as usize {
        image.put(first_page + page * 0x1000, &[page as u8; 0x1000]);
    }
    let length = image.0.len() as u64;
    image.u64(0xFA0, length);
    image
}

/// Four pages in a bitmap of 64.
pub fn small_bitmap() -> Image {
    bitmap(&[0b1010, 0, 0xC0, 0, 0, 0, 0, 0], 64, 0x3000)
}

/// A type 1 dump of these runs.
pub fn full(runs: &[(u64, u64)]) -> Image {
    let mut image = header64(1);
    let pages: u64 = runs.iter().map(|run| run.1).sum();
    image.u32(0x88, runs.len() as u32).u64(0x90, pages);
    for (index, (base, count)) in runs.iter().enumerate() {
        image.u64(0x98 + index * 16, *base).u64(0xA0 + index * 16, *count);
    }
    image.push(&vec![7; pages as usize * 0x1000]);
    image
}

/// Where the parts of [`triage`] ended up.
pub struct Places {
    pub drivers: usize,
    pub strings: usize,
    pub table: usize,
    pub data: usize,
    pub end_mark: usize,
}

pub const PRCB_THREAD: u64 = 0xFFFF_C000_0000_4000;
pub const PROCESS: u64 = 0xFFFF_C000_0000_8000;
pub const STACK: u64 = 0xFFFF_8500_0000_2E00;

/// A triage dump with these blocks of virtual memory, two drivers, a stack of 0x200 bytes.
pub fn triage(blocks: &[(u64, &[u8])]) -> (Image, Places) {
    let mut image = header64(4);
    image.u32(0x1038, 0xCFF).push(&[0; 0x80]);
    image.u32(0x200C, 0x348).u32(0x2010, 0xF00).u32(0x2044, u32::MAX).u64(0x2048, STACK);
    let part = |image: &mut Image, field: usize, bytes: &[u8]| {
        let offset = image.push(bytes);
        image.u32(field, offset as u32);
        offset
    };
    part(&mut image, 0x2014, &[0; 0x50]);
    part(&mut image, 0x2018, &[0; 8]);
    let prcb = part(&mut image, 0x201C, &[0x11; 0x40]);
    image.u64(prcb + 8, PRCB_THREAD);
    part(&mut image, 0x2020, &[0x22; 0x60]);
    let thread = part(&mut image, 0x2024, &[0x33; 0x80]);
    image.u64(thread + 0x20, PROCESS);
    part(&mut image, 0x2028, &[0x44; 0x200]);
    image.u32(0x202C, 0x200);
    let debugger = part(&mut image, 0x2070, &[0; 0x380]);
    image.u32(0x2074, 0x380);
    image.put(debugger + 0x10, b"KDBG").u32(debugger + 0x14, 0x380);
    for (field, value) in [(0x2A0, 0x20), (0x2A8, 0x60), (0x2B0, 0x40), (0x2B4, 8), (0x2C0, 0x80)] {
        image.put(debugger + field, &u16::to_le_bytes(value));
    }
    let drivers = part(&mut image, 0x2030, &[0; 0x120]);
    image.u32(0x2034, 2);
    let strings = part(&mut image, 0x2038, &[0; 0x40]);
    image.u32(0x203C, 0x40).u32(strings, 3).put(strings + 4, b"n\0t\0x\0");
    image.u32(strings + 0x10, 1).put(strings + 0x14, b"h\0");
    image.u32(drivers, strings as u32).u32(drivers + 0x90, strings as u32 + 0x10);
    let table = part(&mut image, 0x2078, &vec![0; blocks.len() * 16]);
    image.u32(0x207C, blocks.len() as u32);
    let data = image.0.len();
    for (index, (address, bytes)) in blocks.iter().enumerate() {
        let offset = image.push(bytes);
        let entry = table + index * 16;
        image
            .u64(entry, *address)
            .u32(entry + 8, offset as u32)
            .u32(entry + 12, bytes.len() as u32);
    }
    let end_mark = image.push(b"TRGD");
    image.u32(0x2004, end_mark as u32 + 4).u32(0x2008, end_mark as u32);
    (image, Places { drivers, strings, table, data, end_mark })
}

pub fn small_triage() -> (Image, Places) {
    triage(&[(0xFFFF_8500_0000_1000, &[1; 0x100]), (0xFFFF_8500_0000_0F80, &[2; 0x40])])
}

/// One blob: tag, data, bytes of padding behind it.
pub type Blob<'a> = ([u8; 16], &'a [u8], usize);

/// The bytes of `2b88b710-1c93-4f7c-b06c-655ecc50decc`.
pub const BUILD_TAG: [u8; 16] = [
    0x10, 0xB7, 0x88, 0x2B, 0x93, 0x1C, 0x7C, 0x4F, 0xB0, 0x6C, 0x65, 0x5E, 0xCC, 0x50, 0xDE, 0xCC,
];

pub fn add_blobs(image: &mut Image, blobs: &[Blob<'_>]) {
    image.push(b"DumpBlob\x10\0\0\0\x61\x4A\0\xF0");
    for (tag, data, padding) in blobs {
        let offset = image.push(&[0; 0x20]);
        image.u32(offset, 0x20).put(offset + 4, tag).u32(offset + 0x14, data.len() as u32);
        image.u32(offset + 0x1C, *padding as u32);
        image.push(data);
        image.push(&vec![0; *padding]);
    }
}
