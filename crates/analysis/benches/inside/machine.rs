//! A machine of 4 GiB, 300 processes, 6,000 threads.

use std::path::Path;
use std::process::Command;

use crate::made::Made;
use crate::run::{memory, took};
use crate::table::{Row, mib, print, time};
use crate::timing::in_turn;

const ROUNDS: usize = 11;

pub(crate) fn run(program: &Path) {
    let made = Made::new(program, 4, 6000);
    let asked = |word| took(made.with_symbols(word));
    let version = || {
        let mut command = Command::new(program);
        command.arg("--version");
        command
    };
    let [ps, threads, stacks, hang, bare, nothing] = in_turn(
        ROUNDS,
        [
            &mut || asked("ps"),
            &mut || asked("threads"),
            &mut || asked("stacks"),
            &mut || asked("hang"),
            &mut || took(made.asked("hang")),
            &mut || took(version()),
        ],
    );
    let row = |what: &str, seconds: f64, wanted: Option<f64>| Row {
        what: what.into(),
        ours: time(seconds),
        against: format!("`livedump --version`: {}", time(nothing)),
        wanted: wanted.map(|most| format!("under {}", time(most))).unwrap_or_default(),
        met: wanted.map(|most| seconds < most),
        ..Row::default()
    };
    let mut rows = vec![
        row("`ps`", ps, Some(0.05)),
        row("`threads`", threads, None),
        row("`stacks`, all threads", stacks, None),
        row("`hang`, all threads", hang, Some(1.0)),
        row("`hang`, all threads, no symbols", bare, None),
    ];
    for (what, word) in [("`ps`", "ps"), ("`hang`", "hang")] {
        let Some(most) = memory(|| made.with_symbols(word)) else { continue };
        rows.push(Row {
            what: format!("anonymous memory of {what}, most seen"),
            ours: mib(most),
            wanted: if word == "hang" { "under 100 MiB".into() } else { String::new() },
            met: (word == "hang").then_some(most < 100 << 20),
            ..Row::default()
        });
    }
    print("4 GiB, 300 processes, 6,000 threads, two cycles planted", &rows);
}
