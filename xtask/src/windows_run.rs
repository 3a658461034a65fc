//! `cargo xtask windows-run SCENARIO -- ARGUMENTS`: the shipped exe on the test kernel.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::testkernel::TestKernel;
use crate::windows::Cross;

/// Builds what is out of date, unless `--built` comes first, and becomes the exe:
/// its exit code, signals and output are then ours.
pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let (built, arguments) = match arguments {
        ["--built", rest @ ..] => (true, rest),
        all => (false, all),
    };
    // For tests: another program on the same machine, for the exe to look at.
    let (helper, arguments) = match arguments {
        ["--helper", helper, rest @ ..] => (Some(helper), rest),
        all => (None, all),
    };
    let [scenario, "--", arguments @ ..] = arguments else {
        bail!("cargo xtask windows-run SCENARIO -- ARGUMENTS...");
    };
    let project = Project::load()?;
    let kernel = if built {
        TestKernel::built(&project, &Cross::present()?)
    } else {
        let cross = Cross::present().or_else(|_| Cross::set_up(&project))?;
        let kernel = TestKernel::build(&project, &cross)?;
        cross.build_exe(&project)?;
        kernel
    };
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    become_program(match helper {
        Some(helper) => kernel.helper(helper, scenario, &arguments),
        None => kernel.livedump(scenario, &arguments),
    })
}

#[cfg(unix)]
fn become_program(mut program: std::process::Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(program.exec()).context("Wine could not be started")
}

#[cfg(not(unix))]
fn become_program(_: std::process::Command) -> Result<ExitCode> {
    bail!("the test kernel needs Wine")
}
