//! Mappings of every page size and every state, each with what it leads to.
//!
//! Source: dump-formats specification, section 11.

use super::content::{PAGE, Page};
use super::kind::Machine;
use super::system::System;
use super::truth::{Answer, Known, Way};

/// Page frames that no file has unless its caller adds them.
const ABSENT_TABLE: u64 = 0x7777;
const ABSENT_PAGE: u64 = 0x7779;
/// The common L1TF mask.
const SWIZZLE: u64 = 0x0000_2000_0000_0000;
/// Not to be unswizzled, protection 4.
const SOFTWARE: u64 = 0x10 | 4 << 5;
const TRANSITION: u64 = 0x800;
const PROTOTYPE: u64 = 0x400;

impl System {
    pub(crate) fn build_mappings(&mut self) {
        self.claim_structures();
        self.build_pages();
        self.build_large();
        if !self.machine.is_32_bit() {
            self.build_huge();
            self.build_software();
        }
        self.build_absent();
    }

    fn claim(&mut self, known: Known, frames: Vec<u64>) {
        self.claims.push((known, frames));
    }

    /// `length` bytes at an address that is mapped page by page.
    fn claim_read(&mut self, name: &'static str, virtual_address: u64, length: usize) {
        let bytes = self.space.read(virtual_address, length);
        let ends = [virtual_address, virtual_address + length as u64 - 1];
        let frames = ends.iter().filter_map(|a| self.space.physical(*a)).map(|p| p >> 12).collect();
        let answer = Answer::Bytes { physical: self.space.physical(virtual_address), bytes };
        self.claim(Known { name, virtual_address, way: Way::Tables, answer }, frames);
    }

    fn claim_structures(&mut self) {
        let place = self.place;
        self.claim_read("kernel base", place.kernel, 0x100);
        self.claim_read("debugger block", place.debugger_block(), self.debugger_block.len());
        self.claim_read("build string", place.build_string(), 0x28);
        self.claim_read("process", place.process(), 0x40);
        self.claim_read("stack", place.stack_pointer(), 0x4A0);
    }

    fn build_pages(&mut self) {
        let (data, user) = (self.place.data(), self.place.user);
        for (address, page) in [
            (data + 0x1000, Page::Addresses),
            (data, Page::Addresses),
            (user, Page::Noise(7)),
            (user + 0x1000, Page::Addresses),
        ] {
            let frame = self.space.frame();
            self.fill(frame, &page);
            self.space.map(address, frame);
        }
        self.claim_read("data across two pages", data + 0xFF4, 0x20);
        self.claim_read("user page", user + 0x123, 0x41);
        self.claim_read("user data across two pages", user + 0xFF9, 0x11);
    }

    /// Two large pages side by side whose frames are far apart, stored in parts.
    fn build_large(&mut self) {
        let (at, shift) = (self.place.large(), self.space.large_shift());
        let pages = 1u64 << (shift - 12);
        let (first, second) = (pages, 5 * pages);
        for (number, frame) in [first, second].into_iter().enumerate() {
            let entry = self.space.large_entry(frame);
            self.space.set_entry(at + ((number as u64) << shift), shift, entry);
        }
        for frame in [first, first + 1, first + pages - 1, second] {
            self.fill(frame, &Page::Addresses);
        }
        let end = at + (1 << shift);
        self.claim_told("large page", at + 0x1040, &[first + 1], 0x1040 - PAGE, 16);
        self.claim_told("end of a large page", end - 0x20, &[first + pages - 1], PAGE - 0x20, 0x20);
        let both = [first + pages - 1, second];
        self.claim_told("across two large pages", end - 0xC, &both, PAGE - 0xC, 0x18);
        self.claim_absent("in a large page, not stored", at + 0x2008, first + 2);
    }

    /// The first GiB of physical memory, and the second, of which nothing is stored.
    fn build_huge(&mut self) {
        const GIB: u64 = 1 << 30;
        let at = self.place.huge();
        for number in 0..2 {
            let entry = self.space.large_entry(number << (30 - 12));
            self.space.set_entry(at + number * GIB, 30, entry);
        }
        self.fill(0, &Page::Addresses);
        self.claim_told("start of physical memory", at + 8, &[0], 8, 0x10);
        let frame = 1 << (self.space.large_shift() - 12);
        self.claim_told("huge page", at + (frame << 12) + 0x10, &[frame], 0x10, 0x10);
        self.claim_absent("in a huge page, not stored", at + GIB + 0x5123, 0x4_0005);
    }

