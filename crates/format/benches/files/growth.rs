//! How everything grows with the machine.

use format::{Dump, Level, Verdict};
use memory::{Paging, Space};

use crate::made;
use crate::process;
use crate::random::{read, translate};
use crate::table::{mib, time};
use crate::timing::{ROUNDS, in_turn, timed};
use crate::verify::library;

const COUNT: usize = 200_000;

/// Pages that are read, so that no hole has to be made into memory while it is timed.
const PAGES: u64 = 4096;

#[allow(clippy::cast_precision_loss)]
const EACH: f64 = 1.0 / COUNT as f64;

pub(crate) fn run() {
    println!("\n### Growth, sparse bitmap dumps\n");
    println!(
        "| memory | bitmap | open | `verify` (structure) | 8 bytes at a physical address | virtual \
         to physical | anonymous memory when open | most ever allocated |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for gib in [1, 4, 16, 64, 256, 1024] {
        println!("{}", row(gib));
    }
    println!(
        "\nThe addresses are random: the physical ones in {PAGES} pages that are spread over all \
         the memory, the virtual ones in as many GiB as the machine has."
    );
}

fn row(gib: u64) -> String {
    let file = made::sparse(gib);
    let path = &file.path;
    assert_eq!(library(path, Level::Structure), Verdict::Good);
    let open = || {
        let file = format::File::open_mapped(path).unwrap();
        Dump::open(&file).unwrap().pages().unwrap().count()
    };
    let [opened, verified] =
        in_turn(ROUNDS, [&mut || timed(open), &mut || timed(|| library(path, Level::Structure))]);
    let bytes = format::File::open_mapped(path).unwrap();
    let dump = Dump::open(&bytes).unwrap();
    let pages = dump.pages().unwrap();
    let space = Space::new(dump.pages().unwrap(), Paging::X64, file.root);
    let (at, places) = (file.addresses(COUNT, Some(PAGES)), file.virtual_addresses(COUNT));
    let [physical, translated] = in_turn(
        ROUNDS,
        [&mut || timed(|| read(&pages, &at)), &mut || timed(|| translate(&space, &places))],
    );
    let memory = process::memory("ours", path);
    format!(
        "| {gib} GiB | {} | {} | {} | {} | {} | {} | {} |",
        mib(pages.frames() / 8),
        time(opened),
        time(verified),
        time(physical * EACH),
        time(translated * EACH),
        mib(memory.anonymous),
        mib(memory.peak),
    )
}
