//! An image as it lies in memory: sections at their places, relocated, its imports filled in.
//!
//! Source: Microsoft's PE format documentation.

use crate::bytes::{get32, get64, put, put64};
use crate::nt::table::Table;

const PAGE: usize = 4096;
const IMPORTS: usize = 1;
const RELOCATIONS: usize = 5;
/// IMAGE_REL_BASED_DIR64.
const DIR64: u16 = 10;
const EXECUTE: u32 = 0x2000_0000;

/// One of the fixtures' images.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) path: &'static str,
    pub(crate) table: Table,
    pub(crate) size: u32,
    pub(crate) time_stamp: u32,
    pub(crate) entry: u32,
    file: &'static [u8],
}

fn get16(from: &[u8], at: usize) -> u16 {
    (get32(from, at) & 0xFFFF) as u16
}

impl Picture {
    pub(crate) fn new(path: &'static str, file: &'static [u8], table: &'static str) -> Self {
        let new = get32(file, 0x3C) as usize;
        Self {
            path,
            table: Table::parse(table),
            size: get32(file, new + 0x18 + 0x38),
            time_stamp: get32(file, new + 8),
            entry: get32(file, new + 0x18 + 0x10),
            file,
        }
    }

    fn new_header(&self) -> usize {
        get32(self.file, 0x3C) as usize
    }

    /// RVA and size.
    pub(crate) fn directory(&self, number: usize) -> (usize, usize) {
        let at = self.new_header() + 0x18 + 0x70 + number * 8;
        (get32(self.file, at) as usize, get32(self.file, at + 4) as usize)
    }

    /// Virtual address, size of raw data, offset in the file, characteristics.
    fn sections(&self) -> impl Iterator<Item = (usize, usize, usize, u32)> + '_ {
        let new = self.new_header();
        let count = get16(self.file, new + 6) as usize;
        let first = new + 0x18 + get16(self.file, new + 0x14) as usize;
        (0..count).map(move |n| first + n * 40).map(|at| {
            let word = |offset| get32(self.file, at + offset) as usize;
            (word(12), word(16), word(20), get32(self.file, at + 36))
        })
    }

    /// Whether each page is code.
    pub(crate) fn code_pages(&self) -> Vec<bool> {
        let mut code = vec![false; (self.size as usize).div_ceil(PAGE)];
        for (rva, size, _, characteristics) in self.sections() {
            if characteristics & EXECUTE != 0 {
                code[rva / PAGE..(rva + size).div_ceil(PAGE)].fill(true);
            }
        }
        code
    }

    /// The image at `base`; `import` gives the address of a function of another image.
    pub(crate) fn load(&self, base: u64, import: impl Fn(&str) -> u64) -> Vec<u8> {
        let mut memory = vec![0; (self.size as usize).next_multiple_of(PAGE)];
        let headers = get32(self.file, self.new_header() + 0x18 + 0x3C) as usize;
        put(&mut memory, 0, &self.file[..headers]);
        for (rva, size, offset, _) in self.sections() {
            put(&mut memory, rva, &self.file[offset..offset + size]);
        }
        // As the loader leaves it.
        put64(&mut memory, self.new_header() + 0x18 + 0x18, base);
        self.relocate(&mut memory, base.wrapping_sub(self.table.image_base));
        self.bind(&mut memory, import);
        memory
    }

    fn relocate(&self, memory: &mut [u8], distance: u64) {
        let (mut at, size) = self.directory(RELOCATIONS);
        let end = at + size;
        while at + 8 <= end {
            let (page, length) =
                (get32(memory, at) as usize, get32(memory, at + 4).max(8) as usize);
            for entry in (at + 8..(at + length).min(end)).step_by(2) {
                let word = get16(memory, entry);
                if word >> 12 == DIR64 {
                    let place = page + usize::from(word & 0xFFF);
                    let moved = get64(memory, place).wrapping_add(distance);
                    put64(memory, place, moved);
                }
            }
            at += length;
        }
    }

    fn bind(&self, memory: &mut [u8], import: impl Fn(&str) -> u64) {
        let (mut descriptor, size) = self.directory(IMPORTS);
        if size == 0 {
            return;
        }
        while get32(memory, descriptor) != 0 {
            let names = get32(memory, descriptor) as usize;
            let slots = get32(memory, descriptor + 16) as usize;
            let mut number = 0;
            while get64(memory, names + number * 8) != 0 {
                let name = get64(memory, names + number * 8) as usize + 2;
                let length = memory[name..].iter().position(|b| *b == 0).unwrap_or(0);
                let address = import(&String::from_utf8_lossy(&memory[name..name + length]));
                put64(memory, slots + number * 8, address);
                number += 1;
            }
            descriptor += 20;
        }
    }
}