    /// `length` bytes from offset `at` of the first of `frames`, which lie one behind another.
    fn claim_told(
        &mut self,
        name: &'static str,
        va: u64,
        frames: &[u64],
        at: usize,
        length: usize,
    ) {
        let mut bytes = Vec::new();
        for frame in frames {
            bytes.extend_from_slice(self.space.memory.own_page(*frame).unwrap_or(&[0; PAGE]));
        }
        let physical = frames.first().map(|frame| (frame << 12) + at as u64);
        let answer = Answer::Bytes { physical, bytes: bytes[at..at + length].to_vec() };
        self.claim(Known { name, virtual_address: va, way: Way::Tables, answer }, frames.to_vec());
    }

    fn claim_absent(&mut self, name: &'static str, virtual_address: u64, frame: u64) {
        let physical = (frame << 12) + (virtual_address & 0xFFF);
        let answer = Answer::PageNotInFile { physical };
        self.claim(Known { name, virtual_address, way: Way::Tables, answer }, vec![frame]);
    }

    fn build_software(&mut self) {
        let kernel = self.place.kernel;
        let frame = self.space.frame();
        self.fill(frame, &Page::Addresses);
        let page = frame << 12;
        let clear = page | SOFTWARE | TRANSITION;
        self.software("transition", kernel + 0xA000, clear, frame, Way::Transition);
        if !self.machine.is_x64() {
            return;
        }
        let swizzled = (page ^ SWIZZLE) | (SOFTWARE & !0x10) | TRANSITION;
        let way = Way::SwizzledTransition;
        self.software("swizzled transition", kernel + 0xB000, swizzled, frame, way);
        let prototypes = self.place.prototypes();
        let entry = self.space.page_entry(frame);
        self.space.write_pointer(prototypes, entry);
        self.space.write_pointer(prototypes + 8, clear);
        for (name, number) in [("prototype", 0), ("prototype of a transition page", 1)] {
            let entry = (prototypes + number * 8) << 16 | PROTOTYPE | 0x10;
            let at = kernel + 0xC000 + number * 0x1000;
            self.software(name, at, entry, frame, Way::Prototype);
        }
        let paged_out = 0x1234 << 32 | 2 << 12 | SOFTWARE;
        for (name, at, entry) in
            [("paged out", 0xE000, paged_out), ("demand zero", 0xF000, SOFTWARE)]
        {
            self.space.set_entry(kernel + at, 12, entry);
            self.claim_unmapped(name, kernel + at, 12);
        }
    }

    fn software(&mut self, name: &'static str, va: u64, entry: u64, frame: u64, way: Way) {
        self.space.set_entry(va, 12, entry);
        self.claim_told(name, va + 0x18, &[frame], 0x18, 0x10);
        if let Some((known, _)) = self.claims.last_mut() {
            known.way = way;
        }
    }

    fn claim_unmapped(&mut self, name: &'static str, virtual_address: u64, shift: u32) {
        let answer = Answer::NotMapped { shift };
        self.claim(Known { name, virtual_address, way: Way::Tables, answer }, Vec::new());
    }

    fn build_absent(&mut self) {
        let (kernel, shift) = (self.place.kernel, self.space.large_shift());
        let entry = self.space.page_entry(ABSENT_PAGE);
        self.space.set_entry(kernel + 0x9000, 12, entry);
        self.claim_absent("page not stored", kernel + 0x9010, ABSENT_PAGE);
        let lost = kernel + 0x1800_0000;
        let entry = self.space.table_entry(ABSENT_TABLE, shift);
        self.space.set_entry(lost, shift, entry);
        let answer = Answer::TableNotInFile { shift: 12, frame: ABSENT_TABLE };
        let name = "under a table that is not stored";
        let known = Known { name, virtual_address: lost + 0x10, way: Way::Tables, answer };
        self.claim(known, vec![ABSENT_TABLE]);
        self.claim_unmapped("no entry", kernel + 0x8000, 12);
        self.claim_unmapped("no table", kernel + 0x1000_0000, shift);
        match self.machine {
            Machine::X86 => {}
            Machine::X86Pae => self.claim_unmapped("no directory", 0x4000_0000, 30),
            _ => {
                self.claim_unmapped("no directory", 0xffff_f803_8000_0000, 30);
                self.claim_unmapped("no entry in the top table", 0xffff_9000_0000_0000, 39);
            }
        }
        if self.machine == Machine::X64FiveLevels {
            self.claim_unmapped("no entry in the fifth level", 0x0011_0000_0000_0000, 48);
        }
    }
}
