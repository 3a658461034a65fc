//! Tens of thousands of changed files of every kind: each gives an answer, and
//! the facts of `fuzz::facts` hold for it, in memory and read by position,
//! under a limit of memory and a watchdog.
//!
//! `LIVEDUMP_MUTATION=N` runs number N alone, `LIVEDUMP_MUTATIONS=N` so many.
// Helpers of tests may unwrap as tests do, and say what failed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod base;
mod mutate;
mod random;
mod watchdog;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use base::Base;
use format::Verdict;
use peak_alloc::PeakAlloc;
use random::Random;
use watchdog::Watchdog;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Bytes that may be allocated beside the files' own, for all threads together.
const MOST: usize = 64 << 20;

const FILES: u64 = 100_000;
const WORKERS: usize = 2;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// File `number`, and what it was made from: the same for the same number.
fn file(bases: &[Base], number: u64) -> (String, Vec<u8>) {
    let mut random = Random::new(number);
    if random.below(16) == 0 {
        return ("noise".to_owned(), mutate::noise(&mut random));
    }
    // Small ones are tried more often: they are faster, and more of them counts.
    let first = &bases[random.index(bases.len())];
    let second = &bases[random.index(bases.len())];
    let base = if first.bytes.len() > second.bytes.len() { second } else { first };
    (base.name.clone(), mutate::changed(base, first, &mut random))
}

/// The verdict on file `number`; ends the test where a fact does not hold.
fn hold(bases: &[Base], number: u64, start: usize) -> Verdict {
    let (name, file) = file(bases, number);
    let again = format!("{name}, changed: LIVEDUMP_MUTATION={number}");
    let Ok(verdict) = catch_unwind(|| fuzz::facts::of(&file)) else { panic!("{again}") };
    let peak = ALLOCATED.peak_usage().saturating_sub(start);
    assert!(peak < MOST, "{peak} bytes of memory: {again}");
    verdict
}

#[test]
fn no_change_of_any_file_makes_a_reader_lie_panic_hang_or_take_memory() {
    let bases = base::all();
    let numbers = match number("LIVEDUMP_MUTATION") {
        Some(only) => only..only + 1,
        None => 0..number("LIVEDUMP_MUTATIONS").unwrap_or(FILES),
    };
    let (next, end) = (AtomicU64::new(numbers.start), numbers.end);
    let verdicts = Mutex::new(BTreeMap::new());
    let start = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let dogs: Vec<Watchdog> = (0..WORKERS).map(|_| Watchdog::start()).collect();
    std::thread::scope(|scope| {
        for dog in &dogs {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        break dog.rest();
                    }
                    dog.watch(number);
                    let verdict = hold(&bases, number, start);
                    *verdicts.lock().unwrap().entry(verdict).or_insert(0) += 1;
                }
            });
        }
    });
    let verdicts = verdicts.into_inner().unwrap();
    eprintln!("{verdicts:?}, peak {} bytes", ALLOCATED.peak_usage() - start);
    // What is tried are not only files that are refused at once.
    let all = u64::from(numbers.end - numbers.start > 1000);
    for verdict in [Verdict::Good, Verdict::Damaged, Verdict::Unusable, Verdict::Encrypted] {
        assert!(verdicts.get(&verdict).copied().unwrap_or(0) >= all, "{verdicts:?}");
    }
}
