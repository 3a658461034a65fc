//! What a machine says about itself. Every field that Windows may refuse is an `Option`.

use std::time::Duration;

/// Whether a result comes from a real machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This Windows.
    Real,
    /// A made-up machine, with the scenario text that made it.
    Simulated {
        /// As given after `--simulate=`, or "healthy".
        scenario: String,
    },
}

/// A processor architecture of Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// 32-bit x86.
    X86,
    /// x86-64.
    X64,
    /// 64-bit ARM.
    Arm64,
    /// An IMAGE_FILE_MACHINE value not listed here.
    Unknown(u16),
}

/// The operating system's version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsVersion {
    /// Major version, 10 for every supported Windows.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// Build, as 26100.
    pub build: u32,
    /// Update build revision, the number after the dot.
    pub revision: Option<u32>,
    /// "Windows 11 Pro", as the registry says.
    pub product: Option<String>,
    /// Workstation, domain controller or server.
    pub product_type: Option<ProductType>,
}

/// VER_NT_* product types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductType {
    /// VER_NT_WORKSTATION.
    Workstation,
    /// VER_NT_DOMAIN_CONTROLLER.
    DomainController,
    /// VER_NT_SERVER.
    Server,
    /// Any other value.
    Unknown(u32),
}

/// The state of SeDebugPrivilege in our token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivilegeState {
    /// Not in the token at all.
    NotHeld,
    /// Held, not enabled.
    Disabled,
    /// Enabled.
    Enabled,
}

/// SystemKernelDebuggerInformation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebuggerState {
    /// Booted with kernel debugging enabled.
    pub enabled: bool,
    /// A debugger is not attached.
    pub not_present: bool,
}

/// Policy values that bear on a capture, `None` when the value is not set or not readable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// CrashControl\FullLiveKernelReports\FullLiveReportsMax; 0 switches live dumps off.
    pub full_live_reports_max: Option<u32>,
    /// Control\LiveDump\AllowLiveDump; 0 forbids.
    pub allow_live_dump: Option<u32>,
    /// CrashControl\DumpEncryptionEnabled.
    pub dump_encryption_enabled: Option<u32>,
    /// FullLiveKernelReports\SystemThrottleThreshold, hours.
    pub system_throttle_threshold: Option<u32>,
    /// FullLiveKernelReports\ComponentThrottleThreshold, hours.
    pub component_throttle_threshold: Option<u32>,
}

/// Memory in bytes, all from one moment. What a dump will hold is estimated from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryFacts {
    /// Physical memory.
    pub total: Option<u64>,
    /// Free for use now (free, zeroed, standby).
    pub available: Option<u64>,
    /// Nonpaged pool.
    pub nonpaged_pool: Option<u64>,
    /// Paged pool that is resident.
    pub resident_paged_pool: Option<u64>,
    /// Kernel code that is resident.
    pub resident_kernel_code: Option<u64>,
    /// Driver code that is resident.
    pub resident_driver_code: Option<u64>,
    /// Sum of all working sets.
    pub working_sets: Option<u64>,
    /// Sum of the private part of all working sets.
    pub private_working_sets: Option<u64>,
    /// Commit charge.
    pub committed: Option<u64>,
    /// Commit limit.
    pub commit_limit: Option<u64>,
    /// Number of processes.
    pub processes: Option<u32>,
    /// Number of threads.
    pub threads: Option<u32>,
    /// Page size, 4096 on every Windows that counts.
    pub page_size: u32,
}

/// Something that is there, is not, or could not be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// Found.
    Yes,
    /// Looked for and not found.
    No,
    /// Could not be asked.
    #[default]
    Unknown,
}

/// Everything a machine says about itself.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The computer's name.
    pub computer: Option<String>,
    /// Version and build.
    pub os: Option<OsVersion>,
    /// The machine's own architecture.
    pub native: Option<Architecture>,
    /// The architecture our process runs as.
    pub process: Option<Architecture>,
    /// Our token is elevated.
    pub elevated: Option<bool>,
    /// SeDebugPrivilege in our token.
    pub debug_privilege: Option<PrivilegeState>,
    /// Kernel debugger.
    pub debugger: Option<DebuggerState>,
    /// Virtualization-based security runs.
    pub vbs: Presence,
    /// Hypervisor-enforced code integrity runs.
    pub hvci: Presence,
    /// A hypervisor is under this Windows (it may be a guest, or VBS).
    pub hypervisor: Presence,
    /// This Windows hosts Hyper-V guests.
    pub hyper_v_host: Presence,
    /// A failover cluster node.
    pub cluster_node: Presence,
    /// Inside a Windows container (server silo).
    pub container: Presence,
    /// Inside Windows Sandbox.
    pub sandbox: Presence,
    /// Policy values.
    pub policy: Policy,
    /// Memory.
    pub memory: MemoryFacts,
    /// Active logical processors, all groups.
    pub processors: Option<u32>,
    /// What could not be read: the fact's name, and why.
    pub unread: Vec<(String, String)>,
}

/// The tick count against which wait times may be stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TickClock {
    /// The kernel's tick count now.
    pub ticks: u64,
    /// One tick in 100 ns units (156,250 on most machines).
    pub tick_100ns: u32,
}

/// What a thread of ours that was parked for a known time looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitProbe {
    /// Its raw wait time as the system reported it.
    pub raw: u32,
    /// How long it had been parked then.
    pub parked: Duration,
    /// The tick count at that moment, for stamps.
    pub clock: TickClock,
}
