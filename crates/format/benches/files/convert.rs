//! Converting, beside a plain copy.

use std::fs::{File, remove_file};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use format::write::{DumpPages, Kind, Plan, write};
use format::{Level, Verdict, verify};

use crate::made;
use crate::table::{Row, print, rate, time, times};
use crate::timing::{ROUNDS, in_turn, timed};

fn convert(from: &Path, to: &Path) {
    let bytes = format::File::open_suited(from).unwrap();
    let source = DumpPages::open(&bytes).unwrap();
    let plan = Plan::new(&source, source.request(Kind::Bitmap).unwrap()).unwrap();
    let mut out = File::create_new(to).unwrap();
    write(&plan, &source, &mut out, &mut |_| ControlFlow::Continue(())).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("--reflink=never").args([from, to]).status();
    assert!(copied.unwrap().success());
    assert!(Command::new("sync").arg(to).status().unwrap().success());
}

/// Times what makes a file, and takes the file away. Discarding it takes the
/// disk some time, too, which must not be told as the next one's.
fn making(path: &Path, make: impl FnOnce()) -> Duration {
    let took = timed(make);
    remove_file(path).unwrap();
    let _ = Command::new("sync").arg("--file-system").arg(env!("CARGO_TARGET_TMPDIR")).status();
    took
}

pub(crate) fn run() {
    let file = made::full();
    let (from, to) = (&file.path, &file.beside("other"));
    convert(from, to);
    let verified = |level| {
        let bytes = format::File::open_suited(to).unwrap();
        assert_eq!(verify(&bytes, level).verdict, Verdict::Good);
    };
    let [structure] = in_turn(ROUNDS, [&mut || timed(|| verified(Level::Structure))]);
    remove_file(to).unwrap();
    let [ours, copied] = in_turn(
        ROUNDS,
        [&mut || making(to, || convert(from, to)), &mut || making(to, || copy(from, to))],
    );
    let length = file.length();
    let rows = [
        Row {
            what: "`convert` type 1 to 5, 2 GiB of noise, on the disk".into(),
            ours: format!("{} ({})", time(ours), rate(length, ours)),
            against: format!("`cp --reflink=never`, `sync FILE`: {}", time(copied)),
            ratio: times(copied / ours),
            wanted: "at least 0.8".into(),
            met: Some(copied / ours >= 0.8),
        },
        Row {
            what: "verification (structure) of what was written".into(),
            ours: time(structure),
            ..Row::default()
        },
    ];
    print("Conversion", &rows);
}
