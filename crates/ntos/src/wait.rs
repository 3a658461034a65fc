//! What a thread waits for.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use memory::VirtualAddress;
use serde::{Serialize, Serializer};

use crate::kernel::Kernel;
use crate::layout::Layout;
use crate::list;
use crate::reader::{Reader, at};
use crate::thread::Thread;

/// A thread waits for 64 objects at most: MAXIMUM_WAIT_OBJECTS.
const MOST_OBJECTS: u64 = 64;
/// Waiters of one object that are looked through for a block.
const MOST_WAITERS: usize = 1 << 17;

/// What kind of object the type byte of a dispatcher header says it is.
/// (`KOBJECTS`, public types of every kernel.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// 0: an event that stays set.
    NotificationEvent,
    /// 1: an event that one waiter resets.
    SynchronizationEvent,
    /// 2: a mutant, which users know as a mutex.
    Mutant,
    /// 3: a process, until it ends.
    Process,
    /// 4: a queue.
    Queue,
    /// 5: a semaphore.
    Semaphore,
    /// 6: a thread, until it ends.
    Thread,
    /// 7: a gate.
    Gate,
    /// 8 and 9, 24 and 25: a timer.
    Timer,
    /// 21: a queue with priorities.
    PriorityQueue,
    /// Anything else.
    Unknown(u8),
}

impl From<u8> for ObjectKind {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::NotificationEvent,
            1 => Self::SynchronizationEvent,
            2 => Self::Mutant,
            3 => Self::Process,
            4 => Self::Queue,
            5 => Self::Semaphore,
            6 => Self::Thread,
            7 => Self::Gate,
            8 | 9 | 24 | 25 => Self::Timer,
            21 => Self::PriorityQueue,
            other => Self::Unknown(other),
        }
    }
}

impl ObjectKind {
    /// By the type byte of a dispatcher header, whose highest bit is a lock.
    pub(crate) fn of_header(byte: u64) -> Self {
        Self::from(byte as u8 & 0x7F)
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotificationEvent => "notification-event",
            Self::SynchronizationEvent => "synchronization-event",
            Self::Mutant => "mutant",
            Self::Process => "process",
            Self::Queue => "queue",
            Self::Semaphore => "semaphore",
            Self::Thread => "thread",
            Self::Gate => "gate",
            Self::Timer => "timer",
            Self::PriorityQueue => "priority-queue",
            Self::Unknown(value) => return write!(f, "object type {value:#x}"),
        })
    }
}

impl Serialize for ObjectKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One object that a thread waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Wait {
    /// The wait block.
    #[serde(serialize_with = "crate::hex")]
    pub block: VirtualAddress,
    /// The object.
    #[serde(serialize_with = "crate::hex")]
    pub object: VirtualAddress,
    /// Its kind, when its header is in the dump.
    pub kind: Option<ObjectKind>,
    /// SignalState.
    pub signal_state: Option<i32>,
    /// Whether the object's own list of waiters holds the block: what proves the wait.
    pub listed: Option<bool>,
}

/// Who owns a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MutantOwner {
    /// OwnerThread.
    #[serde(serialize_with = "crate::hex_option")]
    pub thread: Option<VirtualAddress>,
    /// Abandoned: its owner ended without releasing it.
    pub abandoned: Option<bool>,
}

/// Lists of waiters that were walked, by their heads.
#[derive(Default)]
pub(crate) struct Waiters(Mutex<Rings>);

#[derive(Default)]
struct Rings {
    by_head: HashMap<VirtualAddress, Ring>,
    entries: usize,
}

/// Waiters that are kept in mind: lists of a hostile file may share all theirs.
const MOST_KEPT: usize = 1 << 18;

/// The entries of one list of waiters.
struct Ring {
    entries: HashSet<VirtualAddress>,
    whole: bool,
}

impl Ring {
    /// From both ends: a list that is cut in one place is known all the same.
    fn of(reader: &Reader<'_>, head: VirtualAddress) -> Self {
        let list = list::walk(reader, head, MOST_WAITERS);
        Self { whole: list.is_whole(), entries: list.entries.into_iter().collect() }
    }

