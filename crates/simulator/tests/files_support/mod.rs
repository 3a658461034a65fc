//! A reader of dump files that finds its way by offsets of its own.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::panic)]

use simulator::files::{Kind, Machine};

pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The machines that have a kernel in their files.
pub const WITH_KERNEL: [Machine; 5] =
    [Machine::X64, Machine::X64FiveLevels, Machine::Arm64, Machine::X86Pae, Machine::X86];

pub const WITH_PAGES: [Kind; 8] = [
    Kind::Full,
    Kind::Summary,
    Kind::BitmapFull,
    Kind::BitmapKernel,
    Kind::Automatic,
    Kind::KernelRanges,
    Kind::KernelAndUserRanges,
    Kind::CompleteRanges,
];

pub struct Reader<'a> {
    pub file: &'a [u8],
    pub machine: Machine,
}

/// What a walk through page tables came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Walk {
    /// Physical address.
    At(u64),
    NotMapped(u32),
    NoTable(u32, u64),
    /// The last entry is not valid: this is it.
    Software(u64),
}

impl Reader<'_> {
    pub fn narrow(&self) -> bool {
        &self.file[4..8] == b"DUMP"
    }

    pub fn pointer(&self, at: usize) -> u64 {
        if self.narrow() { u32_at(self.file, at).into() } else { u64_at(self.file, at) }
    }

    pub fn dump_type(&self) -> u32 {
        u32_at(self.file, if self.narrow() { 0xF88 } else { 0xF98 })
    }

    /// Stored runs as (first frame, pages, file offset), in the file's order.
    pub fn runs(&self) -> Vec<(u64, u64, u64)> {
        let base = if self.narrow() { 0x1000 } else { 0x2000 };
        match self.dump_type() {
            1 => place(self.header_runs(), base as u64),
            2 => {
                let at = if self.narrow() { 0x20 } else { 0x28 };
                let bits = u32_at(self.file, base + 0x10).into();
                place(self.bits(base + at, bits), u32_at(self.file, base + 0xC).into())
            }
            5..=7 => {
                let bits = u64_at(self.file, base + 0x30);
                place(self.bits(base + 0x38, bits), u64_at(self.file, base + 0x20))
            }
            8..=10 => place(self.ranges(base), u64_at(self.file, base + 0x18)),
            other => panic!("type {other} has no pages"),
        }
    }

    fn header_runs(&self) -> Vec<(u64, u64)> {
        if self.narrow() {
            let run = |n: usize| (0x6C + n * 8, 4);
            let at = |at, step| (u32_at(self.file, at).into(), u32_at(self.file, at + step).into());
            (0..u32_at(self.file, 0x64) as usize).map(|n| at(run(n).0, run(n).1)).collect()
        } else {
            let at = |n: usize| 0x98 + n * 16;
            let run = |n: usize| (u64_at(self.file, at(n)), u64_at(self.file, at(n) + 8));
            (0..u32_at(self.file, 0x88) as usize).map(run).collect()
        }
    }

    fn bits(&self, at: usize, bits: u64) -> Vec<(u64, u64)> {
        let set = |bit: u64| self.file[at + (bit / 8) as usize] >> (bit % 8) & 1 == 1;
        (0..bits).filter(|bit| set(*bit)).map(|bit| (bit, 1)).collect()
    }

    fn ranges(&self, base: usize) -> Vec<(u64, u64)> {
        let (complete, wanted) = (self.dump_type() == 10, u64_at(self.file, base + 0x28));
        let (mut ranges, mut pages) = (Vec::new(), 0);
        for at in (base + 0x30..).step_by(16) {
            let (first, count) = (u64_at(self.file, at), u64_at(self.file, at + 8));
            if if complete { pages == wanted } else { first == 0 } {
                return ranges;
            }
            pages += count;
            ranges.push((first, count));
        }
        ranges
    }

    pub fn offset(&self, frame: u64) -> Option<usize> {
        let runs = self.runs();
        let run = runs.iter().find(|(first, count, _)| (*first..first + count).contains(&frame))?;
        Some((run.2 + (frame - run.0) * 4096) as usize)
    }

    fn entry(&self, physical: u64, size: usize) -> Option<u64> {
        let at = self.offset(physical >> 12)? + (physical & 0xFFF) as usize;
        Some(if size == 4 { u32_at(self.file, at).into() } else { u64_at(self.file, at) })
    }

    pub fn walk(&self, address: u64) -> Walk {
        let (shifts, bits, size): (&[u32], u32, usize) = match self.machine {
            Machine::X64FiveLevels => (&[48, 39, 30, 21, 12], 9, 8),
            Machine::X86Pae => (&[30, 21, 12], 9, 8),
            Machine::X86 => (&[22, 12], 10, 4),
            _ => (&[39, 30, 21, 12], 9, 8),
        };
        let low = if self.machine == Machine::X86Pae { 0x1F } else { 0xFFF };
        let mut table = self.pointer(0x10) & !low;
        for shift in shifts {
            let index = address >> shift & ((1 << bits) - 1);
            let Some(entry) = self.entry(table + index * size as u64, size) else {
                return Walk::NoTable(*shift, table >> 12);
            };
            let frame = entry & 0x0000_FFFF_FFFF_F000;
            if entry & 1 == 0 {
                let software = *shift == 12 && entry & 0xC00 != 0;
                return if software { Walk::Software(entry) } else { Walk::NotMapped(*shift) };
            }
            let arm = self.machine == Machine::Arm64;
            let large = if arm { entry & 2 == 0 } else { entry & 0x80 != 0 };
            if *shift == 12 || large {
                let within = (1u64 << shift) - 1;
                return Walk::At(frame & !within | address & within);
            }
            table = frame;
        }
        panic!("a walk ends in its last table")
    }

    /// Reads byte by byte; `None` where a page is not stored.
    pub fn read(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let runs = self.runs();
        let (mut page, mut start, mut bytes) = (None, 0, Vec::new());
        for at in address..address + length as u64 {
            if page != Some(at >> 12) {
                page = Some(at >> 12);
                let Walk::At(physical) = self.walk(at) else { return None };
                let frame = physical >> 12;
                let run = runs.iter().find(|(f, count, _)| (*f..f + count).contains(&frame))?;
                start = (run.2 + (frame - run.0) * 4096) as usize;
            }
            bytes.push(self.file[start + (at & 0xFFF) as usize]);
        }
        Some(bytes)
    }
}

fn place(runs: Vec<(u64, u64)>, first_page: u64) -> Vec<(u64, u64, u64)> {
    let mut offset = first_page;
    let placed = runs.into_iter().map(|(first, count)| {
        let run = (first, count, offset);
        offset += count * 4096;
        run
    });
    placed.collect()
}
