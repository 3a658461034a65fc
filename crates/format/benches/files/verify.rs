//! Verification: in the library, and as a whole process.

use std::path::Path;
use std::process::{Command, Stdio};

use format::{Level, Verdict, verify};

use crate::made;
use crate::process;
use crate::program::program;
use crate::stream::plain;
use crate::table::{Row, mib, print, rate, time, times};
use crate::timing::{ROUNDS, in_turn, timed};

/// Opens as `livedump verify` does and verifies.
pub(crate) fn library(path: &Path, level: Level) -> Verdict {
    let file = match level {
        Level::Deep => format::File::open_suited(path),
        _ => format::File::open(path),
    };
    verify(&file.unwrap(), level).verdict
}

pub(crate) fn run() {
    let program = program();
    let mut rows = Vec::new();
    structure(program.as_deref(), &mut rows);
    deep(program.as_deref(), &mut rows);
    print("Verification", &rows);
}

fn structure(program: Option<&Path>, rows: &mut Vec<Row>) {
    let file = made::sparse(32);
    let path = &file.path;
    assert_eq!(library(path, Level::Structure), Verdict::Good);
    let [ours, process, nothing] = in_turn(
        21,
        [
            &mut || timed(|| library(path, Level::Structure)),
            &mut || timed(|| spawn(program, "structure", path)),
            &mut || timed(|| Command::new("true").status()),
        ],
    );
    let memory = process::memory("verify", path);
    rows.push(Row {
        what: "`verify` (structure) of 32 GiB, library".into(),
        ours: time(ours),
        wanted: "under 20 ms".into(),
        met: Some(ours < 0.02),
        ..Row::default()
    });
    if program.is_some() {
        rows.push(Row {
            what: "`livedump verify FILE`, the whole process".into(),
            ours: time(process),
            against: format!("`true`: {}", time(nothing)),
            wanted: "under 20 ms".into(),
            met: Some(process < 0.02),
            ..Row::default()
        });
    }
    rows.push(Row {
        what: "anonymous memory it took (most ever allocated)".into(),
        ours: format!("{} ({})", mib(memory.anonymous), mib(memory.peak)),
        ..Row::default()
    });
}

fn deep(program: Option<&Path>, rows: &mut Vec<Row>) {
    let file = made::bitmap();
    let path = &file.path;
    assert_eq!(library(path, Level::Deep), Verdict::Good);
    let [ours, process, one, two] = in_turn(
        ROUNDS,
        [
            &mut || timed(|| library(path, Level::Deep)),
            &mut || timed(|| spawn(program, "deep", path)),
            &mut || timed(|| plain(path, 1)),
            &mut || timed(|| plain(path, 2)),
        ],
    );
    let length = file.length();
    let whole = program.map(|_| ("the whole process", process));
    for (what, took) in [Some(("library", ours)), whole].into_iter().flatten() {
        rows.push(Row {
            what: format!("`verify --level deep` of 2 GiB, warm, {what}"),
            ours: rate(length, took),
            against: format!(
                "read(2) alone, one thread: {}, two: {}",
                rate(length, one),
                rate(length, two)
            ),
            ratio: format!("{}, {}", times(one / took), times(two / took)),
            wanted: "the page cache's speed".into(),
            met: Some(took <= one),
        });
    }
}

fn spawn(program: Option<&Path>, level: &str, path: &Path) {
    let Some(program) = program else { return };
    let mut command = Command::new(program);
    command.args(["verify", "--level", level]).arg(path).stdout(Stdio::null());
    assert!(command.status().unwrap().success());
}
