//! Fuzz targets as plain functions: any bytes in, and a panic where the
//! product breaks a promise.
//!
//! The normal test suite runs every target over the committed seeds
//! (`seeds/TARGET/`) and over those that [`seeds::of`] makes, on stable.
//! `cargo xtask fuzz` runs them under libFuzzer: `libfuzzer/` has three lines
//! for each. `cargo run -p fuzz --example seeds` writes the seeds anew.
#![forbid(unsafe_code)]
// A target reports by panicking: that is what it is for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

pub mod facts;
pub mod folded;
pub mod input;
pub mod seeds;
pub mod targets;

/// A target: its name, which is that of its folder of seeds, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 14] = [
    ("header", targets::header::target),
    ("runs", targets::runs::target),
    ("bitmap", targets::bitmap::target),
    ("ranges", targets::ranges::target),
    ("triage", targets::triage::target),
    ("blobs", targets::blobs::target),
    ("translation", targets::translation::target),
    ("debugger_block", targets::debugger_block::target),
    ("write_read", targets::write_read::target),
    ("convert", targets::convert::target),
    ("judge_pages", targets::judge_pages::target),
    ("judge_translation", targets::judge_translation::target),
    ("verify", targets::verify::target),
    ("set", targets::set::target),
];
