//! `cargo xtask fuzz`: the targets of `fuzz/` under libFuzzer, which needs nightly Rust,
//! cargo-fuzz (both are installed when missing) and a C++ compiler.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::project::Project;
use crate::steps::Outcome;

/// How long each target runs where nothing else is said.
pub(crate) const SECONDS: u64 = 20;

const CARGO_FUZZ: &str = "0.13.2";
const CHANNEL: &str = "nightly";

/// `[TARGET...] [--seconds N] [--input FILE]`.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    targets: Vec<String>,
    seconds: u64,
    input: Option<String>,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { targets: Vec::new(), seconds: SECONDS, input: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} wants a value"));
            match *word {
                "--seconds" => options.seconds = value()?.parse().context("--seconds")?,
                "--input" => options.input = Some((*value()?).to_owned()),
                option if option.starts_with('-') => bail!("fuzz does not take {option}"),
                target => options.targets.push(target.to_owned()),
            }
        }
        if options.input.is_some() && options.targets.len() != 1 {
            bail!("--input wants exactly one target");
        }
        Ok(options)
    }
}

/// The chore.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let options = Options::parse(words)?;
    let project = Project::load()?;
    let all = targets(&project)?;
    if let Some(unknown) = options.targets.iter().find(|target| !all.contains(target)) {
        bail!("no target {unknown}; there are: {}", all.join(", "));
    }
    if let Err(missing) = set_up() {
        bail!("{missing:#}");
    }
    let folder = build(&project)?;
    if let Some(input) = &options.input {
        command::run(Command::new(folder.join(&options.targets[0])).arg(input))?;
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = if options.targets.is_empty() { all } else { options.targets };
    println!("{}", fuzz(&project, &folder, &chosen, options.seconds)?);
    Ok(ExitCode::SUCCESS)
}

/// The step of `cargo xtask test --fuzz`: every target, for [`SECONDS`] each.
pub(crate) fn step(project: &Project) -> Result<Outcome> {
    if let Err(missing) = set_up() {
        return Ok(Outcome::Skipped(format!("{missing:#}")));
    }
    let folder = build(project)?;
    fuzz(project, &folder, &targets(project)?, SECONDS).map(Outcome::Passed)
}

/// The package of the programs, a workspace of its own.
pub(crate) const PROGRAMS: &str = "livedump-fuzz";

/// Its manifest.
pub(crate) fn manifest(project: &Project) -> PathBuf {
    workspace(project).join("Cargo.toml")
}

fn workspace(project: &Project) -> PathBuf {
    project.root.join("fuzz/libfuzzer")
}

/// The programs, by the names of their files.
fn targets(project: &Project) -> Result<Vec<String>> {
    let folder = workspace(project).join("targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// Nightly Rust, through rustup: whoever started us chose another one.
fn nightly(words: &[&str]) -> Command {
    let mut rustup = Command::new("rustup");
    rustup.args(["run", CHANNEL, "cargo"]).args(words);
    for chosen in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTFLAGS"] {
        rustup.env_remove(chosen);
    }
    rustup
}

fn answers(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Installs what is missing.
fn set_up() -> Result<()> {
    if !answers(&mut nightly(&["--version"])) {
        let mut rustup = Command::new("rustup");
        rustup.args(["toolchain", "install", CHANNEL, "--profile", "minimal"]);
        command::run(&mut rustup).context("nightly Rust")?;
    }
    if !answers(&mut nightly(&["fuzz", "--version"])) {
        let mut cargo = command::cargo();
        cargo.args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ]);
        command::run(&mut cargo).context("cargo-fuzz")?;
    }
    Ok(())
}

/// Builds all targets; returns the folder of the programs. Without a sanitizer: nothing that
/// is fuzzed has unsafe code, and it would take memory and time that are counted.
fn build(project: &Project) -> Result<PathBuf> {
    let target = project.target.join("fuzz");
    let mut cargo = nightly(&["fuzz", "build", "--sanitizer", "none", "--fuzz-dir"]);
    cargo.arg(workspace(project)).arg("--target-dir").arg(&target);
    command::run(cargo.current_dir(&project.root))?;
    let mut rustc = Command::new("rustup");
    let about = command::output(rustc.args(["run", CHANNEL, "rustc", "-vV"]))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(target.join(host.context("rustc -vV names no host")?).join("release"))
}

