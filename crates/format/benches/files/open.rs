//! Opening a large dump.

use format::Dump;

use crate::table::{Row, mib, print, time, times};
use crate::timing::{ROUNDS, in_turn, timed};
use crate::{made, process, rival};

pub(crate) fn run() {
    let file = made::sparse(32);
    let path = &file.path;
    let open = || {
        let file = format::File::open_mapped(path).unwrap();
        Dump::open(&file).unwrap().pages().unwrap().count()
    };
    let [ours, theirs] =
        in_turn(ROUNDS, [&mut || timed(open), &mut || timed(|| rival::open(path))]);
    let (our_memory, their_memory) =
        (process::memory("ours", path), process::memory("theirs", path));
    let most = our_memory.peak.max(our_memory.anonymous);
    let rows = [
        Row {
            what: "a 32 GiB sparse bitmap dump, to the first page that can be read".into(),
            ours: time(ours),
            against: format!("{}: {}", rival::NAME, time(theirs)),
            ratio: times(theirs / ours),
            wanted: "at least 100 times faster, under 10 ms".into(),
            met: Some(theirs / ours >= 100.0 && ours < 0.01),
        },
        Row {
            what: "anonymous memory of a fresh process that has it open (most ever allocated)"
                .into(),
            ours: format!("{} ({})", mib(our_memory.anonymous), mib(our_memory.peak)),
            against: format!(
                "{}: {} ({})",
                rival::NAME,
                mib(their_memory.anonymous),
                mib(their_memory.peak)
            ),
            wanted: "under 16 MiB".into(),
            met: Some(most < 16 << 20),
            ..Row::default()
        },
    ];
    print("Opening", &rows);
}
