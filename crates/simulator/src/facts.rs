//! What the machine says about itself.

use machine::{
    Architecture, DebuggerState, Facts, MemoryFacts, OsVersion, Policy, Presence, PrivilegeState,
    ProductType,
};

use crate::image::{Filler, Sizes};
use crate::layout::Layout;
use crate::population::Population;
use crate::scenario::{Fault, Scenario};

const PAGE: u64 = 4096;
/// Resident code of the kernel and of all drivers, in pages.
const KERNEL_CODE: u64 = 64;
const DRIVER_CODE: u64 = 500;

pub(crate) fn facts(scenario: &Scenario, population: &Population) -> Facts {
    let old = scenario.build < 22000;
    let elevated = !scenario.has(Fault::NotElevated);
    let privilege = elevated && !scenario.has(Fault::NoDebugPrivilege);
    let state = if privilege { PrivilegeState::Disabled } else { PrivilegeState::NotHeld };
    let presence = |fault| if scenario.has(fault) { Presence::Yes } else { Presence::No };
    let mut facts = Facts {
        computer: Some("SIMULATED-PC".into()),
        os: Some(OsVersion {
            major: 10,
            minor: 0,
            build: scenario.build,
            revision: Some(if old { 3930 } else { 2033 }),
            product: Some(if old { "Windows 10 Pro" } else { "Windows 11 Pro" }.into()),
            product_type: Some(ProductType::Workstation),
        }),
        native: Some(scenario.architecture),
        process: Some(process_architecture(scenario)),
        elevated: Some(elevated),
        debug_privilege: Some(state),
        debugger: Some(DebuggerState {
            enabled: scenario.has(Fault::Debugger),
            not_present: !scenario.has(Fault::Debugger),
        }),
        vbs: presence(Fault::Vbs),
        hvci: presence(Fault::Vbs),
        hypervisor: if presence(Fault::Vbs) == Presence::Yes {
            Presence::Yes
        } else {
            presence(Fault::HyperVHost)
        },
        hyper_v_host: presence(Fault::HyperVHost),
        cluster_node: presence(Fault::ClusterNode),
        container: presence(Fault::Container),
        sandbox: Presence::No,
        policy: policy(scenario),
        memory: memory(scenario, population),
        processors: Some(scenario.processors),
        unread: Vec::new(),
    };
    if scenario.has(Fault::FactsUnread) {
        forget(&mut facts);
    }
    facts
}

fn process_architecture(scenario: &Scenario) -> Architecture {
    match scenario.architecture {
        _ if scenario.has(Fault::Wow64) => Architecture::X86,
        _ if scenario.has(Fault::X64OnArm64) => Architecture::X64,
        native => native,
    }
}

/// What Windows may refuse to tell.
fn forget(facts: &mut Facts) {
    facts.policy = Policy::default();
    facts.memory = MemoryFacts { page_size: facts.memory.page_size, ..MemoryFacts::default() };
    facts.debugger = None;
    facts.vbs = Presence::Unknown;
    facts.hvci = Presence::Unknown;
    facts.cluster_node = Presence::Unknown;
    let names = [
        "FullLiveReportsMax",
        "AllowLiveDump",
        "DumpEncryptionEnabled",
        "memory",
        "kernel debugger",
        "VBS",
        "HVCI",
        "cluster",
    ];
    facts.unread = names.map(|name| (name.to_owned(), "Access is denied.".to_owned())).to_vec();
}

fn policy(scenario: &Scenario) -> Policy {
    Policy {
        full_live_reports_max: scenario.has(Fault::ReportsOff).then_some(0),
        allow_live_dump: scenario.has(Fault::PolicyOff).then_some(0),
        dump_encryption_enabled: scenario.has(Fault::Encrypted).then_some(1),
        system_throttle_threshold: None,
        component_throttle_threshold: None,
    }
}

/// Consistent with the dump: the parts add up to less than it, memory in use to more.
fn memory(scenario: &Scenario, population: &Population) -> MemoryFacts {
    let layout = Layout::of_scenario(scenario);
    let sizes = Sizes::of(scenario, population, &layout);
    let of = |filler: Filler| sizes.fillers[filler as usize];
    let (pool, user) = (of(Filler::Pool), of(Filler::User));
    // Part of the pool is not counted: what the system calls pool is never all that a dump takes.
    let counted = (pool - pool / 20).saturating_sub(sizes.protected_user);
    let bitmap_and_more = sizes.total / 16_384 + 64;
    let fillers: u64 = sizes.fillers.iter().sum();
    let in_use = fillers + sizes.slots + bitmap_and_more;
    let free = sizes.total.saturating_sub(in_use);
    let copied = of(Filler::PageFrames) + pool + sizes.slots;
    let available = if scenario.has(Fault::LowMemory) {
        free.min(256)
    } else if scenario.has(Fault::Partial) || scenario.has(Fault::MemoryPressure) {
        free.min(copied / 2)
    } else {
        free
    };
    let bytes = |pages: u64| Some(pages * PAGE);
    MemoryFacts {
        total: bytes(sizes.total),
        available: bytes(available),
        nonpaged_pool: bytes(counted * 3 / 5),
        resident_paged_pool: bytes(counted * 2 / 5),
        resident_kernel_code: bytes(KERNEL_CODE),
        resident_driver_code: bytes(DRIVER_CODE),
        working_sets: bytes(user),
        private_working_sets: bytes(user * 3 / 5),
        committed: bytes(in_use + user),
        commit_limit: bytes(sizes.total * 5 / 4),
        processes: Some(population.processes.len() as u32),
        threads: Some(population.threads.len() as u32),
        page_size: PAGE as u32,
    }
}
