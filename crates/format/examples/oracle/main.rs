//! The Rust half of `cargo xtask oracles`: makes the files to be judged, with what is known of
//! them, and answers for two readers, ours and `kdmp-parser`.
//!
//! ```text
//! oracle make FOLDER LIVEDUMP    FOLDER/*.dmp and FOLDER/*.json; LIVEDUMP converts
//! oracle ours FOLDER             our reader's answers, a line of JSON for each file
//! oracle kdmp-parser FOLDER      the crate's
//! ```
#![forbid(unsafe_code)]
// Its answers are what it prints.
#![allow(clippy::print_stdout)]

mod cases;
mod errors;
mod make;
mod plan;
mod readers;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["make", folder, livedump] => make::all(Path::new(folder), Path::new(livedump)),
        ["ours", folder] => readers::answer(Path::new(folder), readers::ours),
        ["kdmp-parser", folder] => readers::answer(Path::new(folder), readers::kdmp_parser),
        _ => Err("oracle make FOLDER LIVEDUMP | ours FOLDER | kdmp-parser FOLDER".into()),
    }
}
