//! Wait blocks, where no types tell of them.

use memory::VirtualAddress;

use super::only;
use crate::layout::{DispatcherLayout, Member, Source, WaitBlockLayout};
use crate::reader::{Reader, at};

/// Bytes of a wait block that are looked at.
const BLOCK: u64 = 0x40;
/// Bytes of a dispatcher header that are looked at.
const HEADER: u64 = 0x20;
/// Threads that are looked at.
const SAMPLE: usize = 48;

/// What the waiting threads of a dump prove of their wait blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Where a thread keeps the address of its first wait block.
    pub list: Member,
    /// The wait block.
    pub block: WaitBlockLayout,
    /// The object.
    pub header: DispatcherLayout,
}

/// One way in which a wait block could be laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    list: u64,
    thread: u64,
    object: u64,
    head: u64,
}

/// Looks in threads whose state is Waiting for a pointer to a block that names
/// the thread, and an object, and whose entry is in a ring through the object:
/// three relations at once, which other memory does not have.
pub(crate) fn find(reader: &Reader<'_>, waiting: &[VirtualAddress], size: u64) -> Option<Found> {
    let mut shapes: Vec<(Shape, usize)> = Vec::new();
    for thread in waiting.iter().take(SAMPLE) {
        for shape in shapes_of(reader, *thread, size) {
            match shapes.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, votes)) => *votes += 1,
                None => shapes.push((shape, 1)),
            }
        }
    }
    let most = shapes.iter().map(|(_, votes)| *votes).max().filter(|votes| *votes > 1)?;
    let best = shapes.iter().filter(|(_, votes)| *votes == most).map(|(shape, _)| *shape);
    // A thread's own wait blocks lie in it, so that the first of them may be
    // found through more than one pointer; any of these is right.
    let shape = only(best.clone().map(|shape| (shape.thread, shape.object, shape.head)))
        .and_then(|_| best.min())?;
    let pointer = reader.pointer_size();
    let member = |offset, size| Some(Member::new(offset, size, Source::Probed));
    Some(Found {
        list: Member::new(shape.list, pointer, Source::Probed),
        block: WaitBlockLayout {
            list_entry: member(0, 2 * pointer),
            thread: member(shape.thread, pointer),
            object: member(shape.object, pointer),
            size: stride(reader, waiting, &shape),
            ..WaitBlockLayout::default()
        },
        header: DispatcherLayout {
            wait_list_head: member(shape.head, 2 * pointer),
            ..DispatcherLayout::default()
        },
    })
}

/// Bytes from one block to the next, where a thread waits for several objects:
/// the one distance at which another block names the thread, and is in the ring
/// of its object. What an earlier wait left there is in no ring.
fn stride(reader: &Reader<'_>, waiting: &[VirtualAddress], shape: &Shape) -> Option<u64> {
    let step = reader.pointer_size();
    let first = shape.thread.max(shape.object) + step;
    let is_second = |thread: VirtualAddress, distance: u64| {
        let block = at(reader.kernel_pointer(at(thread, shape.list)).ok()??, distance);
        let own = reader.pointer(at(block, shape.thread)).ok()? == thread;
        let object = reader.kernel_pointer(at(block, shape.object)).ok().flatten();
        own.then(|| Some(head_of(reader, block, object?)? == shape.head))?
    };
    let fits =
        |distance: &u64| waiting.iter().any(|thread| is_second(*thread, *distance) == Some(true));
    only((first..=BLOCK).step_by(step as usize).filter(fits))
}

fn shapes_of(reader: &Reader<'_>, thread: VirtualAddress, size: u64) -> Vec<Shape> {
    let step = reader.pointer_size();
    let mut found = Vec::new();
    for list in (0..size).step_by(step as usize) {
        let Ok(Some(block)) = reader.kernel_pointer(at(thread, list)) else { continue };
        for own in (2 * step..BLOCK).step_by(step as usize) {
            if reader.pointer(at(block, own)).ok() != Some(thread) {
                continue;
            }
            for object in (2 * step..BLOCK).step_by(step as usize).filter(|other| *other != own) {
                let Ok(Some(target)) = reader.kernel_pointer(at(block, object)) else { continue };
                if let Some(head) = head_of(reader, block, target) {
                    found.push(Shape { list, thread: own, object, head });
                }
            }
        }
    }
    found
}

/// Where in the object the ring goes through that the block's entry is in.
fn head_of(reader: &Reader<'_>, block: VirtualAddress, object: VirtualAddress) -> Option<u64> {
    let ring = crate::list::walk(reader, block, 1 << 14);
    let within = |entry: &VirtualAddress| Some(entry.0.wrapping_sub(object.0));
    ring.is_whole()
        .then(|| ring.entries.iter().filter_map(within).find(|offset| *offset < HEADER))?
}
