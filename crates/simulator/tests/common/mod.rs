//! A target in memory, and numbers at offsets.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use machine::{
    Buffering, LiveDumpRequest, Machine, OsError, Pages, StructureVersion, Target, TargetError,
    TargetFacts,
};
use simulator::{Scenario, SimulatedMachine};

pub struct MemoryTarget {
    facts: TargetFacts,
    pub bytes: Mutex<Vec<u8>>,
    /// Offset and length of every write.
    pub writes: Mutex<Vec<(u64, usize)>>,
}

impl Default for MemoryTarget {
    fn default() -> Self {
        let facts =
            TargetFacts { buffering: Buffering::Buffered, readers: None, warnings: Vec::new() };
        Self { facts, bytes: Mutex::default(), writes: Mutex::default() }
    }
}

impl Target for MemoryTarget {
    fn path(&self) -> PathBuf {
        PathBuf::from("memory.dmp.partial")
    }
    fn raw(&self) -> usize {
        0
    }
    fn facts(&self) -> &TargetFacts {
        &self.facts
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bytes.lock().unwrap();
        let from = bytes.get(offset as usize..).unwrap_or(&[]);
        let count = from.len().min(buffer.len());
        buffer[..count].copy_from_slice(&from[..count]);
        Ok(count)
    }
    fn write_at(&self, offset: u64, part: &[u8]) -> io::Result<()> {
        let mut bytes = self.bytes.lock().unwrap();
        let end = offset as usize + part.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[offset as usize..end].copy_from_slice(part);
        self.writes.lock().unwrap().push((offset, part.len()));
        Ok(())
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().resize(length as usize, 0);
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
    fn rename(&self, _: &str, _: bool) -> Result<PathBuf, TargetError> {
        Ok(self.path())
    }
    fn delete(&self) -> Result<(), OsError> {
        Ok(())
    }
}

pub fn machine(scenario: &str) -> SimulatedMachine {
    SimulatedMachine::new(Scenario::parse(scenario).unwrap()).unwrap()
}

/// Status and file of a live dump.
pub fn live(machine: &SimulatedMachine, version: StructureVersion, pages: Pages) -> (u32, Vec<u8>) {
    let target = MemoryTarget::default();
    let answer = machine.live_dump(&LiveDumpRequest {
        version,
        bugcheck_code: 0x161,
        parameters: [1, 2, 3, 4],
        pages,
        target: &target,
        cancel: None,
    });
    (answer.status, target.bytes.into_inner().unwrap())
}

pub fn healthy_dump(scenario: &str) -> Vec<u8> {
    let (status, bytes) = live(&machine(scenario), StructureVersion::V1, Pages::default());
    assert_eq!(status, 0);
    bytes
}

pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// A page's place in the file, by the bitmap.
pub fn offset_of_frame(file: &[u8], frame: u64) -> Option<usize> {
    let bitmap = &file[0x2038..];
    let has = |bit: u64| bitmap[(bit / 8) as usize] >> (bit % 8) & 1 == 1;
    let whole: u64 = bitmap[..(frame / 8) as usize].iter().map(|b| u64::from(b.count_ones())).sum();
    let rest = (frame / 8 * 8..frame).filter(|bit| has(*bit)).count() as u64;
    has(frame).then(|| (u64_at(file, 0x2020) + (whole + rest) * 4096) as usize)
}

/// What a walk through page tables of 4 KiB pages came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Walk {
    /// Offset in the file.
    At(usize),
    /// An entry is not valid.
    NotMapped,
    /// The frame of this level is not in the file; 4 is the page itself.
    NotInFile(usize),
}

/// Both architectures have bit 0 for valid and the frame in bits 12 to 47.
pub fn walk(file: &[u8], root: u64, address: u64) -> Walk {
    let mut frame = root >> 12;
    for level in 0..4 {
        let Some(table) = offset_of_frame(file, frame) else { return Walk::NotInFile(level) };
        let index = (address >> (39 - 9 * level) & 511) as usize;
        let entry = u64_at(file, table + index * 8);
        if entry & 1 == 0 {
            return Walk::NotMapped;
        }
        frame = (entry & 0x0000_ffff_ffff_f000) >> 12;
    }
    offset_of_frame(file, frame)
        .map_or(Walk::NotInFile(4), |page| Walk::At(page + (address & 0xfff) as usize))
}
