//! Members of objects that are waited for.

use memory::VirtualAddress;

use super::only;
use crate::layout::{DispatcherLayout, Member, MutantLayout, Source};
use crate::list;
use crate::objects::Evidence;
use crate::reader::{Reader, at};
use crate::wait::ObjectKind;

/// Objects that are looked at: enough that chance does not agree with all.
const SAMPLE: usize = 64;
/// Bytes of a mutant that are looked at.
const MUTANT: u64 = 0x40;
/// Mutants of one thread that are followed.
const MOST: usize = 1 << 12;

/// Where a dispatcher header keeps its type: the one byte that says process in
/// every process and thread in every thread.
pub(crate) fn kind(
    reader: &Reader<'_>,
    header: &DispatcherLayout,
    evidence: &Evidence,
) -> Option<Member> {
    let end = header.wait_list_head?.offset;
    let says = |objects: &mut dyn Iterator<Item = &VirtualAddress>, offset, kind| {
        let bytes = objects.filter_map(|object| reader.integer(at(*object, offset), 1).ok());
        let mut agreeing = 0;
        let fits = bytes
            .take(SAMPLE)
            .inspect(|_| agreeing += 1)
            .all(|byte| ObjectKind::of_header(byte) == kind);
        fits && agreeing > 1
    };
    let fits = |offset: &u64| {
        says(&mut evidence.processes.iter(), *offset, ObjectKind::Process)
            && says(&mut evidence.threads.iter(), *offset, ObjectKind::Thread)
    };
    only((0..end).filter(fits)).map(|offset| Member::new(offset, 1, Source::Probed))
}

/// Where a dispatcher header keeps its state: of the places that are left, the
/// one that says of no event and no semaphore with waiters that it is signalled.
pub(crate) fn signal_state(
    reader: &Reader<'_>,
    header: &DispatcherLayout,
    evidence: &Evidence,
) -> Option<Member> {
    const SIZE: u64 = 4;
    let (kind, end) = (header.kind?, header.wait_list_head?.offset);
    let says = |object: &VirtualAddress, offset| reader.integer(at(*object, offset), 4).ok();
    let is_plain = |object: &&VirtualAddress| {
        let byte = reader.integer(at(**object, kind.offset), 1).ok();
        matches!(
            byte.map(ObjectKind::of_header),
            Some(
                ObjectKind::NotificationEvent
                    | ObjectKind::SynchronizationEvent
                    | ObjectKind::Semaphore
            )
        )
    };
    let fits = |offset: &u64| {
        let states = evidence.objects.iter().filter(is_plain).filter_map(|o| says(o, *offset));
        let mut agreeing = 0;
        let none = states.take(SAMPLE).inspect(|_| agreeing += 1).all(|state| state as i32 <= 0);
        none && agreeing > 1
    };
    let free = |offset: &u64| !(*offset..*offset + SIZE).contains(&kind.offset);
    let place = only((0..end).step_by(SIZE as usize).filter(free).filter(fits))?;
    Some(Member::new(place, SIZE, Source::Probed))
}

/// Where a thread names the queue that it takes work from: in each that waits
/// for a queue, that queue.
pub(crate) fn queue(
    reader: &Reader<'_>,
    header: &DispatcherLayout,
    evidence: &Evidence,
    thread_size: u64,
) -> Option<Member> {
    let kind = header.kind?;
    let is_queue = |object: VirtualAddress| {
        let byte = reader.integer(at(object, kind.offset), 1).ok();
        let kind = byte.map(ObjectKind::of_header);
        matches!(kind, Some(ObjectKind::Queue | ObjectKind::PriorityQueue))
    };
    let waiting: Vec<(VirtualAddress, VirtualAddress)> = evidence
        .waiting
        .iter()
        .filter_map(|one| Some((one.thread, one.object.filter(|object| is_queue(*object))?)))
        .take(SAMPLE)
        .collect();
    let (_, first) = waiting.first()?;
    if waiting.iter().all(|(_, queue)| queue == first) {
        return None;
    }
    let pointer = reader.pointer_size();
    let fits = |offset: &u64| {
        let named = |thread: VirtualAddress| reader.pointer(at(thread, *offset));
        waiting.iter().all(|(thread, queue)| named(*thread).is_ok_and(|named| named == *queue))
    };
    // A wait block inside the thread names the queue as well: that one is left out.
    let own = |offset: &u64| {
        waiting.iter().all(|(thread, _)| {
            let next = |words: u64| reader.pointer(at(*thread, *offset - words * pointer));
            (1..=2).any(|words| words * pointer <= *offset && next(words).ok() == Some(*thread))
        })
    };
    let places = (0..thread_size).step_by(pointer as usize).filter(fits);
    let place = only(places.filter(|offset| !own(offset)))?;
    Some(Member::new(place, pointer, Source::Probed))
}

