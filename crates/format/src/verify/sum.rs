//! Reading every byte of a part of the file, on several threads.

use std::thread;

use crate::Error;
use crate::source::{Source, WINDOW};

/// Threads that read at most: more do not make a page cache faster.
const THREADS: usize = 4;

/// A part that is not worth a thread of its own.
const LEAST: u64 = 16 << 20;

/// Reads `[start, end)` and answers with its CRC-32 (as zip and PNG have it),
/// which does not depend on the number of threads.
pub(super) fn crc32(source: Source<'_>, start: u64, end: u64) -> Result<u32, Error> {
    let parts = parts(start, end);
    let sums = thread::scope(|scope| {
        let running: Vec<_> = parts
            .iter()
            .map(|part| {
                let (from, to) = *part;
                let work = move || part_of(source, from, to);
                // Without another thread, this one does it.
                thread::Builder::new().spawn_scoped(scope, work).map_err(|_| work())
            })
            .collect();
        running
            .into_iter()
            .map(|thread| match thread {
                Ok(thread) => {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                }
                Err(sum) => sum,
            })
            .collect::<Vec<_>>()
    });
    let mut all = crc32fast::Hasher::new();
    for sum in sums {
        all.combine(&sum?);
    }
    Ok(all.finalize())
}

/// Cuts a part of the file into as many as there are threads for.
fn parts(start: u64, end: u64) -> Vec<(u64, u64)> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS) as u64;
    let length = end.saturating_sub(start);
    let count = threads.min(length / LEAST).max(1);
    let cut = |number: u64| start + length / count * number;
    (0..count).map(|n| (cut(n), if n + 1 == count { start + length } else { cut(n + 1) })).collect()
}

fn part_of(source: Source<'_>, from: u64, to: u64) -> Result<crc32fast::Hasher, Error> {
    let mut sum = crc32fast::Hasher::new();
    source.windows("the stored pages", from, to - from, |_, window| {
        sum.update(window);
        true
    })?;
    Ok(sum)
}

const _: () = assert!(LEAST >= WINDOW);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_one_pass_however_many_threads_there_are() {
        let bytes: Vec<u8> =
            (0..(40 << 20)).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let sum = crc32(Source::new(&bytes), 5, bytes.len() as u64 - 3).unwrap();
        assert_eq!(sum, crc32fast::hash(&bytes[5..bytes.len() - 3]));
    }

    #[test]
    fn nothing_has_the_sum_of_nothing() {
        assert_eq!(crc32(Source::new(&Vec::new()), 0, 0).unwrap(), 0);
    }
}
