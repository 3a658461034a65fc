//! The memory of a small NT: what both kinds of dump are made from.

mod context;
mod debugger;
mod entries;
mod functions;
mod modules;
mod objects;
mod pe;
mod physical;
mod place;
mod plant;
mod shared;
mod space;
mod stack;

use std::collections::HashSet;

use machine::Architecture;

use crate::layout::Layout;
use crate::nt::Fixture;
use crate::population::{Population, RealProcess};
use crate::scenario::{Fault, Scenario};

pub(crate) use functions::{SNAPPING, address_in};
pub(crate) use modules::Module;
pub(crate) use physical::{FILLERS, Filler, PAGE, Slot};
pub(crate) use place::Addresses;
pub(crate) use stack::STACK_PAGES;

use entries::EntryFormat;
use physical::{Physical, Plan};
use plant::Real;
use space::Space;
use stack::Stacks;

/// The machine's memory and where things are in it.
pub(crate) struct Image {
    pub(crate) architecture: Architecture,
    pub(crate) build: u32,
    pub(crate) processors: u32,
    pub(crate) layout: Layout,
    pub(crate) population: Population,
    pub(crate) at: Addresses,
    pub(crate) modules: Vec<Module>,
    /// EPROCESS addresses, by number of the process.
    pub(crate) processes: Vec<u64>,
    /// ETHREAD addresses, by number of the thread.
    pub(crate) threads: Vec<u64>,
    /// KPRCB addresses.
    pub(crate) prcbs: Vec<u64>,
    /// Thread that runs on each processor.
    pub(crate) current: Vec<usize>,
    /// In clear, whatever is in memory.
    pub(crate) debugger_block: Vec<u8>,
    /// What there is more of a kernel of real code.
    pub(crate) real: Option<Real>,
    /// Frames that a dump shall not have.
    pub(crate) missing: HashSet<u64>,
    space: Space,
}

/// Where system threads start, on the machine of a seed.
pub(crate) fn system_thread_start(scenario: &Scenario) -> u64 {
    let kernel = Addresses::of(scenario.seed).kernel;
    let real = scenario.real().map(Fixture::of);
    match real.and_then(|f| f.table().function("ExpWorkerThread")) {
        Some(function) => kernel + u64::from(function.rva),
        None => functions::start_of_system_threads(kernel),
    }
}

/// Pages of each kind, before anything is built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) total: u64,
    /// By [`Filler`].
    pub(crate) fillers: [u64; 5],
    /// At most this many hold structures.
    pub(crate) slots: u64,
    /// User pages of protected processes, which no dump takes.
    pub(crate) protected_user: u64,
}

/// Images, lists, tables: what does not grow with the machine.
const OTHER_STRUCTURES: u64 = 1024;

impl Sizes {
    pub(crate) fn of(scenario: &Scenario, population: &Population, layout: &Layout) -> Self {
        let pool = scenario.pool_pages();
        let user: u64 = population.processes.iter().map(|p| p.user_pages).sum();
        let protected_user = population
            .processes
            .iter()
            .filter(|p| p.protection & 7 != 0)
            .map(|p| p.user_pages)
            .sum();
        let threads = population.threads.len() as u64;
        let processes = population.processes.len() as u64;
        let hypervisor = 64;
        let nonessential = 192;
        let objects = (threads * u64::from(layout.ethread + 0x90)
            + processes * u64::from(layout.eprocess + 0x90))
            / 4096;
        let slots = threads * STACK_PAGES as u64
            + threads * 7 / 512
            + objects
            + processes * 6
            + (user + pool) / 512
            + u64::from(scenario.processors) * 32
            + OTHER_STRUCTURES
            + plant::pages(scenario, threads, processes);
        let used = slots + pool + user + hypervisor + nonessential;
        // A free page for every used one, so that a copy of all of it fits.
        let total = (scenario.memory / 4096).max(used * 2 + used / 8 + 256);
        let frames = (total * 48).div_ceil(4096);
        Self {
            total,
            fillers: [frames, pool, user, hypervisor, nonessential],
            slots: slots + frames / 512,
            protected_user,
        }
    }
}

