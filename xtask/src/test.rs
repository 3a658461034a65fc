//! `cargo xtask test`: everything, in order.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::steps::{Outcome, Steps, passed};
use crate::{arrows, command, fuzz, house, oracles, testkernel, windows_half};

/// Runs all steps; a failed one does not stop those that do not need it.
pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    let known = ["--require-windows", "--fuzz", "--oracles"];
    if !options.iter().all(|option| known.contains(option)) {
        bail!("test takes --require-windows, --fuzz and --oracles and nothing else");
    }
    let require_windows = options.contains(&"--require-windows");
    let project = Project::load()?;
    let mut steps = Steps::new(require_windows);
    native(&mut steps, &project);
    if options.contains(&"--fuzz") {
        steps.run("fuzz", || fuzz::step(&project));
    }
    if options.contains(&"--oracles") {
        steps.run("oracles", || oracles::step(&project));
    }
    windows_half::run(&mut steps, &project);
    let good = steps.summary();
    println!("Wine tests: {}", steps.note(windows_half::WINE_TESTS).unwrap_or("not run"));
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn native(steps: &mut Steps, project: &Project) {
    steps.run("format", || format(project));
    steps.run("clippy", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    });
    steps.run("clippy, Wine tests", || {
        let mut cargo = command::cargo();
        cargo.args(["clippy", "--all-targets", "-p", testkernel::TESTS, "--manifest-path"]);
        cargo
            .arg(testkernel::manifest(project))
            .arg("--target-dir")
            .arg(testkernel::target(project));
        command::run(cargo.args(["--", "-D", "warnings"])).map(|()| passed())
    });
    steps.run("arrows", || Ok(Outcome::Passed(format!("{} arrows", arrows::check(project)?))));
    steps.run("unsafe code", || house::unsafe_code(project).map(|()| passed()));
    steps.run("file sizes", || Ok(Outcome::Passed(format!("{} files", house::sizes(project)?))));
    steps.run("docs", || {
        let mut cargo = command::cargo();
        cargo.args(["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-Dwarnings");
        command::run(&mut cargo).map(|()| passed())
    });
    steps.run("native tests", || native_tests(project));
    steps.run("release build", || cargo(&["build", "--release"]));
}

fn cargo(arguments: &[&str]) -> Result<Outcome> {
    command::run(command::cargo().args(arguments)).map(|()| passed())
}

/// All workspaces.
fn format(project: &Project) -> Result<Outcome> {
    cargo(&["fmt", "--all", "--check"])?;
    // Not --all: that would follow the paths into the main workspace again.
    let mut cargo = command::cargo();
    cargo.args(["fmt", "--check", "--manifest-path"]).arg(testkernel::manifest(project));
    cargo.args(testkernel::parts()).args(["-p", testkernel::TESTS]);
    command::run(&mut cargo)?;
    let mut cargo = command::cargo();
    cargo.args(["fmt", "--check", "--manifest-path"]).arg(fuzz::manifest(project));
    command::run(cargo.args(["-p", fuzz::PROGRAMS])).map(|()| passed())
}

/// The samples are not part of the repository: tests use them where they are.
fn native_tests(project: &Project) -> Result<Outcome> {
    let mut cargo = command::cargo();
    cargo.args(["test", "--workspace"]);
    let samples = project.root.join("../shared/samples");
    let note = if std::env::var_os("LIVEDUMP_SAMPLES").is_some() {
        "LIVEDUMP_SAMPLES as set"
    } else if samples.is_dir() {
        cargo.env("LIVEDUMP_SAMPLES", std::fs::canonicalize(samples)?);
        "LIVEDUMP_SAMPLES=../shared/samples"
    } else {
        "without samples: LIVEDUMP_SAMPLES is not set and ../shared/samples is not there"
    };
    println!("{note}");
    command::run(&mut cargo)?;
    Ok(Outcome::Passed(note.to_owned()))
}
