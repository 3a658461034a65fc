//! Processes as the system lists them.

/// One process of the system's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Process id; 0 is the idle process, 4 is System.
    pub pid: u32,
    /// Parent's process id, which may have been used again.
    pub parent: u32,
    /// Image name, "svchost.exe"; "System" for PID 4, "Idle" for PID 0.
    pub name: String,
    /// Session.
    pub session: u32,
    /// Number of threads.
    pub threads: u32,
    /// Creation time, FILETIME units (100 ns since 1601 UTC); 0 for the idle process.
    pub created: u64,
    /// Working set, bytes.
    pub working_set: u64,
}

/// PS_PROTECTION: one byte, type in bits 0 to 2, audit in bit 3, signer in bits 4 to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection(pub u8);

impl Protection {
    /// Not protected.
    pub const NONE: Self = Self(0);

    /// Neither PP nor PPL.
    pub fn is_protected(self) -> bool {
        self.0 & 0x7 != 0
    }
}
