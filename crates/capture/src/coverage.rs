//! What a triage dump has of each thread: object found, how much of its kernel stack is stored.
//!
//! Where the kernel puts a thread's data in the answer of class 29 is
//! UNCONFIRMED; it is expected in plain data blocks. So nothing is assumed of
//! place or order: a thread is found by its CLIENT_ID (process id and thread
//! id, side by side), its object by fields whose offsets the dump's own
//! debugger block gives, and the object counts only if its four stack
//! pointers agree with each other.

use std::collections::HashMap;
use std::ops::Range;

use nt::kdbg;

use crate::ThreadState;

/// Largest kernel stack that is believed: large and expanded stacks are well below.
const LARGEST_STACK: u64 = 1 << 20;
/// Where kernel addresses begin, on x64 and ARM64.
const KERNEL: u64 = 0xFFFF_8000_0000_0000;
/// Objects are this aligned.
const ALIGNMENT: usize = 16;

/// What the dump has of each thread of `tids`, in their order.
pub(crate) fn examine(dump: &[u8], pid: u32, tids: &[u32]) -> Vec<(u32, ThreadState)> {
    let bytes: &[u8] = dump;
    let found = format::Dump::open(&bytes).and_then(|dump| {
        let triage = dump.triage()?;
        let offsets = triage.debugger_block().and_then(|(_, block)| Offsets::read(block));
        Ok(find(&Blocks::new(&triage), offsets.as_ref(), pid, tids))
    });
    let mut found = found.unwrap_or_default();
    tids.iter().map(|tid| (*tid, found.remove(tid).unwrap_or(ThreadState::NotInDump))).collect()
}

/// Stored pieces of memory, by address.
struct Blocks {
    /// Sorted by address.
    pieces: Vec<(u64, Vec<u8>)>,
    /// Length of the longest: how far back a piece may begin that holds an address.
    longest: u64,
}

impl Blocks {
    fn new(triage: &format::Triage<'_>) -> Self {
        let mut pieces: Vec<(u64, Vec<u8>)> = triage
            .blocks()
            .enumerate()
            .filter_map(|(n, b)| Some((b.address.0, triage.block_bytes(n).ok()?)))
            .collect();
        pieces.sort_by_key(|(address, bytes)| (*address, std::cmp::Reverse(bytes.len())));
        Self::sorted(pieces)
    }

    fn sorted(pieces: Vec<(u64, Vec<u8>)>) -> Self {
        let longest = pieces.iter().map(|(_, bytes)| bytes.len() as u64).max().unwrap_or(0);
        Self { pieces, longest }
    }

    /// Pieces that may hold bytes of `range`.
    fn near(&self, range: &Range<u64>) -> &[(u64, Vec<u8>)] {
        let from = range.start.saturating_sub(self.longest);
        let first = self.pieces.partition_point(|(address, _)| *address < from);
        let end = self.pieces.partition_point(|(address, _)| *address < range.end);
        self.pieces.get(first..end).unwrap_or_default()
    }

    /// Bytes of `range` that are stored.
    fn covered(&self, range: Range<u64>) -> u64 {
        let mut at = range.start;
        let mut covered = 0;
        for (address, bytes) in self.near(&range) {
            let start = (*address).max(at);
            let end = address.saturating_add(bytes.len() as u64).min(range.end);
            if start < end {
                covered += end - start;
                at = end;
            }
        }
        covered
    }

    fn u64_at(&self, address: u64) -> Option<u64> {
        self.near(&(address..address.saturating_add(1))).iter().find_map(|(start, bytes)| {
            let at = usize::try_from(address.checked_sub(*start)?).ok()?;
            Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
        })
    }
}

/// Offsets in a thread object, as the debugger block gives them.
#[derive(Debug, Clone, Copy)]
struct Offsets {
    initial_stack: u64,
    kernel_stack: u64,
    /// Limit and base, in newer blocks.
    bounds: Option<(u64, u64)>,
    object: u64,
}

impl Offsets {
    fn read(block: &[u8]) -> Option<Self> {
        let field = |field: kdbg::Field| {
            let at = usize::from(field.offset);
            let bytes = block.get(at..at + usize::from(field.width))?;
            Some(bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte)))
        };
        let bounds =
            field(kdbg::OFFSET_KTHREAD_STACK_LIMIT).zip(field(kdbg::OFFSET_KTHREAD_STACK_BASE));
        let offsets = Self {
            initial_stack: field(kdbg::OFFSET_KTHREAD_INITIAL_STACK)?,
            kernel_stack: field(kdbg::OFFSET_KTHREAD_KERNEL_STACK)?,
            bounds: bounds
                .filter(|(limit, base)| *limit != 0 && *base != 0 && *limit.max(base) < 0x1_0000),
            object: field(kdbg::SIZE_ETHREAD)?,
        };
        (offsets.object > offsets.kernel_stack.max(offsets.initial_stack)).then_some(offsets)
    }

    /// The part of the stack in use, if what stands at `object` can be a thread object.
    fn stack(&self, blocks: &Blocks, object: u64) -> Option<Range<u64>> {
        let field = |offset: u64| blocks.u64_at(object.checked_add(offset)?);
        let (initial, current) = (field(self.initial_stack)?, field(self.kernel_stack)?);
        let (limit, base) = match self.bounds {
            Some((limit, base)) => (field(limit)?, field(base)?),
            None => (initial.checked_sub(LARGEST_STACK)?, initial),
        };
        let sane = limit >= KERNEL
            && limit < current
            && current < initial
            && initial <= base
            && base - limit <= LARGEST_STACK
            && current % 8 == 0;
        sane.then_some(current..initial)
    }
}

