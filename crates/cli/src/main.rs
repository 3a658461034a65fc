//! livedump: takes, verifies and explains kernel dumps of a running Windows machine.
#![forbid(unsafe_code)]

mod args;
mod command;
mod console;
mod exit;
mod options;
mod progress;
mod render;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    exit::guarded(|| command::run(std::env::args_os().skip(1)))
}
