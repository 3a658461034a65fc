//! A PE image's headers: enough for any reader to know it by name, size and PDB.
//!
//! Source: Microsoft's PE format documentation.

use crate::bytes::{put, put16, put32, put64};

pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) rva: u32,
    pub(crate) size: u32,
    pub(crate) characteristics: u32,
}

pub(crate) struct Headers<'a> {
    pub(crate) machine: u16,
    pub(crate) base: u64,
    pub(crate) size: u32,
    pub(crate) time_stamp: u32,
    pub(crate) checksum: u32,
    pub(crate) sections: &'a [Section],
    /// RVA and size of the directories, by their numbers.
    pub(crate) directories: &'a [(usize, u32, u32)],
    pub(crate) dll: bool,
}

pub(crate) const EXPORTS: usize = 0;
pub(crate) const EXCEPTIONS: usize = 3;
pub(crate) const DEBUG: usize = 6;
pub(crate) const CODE: u32 = 0x6800_0020;
pub(crate) const READ_ONLY: u32 = 0x4800_0040;
pub(crate) const READ_WRITE: u32 = 0xC800_0040;
pub(crate) const PAGEABLE_CODE: u32 = 0x6000_0020;

const NEW_HEADER: usize = 0x80;
const OPTIONAL: usize = NEW_HEADER + 0x18;
const OPTIONAL_SIZE: usize = 0xF0;

pub(crate) fn headers(of: &Headers<'_>) -> Vec<u8> {
    let mut page = vec![0; 0x1000];
    put(&mut page, 0, b"MZ");
    put32(&mut page, 0x3C, NEW_HEADER as u32);
    put(&mut page, NEW_HEADER, b"PE\0\0");
    put16(&mut page, NEW_HEADER + 4, of.machine);
    put16(&mut page, NEW_HEADER + 6, of.sections.len() as u16);
    put32(&mut page, NEW_HEADER + 8, of.time_stamp);
    put16(&mut page, NEW_HEADER + 0x14, OPTIONAL_SIZE as u16);
    put16(&mut page, NEW_HEADER + 0x16, if of.dll { 0x2022 } else { 0x0022 });
    optional(&mut page[OPTIONAL..OPTIONAL + OPTIONAL_SIZE], of);
    for (number, section) in of.sections.iter().enumerate() {
        let at = OPTIONAL + OPTIONAL_SIZE + number * 40;
        put(&mut page, at, section.name.as_bytes());
        put32(&mut page, at + 8, section.size);
        put32(&mut page, at + 12, section.rva);
        put32(&mut page, at + 16, section.size);
        put32(&mut page, at + 20, section.rva);
        put32(&mut page, at + 36, section.characteristics);
    }
    page
}

fn optional(to: &mut [u8], of: &Headers<'_>) {
    put16(to, 0, 0x20B);
    put16(to, 2, 0x0E);
    put32(to, 0x14, 0x1000);
    put64(to, 0x18, of.base);
    put32(to, 0x20, 0x1000);
    put32(to, 0x24, 0x1000);
    put16(to, 0x28, 10);
    put16(to, 0x30, 10);
    put32(to, 0x38, of.size);
    put32(to, 0x3C, 0x1000);
    put32(to, 0x40, of.checksum);
    put16(to, 0x44, 1);
    put32(to, 0x6C, 16);
    for (number, rva, size) in of.directories {
        put32(to, 0x70 + number * 8, *rva);
        put32(to, 0x74 + number * 8, *size);
    }
}

/// IMAGE_DEBUG_DIRECTORY and the RSDS record that it points to, 0x40 behind it.
pub(crate) fn debug_data(rva: u32, time_stamp: u32, guid: [u8; 16], pdb: &str) -> Vec<u8> {
    let mut data = vec![0; 0x40 + 0x19 + pdb.len()];
    put32(&mut data, 4, time_stamp);
    put32(&mut data, 12, 2);
    put32(&mut data, 16, (0x19 + pdb.len()) as u32);
    put32(&mut data, 20, rva + 0x40);
    put32(&mut data, 24, rva + 0x40);
    put(&mut data, 0x40, b"RSDS");
    put(&mut data, 0x44, &guid);
    put32(&mut data, 0x54, 1);
    put(&mut data, 0x58, pdb.as_bytes());
    data
}
