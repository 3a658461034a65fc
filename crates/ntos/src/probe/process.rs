//! Members of a process.

use std::collections::{HashMap, HashSet};

use memory::VirtualAddress;

use super::only;
use crate::layout::{Member, ProcessLayout, Source};
use crate::reader::{Reader, at};

/// PIDs and TIDs are handles: multiples of 4. System's is 4.
const SYSTEM_ID: u64 = 4;
/// Bytes of ImageFileName on every system since Windows 2000, its 0 among them.
const NAME_SIZE: u64 = 15;

/// Processes that are looked at: enough that chance does not agree with all.
const SAMPLE: usize = 256;

/// What the processes' list and the processors' threads lead to.
pub(crate) struct Evidence<'e> {
    /// ActiveProcessLinks of each process, the system's first.
    pub links: &'e [VirtualAddress],
    /// Processes that threads of processors point to: ApcState.Process.
    pub owners: &'e [VirtualAddress],
    /// Bytes of a process: SizeEProcess.
    pub size: u64,
}

/// Where ActiveProcessLinks, UniqueProcessId and ImageFileName lie in a process.
pub(crate) fn find(reader: &Reader<'_>, evidence: &Evidence<'_>) -> ProcessLayout {
    let mut layout = ProcessLayout { size: Some(evidence.size), ..ProcessLayout::default() };
    let Some(links) = links(evidence) else { return layout };
    let starts: Vec<_> =
        evidence.links.iter().map(|link| VirtualAddress(link.0.wrapping_sub(links))).collect();
    layout.links = Some(Member::new(links, 2 * reader.pointer_size(), Source::Probed));
    layout.id = identifier(reader, &starts, evidence.size);
    layout.name = layout.id.and_then(|id| name(reader, &starts, evidence.size, id));
    // A list whose first process is not called System was not proved to be the list.
    if layout.name.is_none() {
        return ProcessLayout { size: layout.size, ..ProcessLayout::default() };
    }
    layout
}

/// The one distance at which every owner is a process of the list.
fn links(evidence: &Evidence<'_>) -> Option<u64> {
    let links: HashSet<_> = evidence.links.iter().map(|link| link.0).collect();
    let owners: HashSet<_> = evidence.owners.iter().map(|owner| owner.0).collect();
    let fits = |distance: &u64| {
        let listed = |owner: &&u64| links.contains(&owner.wrapping_add(*distance));
        // The idle process is in no list, so one owner may be missing.
        let missing = owners.iter().filter(|owner| !listed(owner)).count();
        owners.len() > missing && missing <= 1
    };
    only((8..evidence.size).step_by(8).filter(fits))
}

/// The member that is 4 in the first process and another multiple of 4 in each
/// other one.
fn identifier(reader: &Reader<'_>, starts: &[VirtualAddress], size: u64) -> Option<Member> {
    let width = reader.pointer_size();
    let starts = starts.get(..starts.len().min(SAMPLE)).unwrap_or_default();
    let fits = |offset: &u64| {
        let mut seen = HashSet::new();
        let values = starts.iter().map(|start| reader.integer(at(*start, *offset), width as usize));
        values.enumerate().all(|(number, value)| match value {
            Ok(value) if number == 0 => value == SYSTEM_ID && seen.insert(value),
            Ok(value) => {
                value.is_multiple_of(4) && (8..1 << 32).contains(&value) && seen.insert(value)
            }
            // A process that is not in the dump proves nothing and denies nothing.
            Err(_) => number != 0,
        }) && (seen.len() > 1 || starts.len() == 1)
    };
    let offset = only((0..size).step_by(width as usize).filter(fits))?;
    Some(Member::new(offset, width, Source::Probed))
}

/// The member that says `System` in the process with PID 4 and is a file's name in others.
fn name(reader: &Reader<'_>, starts: &[VirtualAddress], size: u64, id: Member) -> Option<Member> {
    let system = starts.iter().find(|start| {
        reader.integer(at(**start, id.offset), id.size as usize).ok() == Some(SYSTEM_ID)
    })?;
    let mut bytes = vec![0; size as usize];
    let held = read_what_is_there(reader, *system, &mut bytes);
    let text = b"System\0\0";
    let places = (0..held.len().saturating_sub(text.len()))
        .filter(|place| held.get(*place..*place + text.len()) == Some(text));
    let fits = |place: &usize| {
        starts.iter().take(SAMPLE).all(|start| {
            let name = reader.narrow_string(at(*start, *place as u64), NAME_SIZE as usize);
            name.map_or(true, |name| {
                !name.is_empty() && name.chars().all(|c| c == '\u{FFFD}' || !c.is_control())
            })
        })
    };
    let place = only(places.filter(fits))?;
    Some(Member::new(place as u64, NAME_SIZE, Source::Probed))
}

fn read_what_is_there<'b>(
    reader: &Reader<'_>,
    start: VirtualAddress,
    bytes: &'b mut [u8],
) -> &'b [u8] {
    for (number, chunk) in bytes.chunks_mut(64).enumerate() {
        if reader.bytes(at(start, number as u64 * 64), chunk).is_err() {
            chunk.fill(0xFF);
        }
    }
    bytes
}

/// Entries of a ring that are followed to prove it: a process with more threads
/// proves nothing, and another one does.
const RING: usize = 1 << 14;

/// Where a process keeps the head of its threads' list, and a thread its entry in it.
pub(crate) struct ThreadList {
    /// In the process.
    pub head: u64,
    /// In the thread.
    pub entry: u64,
}

/// The rings that begin in a process and lead through threads that point back to it.
///
/// `owned` are threads with their process; `owner_of` reads the process that an
/// address, were it a thread, would point to.
pub(crate) fn thread_list(
    reader: &Reader<'_>,
    owned: &[(VirtualAddress, VirtualAddress)],
    sizes: (u64, u64),
    owner_of: impl Fn(VirtualAddress) -> Option<VirtualAddress>,
) -> Option<ThreadList> {
    let (process_size, thread_size) = sizes;
    let mut votes: HashMap<(u64, u64), usize> = HashMap::new();
    for (thread, process) in owned {
        for head in (0..process_size).step_by(reader.pointer_size() as usize) {
            let ring = crate::list::walk(reader, at(*process, head), RING);
            let Some(entry) = ring
                .entries
                .iter()
                .map(|entry| entry.0.wrapping_sub(thread.0))
                .find(|entry| *entry < thread_size)
            else {
                continue;
            };
            let theirs = ring.entries.iter().take(64).all(|link| {
                let owner = owner_of(VirtualAddress(link.0.wrapping_sub(entry)));
                owner.is_none_or(|owner| owner == *process)
            });
            if ring.is_whole() && theirs {
                *votes.entry((head, entry)).or_default() += 1;
            }
        }
    }
    // The scheduler's list and the executive's both qualify: either serves.
    let best = votes
        .into_iter()
        .max_by_key(|((head, entry), votes)| (*votes, u64::MAX - head, u64::MAX - entry))?;
    let (head, entry) = best.0;
    Some(ThreadList { head, entry })
}
