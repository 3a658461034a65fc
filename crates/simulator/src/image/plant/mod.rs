//! What a kernel of real code has more: full objects, waits, locks, requests, and who holds what.
//!
//! Fields are written by name through the fixture's table; what they mean is
//! as Microsoft's documentation and public symbols have it.

mod alpc;
mod io;
mod locks;
mod processors;
mod spaces;
mod threads;
mod truth;
mod waits;

use std::collections::HashMap;

use crate::bytes::{get64, put64};
use crate::image::entries::Access;
use crate::image::physical::{Content, PAGE};
use crate::image::{Addresses, Image};
use crate::nt::Fixture;
use crate::nt::stacks::RealStacks;
use crate::population::Population;
use crate::random::Random;
use crate::scenario::Scenario;

pub(crate) use truth::Facts;

/// A fixture at its place, and room for more objects.
pub(crate) struct Real {
    pub(crate) fixture: &'static Fixture,
    /// Where its images lie, the kernel first.
    pub(crate) bases: Vec<u64>,
    /// Where the next object goes, and the end of what is mapped.
    next: u64,
    mapped: u64,
    /// OBJECT_TYPE addresses by type name.
    types: HashMap<&'static str, (u8, u64)>,
    cookie: u8,
    /// Entries of one list, by its head, in order.
    lists: Vec<(u64, Vec<u64>)>,
    list_numbers: HashMap<u64, usize>,
    /// What was planted.
    pub(crate) facts: Facts,
}

/// Pages that planting takes at most.
pub(crate) fn pages(scenario: &Scenario, threads: u64, processes: u64) -> u64 {
    if scenario.real().is_none() {
        return 0;
    }
    const LARGE_PAGES: u64 = 1600;
    threads * 0x180 / 4096 + processes * 8 + LARGE_PAGES + u64::from(scenario.processors) * 8
}

/// Room between images.
const GAP: u64 = 0x1_0000;
/// Objects are mapped by this many pages at a time.
const STEP: usize = 16;

impl Real {
    pub(crate) fn of(scenario: &Scenario, at: &Addresses) -> Option<Self> {
        let fixture = Fixture::of(scenario.real()?);
        let mut bases = vec![at.kernel];
        let mut driver = at.drivers;
        for picture in &fixture.pictures[1..] {
            bases.push(driver);
            driver += u64::from(picture.size).next_multiple_of(PAGE as u64) + GAP;
        }
        Some(Self {
            fixture,
            bases,
            next: at.arena,
            mapped: at.arena,
            types: HashMap::new(),
            cookie: Random::new(scenario.seed, 8).next() as u8,
            lists: Vec::new(),
            list_numbers: HashMap::new(),
            facts: Facts::default(),
        })
    }

    pub(crate) fn stacks(&self, scenario: &Scenario, population: &Population) -> RealStacks {
        RealStacks {
            fixture: self.fixture,
            bases: self.bases.clone(),
            activities: population.plan.as_ref().map_or_else(Vec::new, |p| p.activities.clone()),
            keeps: HashMap::new(),
            expanded: HashMap::new(),
            callbacks: std::collections::HashSet::new(),
            processors: HashMap::new(),
            processors_own: HashMap::new(),
            interrupted: std::collections::HashSet::new(),
            seed: scenario.seed,
            arm: scenario.architecture == machine::Architecture::Arm64,
        }
    }
}

impl Image {
    /// Fills in what only a kernel of real code has.
    pub(crate) fn plant(&mut self, scenario: &Scenario) {
        let Some(plan) = self.population.plan.clone() else { return };
        self.plant_types();
        self.plant_threads(&plan);
        self.plant_processes();
        self.plant_mutants(&plan);
        self.plant_resources(&plan);
        self.plant_requests(&plan);
        self.plant_messages(&plan);
        self.plant_lock_entries(&plan);
        self.plant_work_queue(&plan);
        self.plant_waits(&plan);
        self.plant_storm(&plan);
        self.plant_expanded_stacks();
        self.plant_processor_stacks();
        self.write_lists();
        self.swap_out(&plan);
        self.lose_pages(scenario);
    }

    pub(crate) fn variable_of(&self, name: &str) -> Option<u64> {
        let real = self.real.as_ref()?;
        Some(self.at.kernel + real.fixture.table().variable(name))
    }

    /// The address of a function of the kernel or a driver.
    pub(crate) fn function_of(&self, name: &str) -> u64 {
        let Some(real) = &self.real else { return 0 };
        let found = real.fixture.pictures.iter().zip(&real.bases).find_map(|(picture, base)| {
            picture.table.function(name).map(|f| base + u64::from(f.rva))
        });
        debug_assert!(found.is_some(), "no function {name}");
        found.unwrap_or(0)
    }

    fn size_of(&self, structure: &str) -> usize {
        self.real.as_ref().map_or(0, |r| r.fixture.table().size(structure))
    }

    fn offset_of(&self, structure: &str, field: &str) -> u64 {
        self.real.as_ref().map_or(0, |r| r.fixture.table().offset(structure, field) as u64)
    }

