//! What is inside a dump: tools of other people list its processes, modules and threads, and read
//! all its pages.
//!
//! The dumps are of simulated machines whose kernel is real code with a PDB. Here they are made, our
//! own lists are asked for, the judges are asked, and the answers compared.

mod compare;
mod limits;
mod machines;
mod ours;
mod table;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::judges;
use crate::command;
use crate::project::Project;
use compare::{Lists, PageRun};
use machines::Made;

pub(crate) const VOLATILITY: &str = "volatility3 2.28.0";
pub(crate) const MEMPROCFS: &str = "MemProcFS 5.19.0";
pub(crate) const TOLD: &str = "MemProcFS 5.19.0, told two things";

/// Beside what the judges of pages and reads need.
const PEFILE: &str = "pefile==2024.8.26";

const JUDGES: [(&str, &str, &[&str], &[&str]); 3] = [
    (VOLATILITY, "lists.py", &[], &[judges::VOLATILITY_PACKAGE, PEFILE]),
    (MEMPROCFS, "memprocfs_lists.py", &[], &MEMPROCFS_PACKAGES),
    (TOLD, "memprocfs_lists.py", &["told"], &MEMPROCFS_PACKAGES),
];
const MEMPROCFS_PACKAGES: [&str; 2] = [judges::LEECHCORE_PACKAGE, "memprocfs==5.19.0"];

/// What came of it.
pub(crate) struct Inside {
    pub(crate) text: String,
    pub(crate) summary: String,
    /// Differences that nothing explains.
    pub(crate) failures: usize,
    /// Judges that could not be set up or did not finish, and why.
    pub(crate) missing: Vec<String>,
}

/// What a judge says of one dump.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) file: String,
    /// Why there are no lists.
    pub(crate) error: Option<String>,
    #[serde(flatten)]
    pub(crate) lists: Lists,
    pub(crate) pages: Option<Vec<PageRun>>,
}

/// All of it. `place` is the oracles' folder in the build folder; livedump is built.
pub(crate) fn judged(project: &Project, place: &Path) -> Result<Inside> {
    let folder = place.join("inside");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let made = machines::make(project, &folder)?;
    let mut answers = Vec::new();
    let mut missing = Vec::new();
    for (name, script, words, packages) in JUDGES {
        match ask(project, place, &folder, (script, words, packages)).context(name) {
            Ok(answer) => answers.push((name, answer)),
            Err(error) => missing.push(format!("{error:#}")),
        }
    }
    let compared = compared(&made, &answers)?;
    fs::remove_dir_all(&folder)?;
    Ok(Inside {
        text: table::render(&compared, &missing),
        summary: compared.summary(),
        failures: compared.failures(),
        missing,
    })
}

fn ask(
    project: &Project,
    place: &Path,
    folder: &Path,
    (script, words, packages): (&str, &[&str], &[&str]),
) -> Result<Vec<Answer>> {
    let python = judges::python(place, packages)?;
    let mut command = Command::new(python);
    command.arg(project.root.join("xtask/oracles").join(script)).arg(folder).args(words);
    let text = command::output(&mut command)?;
    text.lines().map(|line| serde_json::from_str(line).context(line.to_owned())).collect()
}

fn compared(made: &[Made], answers: &[(&'static str, Vec<Answer>)]) -> Result<compare::Compared> {
    let mut compared = compare::Compared::default();
    for (judge, answers) in answers {
        compared.judges.push(judge);
        for made in made {
            let answer = answers.iter().find(|answer| answer.file == made.file);
            let Some(answer) = answer else { bail!("{judge} does not answer for {}", made.file) };
            compared.add(judge, made, answer)?;
        }
    }
    Ok(compared)
}
