//! Layouts out of a large PDB.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::made::fixtures;
use crate::run::{memory, took};
use crate::table::{Row, mib, print, time};
use crate::timing::in_turn;

pub(crate) fn run(program: &Path) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("ntkrnlmp.pdb");
    if let Err(why) = make(&path) {
        println!("\nLayouts from a PDB of 20 MB: not measured, {why}");
        return;
    }
    let length = std::fs::metadata(&path).unwrap().len();
    let profile = || {
        let mut command = Command::new(program);
        command.args(["profile", "make"]).arg(&path);
        command
    };
    // The bytes alone, by the same rules: a fresh process, the page cache warm.
    let read = || {
        let mut command = Command::new("cat");
        command.arg(&path);
        command
    };
    let [ours, bytes] = in_turn(21, [&mut || took(profile()), &mut || took(read())]);
    let most = memory(profile);
    let rows = [
        Row {
            what: format!("`livedump profile make`, a PDB of {length} bytes"),
            ours: time(ours),
            against: format!("`cat`: {}", time(bytes)),
            wanted: "under 100 ms".into(),
            met: Some(ours < 0.1),
            ..Row::default()
        },
        Row {
            what: "anonymous memory of it, most seen".into(),
            ours: most.map(mib).unwrap_or_default(),
            wanted: "under 8 times the file".into(),
            met: most.map(|most| most < 8 * length),
            ..Row::default()
        },
    ];
    print("Layouts from a PDB of 20 MB", &rows);
}

/// By the script that makes the kernels; it needs clang and lld.
fn make(path: &Path) -> Result<(), String> {
    let script = fixtures().join("make.sh");
    let mut command = Command::new("sh");
    // It resolves the path, so there has to be something.
    std::fs::write(path, []).unwrap();
    let output = command.arg(script).arg("--big-pdb").arg(path).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("no shell: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("its script says: {}", said.lines().last().unwrap_or("nothing")))
}
