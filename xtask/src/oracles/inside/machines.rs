//! The machines, and their dumps.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use super::ours::{self, Ours};
use crate::command;
use crate::project::Project;

/// A simulated machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    /// As after `--simulate=`, without the layout.
    pub(crate) simulated: &'static str,
    /// Of the fixture whose kernel it runs.
    pub(crate) layout: &'static str,
    /// Whether the dump has user pages.
    pub(crate) user: bool,
}

/// A dump of it.
pub(crate) struct Made {
    pub(crate) machine: Machine,
    /// Of type 5, in the judges' folder.
    pub(crate) file: String,
    /// What we say of it.
    pub(crate) ours: Ours,
}

/// Beside the dump, for the judges.
#[derive(Serialize)]
struct Plan<'a> {
    file: &'a str,
    pdb: PathBuf,
    image: PathBuf,
    /// Whether the kernel's structures are laid out as those of a build of Windows.
    known: bool,
    kernel_base: u64,
    /// Physical address of the page tables.
    tables: u64,
    /// Page frames that are asked about, from 0; more than the machine has.
    frames: u64,
}

/// More than the largest machine here has.
const FRAMES: u64 = 1 << 17;

/// The layout that a build of Windows has.
pub(crate) const KNOWN_LAYOUT: &str = "19041";

const fn of(simulated: &'static str) -> Machine {
    Machine { simulated, layout: KNOWN_LAYOUT, user: false }
}

const ALL: [Machine; 18] = [
    of("healthy"),
    Machine { user: true, ..of("debugger,seed=2") },
    of("deadlock,seed=3"),
    of("stuck-irp,seed=4"),
    of("mutant-owner-dead,seed=5"),
    of("alpc-chain,seed=6"),
    of("dpc-storm,seed=7"),
    of("work-queue-full,seed=8"),
    of("swapped-stacks,seed=9"),
    of("stack-segments,seed=10"),
    of("encoded-block,seed=11"),
    of("kva-shadow,seed=12"),
    of("large-pages,seed=13"),
    of("large-pages,kva-shadow,deadlock,seed=14"),
    of("healthy,processes=300,threads=6000,seed=15"),
    of("la57,seed=16"),
    Machine { layout: "a", ..of("deadlock,seed=17") },
    Machine { layout: "b", ..of("deadlock,seed=18") },
];

impl Machine {
    /// For tables.
    pub(crate) fn name(&self) -> String {
        let user = if self.user { " with user pages" } else { "" };
        format!("{},layout={}{user}", self.simulated, self.layout)
    }
}

/// Takes the dumps, converts them, and asks livedump.
pub(crate) fn make(project: &Project, folder: &Path) -> Result<Vec<Made>> {
    let livedump = Livedump::of(project);
    let sources = folder.join("sources");
    fs::create_dir_all(&sources)?;
    let one = |(number, machine): (usize, &Machine)| {
        let file = format!("{number:02}.dmp");
        one(&livedump, machine, folder, &sources.join(&file), file).with_context(|| machine.name())
    };
    ALL.iter().enumerate().map(one).collect()
}

fn one(
    livedump: &Livedump,
    machine: &Machine,
    folder: &Path,
    source: &Path,
    file: String,
) -> Result<Made> {
    let simulate = format!("--simulate={},layout={}", machine.simulated, machine.layout);
    let mut kernel = livedump.command("kernel");
    kernel.arg(simulate).args(machine.user.then_some("--user-pages"));
    command::output(kernel.arg("--overwrite").arg(source))?;
    let dump = folder.join(&file);
    let mut convert = livedump.command("convert");
    command::output(convert.args(["--type", "bitmap"]).arg(source).arg(&dump))?;
    let fixture = livedump.fixtures.join(format!("x64-{}", machine.layout));
    let ours = ours::ask(livedump, &fixture, source, &dump)?;
    let plan = Plan {
        file: &file,
        pdb: fixture.join("ntkrnlmp.pdb"),
        image: fixture.join("ntoskrnl.exe"),
        known: machine.layout == KNOWN_LAYOUT,
        kernel_base: ours.kernel_base,
        tables: ours.tables,
        frames: FRAMES,
    };
    fs::write(dump.with_extension("json"), serde_json::to_vec(&plan)?)?;
    Ok(Made { machine: *machine, file, ours })
}

/// The product, as it was built.
#[derive(Clone)]
pub(crate) struct Livedump {
    program: PathBuf,
    /// The simulated kernels' images and PDBs.
    pub(crate) fixtures: PathBuf,
}

impl Livedump {
    fn of(project: &Project) -> Self {
        let name = format!("livedump{}", std::env::consts::EXE_SUFFIX);
        Self {
            program: project.target.join("debug").join(name),
            fixtures: project.root.join("crates/simulator/fixtures"),
        }
    }

    pub(crate) fn command(&self, word: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(word);
        command
    }
}