    /// Sets a field of the structure at `address`.
    fn set(&mut self, address: u64, structure: &str, field: &str, value: u64) {
        let Some(real) = &self.real else { return };
        let field = real.fixture.table().field(structure, field);
        let at = address + field.offset as u64;
        let mut value = value;
        if let Some((first, count)) = field.bits {
            let old = get64(&self.space.read(at, 8), 0);
            let mask = ((1u64 << count) - 1) << first;
            value = old & !mask | value << first & mask;
        }
        let size = field.size.min(8);
        self.space.write(at, &value.to_le_bytes()[..size]);
    }

    fn set_bytes(&mut self, address: u64, structure: &str, field: &str, bytes: &[u8]) {
        let at = address + self.offset_of(structure, field);
        self.space.write(at, bytes);
    }

    fn get(&self, address: u64, structure: &str, field: &str) -> u64 {
        let Some(real) = &self.real else { return 0 };
        let field = real.fixture.table().field(structure, field);
        let value = get64(&self.space.read(address + field.offset as u64, 8), 0);
        if field.size < 8 { value & ((1 << (field.size * 8)) - 1) } else { value }
    }

    /// Zeroed memory for an object of `size` bytes.
    fn allocate(&mut self, size: usize) -> u64 {
        let Some(real) = &mut self.real else { return 0 };
        let address = real.next.next_multiple_of(0x10);
        real.next = address + size as u64 + 0x10;
        let (mut from, end) = (real.mapped, real.next);
        while from < end {
            self.space.area(from, STEP, Content::Zero, true, Access::Data);
            from += (STEP * PAGE) as u64;
        }
        if let Some(real) = &mut self.real {
            real.mapped = from;
        }
        address
    }

    fn make(&mut self, structure: &str) -> u64 {
        self.allocate(self.size_of(structure))
    }

    /// An object with a header before it.
    fn object(&mut self, kind: &'static str, structure: &str) -> u64 {
        let header = self.offset_of("_OBJECT_HEADER", "Body");
        let address = self.allocate(header as usize + self.size_of(structure)) + header;
        self.head(kind, address);
        address
    }

    /// Writes the OBJECT_HEADER of an object; its type's number is mixed with the cookie.
    fn head(&mut self, kind: &'static str, address: u64) {
        let Some(real) = &self.real else { return };
        let header = address - self.offset_of("_OBJECT_HEADER", "Body");
        let index = real.types.get(kind).map_or(0, |(index, _)| *index);
        let mixed = index ^ real.cookie ^ (header >> 8) as u8;
        self.set(header, "_OBJECT_HEADER", "PointerCount", 0x7FFD);
        self.set(header, "_OBJECT_HEADER", "HandleCount", 1);
        self.set(header, "_OBJECT_HEADER", "TypeIndex", mixed.into());
    }

    /// A DISPATCHER_HEADER with an empty list of waiters.
    fn dispatcher(&mut self, address: u64, kind: u8, size: usize, state: u32) {
        let header = "_DISPATCHER_HEADER";
        self.set(address, header, "Type", kind.into());
        self.set(address, header, "Size", size as u64 / 4);
        self.set(address, header, "SignalState", state.into());
        let list = address + self.offset_of(header, "WaitListHead");
        self.list(list);
    }

    /// A list that is empty so far.
    fn list(&mut self, head: u64) {
        let Some(real) = &mut self.real else { return };
        real.list_numbers.entry(head).or_insert_with(|| {
            real.lists.push((head, Vec::new()));
            real.lists.len() - 1
        });
    }

    /// Puts an entry at the end of a list.
    fn insert(&mut self, head: u64, entry: u64) {
        self.list(head);
        let Some(real) = &mut self.real else { return };
        if let Some(number) = real.list_numbers.get(&head) {
            real.lists[*number].1.push(entry);
        }
    }

    fn write_lists(&mut self) {
        let Some(real) = &mut self.real else { return };
        for (head, entries) in std::mem::take(&mut real.lists) {
            self.link(head, &entries);
        }
    }

    fn unicode(&mut self, text: &str) -> [u8; 16] {
        let bytes = crate::bytes::utf16(text);
        let address = self.allocate(bytes.len() + 2);
        self.space.write(address, &bytes);
        let mut string = [0; 16];
        let length = bytes.len() as u64;
        put64(&mut string, 0, length | (length + 2) << 16);
        put64(&mut string, 8, address);
        string
    }

    /// Types of objects, and the table that headers index.
    fn plant_types(&mut self) {
        const NAMES: [&str; 11] = [
            "Type",
            "Process",
            "Thread",
            "Event",
            "Mutant",
            "Semaphore",
            "Device",
            "Driver",
            "File",
            "ALPC Port",
            "IoCompletion",
        ];
        let Some(table) = self.variable_of("ObTypeIndexTable") else { return };
        for (number, name) in NAMES.into_iter().enumerate() {
            let index = number as u8 + 2;
            let address = self.object("Type", "_OBJECT_TYPE");
            let string = self.unicode(name);
            self.set_bytes(address, "_OBJECT_TYPE", "Name", &string);
            self.set(address, "_OBJECT_TYPE", "Index", index.into());
            self.space.write64(table + u64::from(index) * 8, address);
            if let Some(real) = &mut self.real {
                real.types.insert(name, (index, address));
            }
        }
        let cookie = self.real.as_ref().map_or(0, |r| r.cookie);
        if let Some(at) = self.variable_of("ObHeaderCookie") {
            self.space.write(at, &[cookie]);
        }
    }
}
