//! Page tables of every machine, and writing through them.
//!
//! Source: dump-formats specification, section 11.

use std::collections::BTreeMap;

use super::content::{Memory, PAGE};
use super::kind::Machine;
use crate::bytes::{get32, get64, put, put32, put64};

/// Lowest address bit of a level's index, and bits of the index, from the top.
type Level = (u32, u32);

const LONG: &[Level] = &[(39, 9), (30, 9), (21, 9), (12, 9)];
const FIVE: &[Level] = &[(48, 9), (39, 9), (30, 9), (21, 9), (12, 9)];
const PAE: &[Level] = &[(30, 2), (21, 9), (12, 9)];
const SHORT: &[Level] = &[(22, 10), (12, 10)];

const FIRST_FRAME: u64 = 0x11;
/// Frames are taken in bursts with free ones between, so that a file has several runs.
const BURST: u64 = 7;
const GAP: u64 = 3;
/// The PDPT of PAE need not start a page.
const PAE_ROOT_OFFSET: u64 = 0x60;
const SELF_MAP: usize = 0x1ED;

/// Physical memory and one address space over it.
pub(crate) struct Space {
    pub(crate) memory: Memory,
    machine: Machine,
    pat: bool,
    root: u64,
    /// Page frames by first address of pages that are mapped one by one.
    areas: BTreeMap<u64, u64>,
    taken: u64,
}

impl Space {
    pub(crate) fn new(machine: Machine, pat: bool) -> Self {
        let memory = Memory::default();
        let mut space = Self { memory, machine, pat, root: 0, areas: BTreeMap::new(), taken: 0 };
        let frame = space.frame();
        space.memory.own(frame);
        space.root = frame << 12;
        if machine == Machine::X86Pae {
            space.root += PAE_ROOT_OFFSET;
        }
        if machine.is_x64() {
            space.put_entry(space.root + SELF_MAP as u64 * 8, frame << 12 | 0x63);
        }
        space
    }

    pub(crate) fn root(&self) -> u64 {
        self.root
    }

    /// The page tables' own address, through the self-map.
    pub(crate) fn table_base(&self) -> u64 {
        match self.machine {
            Machine::X64 => 0xffff_0000_0000_0000 | (SELF_MAP as u64) << 39,
            Machine::X64FiveLevels => 0xfe00_0000_0000_0000 | (SELF_MAP as u64) << 48,
            _ => 0,
        }
    }

    /// A free page frame.
    pub(crate) fn frame(&mut self) -> u64 {
        let number = self.taken;
        self.taken += 1;
        FIRST_FRAME + number / BURST * (BURST + GAP) + number % BURST
    }