fn find(
    blocks: &Blocks,
    offsets: Option<&Offsets>,
    pid: u32,
    tids: &[u32],
) -> HashMap<u32, ThreadState> {
    let mut found = HashMap::new();
    for (start, bytes) in &blocks.pieces {
        for at in (0..bytes.len().saturating_sub(15)).step_by(8) {
            let Some(tid) = client_id(&bytes[at..at + 16], pid, tids) else { continue };
            let state = offsets.map_or(ThreadState::IdsOnly, |o| state_at(blocks, o, *start, at));
            let best = found.entry(tid).or_insert(ThreadState::IdsOnly);
            if *best == ThreadState::IdsOnly {
                *best = state;
            }
        }
    }
    found
}

/// The thread whose CLIENT_ID these 16 bytes are.
fn client_id(bytes: &[u8], pid: u32, tids: &[u32]) -> Option<u32> {
    let (process, thread) = bytes.split_at(8);
    if u64::from_le_bytes(process.try_into().ok()?) != u64::from(pid) {
        return None;
    }
    let tid = u32::try_from(u64::from_le_bytes(thread.try_into().ok()?)).ok()?;
    tids.contains(&tid).then_some(tid)
}

/// The thread object around a CLIENT_ID at `at` of the piece at `start`.
fn state_at(blocks: &Blocks, offsets: &Offsets, start: u64, at: usize) -> ThreadState {
    let id = start.saturating_add(at as u64);
    let reach = usize::try_from(offsets.object).unwrap_or(0);
    let nearer =
        (0..reach).step_by(ALIGNMENT).filter_map(|back| (id & !0xF).checked_sub(back as u64));
    // A stored object begins a block more often than not.
    let candidates = (at < reach).then_some(start).into_iter().chain(nearer);
    let object =
        candidates.into_iter().find_map(|object| Some((object, offsets.stack(blocks, object)?)));
    let Some((object, stack)) = object else { return ThreadState::IdsOnly };
    let (bytes, stored) = (stack.end - stack.start, blocks.covered(stack));
    let object = format!("{object:016x}");
    match stored {
        0 => ThreadState::ObjectOnly { object },
        _ if stored == bytes => ThreadState::Full { object, stack: bytes },
        _ => ThreadState::StackCut { object, stored, stack: bytes },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: u64 = 0xFFFF_C08B_DE9E_1640;
    const STACK_BASE: u64 = 0xFFFF_8504_2989_8000;

    fn offsets() -> Offsets {
        Offsets {
            initial_stack: 0x28,
            kernel_stack: 0x58,
            bounds: Some((0x30, 0x38)),
            object: 0x898,
        }
    }

    fn object(pid: u32, tid: u32) -> Vec<u8> {
        let mut bytes = vec![0; 0x898];
        let mut put =
            |at: usize, value: u64| bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        put(0x28, STACK_BASE - 0x100);
        put(0x30, STACK_BASE - 0x6000);
        put(0x38, STACK_BASE);
        put(0x58, STACK_BASE - 0x1100);
        put(0x478, pid.into());
        put(0x480, tid.into());
        bytes
    }

    fn state(pieces: Vec<(u64, Vec<u8>)>) -> Option<ThreadState> {
        find(&Blocks::sorted(pieces), Some(&offsets()), 40, &[44]).remove(&44)
    }

    #[test]
    fn a_thread_with_all_of_its_stack_is_full_wherever_its_object_lies_in_a_block() {
        let stack = (STACK_BASE - 0x1100, vec![0; 0x1000]);
        let full = Some(ThreadState::Full { object: format!("{OBJECT:016x}"), stack: 0x1000 });
        assert_eq!(state(vec![stack.clone(), (OBJECT, object(40, 44))]), full);
        let mut shifted = vec![0; 0x40];
        shifted.extend(object(40, 44));
        assert_eq!(state(vec![stack, (OBJECT - 0x40, shifted)]), full);
    }

    #[test]
    fn a_cut_stack_is_counted_and_overlapping_blocks_are_not_counted_twice() {
        let pieces = vec![
            (STACK_BASE - 0x1100, vec![0; 0x400]),
            (STACK_BASE - 0x1000, vec![0; 0x400]),
            (OBJECT, object(40, 44)),
        ];
        assert_eq!(
            state(pieces),
            Some(ThreadState::StackCut {
                object: format!("{OBJECT:016x}"),
                stored: 0x500,
                stack: 0x1000
            })
        );
    }

    #[test]
    fn an_object_without_stack_ids_without_object_and_nothing_at_all_are_told_apart() {
        assert_eq!(
            state(vec![(OBJECT, object(40, 44))]),
            Some(ThreadState::ObjectOnly { object: format!("{OBJECT:016x}") })
        );
        let ids = [40u64.to_le_bytes(), 44u64.to_le_bytes()].concat();
        assert_eq!(state(vec![(OBJECT, ids)]), Some(ThreadState::IdsOnly));
        assert_eq!(state(vec![(OBJECT, object(41, 44))]), None);
    }

    #[test]
    fn what_is_no_triage_dump_has_no_threads() {
        assert_eq!(examine(b"PAGEDU64", 40, &[44]), [(44, ThreadState::NotInDump)]);
    }
}
