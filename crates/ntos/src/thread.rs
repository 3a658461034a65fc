//! Threads: the ring in each process.

use format::FileTime;
use memory::VirtualAddress;
use nt::thread::{ThreadState, WaitReason};
use serde::Serialize;

use crate::kernel::Kernel;
use crate::list::{self, ListEnd};
use crate::process::Process;

/// Threads of one process that are listed at most.
const MOST: usize = 1 << 17;

/// A thread, as far as its members are known and in the dump.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Thread {
    /// Its ETHREAD, which begins with its KTHREAD.
    #[serde(serialize_with = "crate::hex")]
    pub address: VirtualAddress,
    /// Cid.UniqueThread.
    pub tid: Option<u64>,
    /// Cid.UniqueProcess.
    pub pid: Option<u64>,
    /// State.
    #[serde(serialize_with = "crate::shown_option")]
    pub state: Option<ThreadState>,
    /// WaitReason; of the last wait, when the thread does not wait.
    #[serde(serialize_with = "crate::shown_option")]
    pub wait_reason: Option<WaitReason>,
    /// For how long it has waited, or been in its state, in ticks of the clock.
    pub wait_ticks: Option<u32>,
    /// Priority.
    pub priority: Option<u64>,
    /// BasePriority.
    pub base_priority: Option<u64>,
    /// StartAddress.
    #[serde(serialize_with = "crate::hex_option")]
    pub start_address: Option<VirtualAddress>,
    /// Win32StartAddress.
    #[serde(serialize_with = "crate::hex_option")]
    pub win32_start_address: Option<VirtualAddress>,
    /// CreateTime.
    #[serde(serialize_with = "crate::time_option")]
    pub create_time: Option<FileTime>,
    /// KernelTime in ticks.
    pub kernel_ticks: Option<u64>,
    /// UserTime in ticks.
    pub user_ticks: Option<u64>,
    /// ContextSwitches.
    pub context_switches: Option<u64>,
    /// KernelStack: the stack pointer it was left with.
    #[serde(serialize_with = "crate::hex_option")]
    pub kernel_stack: Option<VirtualAddress>,
    /// StackBase: the end of its stack, which is above.
    #[serde(serialize_with = "crate::hex_option")]
    pub stack_base: Option<VirtualAddress>,
    /// StackLimit: the lowest address of its stack.
    #[serde(serialize_with = "crate::hex_option")]
    pub stack_limit: Option<VirtualAddress>,
    /// KernelStackResident: whether its stack was in memory.
    pub stack_resident: Option<bool>,
}

/// The threads of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Threads {
    /// Where they lie, in the order of the list: [`Kernel::thread`] reads one.
    pub addresses: Vec<VirtualAddress>,
    /// Why the list ended.
    pub end: ListEnd,
    /// Entries that the next one does not point back to.
    pub blink_mismatches: u32,
}

impl Thread {
    /// Whether it waits; `None` when its state is not known.
    pub fn waits(&self) -> Option<bool> {
        Some(self.state? == ThreadState::Waiting)
    }
}

impl Kernel<'_> {
    /// Walks the threads of a process. `None` when it is not known where a
    /// process keeps their list.
    pub fn threads(&self, process: &Process) -> Option<Threads> {
        let (head, entry) = self.thread_list()?;
        let head = VirtualAddress(process.address.0.wrapping_add(head));
        let list = list::walk(&self.reader(), head, MOST);
        let start = |link: &VirtualAddress| VirtualAddress(link.0.wrapping_sub(entry));
        Some(Threads {
            addresses: list.entries.iter().map(start).collect(),
            end: list.end,
            blink_mismatches: list.blink_mismatches,
        })
    }

    /// The thread at an address.
    pub fn thread(&self, address: VirtualAddress) -> Thread {
        let kernel = &self.layout().kernel_thread;
        let layout = &self.layout().thread;
        let value = |member| self.member(address, member);
        let place = |member| value(member).map(VirtualAddress).filter(|place| place.0 != 0);
        let began = value(kernel.wait_time).map(|ticks| ticks as u32);
        Thread {
            address,
            tid: value(layout.id),
            pid: value(layout.process_id),
            state: value(kernel.state).map(|state| ThreadState::from(state as u32)),
            wait_reason: value(kernel.wait_reason).map(|reason| WaitReason::from(reason as u32)),
            wait_ticks: began.and_then(|began| Some(self.clock()?.ticks.wrapping_sub(began))),
            priority: value(kernel.priority),
            base_priority: value(kernel.base_priority),
            start_address: place(layout.start_address),
            win32_start_address: place(layout.win32_start_address),
            create_time: value(layout.create_time).map(FileTime).filter(|time| time.0 != 0),
            kernel_ticks: value(kernel.kernel_time),
            user_ticks: value(kernel.user_time),
            context_switches: value(kernel.context_switches),
            kernel_stack: place(kernel.kernel_stack),
            stack_base: place(kernel.stack_base),
            stack_limit: place(kernel.stack_limit),
            stack_resident: value(kernel.stack_resident).map(|resident| resident != 0),
        }
    }
}