impl Image {
    /// Builds the machine of a scenario, with `real` processes in it.
    pub(crate) fn new(scenario: &Scenario, real: &[RealProcess]) -> Self {
        let population = Population::new(scenario, real);
        let layout = Layout::of_scenario(scenario);
        let sizes = Sizes::of(scenario, &population, &layout);
        let at = Addresses::of_scenario(scenario);
        let format = EntryFormat::of(scenario.architecture);
        let plan = Plan { total: sizes.total, counts: sizes.fillers };
        let mut physical = Physical::new(&plan, scenario.seed, format);
        physical.stacks = Stacks::new(scenario.seed, at.kernel, scenario.architecture);
        let levels = if scenario.has(Fault::La57) { 5 } else { 4 };
        let space = Space::new(physical, at.self_map, levels);
        let mut image = Self {
            architecture: scenario.architecture,
            build: scenario.build,
            processors: scenario.processors,
            layout,
            population,
            at,
            modules: Vec::new(),
            processes: Vec::new(),
            threads: Vec::new(),
            prcbs: Vec::new(),
            current: Vec::new(),
            debugger_block: Vec::new(),
            real: None,
            missing: HashSet::new(),
            space,
        };
        image.real = Real::of(scenario, &at);
        image.space.physical.stacks.real =
            image.real.as_ref().map(|real| real.stacks(scenario, &image.population));
        image.build_modules(scenario.has(Fault::LargePages));
        image.build_shared_data();
        image.build_fillers(&sizes);
        image.build_objects();
        image.build_processors();
        image.build_debugger_block(scenario.has(Fault::EncodedDebuggerBlock));
        image.build_user_space(scenario.has(Fault::KvaShadow));
        image.plant(scenario);
        debug_assert!(image.physical().slots().len() as u64 <= sizes.slots);
        image
    }

    fn build_fillers(&mut self, sizes: &Sizes) {
        let root = self.space.kernel_root();
        for (filler, address) in
            [(Filler::PageFrames, self.at.page_frames), (Filler::Pool, self.at.pool)]
        {
            self.space.filler(root, address, filler, 0, sizes.fillers[filler as usize]);
        }
    }

    /// One mapping of each process's own pages, at the same address in all.
    fn build_user_space(&mut self, shadow: bool) {
        let mut first = 0;
        for number in 0..self.population.processes.len() {
            let pages = self.population.processes[number].user_pages;
            let root = match self.population.processes[number].pid {
                0 | 4 => self.space.kernel_root(),
                _ => self.space.process_root(),
            };
            self.space.filler(root, place::USER, Filler::User, first, pages);
            first += pages;
            let base = self.space.directory_base(root);
            self.set_directory_base(number, base);
            if shadow {
                self.shadow(number, base);
            }
        }
    }

    /// User pages of one process, as a range in the filler.
    pub(crate) fn user_ranges(&self) -> impl Iterator<Item = (u8, u64, u64)> + '_ {
        let mut first = 0;
        self.population.processes.iter().map(move |process| {
            let from = first;
            first += process.user_pages;
            (process.protection, from, first)
        })
    }

    pub(crate) fn directory_base(&self) -> u64 {
        self.space.directory_base(self.space.kernel_root())
    }

    pub(crate) fn table_base(&self) -> u64 {
        self.space.table_base()
    }

    pub(crate) fn physical(&self) -> &Physical {
        &self.space.physical
    }

    /// Reads by kernel address; zeros where nothing is.
    pub(crate) fn read(&self, address: u64, length: usize) -> Vec<u8> {
        self.space.read(address, length)
    }

    /// The thread with which a capture is made.
    pub(crate) fn capturing_thread(&self) -> usize {
        self.current.first().copied().unwrap_or(0)
    }
}
