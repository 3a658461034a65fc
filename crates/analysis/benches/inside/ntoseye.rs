//! Modules and the stack of the fault of the real x64 triage dump, offline, beside ntoseye.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::frames::{Frame, cells, ours, shared};
use crate::rival::{self, Rival};
use crate::run::{json, took};
use crate::table::{Row, print, time, times};
use crate::timing::in_turn;

const ROUNDS: usize = 11;

/// The real dump, and files of its drivers.
struct Sample {
    dump: PathBuf,
    /// A symbol store as Windows knows it, blind to upper and lower case.
    store: PathBuf,
}

pub(crate) fn run(program: &Path) {
    let title = "Beside ntoseye";
    let Some(sample) = sample() else {
        println!("\n{title}: not measured, LIVEDUMP_SAMPLES is not set");
        return;
    };
    let contest = Rival::new().and_then(|rival| Ok((rival, flat(&sample.store)?)));
    match contest {
        Ok((rival, flat)) => {
            times_of(program, &sample, &rival, flat.path());
            frames_of(program, &sample, &rival, flat.path());
        }
        Err(why) => println!("\n{title}: not measured, it could not be set up: {why}"),
    }
}

fn sample() -> Option<Sample> {
    let samples = PathBuf::from(std::env::var_os("LIVEDUMP_SAMPLES")?);
    Some(Sample {
        dump: samples.join("triage/x64-19041-amdppm.dmp"),
        store: samples.join("symbols"),
    })
}

fn times_of(program: &Path, sample: &Sample, rival: &Rival, flat: &Path) {
    let ours = |symbols: Option<&Path>| -> Duration {
        let asked = |word| took(asked(program, word, &sample.dump, symbols));
        asked("modules") + asked("stacks")
    };
    let theirs = |symbols| took(rival.modules_and_stack(&sample.dump, symbols));
    let store = Some(sample.store.as_path());
    let [our_bare, our_store, our_flat, bare, in_store, in_flat, start] = in_turn(
        ROUNDS,
        [
            &mut || ours(None),
            &mut || ours(store),
            &mut || ours(Some(flat)),
            &mut || theirs(None),
            &mut || theirs(store),
            &mut || theirs(Some(flat)),
            &mut || took(rival.version()),
        ],
    );
    let row = |what: &str, ours: f64, theirs: f64| Row {
        what: what.into(),
        ours: time(ours),
        against: format!("{}: {}", rival::NAME, time(theirs)),
        ratio: times(theirs / ours),
        ..Row::default()
    };
    let rows = [
        row("nothing but the dump", our_bare, bare),
        row("the drivers' images and a PDB, in one flat folder", our_flat, in_flat),
        row("a symbol store with these and the kernel's types (ISF)", our_store, in_store),
        row("the rival's `--version`, beside ours with nothing", our_bare, start),
    ];
    print("Beside ntoseye: time to modules and stack, the x64 sample, offline", &rows);
}

fn frames_of(program: &Path, sample: &Sample, rival: &Rival, flat: &Path) {
    println!(
        "\n| reader | besides the dump | modules | frames unwound | frames by a scan | with a name |\n\
         |---|---|---|---|---|---|"
    );
    let line = |reader: &str, given: &str, shown: &(usize, Vec<Frame>)| {
        println!("| {reader} | {given} | {} | {} |", shown.0, cells(&shown.1));
    };
    let store = Some(sample.store.as_path());
    let mine = shows(program, &sample.dump, Some(flat));
    line("livedump", "nothing", &shows(program, &sample.dump, None));
    line("livedump", "flat folder", &mine);
    line("livedump", "store", &shows(program, &sample.dump, store));
    line(rival::NAME, "nothing", &rival.shows(&sample.dump, None));
    let theirs = rival.shows(&sample.dump, Some(flat));
    line(rival::NAME, "flat folder", &theirs);
    line(rival::NAME, "store", &rival.shows(&sample.dump, store));
    let unwound = theirs.1.iter().filter(|frame| !frame.scan).count();
    println!(
        "\nOf the {unwound} frames that the rival unwinds, {} are ours too, at the same stack pointers.",
        shared(&theirs.1, &mine.1)
    );
}

fn shows(program: &Path, dump: &Path, symbols: Option<&Path>) -> (usize, Vec<Frame>) {
    let modules = json(asked(program, "modules", dump, symbols));
    let stacks = json(asked(program, "stacks", dump, symbols));
    (modules["modules"].as_array().map_or(0, Vec::len), ours(&stacks))
}

fn asked(program: &Path, word: &str, dump: &Path, symbols: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    command.arg(word).arg(dump).env_remove("_NT_SYMBOL_PATH");
    if let Some(symbols) = symbols {
        command.arg("--symbols").arg(symbols);
    }
    command
}

/// Links to the images and PDBs of a store in one folder. In the store the rival looks for their
/// keys in upper case, and the file system may tell upper and lower case apart.
#[cfg(unix)]
fn flat(store: &Path) -> Result<TempDir, String> {
    let link = || -> std::io::Result<TempDir> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut folders = vec![store.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|end| end != "json") {
                    let name = path.file_name().unwrap_or_default();
                    std::os::unix::fs::symlink(&path, folder.path().join(name))?;
                }
            }
        }
        Ok(folder)
    };
    link().map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn flat(_store: &Path) -> Result<TempDir, String> {
    Err("it is made for Linux and macOS".into())
}
