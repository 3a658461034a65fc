//! Where things are in virtual memory, and in the kernel image's data.

use crate::nt::Fixture;
use crate::random::Random;
use crate::scenario::Scenario;

/// Of .data in the kernel image.
pub(crate) const DATA_RVA: u64 = 0x5_1000;
pub(crate) const DATA_PAGES: usize = 32;
/// User pages of every process.
pub(crate) const USER: u64 = 0x7ff6_0000_0000;
pub(crate) const SHARED_DATA: u64 = 0xffff_f780_0000_0000;

/// Addresses of the kernel's things. Each region has a top-level entry of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) kernel: u64,
    pub(crate) drivers: u64,
    pub(crate) pool: u64,
    pub(crate) page_frames: u64,
    pub(crate) objects: u64,
    pub(crate) stacks: u64,
    pub(crate) processors: u64,
    pub(crate) self_map: usize,
    pub(crate) debugger_block: u64,
    pub(crate) module_head: u64,
    pub(crate) process_head: u64,
    pub(crate) processor_block: u64,
    pub(crate) build_string: u64,
    pub(crate) page_frame_variable: u64,
    pub(crate) unloaded: u64,
    pub(crate) last_unloaded: u64,
    pub(crate) bugcheck_data: u64,
    /// KiWaitNever and KiWaitAlways.
    pub(crate) keys: u64,
    /// KdpDataBlockEncoded.
    pub(crate) encoded_flag: u64,
    /// The rest of the kernel's variables, 0x10 bytes each.
    pub(crate) variables: u64,
    /// The array of unloaded drivers.
    pub(crate) unloaded_array: u64,
    /// Objects beside processes and threads.
    pub(crate) arena: u64,
    /// Stacks beside the threads' own.
    pub(crate) more_stacks: u64,
}

impl Addresses {
    /// Random as Windows places them: they follow from the seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed, 2);
        let kernel = 0xffff_f806_0000_0000 + random.below(0x400) * 0x20_0000;
        let data = kernel + DATA_RVA;
        let mut slide = |base: u64| base + random.below(0x1000) * 0x20_0000;
        Self {
            kernel,
            drivers: slide(0xffff_f80a_0000_0000),
            pool: slide(0xffff_ac00_0000_0000),
            page_frames: slide(0xffff_c000_0000_0000),
            objects: slide(0xffff_e000_0000_0000),
            stacks: slide(0xffff_d000_0000_0000),
            processors: slide(0xffff_b000_0000_0000),
            self_map: 0x110 + (kernel >> 21 & 0x3f) as usize,
            debugger_block: data + 0x1000,
            module_head: data + 0x2000,
            process_head: data + 0x2040,
            unloaded: data + 0x2080,
            last_unloaded: data + 0x2090,
            page_frame_variable: data + 0x20A0,
            bugcheck_data: data + 0x20C0,
            keys: data + 0x20F0,
            encoded_flag: data + 0x2100,
            build_string: data + 0x2200,
            variables: data + 0x3000,
            processor_block: data + 0x8000,
            unloaded_array: data + 0x8000 + 0x4000,
            arena: 0,
            more_stacks: 0,
        }
        .beside()
    }

    /// In the top-level entries of objects and stacks, far behind them.
    fn beside(self) -> Self {
        const FAR: u64 = 0x20_0000_0000;
        Self { arena: self.objects + FAR, more_stacks: self.stacks + FAR, ..self }
    }

    /// The addresses on the machine of a scenario.
    pub(crate) fn of_scenario(scenario: &Scenario) -> Self {
        let at = Self::of(scenario.seed);
        let Some(build) = scenario.real() else { return at };
        let table = Fixture::of(build).table();
        let variable = |name| at.kernel + table.variable(name);
        Self {
            debugger_block: variable("KdDebuggerDataBlock"),
            module_head: variable("PsLoadedModuleList"),
            process_head: variable("PsActiveProcessHead"),
            processor_block: variable("KiProcessorBlock"),
            build_string: variable("NtBuildLab"),
            page_frame_variable: variable("MmPfnDatabase"),
            unloaded: variable("MmUnloadedDrivers"),
            last_unloaded: variable("MmLastUnloadedDriver"),
            bugcheck_data: variable("KiBugCheckData"),
            keys: variable("KiWaitNever"),
            encoded_flag: variable("KdpDataBlockEncoded"),
            variables: variable("KiVariables"),
            unloaded_array: variable("KiUnloadedDrivers"),
            ..at
        }
    }
}
