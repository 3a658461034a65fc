//! `cargo xtask oracles`: dump readers that nobody here wrote judge what we write.
//!
//! `crates/format/examples/oracle` makes the files and says what is in them; each judge is a
//! program that answers questions about them (`xtask/oracles`); here the answers are compared.

mod compare;
mod inside;
mod judges;
mod known;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::command;
use crate::project::Project;
use crate::steps::Outcome;
use compare::{Answer, Plan};
use judges::Judge;

const OPTIONS: &str = "oracles takes --allow-missing and --save and nothing else";

/// `cargo xtask oracles`.
pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    if !options.iter().all(|option| ["--allow-missing", "--save"].contains(option)) {
        bail!("{OPTIONS}");
    }
    let project = Project::load()?;
    let result = judged(&project)?;
    println!("{}", result.text);
    if options.contains(&"--save") {
        table::save(&project.root.join("docs/oracles.md"), &result.text)?;
    }
    for judge in &result.missing {
        eprintln!("MISSING: {judge}");
    }
    let whole = result.missing.is_empty() || options.contains(&"--allow-missing");
    Ok(if result.we_are_right && whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The step of `cargo xtask test --oracles`.
pub(crate) fn step(project: &Project) -> Result<Outcome> {
    let result = judged(project)?;
    println!("{}", result.text);
    if !result.we_are_right {
        bail!("a judge found an error of ours: see above");
    }
    if result.missing.is_empty() {
        return Ok(Outcome::Passed(result.summary));
    }
    Ok(Outcome::Skipped(result.missing.join("; ")))
}

/// What came of it.
struct Judged {
    text: String,
    summary: String,
    we_are_right: bool,
    /// Judges that could not be set up or did not finish, and why.
    missing: Vec<String>,
}

fn judged(project: &Project) -> Result<Judged> {
    let place = project.target.join("oracles");
    let files = place.join("files");
    if files.exists() {
        fs::remove_dir_all(&files)?;
    }
    fs::create_dir_all(&files)?;
    let oracle = make(project, &files)?;
    let plans = plans(&files)?;
    let mut answers = Vec::new();
    let mut missing = Vec::new();
    for judge in judges::all(project, &place, &oracle) {
        match judge.and_then(|judge| ask(judge, &files)) {
            Ok((judge, answer)) => answers.push((judge, answer)),
            Err(error) => missing.push(format!("{error:#}")),
        }
    }
    // Gigabytes, which the next run would make again.
    fs::remove_dir_all(&files)?;
    let compared = compare::all(&plans, &answers)?;
    let text = table::render(&compared, &missing);
    let inside = inside::judged(project, &place)?;
    missing.extend(inside.missing);
    Ok(Judged {
        text: format!("{text}\n{}", inside.text),
        summary: format!("{}; {}", compared.summary(), inside.summary),
        we_are_right: compared.failures() == 0 && inside.failures == 0,
        missing,
    })
}

/// Builds the product and the example, and has the files made.
fn make(project: &Project, files: &Path) -> Result<PathBuf> {
    let mut cargo = command::cargo();
    cargo.args(["build", "--package", "livedump", "--package", "format", "--bins"]);
    command::run(cargo.args(["--example", "oracle"]).current_dir(&project.root))?;
    let built = project.target.join("debug");
    let name = |stem: &str| format!("{stem}{}", std::env::consts::EXE_SUFFIX);
    let oracle = built.join("examples").join(name("oracle"));
    let livedump = built.join(name("livedump"));
    command::run(Command::new(&oracle).arg("make").arg(files).arg(livedump))?;
    Ok(oracle)
}

fn plans(files: &Path) -> Result<Vec<Plan>> {
    let mut plans: Vec<Plan> = Vec::new();
    for entry in fs::read_dir(files)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read(&path)?;
            plans.push(serde_json::from_slice(&text).context(path.display().to_string())?);
        }
    }
    plans.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(plans)
}

fn ask(mut judge: Judge, files: &Path) -> Result<(&'static str, Vec<Answer>)> {
    let text = command::output(judge.command.arg(files)).context(judge.name)?;
    let answers = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    Ok((judge.name, answers.context(judge.name)?))
}
