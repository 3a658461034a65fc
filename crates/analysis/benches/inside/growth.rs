//! How it grows with the number of threads.

use std::path::Path;

use crate::made::Made;
use crate::run::{memory, processor_time, took};
use crate::table::{mib, time};
use crate::timing::{ROUNDS, in_turn};

/// GiB of memory, and threads in it.
const MACHINES: [(u32, u32); 4] = [(4, 1500), (4, 6000), (8, 25_000), (16, 100_000)];

pub(crate) fn run(program: &Path) {
    println!("\n### Growth with the number of threads, 300 processes\n");
    println!(
        "| threads | memory | `ps` | `hang` | its processor time, a thread | `hang`, no symbols | \
         anonymous memory of `hang` | a thread |\n|---|---|---|---|---|---|---|---|"
    );
    for (gib, threads) in MACHINES {
        let made = Made::new(program, gib, threads);
        let [ps, hang, bare] = in_turn(
            ROUNDS,
            [
                &mut || took(made.with_symbols("ps")),
                &mut || took(made.with_symbols("hang")),
                &mut || took(made.asked("hang")),
            ],
        );
        let before = processor_time();
        let most = memory(|| made.with_symbols("hang"));
        let spent = before.zip(processor_time()).map(|(before, after)| after - before);
        let (most, each) = most.map_or((String::new(), String::new()), |bytes| {
            (mib(bytes), format!("{:.1} KiB", kib(bytes) / f64::from(threads)))
        });
        let runs = f64::from(threads) * f64::from(u32::try_from(ROUNDS).unwrap());
        let share = spent.map(|spent| time(spent / runs)).unwrap_or_default();
        println!(
            "| {threads} | {gib} GiB | {} | {} | {share} | {} | {most} | {each} |",
            time(ps),
            time(hang),
            time(bare)
        );
    }
}

#[allow(clippy::cast_precision_loss)]
fn kib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}
