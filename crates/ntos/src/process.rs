//! Processes: the ring that begins at `PsActiveProcessHead`.

use format::FileTime;
use memory::VirtualAddress;
use serde::Serialize;

use crate::kernel::Kernel;
use crate::list::{self, ListEnd};
use crate::reader::at;

/// Processes that are listed at most.
const MOST: usize = 1 << 16;

/// A process, as far as its members are known and in the dump.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Process {
    /// Its EPROCESS.
    #[serde(serialize_with = "crate::hex")]
    pub address: VirtualAddress,
    /// UniqueProcessId.
    pub pid: Option<u64>,
    /// InheritedFromUniqueProcessId: who started it, which may be gone.
    pub parent_pid: Option<u64>,
    /// ImageFileName: the first 14 characters.
    pub name: Option<String>,
    /// DirectoryTableBase as it is, flags included.
    #[serde(serialize_with = "crate::hex_option")]
    pub directory_table_base: Option<u64>,
    /// UserDirectoryTableBase, where the kernel is hidden from its user half.
    #[serde(serialize_with = "crate::hex_option")]
    pub user_directory_table_base: Option<u64>,
    /// CreateTime.
    #[serde(serialize_with = "crate::time_option")]
    pub create_time: Option<FileTime>,
    /// ExitTime: set in a process that ended and is still referred to.
    #[serde(serialize_with = "crate::time_option")]
    pub exit_time: Option<FileTime>,
    /// ActiveThreads.
    pub active_threads: Option<u64>,
}

/// The processes of a dump.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Processes {
    /// In the order of the list.
    pub processes: Vec<Process>,
    /// Why the list ended.
    pub end: ListEnd,
    /// Entries that the next one does not point back to.
    pub blink_mismatches: u32,
}

impl Kernel<'_> {
    /// Walks the list of processes. `None` when the dump does not tell where
    /// it begins or where a process keeps its links.
    pub fn processes(&self) -> Option<Processes> {
        let links = self.layout().process.links?;
        let list = list::walk(&self.reader(), self.process_list_head()?, MOST);
        let start = |link: &VirtualAddress| VirtualAddress(link.0.wrapping_sub(links.offset));
        Some(Processes {
            processes: list.entries.iter().map(start).map(|start| self.process(start)).collect(),
            end: list.end,
            blink_mismatches: list.blink_mismatches,
        })
    }

    /// The process at an address.
    pub fn process(&self, address: VirtualAddress) -> Process {
        let layout = &self.layout().process;
        let kernel = &self.layout().kernel_process;
        let time = |member| self.member(address, member).map(FileTime).filter(|time| time.0 != 0);
        Process {
            address,
            pid: self.member(address, layout.id),
            parent_pid: self.member(address, layout.parent_id),
            name: layout.name.and_then(|name| {
                let place = at(address, name.offset);
                let text = self.reader().narrow_string(place, name.size as usize).ok();
                text.filter(|text| !text.is_empty())
            }),
            directory_table_base: self.member(address, kernel.directory_table_base),
            user_directory_table_base: self
                .member(address, kernel.user_directory_table_base)
                // 0 and 1 stand for a process that has none of its own.
                .filter(|base| *base > 1),
            create_time: time(layout.create_time),
            exit_time: time(layout.exit_time),
            active_threads: self.member(address, layout.active_threads),
        }
    }
}
