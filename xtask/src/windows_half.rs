//! The Windows half of `cargo xtask test`: the shipped exe is built, checked and run under Wine.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::project::Project;
use crate::steps::{Outcome, Steps, passed};
use crate::testkernel::{self, TestKernel};
use crate::windows::{self, Cross, GNU, MSVC};
use crate::{command, exe, paths};

/// Crates whose tests mean something else on Windows than here.
const ON_WINDOWS: [&str; 8] = ["-p", "nt", "-p", "machine", "-p", "sys", "-p", "capture"];

const STEPS: [&str; 7] = [
    "windows: livedump.exe",
    "windows: what the exe is",
    "windows: clippy gnu",
    "windows: clippy msvc",
    "windows: test kernel",
    "windows: unit tests",
    WINE_TESTS,
];

/// The step whose result is said in a line of its own.
pub(crate) const WINE_TESTS: &str = "windows: Wine tests";

/// All its steps, or each of them left out and why.
pub(crate) fn run(steps: &mut Steps, project: &Project) {
    let mut cross = None;
    steps.run("windows: set-up", || match Cross::set_up(project) {
        Ok(ready) => {
            cross = Some(ready);
            Ok(passed())
        }
        Err(error) => Ok(Outcome::Skipped(format!("{error:#}"))),
    });
    let Some(cross) = cross else {
        STEPS.iter().for_each(|step| steps.leave_out(step, "needs the set-up"));
        return;
    };
    // Wine prefixes are changed and registries written: one half at a time.
    let _turn = match cross.turn() {
        Ok(turn) => turn,
        Err(error) => {
            STEPS.iter().for_each(|step| steps.leave_out(step, &format!("{error:#}")));
            return;
        }
    };
    let [build, check, gnu, msvc, kernel, unit, wine] = STEPS;
    let built = steps.run(build, || cross.build_exe(project).map(|_| passed()));
    if built {
        steps.run(check, || what_it_is(project));
    } else {
        steps.leave_out(check, "needs the exe");
    }
    steps.run(gnu, || clippy(project, &cross, GNU));
    steps.run(msvc, || clippy(project, &cross, MSVC));
    let stands = steps.run(kernel, || TestKernel::build(project, &cross).map(|_| passed()));
    steps.run(unit, || unit_tests(&cross));
    if built && stands {
        steps.run(wine, || wine_tests(project, &[]));
    } else {
        steps.leave_out(wine, "needs the exe and the test kernel");
    }
}

fn what_it_is(project: &Project) -> Result<Outcome> {
    let file = windows::exe(project);
    let note = exe::check(&file, &project.package("livedump")?.version)?;
    paths::check(&file, project)?;
    println!("{note}");
    Ok(Outcome::Passed(note))
}

/// MSVC's target is checked only where its std could be had: nothing can be linked for it here.
fn clippy(project: &Project, cross: &Cross, target: &str) -> Result<Outcome> {
    if !cross.has_std(target)? {
        return Ok(Outcome::Unavailable(format!("the set-up could not provide std for {target}")));
    }
    let lint = |arguments: &mut Command| {
        if cross.is_other_release() {
            return command::run(arguments.env("CARGO_ENCODED_RUSTFLAGS", "-Dwarnings"));
        }
        command::run(arguments.args(["--", "-D", "warnings"]))
    };
    let cargo = || {
        let mut cargo = cross.cargo();
        cargo.arg(if cross.is_other_release() { "check" } else { "clippy" });
        cargo.args(["--target", target]);
        cargo
    };
    lint(cargo().args(["--workspace", "--exclude", "xtask", "--all-targets"]))?;
    let manifest = testkernel::manifest(project);
    let folder = testkernel::target(project);
    // Without tests: the stand-in has no standard library.
    lint(
        cargo()
            .arg("--manifest-path")
            .arg(manifest)
            .arg("--target-dir")
            .arg(folder)
            .args(testkernel::parts()),
    )?;
    Ok(match cross.is_other_release() {
        true => {
            Outcome::Passed("checked only: clippy is of another release than the compiler".into())
        }
        false => passed(),
    })
}

fn unit_tests(cross: &Cross) -> Result<Outcome> {
    let mut cargo = cross.cargo();
    cargo.args(["test", "--no-fail-fast", "--target", GNU, "--lib", "--tests"]).args(ON_WINDOWS);
    let libraries = counted(&mut cargo)?;
    // What tries the whole exe is written for the shipped one, below.
    let mut cargo = cross.cargo();
    cargo.args(["test", "--target", GNU, "--bins", "-p", "livedump"]);
    Ok(Outcome::Passed(format!("{libraries}; livedump: {}", counted(&mut cargo)?)))
}

/// Runs tests; what they came to is the text, or the error.
fn counted(cargo: &mut Command) -> Result<String> {
    let (good, results) = command::run_and_keep(cargo, RESULT)?;
    let counts = Counts::of(&results);
    match good && counts.passed > 0 {
        true => Ok(counts.text()),
        false => bail!("{}", counts.text()),
    }
}

/// `cargo xtask wine`: builds what they need, and runs them.
pub(crate) fn run_wine_tests(filter: &[&str]) -> Result<ExitCode> {
    let project = Project::load()?;
    let cross = Cross::present().or_else(|_| Cross::set_up(&project))?;
    let _turn = cross.turn()?;
    TestKernel::build(&project, &cross)?;
    cross.build_exe(&project)?;
    command::run(command::cargo().args(["build", "--release", "-p", "livedump"]))?;
    if let Outcome::Passed(counts) = wine_tests(&project, filter)? {
        println!("Wine tests: {counts}");
    }
    Ok(ExitCode::SUCCESS)
}

fn wine_tests(project: &Project, filter: &[&str]) -> Result<Outcome> {
    let mut cargo = command::cargo();
    cargo.args(["test", "--no-fail-fast", "-p", testkernel::TESTS, "--manifest-path"]);
    cargo.arg(testkernel::manifest(project)).arg("--target-dir").arg(testkernel::target(project));
    cargo.env("CARGO_TARGET_DIR", &project.target).env("XTASK", std::env::current_exe()?);
    let native = format!("livedump{}", std::env::consts::EXE_SUFFIX);
    cargo.env("LIVEDUMP_NATIVE", project.target.join("release").join(native));
    cargo.arg("--").args(filter);
    counted(&mut cargo).map(Outcome::Passed)
}

/// How a line begins that sums up a test program.
const RESULT: &str = "test result: ";

#[derive(Default)]
struct Counts {
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Counts {
    fn of(results: &[String]) -> Self {
        let mut counts = Self::default();
        for line in results {
            let mut before = 0;
            for word in line.split([' ', ';']) {
                match word {
                    "passed" => counts.passed += before,
                    "failed" => counts.failed += before,
                    "ignored" => counts.skipped += before,
                    number => before = number.parse().unwrap_or(before),
                }
            }
        }
        counts
    }

    fn text(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_test_programs_are_summed_up() {
        let lines = [
            "test result: ok. 6 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out",
        ];
        let counts = Counts::of(&lines.map(str::to_owned));
        assert_eq!(counts.text(), "8 passed, 3 failed, 1 skipped");
    }
}
