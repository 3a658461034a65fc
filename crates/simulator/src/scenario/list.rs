//! Every scenario there is.

/// One way in which the machine differs from a healthy one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    BusyThenOk,
    AlwaysBusy,
    CaptureTimeout,
    Partial,
    Encrypted,
    MemoryPressure,
    LowMemory,
    DiskFull,
    Fat32,
    ReportsOff,
    PolicyOff,
    NotElevated,
    NoDebugPrivilege,
    OldBuild,
    ProtectedProcess,
    StuckThread,
    ManyThreads,
    ManyProcessors,
    StalledVolume,
    SlowWriter,
    Windows10Redstone,
    Windows10,
    Windows11,
    Container,
    ProcessExits,
    ThreadGone,
    ThreadsDenied,
    UnknownStatus,
    BadHeader,
    Truncated,
    V1Only,
    WaitDurations,
    Debugger,
    VolumeRunsLow,
    EncodedDebuggerBlock,
    Vbs,
    HyperVHost,
    ClusterNode,
    Wow64,
    X64OnArm64,
    FactsUnread,
    KvaShadow,
    La57,
    LargePages,
    SwappedStacks,
    StackSegments,
    UserCallbacks,
    Deadlock,
    StuckIrp,
    UnlistedIrp,
    MutantOwnerDead,
    AlpcChain,
    DpcStorm,
    WorkQueueFull,
}

impl Fault {
    /// Whether only a kernel of real code can show it.
    pub(crate) fn needs_real_kernel(self) -> bool {
        matches!(
            self,
            Self::KvaShadow
                | Self::La57
                | Self::LargePages
                | Self::SwappedStacks
                | Self::StackSegments
                | Self::UserCallbacks
                | Self::Deadlock
                | Self::StuckIrp
                | Self::UnlistedIrp
                | Self::MutantOwnerDead
                | Self::AlpcChain
                | Self::DpcStorm
                | Self::WorkQueueFull
        )
    }
}

/// One scenario, for lists and documentation.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioInfo {
    /// What stands after `--simulate=`.
    pub name: &'static str,
    /// One line.
    pub description: &'static str,
    /// The exit code of `livedump kernel`, with [`ScenarioInfo::flags`].
    pub kernel_exit: i32,
    /// Options that `kernel` needs to meet it, "" for none.
    pub flags: &'static str,
    pub(crate) fault: Fault,
}

const fn info(
    name: &'static str,
    fault: Fault,
    kernel_exit: i32,
    flags: &'static str,
    description: &'static str,
) -> ScenarioInfo {
    ScenarioInfo { name, description, kernel_exit, flags, fault }
}

