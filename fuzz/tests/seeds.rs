//! Every target holds for every seed, on any Rust.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Memory is counted for the whole process.
static LOCK: Mutex<()> = Mutex::new(());

const MOST: usize = 64 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// What a target does with an input, under the limit of memory.
fn hold(target: fn(&[u8]), name: &str, input: &[u8]) {
    let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let held = std::panic::catch_unwind(|| target(input));
    assert!(held.is_ok(), "{name} breaks its target");
    let peak = ALLOCATED.peak_usage().saturating_sub(before);
    assert!(peak < MOST, "{name}: {peak} bytes of memory");
}

#[test]
fn every_target_holds_for_the_committed_seeds() {
    for (target, run) in fuzz::TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(folder().join(target)).unwrap() {
            let path = entry.unwrap().path();
            hold(run, &path.display().to_string(), &fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count > 0, "{target} has no seeds");
    }
}

#[test]
fn every_target_holds_for_every_kind_that_the_simulator_makes() {
    for (target, run) in fuzz::TARGETS {
        for (name, input) in fuzz::seeds::of(target) {
            hold(run, &format!("{target}/{name}"), &input);
        }
    }
}

#[test]
fn every_target_holds_for_what_has_no_meaning() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for (target, run) in fuzz::TARGETS {
        for length in [0, 1, 2, 7, 8, 100, 1000, 5000] {
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            };
            let noise: Vec<u8> = (0..length).map(|_| next()).collect();
            hold(run, &format!("{target}: {length} bytes"), &noise);
            hold(run, &format!("{target}: {length} zeros"), &vec![0; length]);
        }
    }
}

#[test]
fn the_committed_seeds_are_small() {
    let mut total = 0;
    for (target, _) in fuzz::TARGETS {
        for entry in fs::read_dir(folder().join(target)).unwrap() {
            total += entry.unwrap().metadata().unwrap().len();
        }
    }
    assert!(total < 2 << 20, "{total}");
}

#[test]
fn a_folded_file_unfolds_to_one_of_the_same_length_and_header() {
    for seed in simulator::files::seeds() {
        let file = seed.bytes();
        let whole = fuzz::folded::unfold(&fuzz::folded::fold(&file, 0).unwrap());
        assert_eq!(whole.len(), file.len(), "{}", seed.name);
        assert_eq!(whole[..0x320], file[..0x320], "{}", seed.name);
        let body = if &file[4..8] == b"DUMP" { 0x1000 } else { 0x2000 };
        assert!(whole[body..] == file[body..], "{}", seed.name);
    }
}
