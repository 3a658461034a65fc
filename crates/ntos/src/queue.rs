//! Queues that threads take work from: completion ports, and the kernel's own
//! queues of work items.

use memory::VirtualAddress;
use serde::Serialize;

use crate::kernel::Kernel;
use crate::list;
use crate::reader::at;
use crate::wait::ObjectKind;

/// Items of one queue that are looked at.
const MOST: usize = 1 << 12;
/// Priorities of a queue that has them (`KPRIQUEUE`).
const PRIORITIES: u64 = 32;

/// A queue, and the work that lies in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Queue {
    /// Where it lies.
    #[serde(serialize_with = "crate::hex")]
    pub address: VirtualAddress,
    /// What it is; a queue of priorities is one of work items.
    pub kind: ObjectKind,
    /// How much work waits in it: SignalState.
    pub pending: u64,
    /// How many threads may work at once: MaximumCount.
    pub maximum: Option<u64>,
    /// Routines of the work items that were looked at, the oldest first.
    #[serde(skip)]
    pub routines: Vec<VirtualAddress>,
}

impl Kernel<'_> {
    /// The queue that a thread takes its work from.
    pub fn queue_of(&self, thread: VirtualAddress) -> Option<VirtualAddress> {
        self.pointer(thread, self.layout().kernel_thread.queue)
    }

    /// The queue at an address; `None` when what lies there is none.
    pub fn queue(&self, address: VirtualAddress) -> Option<Queue> {
        let kind = self.object_kind(address)?;
        let maximum = match kind {
            ObjectKind::Queue => self.layout().queue.maximum_count,
            ObjectKind::PriorityQueue => self.layout().priority_queue.maximum_count,
            _ => return None,
        };
        let state = self.member(address, self.layout().dispatcher.signal_state)?;
        Some(Queue {
            address,
            kind,
            pending: u64::try_from(state as i32).unwrap_or(0),
            maximum: self.member(address, maximum),
            routines: self.routines(address, kind),
        })
    }

    /// Only queues of priorities hold items of which each names its routine.
    fn routines(&self, queue: VirtualAddress, kind: ObjectKind) -> Vec<VirtualAddress> {
        let item = &self.layout().work_item;
        let (Some(heads), Some(link), ObjectKind::PriorityQueue) =
            (self.layout().priority_queue.entries, item.links, kind)
        else {
            return Vec::new();
        };
        let stride = 2 * self.reader().pointer_size();
        // The highest priority is served first.
        let rings = (0..PRIORITIES).rev().flat_map(|priority| {
            list::walk(&self.reader(), at(queue, heads.offset + priority * stride), MOST).entries
        });
        rings
            .take(MOST)
            .filter_map(|entry| {
                let item_at = VirtualAddress(entry.0.wrapping_sub(link.offset));
                self.pointer(item_at, item.routine)
            })
            .collect()
    }
}