    fn levels(&self) -> &'static [Level] {
        match self.machine {
            Machine::X64FiveLevels => FIVE,
            Machine::X86Pae => PAE,
            Machine::X86 => SHORT,
            _ => LONG,
        }
    }

    /// Address bits below a large page of the smallest size.
    pub(crate) fn large_shift(&self) -> u32 {
        if self.machine == Machine::X86 { 22 } else { 21 }
    }

    fn entry_size(&self) -> u64 {
        if self.machine == Machine::X86 { 4 } else { 8 }
    }

    fn put_entry(&mut self, physical: u64, entry: u64) {
        let short = self.entry_size() == 4;
        let page = self.memory.own(physical >> 12);
        let at = (physical & 0xfff) as usize;
        if short { put32(page, at, entry as u32) } else { put64(page, at, entry) }
    }

    fn entry(&self, physical: u64) -> u64 {
        let page = self.memory.own_page(physical >> 12).unwrap_or(&[]);
        let at = (physical & 0xfff) as usize;
        if self.entry_size() == 4 { get32(page, at).into() } else { get64(page, at) }
    }

    /// An entry that leads to the next table.
    pub(crate) fn table_entry(&self, frame: u64, shift: u32) -> u64 {
        frame << 12
            | match self.machine {
                Machine::Arm64 => 0x3,
                Machine::X86Pae if shift == 30 => 0x1,
                _ => 0x67,
            }
    }

    /// An entry of the last level.
    pub(crate) fn page_entry(&self, frame: u64) -> u64 {
        const NO_EXECUTE: u64 = 1 << 63;
        frame << 12
            | match self.machine {
                Machine::Arm64 => 0x0060_0000_0000_0703,
                Machine::X86 => 0x63,
                _ => 0x63 | NO_EXECUTE,
            }
    }

    /// An entry that maps a large page; bit 12 is PAT.
    pub(crate) fn large_entry(&self, frame: u64) -> u64 {
        frame << 12
            | match self.machine {
                Machine::Arm64 => 0x701,
                _ if self.pat => 0x10E3,
                _ => 0xE3,
            }
    }

    /// Sets the entry whose index starts at address bit `shift`, making the tables above.
    pub(crate) fn set_entry(&mut self, address: u64, shift: u32, entry: u64) {
        let mut table = self.root;
        for (number, (level, bits)) in self.levels().iter().enumerate() {
            let index = address >> level & ((1 << bits) - 1);
            let place = table + index * self.entry_size();
            if *level == shift {
                self.put_entry(place, entry);
                return;
            }
            let mut next = self.entry(place) & 0x0000_ffff_ffff_f000;
            if next == 0 && number + 1 < self.levels().len() {
                let frame = self.frame();
                self.memory.own(frame);
                self.put_entry(place, self.table_entry(frame, *level));
                next = frame << 12;
            }
            table = next;
        }
    }

    /// Maps a page frame, whose content is up to the caller.
    pub(crate) fn map(&mut self, address: u64, frame: u64) {
        self.set_entry(address, 12, self.page_entry(frame));
        self.areas.insert(address, frame);
    }

    /// Maps new pages of zeros, to descending frames.
    pub(crate) fn area(&mut self, address: u64, pages: u64) {
        let frames: Vec<u64> = (0..pages).map(|_| self.frame()).collect();
        for (page, frame) in frames.into_iter().rev().enumerate() {
            self.memory.own(frame);
            self.map(address + (page * PAGE) as u64, frame);
        }
    }

    /// The physical address of what [`Space::map`] has mapped.
    pub(crate) fn physical(&self, address: u64) -> Option<u64> {
        let frame = self.areas.get(&(address & !0xfff))?;
        Some(frame << 12 | address & 0xfff)
    }

    /// Writes to pages of [`Space::area`].
    pub(crate) fn write(&mut self, mut address: u64, mut bytes: &[u8]) {
        while let Some(physical) = self.physical(address).filter(|_| !bytes.is_empty()) {
            let at = (physical & 0xfff) as usize;
            let part = bytes.len().min(PAGE - at);
            put(self.memory.own(physical >> 12), at, &bytes[..part]);
            bytes = &bytes[part..];
            address += part as u64;
        }
    }

    /// Reads what is mapped page by page; zeros where nothing is.
    pub(crate) fn read(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        let mut page = [0; PAGE];
        while bytes.len() < length {
            let here = address + bytes.len() as u64;
            let at = (here & 0xfff) as usize;
            let there = self.physical(here).is_some_and(|p| self.memory.page(p >> 12, &mut page));
            if !there {
                page.fill(0);
            }
            let part = (length - bytes.len()).min(PAGE - at);
            bytes.extend_from_slice(&page[at..at + part]);
        }
        bytes
    }

    /// Writes a number as wide as a pointer.
    pub(crate) fn write_pointer(&mut self, address: u64, value: u64) {
        let bytes = value.to_le_bytes();
        self.write(address, &bytes[..self.machine.pointer()]);
    }

    pub(crate) fn write_string(&mut self, descriptor: u64, buffer: u64, text: &str) {
        let bytes = crate::bytes::utf16(text);
        let length = (bytes.len() as u16).to_le_bytes();
        self.write(descriptor, &length);
        self.write(descriptor + 2, &length);
        self.write_pointer(descriptor + self.machine.pointer() as u64, buffer);
        self.write(buffer, &bytes);
    }
}