/// Runs the targets, as many at once as there are processors.
fn fuzz(project: &Project, folder: &Path, targets: &[String], seconds: u64) -> Result<String> {
    let left = Mutex::new(targets.iter());
    let failed = Mutex::new(Vec::new());
    let next = || left.lock().ok().and_then(|mut left| left.next().cloned());
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(targets.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let outcome = one(project, folder, &target, seconds);
                    match outcome {
                        Ok(line) => println!("{target:<20} {line}"),
                        Err(error) => {
                            println!("{target:<20} FAILED\n{error:#}");
                            failed.lock().map(|mut failed| failed.push(target)).unwrap_or(());
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner() {
        Ok(failed) if failed.is_empty() => {
            Ok(format!("{} targets, {seconds} s each", targets.len()))
        }
        Ok(failed) => bail!("{}: see above", failed.join(", ")),
        Err(_) => bail!("a target could not be run"),
    }
}

/// Runs one target; the answer is what libFuzzer counted.
fn one(project: &Project, folder: &Path, target: &str, seconds: u64) -> Result<String> {
    let place = |what: &str| project.target.join("fuzz").join(what).join(target);
    let (corpus, artifacts) = (place("corpus"), place("artifacts"));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let log = artifacts.join("log");
    let mut fuzzer = Command::new(folder.join(target));
    fuzzer.arg(&corpus).arg(project.root.join("fuzz/seeds").join(target));
    fuzzer.arg(format!("-max_total_time={seconds}")).args(["-timeout=10", "-rss_limit_mb=512"]);
    fuzzer.arg(format!("-artifact_prefix={}/", artifacts.display()));
    fuzzer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
    let status = fuzzer.status().with_context(|| format!("could not start {target}"))?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if status.success() {
        let done = text.lines().rev().find(|line| line.starts_with("Done "));
        return Ok(done.unwrap_or("done").to_owned());
    }
    bail!("{}", report(target, &text, &log))
}

/// What a person needs: what broke, the input, how to try it again and how to keep it.
fn report(target: &str, log: &str, place: &Path) -> String {
    let input = log.lines().find_map(|line| line.split_once("Test unit written to "));
    let input = input.map_or("", |(_, path)| path.trim());
    let told: Vec<&str> = log
        .lines()
        .skip_while(|line| !line.contains("panicked at") && !line.contains("ERROR: libFuzzer"))
        .take(12)
        .collect();
    format!(
        "{}\ninput: {input}\nagain: cargo xtask fuzz {target} --input {input}\n\
         keep it, once it is mended, as a file of fuzz/seeds/{target}; all that was said: {}",
        told.join("\n"),
        place.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_seconds_and_an_input_are_taken_in_any_order() {
        let options = Options::parse(&["--seconds", "5", "runs", "bitmap"]).unwrap();
        assert_eq!((options.seconds, options.targets.len()), (5, 2));
        let options = Options::parse(&["runs", "--input", "crash-1"]).unwrap();
        assert_eq!(options.input.as_deref(), Some("crash-1"));
        for wrong in [&["--seconds"][..], &["--fast"], &["--input", "x"], &["--seconds", "x"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_crash_is_reported_with_its_input_and_how_to_try_it_again() {
        let log = "INFO: Seed: 1\nthread '<unnamed>' panicked at fuzz/src/facts.rs:5:9:\nwhy\n\
                   artifact_prefix='a/'; Test unit written to a/crash-1\n";
        let report = report("runs", log, Path::new("log"));
        assert!(report.starts_with("thread '<unnamed>' panicked"), "{report}");
        assert!(report.contains("cargo xtask fuzz runs --input a/crash-1\n"), "{report}");
    }

    #[test]
    fn every_target_has_its_program_and_its_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let list = fs::read_to_string(root.join("fuzz/src/lib.rs")).unwrap();
        let manifest = fs::read_to_string(root.join("fuzz/libfuzzer/Cargo.toml")).unwrap();
        let mut programs = 0;
        for entry in fs::read_dir(root.join("fuzz/libfuzzer/targets")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(list.contains(&format!("(\"{name}\", targets::{name}::target)")), "{name}");
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            assert!(root.join("fuzz/seeds").join(name).is_dir(), "{name}");
            programs += 1;
        }
        assert_eq!(programs, list.matches("::target)").count());
    }
}
