//! The two debug-control calls, typed. How they look in memory is `sys`'s (or the simulator's) business.

use std::any::Any;

use crate::Target;

/// What the kernel answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallAnswer {
    /// The raw NTSTATUS.
    pub status: u32,
    /// The ReturnLength the kernel wrote.
    pub length: u32,
}

/// Which SYSDBG_LIVEDUMP_CONTROL the kernel gets: 64 or 72 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructureVersion {
    /// 64 bytes, Windows 8.1 and later.
    V1,
    /// 72 bytes, Windows 11 22H2 and later.
    V2,
}

/// Which pages a live dump takes beyond the kernel's own, and how it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pages {
    /// Flags bit 0, reported to do nothing.
    pub use_dump_storage_stack: bool,
    /// Flags bit 1, reported to do nothing.
    pub compress_memory_pages_data: bool,
    /// Flags bit 2.
    pub include_user_space: bool,
    /// Flags bit 3.
    pub abort_if_memory_pressure: bool,
    /// Flags bit 4 with SelectiveControl: kernel stacks of all threads only. Needs V2.
    pub kernel_stacks_only: bool,
    /// AddPagesControl bit 0.
    pub hypervisor: bool,
    /// AddPagesControl bit 1.
    pub nonessential_hypervisor: bool,
}

/// Class 37, SysDbgGetLiveKernelDump.
pub struct LiveDumpRequest<'a> {
    /// Structure version to send.
    pub version: StructureVersion,
    /// Goes into the header.
    pub bugcheck_code: u32,
    /// Go into the header.
    pub parameters: [u64; 4],
    /// Pages and behaviour.
    pub pages: Pages,
    /// Where the kernel writes.
    pub target: &'a dyn Target,
    /// Cancels, polled by the kernel for each chunk it writes.
    pub cancel: Option<&'a dyn CancelToken>,
}

/// Class 29, SysDbgGetTriageDump.
pub struct TriageRequest<'a> {
    /// Goes into the header.
    pub bugcheck_code: u32,
    /// Go into the header.
    pub parameters: [u64; 4],
    /// The threads, of one process, at least one.
    pub threads: &'a [ThreadHandle],
}

/// An open thread. `raw` is what the call is given; `owner` closes it when dropped.
pub struct ThreadHandle {
    /// Thread id it was opened by.
    pub tid: u32,
    /// HANDLE value on Windows; whatever the simulator likes in the simulator.
    pub raw: usize,
    /// Closes the handle when dropped.
    pub owner: Box<dyn Any + Send + Sync>,
}

/// An event that asks the kernel to stop.
pub trait CancelToken: Send + Sync {
    /// Sets it. Never blocks.
    fn cancel(&self);
    /// Whether it is set.
    fn is_cancelled(&self) -> bool;
    /// HANDLE value on Windows, 0 elsewhere.
    fn raw(&self) -> usize;
}