/// Where a mutant names its owner, and is in its owner's list: in each that is
/// owned a pointer to a thread, in one at least with a ring that goes through
/// that thread.
pub(crate) fn mutant(
    reader: &Reader<'_>,
    mutants: &[VirtualAddress],
    header: &DispatcherLayout,
    thread_size: u64,
    is_thread: impl Fn(VirtualAddress) -> bool,
) -> Option<MutantLayout> {
    let pointer = reader.pointer_size();
    let start = header.wait_list_head?.offset + 2 * pointer;
    let sample = mutants.get(..mutants.len().min(SAMPLE))?;
    let owner_at =
        |mutant: &VirtualAddress, offset| reader.kernel_pointer(at(*mutant, offset)).ok().flatten();
    let fits = |offset: &u64| {
        let mut owners = sample.iter().filter_map(|mutant| owner_at(mutant, *offset)).peekable();
        owners.peek().is_some() && owners.all(&is_thread)
    };
    let owner = only((start..MUTANT).step_by(pointer as usize).filter(fits))?;
    let through_owner = |entry: &u64| {
        sample.iter().any(|mutant| {
            let Some(owner) = owner_at(mutant, owner) else { return false };
            let ring = list::walk(reader, at(*mutant, *entry), MOST);
            let in_owner = |link: &VirtualAddress| link.0.wrapping_sub(owner.0) < thread_size;
            ring.is_whole() && ring.blink_mismatches == 0 && ring.entries.iter().any(in_owner)
        })
    };
    let entry = only((start..MUTANT).step_by(pointer as usize).filter(through_owner))?;
    let member = |offset, size| Some(Member::new(offset, size, Source::Probed));
    Some(MutantLayout {
        owner: member(owner, pointer),
        list_entry: member(entry, 2 * pointer),
        ..MutantLayout::default()
    })
}

#[cfg(test)]
mod tests {
    use format::Width;

    use super::*;
    use crate::words::Words;

    const BASE: u64 = 0xFFFF_8000_0000_0000;
    const THREAD: u64 = BASE + 0x1000;
    const MUTANT: u64 = BASE + 0x2000;
    const LIST: u64 = THREAD + 0x40;
    const ENTRY: u64 = MUTANT + 0x18;

    /// A mutant in the list of a thread that owns it.
    fn machine() -> Words {
        let mut words = Words::default();
        words.put(MUTANT, &[2, MUTANT + 8, MUTANT + 8, LIST, LIST, THREAD, 0, 0]);
        words.put(LIST, &[ENTRY, ENTRY]);
        words
    }

    fn found(words: &Words) -> Option<(u64, u64)> {
        let wait_list_head = Some(Member::new(8, 16, Source::Probed));
        let header = DispatcherLayout { wait_list_head, ..DispatcherLayout::default() };
        let reader = Reader::new(words, Width::Bits64);
        let is_thread = |address: VirtualAddress| address.0 == THREAD;
        let mutants = [VirtualAddress(MUTANT)];
        let layout = mutant(&reader, &mutants, &header, 0x400, is_thread)?;
        Some((layout.owner?.offset, layout.list_entry?.offset))
    }

    #[test]
    fn a_mutant_names_its_owner_and_is_in_its_owner_s_list() {
        assert_eq!(found(&machine()), Some((0x28, 0x18)));
    }

    #[test]
    fn a_thread_s_address_without_the_thread_s_list_is_no_owner() {
        let mut words = machine();
        words.put(ENTRY, &[ENTRY, ENTRY]);
        assert_eq!(found(&words), None);
    }

    #[test]
    fn of_two_words_that_name_a_thread_neither_is_believed() {
        let mut words = machine();
        words.put(MUTANT + 0x38, &[THREAD]);
        assert_eq!(found(&words), None);
    }
}
