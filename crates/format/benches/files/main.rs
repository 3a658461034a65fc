//! Opening, reading, verifying and converting, beside kdmp-parser in the same
//! run: `cargo bench -p format`.
//!
//! Prints the tables of `docs/benchmarks.md`, with the wish and whether it was
//! met: figures, never tests. Every figure is the median of at least 7 rounds,
//! in which all contenders take turns. Parts by name: `cargo bench -p format
//! --bench files -- open random stream verify convert growth`. The files, 12
//! GiB at most, are made in the target folder and deleted.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]

mod convert;
mod growth;
mod made;
mod open;
mod process;
mod program;
mod random;
mod rival;
mod stream;
mod table;
mod timing;
mod verify;

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, task, path] = arguments.as_slice()
        && mode == process::CHILD
    {
        return process::child(task, path.as_ref());
    }
    let wanted: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let parts: [(&str, fn()); 6] = [
        ("open", open::run),
        ("random", random::run),
        ("stream", stream::run),
        ("verify", verify::run),
        ("convert", convert::run),
        ("growth", growth::run),
    ];
    println!("{}", table::circumstances());
    for (name, part) in parts {
        if wanted.is_empty() || wanted.contains(&name) {
            part();
        }
    }
    println!("\nLoad average at the end: {}.", table::load());
}
