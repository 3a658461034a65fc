//! The project's own chores, one file each: `cargo xtask CHORE`.
#![forbid(unsafe_code)]
// A chore talks to the developer, and has nobody else to talk to.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arrows;
mod command;
mod dist;
mod exe;
mod fuzz;
mod house;
mod oracles;
mod paths;
mod project;
mod steps;
mod test;
mod testkernel;
mod windows;
mod windows_half;
mod windows_run;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask CHORE

  test [--require-windows] [--fuzz] [--oracles]
                                   everything: format, clippy, house rules, docs, native tests,
                                   release build, and the Windows half under Wine; --fuzz: and each
                                   fuzz target for 20 s; --oracles: and those of `oracles`
  check                            the house rules only: arrows, unsafe code, file sizes
  fuzz [TARGET...] [--seconds N]   fuzz targets under libFuzzer, 20 s each; installs nightly Rust and
                                   cargo-fuzz. TARGET --input FILE: one input again
  oracles [--save] [--allow-missing]
                                   readers of other people judge what we write; installs them from
                                   PyPI; --save: the result goes into docs/oracles.md
  wine [FILTER...]                 the Wine tests alone, or those whose names hold FILTER
  windows-run SCENARIO -- ARGS...  livedump.exe under Wine on the test kernel; SCENARIO as after
                                   --simulate=, or \"wine\" for Wine's own kernel side
  dist                             what would be released: archives for this system and for Windows,
                                   and their SHA-256, in target/dist
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match chore(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chore(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", options @ ..] => test::run(options),
        ["check"] => house::run(),
        ["dist"] => dist::run(),
        ["fuzz", options @ ..] => fuzz::run(options),
        ["oracles", options @ ..] => oracles::run(options),
        ["wine", filter @ ..] => windows_half::run_wine_tests(filter),
        ["windows-run", rest @ ..] => windows_run::run(rest),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}
