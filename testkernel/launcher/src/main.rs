//! Starts the program that its arguments name, elevated (see `build.rs`), and passes its exit code on.
#![forbid(unsafe_code)]

use std::process::{Command, exit};

/// Nothing to start, or it did not start.
const NOT_STARTED: i32 = 253;

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("launcher PROGRAM ARGUMENTS...");
        exit(NOT_STARTED);
    };
    match Command::new(&program).args(arguments).status() {
        Ok(status) => exit(status.code().unwrap_or(NOT_STARTED)),
        Err(error) => {
            eprintln!("launcher: {}: {error}", program.display());
            exit(NOT_STARTED);
        }
    }
}
