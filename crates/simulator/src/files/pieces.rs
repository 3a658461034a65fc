//! The lists of a triage file: drivers, unloaded drivers, strings, Mm.
//!
//! Source: dump-formats specification, section 7.3.

use super::kind::{Kind, Machine};
use super::system::{MODULES, Module, Place};
use crate::bytes::{put, put16, put32, put64, utf16};

/// Windows keeps so many; later-made files have room for all of them.
const UNLOADED_ROOM: usize = 50;
const NAME_CHARACTERS: usize = 12;

/// Bytes of an entry of the driver list.
pub(crate) fn driver_size(machine: Machine) -> usize {
    if machine.is_32_bit() { 0x4C } else { 0x90 }
}

/// As the string pool names it: in full by the kernel, short in later-made files.
pub(crate) fn driver_name(kind: Kind, module: &Module) -> &'static str {
    if kind == Kind::Triage { module.path } else { module.name() }
}

/// The pool, and where in it each driver's name starts.
pub(crate) fn strings(kind: Kind) -> (Vec<u8>, Vec<usize>) {
    let (mut pool, mut starts) = (Vec::new(), Vec::new());
    for module in &MODULES {
        let name = driver_name(kind, module);
        starts.push(pool.len());
        pool.extend_from_slice(&(name.len() as u32).to_le_bytes());
        pool.extend(utf16(name));
        pool.extend_from_slice(&[0, 0]);
        pool.resize(pool.len().next_multiple_of(8), 0);
    }
    (pool, starts)
}

/// Offsets in an entry of the driver list.
struct DriverAt {
    base: usize,
    entry_point: usize,
    size: usize,
    full_name: usize,
    base_name: usize,
    flags: usize,
    load_count: usize,
    checksum: usize,
    time_stamp: usize,
}

const DRIVER64: DriverAt = DriverAt {
    base: 0x38,
    entry_point: 0x40,
    size: 0x48,
    full_name: 0x50,
    base_name: 0x60,
    flags: 0x70,
    load_count: 0x74,
    checksum: 0x80,
    time_stamp: 0x88,
};

const DRIVER32: DriverAt = DriverAt {
    base: 0x1C,
    entry_point: 0x20,
    size: 0x24,
    full_name: 0x28,
    base_name: 0x30,
    flags: 0x38,
    load_count: 0x3C,
    checksum: 0x44,
    time_stamp: 0x48,
};

/// The driver list, whose names stand at these file offsets.
pub(crate) fn drivers(kind: Kind, machine: Machine, place: &Place, names: &[usize]) -> Vec<u8> {
    let narrow = machine.is_32_bit();
    let at = if narrow { &DRIVER32 } else { &DRIVER64 };
    let mut list = Vec::new();
    for (module, name) in MODULES.iter().zip(names) {
        let mut entry = vec![0; driver_size(machine)];
        let base = place.kernel + module.offset;
        // Files written by the kernel have no entry points.
        let entry_point = if kind == Kind::Triage { 0 } else { base + 0x10 };
        put32(&mut entry, 0, *name as u32);
        for (field, value) in [(at.base, base), (at.entry_point, entry_point)] {
            if narrow {
                put32(&mut entry, field, value as u32);
            } else {
                put64(&mut entry, field, value);
            }
        }
        put32(&mut entry, at.size, module.size);
        for (field, text) in [(at.full_name, module.path), (at.base_name, module.name())] {
            put16(&mut entry, field, text.len() as u16 * 2);
            put16(&mut entry, field + 2, text.len() as u16 * 2 + 2);
        }
        put32(&mut entry, at.flags, 0x0900_4000);
        put16(&mut entry, at.load_count, 1);
        put32(&mut entry, at.checksum, module.checksum);
        put32(&mut entry, at.time_stamp, module.time_stamp);
        list.extend_from_slice(&entry);
    }
    list
}

/// Names of unloaded drivers, cut as the file holds them.
pub(crate) fn unloaded_names(many: bool) -> Vec<String> {
    let count = if many { UNLOADED_ROOM } else { 3 };
    let name = |number| match number {
        0 => "unloadedlong.sys".to_owned(),
        1 => "a.sys".to_owned(),
        _ => format!("old{number}.sys"),
    };
    (0..count).map(|number| name(number).chars().take(NAME_CHARACTERS).collect()).collect()
}

/// The count, padded to a pointer's size, and the entries.
pub(crate) fn unloaded(kind: Kind, machine: Machine, place: &Place, names: &[String]) -> Vec<u8> {
    let narrow = machine.is_32_bit();
    let (size, name_at, start_at) = if narrow { (0x28, 8, 0x20) } else { (0x38, 0x10, 0x28) };
    let mut list = (names.len() as u64).to_le_bytes()[..machine.pointer()].to_vec();
    for (number, name) in names.iter().enumerate() {
        let mut entry = vec![0; size];
        let start = place.kernel + 0x40_0000 + number as u64 * 0x1_0000;
        put16(&mut entry, 0, name.len() as u16 * 2);
        put16(&mut entry, 2, name.len() as u16 * 2);
        put(&mut entry, name_at, &utf16(name));
        if narrow {
            put32(&mut entry, start_at, start as u32);
            put32(&mut entry, start_at + 4, start as u32 + 0x8000);
        } else {
            put64(&mut entry, start_at, start);
            put64(&mut entry, start_at + 8, start + 0x8000);
        }
        list.extend_from_slice(&entry);
    }
    if kind == Kind::TriageLater {
        list.resize(machine.pointer() + UNLOADED_ROOM * size, 0);
    }
    list
}

/// The Mm block.
pub(crate) fn mm(machine: Machine) -> Vec<u8> {
    let size = if machine.is_32_bit() { 0x34 } else { 0x50 };
    let mut bytes = vec![0; size];
    put32(&mut bytes, 0, 1);
    put32(&mut bytes, 4, size as u32);
    bytes
}
