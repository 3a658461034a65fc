//! Threads as the system lists them.

/// One thread of the system's process information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Thread id.
    pub tid: u32,
    /// Owner.
    pub pid: u32,
    /// KTHREAD_STATE: 0 initialized, 1 ready, 2 running, 3 standby, 4 terminated, 5 waiting, 6 transition, ...
    pub state: u32,
    /// KWAIT_REASON; meaningful while `state` is 5.
    pub wait_reason: u32,
    /// The raw WaitTime of the system's process information. Its unit is
    /// UNCONFIRMED (a duration, or the tick count at which the wait began);
    /// see [`crate::Machine::wait_probe`].
    pub wait_time_raw: u32,
    /// Kernel time used, 100 ns units.
    pub kernel_time: u64,
    /// User time used, 100 ns units.
    pub user_time: u64,
    /// Creation time, FILETIME units.
    pub created: u64,
    /// Kernel's idea of the start address; the Win32 one is in [`ThreadDetails`].
    pub start_address: u64,
    /// Dynamic priority.
    pub priority: i32,
    /// Context switches.
    pub context_switches: u32,
}

/// What costs a handle of its own to ask; absent where refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadDetails {
    /// The description set by SetThreadDescription.
    pub name: Option<String>,
    /// ThreadQuerySetWin32StartAddress.
    pub win32_start_address: Option<u64>,
}
