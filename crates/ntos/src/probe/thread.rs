//! Members of a thread.

use std::collections::HashSet;

use memory::VirtualAddress;

use super::only;
use crate::layout::{Member, Source};
use crate::reader::{Reader, at};

/// Threads that are looked at: enough that chance does not agree with all.
const SAMPLE: usize = 64;

/// Where a thread keeps its client id: the pair of its process's id and its
/// own. `threads` are threads with their process's id.
pub(crate) fn client_id(
    reader: &Reader<'_>,
    threads: &[(VirtualAddress, u64)],
    size: u64,
) -> Option<(Member, Member)> {
    let width = reader.pointer_size();
    let sample = threads.get(..SAMPLE.min(threads.len()))?;
    let fits = |offset: &u64| {
        let mut seen = HashSet::new();
        let mut disagree = 0;
        for (thread, process) in sample {
            let place = at(*thread, *offset);
            let pair = reader
                .integer(place, width as usize)
                .and_then(|first| Ok((first, reader.integer(at(place, width), width as usize)?)));
            let Ok((owner, own)) = pair else { continue };
            let plausible = own.is_multiple_of(4) && (4..1 << 32).contains(&own);
            if owner != *process || !plausible || !seen.insert(own) {
                disagree += 1;
            }
        }
        disagree == 0 && seen.len() > 1
    };
    let offset = only((0..size.saturating_sub(width)).step_by(width as usize).filter(fits))?;
    let member = |offset| Member::new(offset, width, Source::Probed);
    Some((member(offset), member(offset + width)))
}
