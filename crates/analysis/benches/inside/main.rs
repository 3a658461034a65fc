//! What people ask of the inside of a dump, whole processes, beside ntoseye in
//! the same run: `cargo bench -p analysis`.
//!
//! Prints the tables of `docs/benchmarks.md`, with the wish and whether it was
//! met: figures, never tests. Every figure is the median of at least 7 rounds,
//! in which all contenders take turns; every measure is a fresh process of the
//! released executable, the page cache warm. Parts by name: `cargo bench -p
//! analysis --bench inside -- machine growth pdb ntoseye`. The dumps, 3 GiB at
//! most at a time, are made in the target folder and deleted.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]

mod frames;
mod growth;
mod machine;
mod made;
mod ntoseye;
mod pdb;
mod rival;
mod run;

// The yardsticks are those of the benchmarks of files.
#[path = "../../../format/benches/files/program.rs"]
mod program;
#[path = "../../../format/benches/files/table.rs"]
#[allow(dead_code)]
mod table;
#[path = "../../../format/benches/files/timing.rs"]
#[allow(dead_code)]
mod timing;

use std::path::Path;

/// Measures with the executable, and prints.
type Part = fn(&Path);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let parts: [(&str, Part); 4] = [
        ("machine", machine::run),
        ("growth", growth::run),
        ("pdb", pdb::run),
        ("ntoseye", ntoseye::run),
    ];
    let Some(program) = program::program() else { return };
    println!("{}", table::circumstances());
    for (name, part) in parts {
        if wanted.is_empty() || wanted.contains(&name) {
            part(&program);
        }
    }
    println!("\nLoad average at the end: {}.", table::load());
}