    /// `None` where the list does not tell.
    fn holds(&self, entry: VirtualAddress) -> Option<bool> {
        (self.whole || self.entries.contains(&entry)).then(|| self.entries.contains(&entry))
    }
}

impl Kernel<'_> {
    /// What a thread waits for. `None` when the thread does not wait, or the
    /// dump does not tell: what an earlier wait left in the blocks is no answer.
    pub fn waits(&self, thread: &Thread) -> Option<Vec<Wait>> {
        if thread.waits() != Some(true) {
            return None;
        }
        let layout = &self.layout().kernel_thread;
        let first = self.pointer(thread.address, layout.wait_block_list)?;
        let told = self.member(thread.address, layout.wait_block_count);
        let count = told.unwrap_or(MOST_OBJECTS).clamp(1, MOST_OBJECTS);
        let stride = self.layout().wait_block.size;
        let mut waits = Vec::new();
        for number in 0..count {
            let Some(offset) = stride.map(|stride| stride * number).or((number == 0).then_some(0))
            else {
                break;
            };
            let Some(wait) = self.wait(thread.address, at(first, offset)) else { break };
            // Nobody told how many: what an earlier wait left is in no list.
            if number > 0 && told.is_none() && wait.listed != Some(true) {
                break;
            }
            waits.push(wait);
        }
        (!waits.is_empty()).then_some(waits)
    }

    /// A wait block, if it is one of this thread.
    fn wait(&self, thread: VirtualAddress, block: VirtualAddress) -> Option<Wait> {
        let layout = &self.layout().wait_block;
        if self.pointer(block, layout.thread) != Some(thread) {
            return None;
        }
        let object = self.pointer(block, layout.object)?;
        let header = &self.layout().dispatcher;
        Some(Wait {
            block,
            object,
            kind: self.object_kind(object),
            signal_state: self.member(object, header.signal_state).map(|state| state as i32),
            listed: self.is_listed(block, object),
        })
    }

    /// The kind of the dispatcher object at an address.
    pub fn object_kind(&self, object: VirtualAddress) -> Option<ObjectKind> {
        self.kind_in(self.layout(), object)
    }

    pub(crate) fn kind_in(&self, layout: &Layout, object: VirtualAddress) -> Option<ObjectKind> {
        self.member(object, layout.dispatcher.kind).map(ObjectKind::of_header)
    }

    /// The first object that a thread's wait blocks name, whether or not it waits.
    pub(crate) fn first_object(&self, thread: VirtualAddress) -> Option<VirtualAddress> {
        let block = self.pointer(thread, self.layout().kernel_thread.wait_block_list)?;
        let own = self.pointer(block, self.layout().wait_block.thread) == Some(thread);
        own.then(|| self.pointer(block, self.layout().wait_block.object))?
    }

    fn is_listed(&self, block: VirtualAddress, object: VirtualAddress) -> Option<bool> {
        let head = at(object, self.layout().dispatcher.wait_list_head?.offset);
        let entry = at(block, self.layout().wait_block.list_entry?.offset);
        // A popular object has thousands of waiters, each of which asks.
        let mut known = self.waiters.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.by_head.contains_key(&head) {
            let ring = Ring::of(&self.reader(), head);
            if known.entries > MOST_KEPT {
                *known = Rings::default();
            }
            // An empty list takes room as well.
            known.entries += 1 + ring.entries.len();
            known.by_head.insert(head, ring);
        }
        known.by_head.get(&head)?.holds(entry)
    }

    /// Who owns a mutant.
    pub fn mutant_owner(&self, mutant: VirtualAddress) -> MutantOwner {
        let layout = &self.layout().mutant;
        MutantOwner {
            thread: self.pointer(mutant, layout.owner),
            abandoned: self.member(mutant, layout.abandoned).map(|flag| flag != 0),
        }
    }
}