const LIST: &[ScenarioInfo] = &[
    info("healthy", Fault::None, 0, "", "nothing is wrong: Windows 11 24H2, 64 MiB"),
    info(
        "busy-then-ok",
        Fault::BusyThenOk,
        0,
        "",
        "another dump holds the lock for the first two calls",
    ),
    info("always-busy", Fault::AlwaysBusy, 11, "", "another dump holds the lock for ever"),
    info(
        "capture-timeout",
        Fault::CaptureTimeout,
        11,
        "",
        "the processors cannot be stopped in time",
    ),
    info("partial", Fault::Partial, 8, "", "not enough free memory for the copy: a partial dump"),
    info("encrypted", Fault::Encrypted, 8, "", "crash dumps are encrypted, and so is this one"),
    info(
        "memory-pressure",
        Fault::MemoryPressure,
        6,
        "--abort-on-memory-pressure",
        "memory runs low; without the option a partial dump (exit 8)",
    ),
    info("low-memory", Fault::LowMemory, 6, "", "not even the least memory for the copy is free"),
    info(
        "disk-full-mid-write",
        Fault::DiskFull,
        5,
        "",
        "the volume fills up in the middle of the file",
    ),
    info("fat32", Fault::Fat32, 5, "", "a FAT32 volume that refuses the file with space left"),
    info("reports-off", Fault::ReportsOff, 12, "", "FullLiveReportsMax is 0"),
    info("policy-off", Fault::PolicyOff, 12, "", "AllowLiveDump is 0"),
    info("not-elevated", Fault::NotElevated, 3, "", "an ordinary user's token"),
    info(
        "no-debug-privilege",
        Fault::NoDebugPrivilege,
        3,
        "",
        "elevated, but the right to debug programs was taken away",
    ),
    info(
        "debugger-inactive",
        Fault::OldBuild,
        4,
        "-u",
        "an old build that gives user pages only with a kernel debugger",
    ),
    info(
        "protected-process",
        Fault::ProtectedProcess,
        0,
        "",
        "guarded.exe and lsass.exe are protected (triage: exit 12)",
    ),
    info(
        "stuck-thread",
        Fault::StuckThread,
        0,
        "",
        "a thread of stuck.exe does not answer (triage: 5 s, object only)",
    ),
    info(
        "many-threads",
        Fault::ManyThreads,
        0,
        "",
        "crowded.exe has 4,000 threads, or as many as threads= says",
    ),
    info(
        "many-processors",
        Fault::ManyProcessors,
        0,
        "",
        "64 processors, whose data crowds stacks out of a triage dump",
    ),
    info(
        "stalled-volume",
        Fault::StalledVolume,
        0,
        "",
        "one write hangs for two minutes of the machine's time",
    ),
    info(
        "slow-writer",
        Fault::SlowWriter,
        0,
        "",
        "writes for some 30 s of real time: try Ctrl+C and progress",
    ),
    info("windows-10-1607", Fault::Windows10Redstone, 0, "", "Windows 10 1607, build 14393"),
    info("windows-10", Fault::Windows10, 0, "", "Windows 10 22H2, build 19045"),
    info("windows-11", Fault::Windows11, 0, "", "Windows 11 24H2, build 26100"),
    info("container", Fault::Container, 4, "", "inside a Windows container"),
    info(
        "process-exits",
        Fault::ProcessExits,
        0,
        "",
        "a process ends when its threads are opened (triage: exit 10)",
    ),
    info("thread-gone", Fault::ThreadGone, 0, "", "every second thread ends before it is opened"),
    info("threads-denied", Fault::ThreadsDenied, 0, "", "every second thread cannot be opened"),
    info("unknown-status", Fault::UnknownStatus, 1, "", "the kernel answers 0xC0DEF00D"),
    info("bad-header", Fault::BadHeader, 9, "", "the kernel says success and wrote no header"),
    info(
        "truncated",
        Fault::Truncated,
        9,
        "",
        "the kernel says success and left out the last page",
    ),
    info("v1-only", Fault::V1Only, 0, "", "a new build that refuses the 72-byte structure"),
    info(
        "wait-durations",
        Fault::WaitDurations,
        0,
        "",
        "wait times are served as durations, not as tick stamps",
    ),
    info(
        "volume-runs-low",
        Fault::VolumeRunsLow,
        5,
        "",
        "somebody else fills the volume while the dump is written",
    ),
    info(
        "encoded-debugger-block",
        Fault::EncodedDebuggerBlock,
        0,
        "",
        "the debugger block is encoded, as on a running system",
    ),
    info("vbs", Fault::Vbs, 0, "", "virtualization-based security and HVCI run"),
    info("hyper-v-host", Fault::HyperVHost, 0, "", "hosts Hyper-V guests"),
    info("cluster-node", Fault::ClusterNode, 0, "", "a node of a failover cluster"),
    info("wow64", Fault::Wow64, 4, "", "livedump is a 32-bit process on 64-bit Windows"),
    info("x64-on-arm64", Fault::X64OnArm64, 0, "", "livedump for x64 on an ARM64 Windows"),
    info(
        "facts-unread",
        Fault::FactsUnread,
        0,
        "",
        "policies, debugger state and memory cannot be read",
    ),
    info(
        "deadlock",
        Fault::Deadlock,
        0,
        "",
        "two threads over two resources, and three over three",
    ),
    info(
        "stuck-irp",
        Fault::StuckIrp,
        0,
        "",
        "a request that a driver does not complete, and who waits behind it",
    ),
    info(
        "unlisted-irp",
        Fault::UnlistedIrp,
        0,
        "",
        "the same, and the request is on no thread's list; how it is reached follows from the seed",
    ),
    info(
        "mutant-owner-dead",
        Fault::MutantOwnerDead,
        0,
        "",
        "threads wait for a mutant whose owner has ended",
    ),
    info(
        "alpc-chain",
        Fault::AlpcChain,
        0,
        "",
        "a thread waits for a server that waits for another server",
    ),
    info(
        "dpc-storm",
        Fault::DpcStorm,
        0,
        "",
        "a driver's deferred call does not end, others queue up behind it",
    ),
    info(
        "work-queue-full",
        Fault::WorkQueueFull,
        0,
        "",
        "all worker threads wait for what only a queued item would do",
    ),
    info("kva-shadow", Fault::KvaShadow, 0, "", "user mode has page tables of its own"),
    info("la57", Fault::La57, 0, "", "page tables of five levels"),
    info("large-pages", Fault::LargePages, 0, "", "the kernel's image lies in large pages"),
    info("swapped-stacks", Fault::SwappedStacks, 0, "", "some kernel stacks are not resident"),
    info(
        "stack-segments",
        Fault::StackSegments,
        0,
        "",
        "some threads run on expanded kernel stacks",
    ),
    info(
        "user-callbacks",
        Fault::UserCallbacks,
        0,
        "",
        "some threads wait in the kernel below a callback into user mode",
    ),
    info(
        "encoded-block",
        Fault::EncodedDebuggerBlock,
        0,
        "",
        "the debugger block is encoded, as on a running system",
    ),
    info("debugger", Fault::Debugger, 0, "", "booted with kernel debugging, a debugger attached"),
];

/// All scenarios, healthy first.
pub fn list() -> &'static [ScenarioInfo] {
    LIST
}
