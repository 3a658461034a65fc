//! Times, taken in turn.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Rounds of what takes long; what is quick takes more.
pub(crate) const ROUNDS: usize = 7;

/// One that takes part in a comparison. It says itself how long its work took,
/// so that what it prepares and clears away does not count.
pub(crate) type Contender<'a> = &'a mut dyn FnMut() -> Duration;

/// How long something took; what it answers is not optimised away.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    black_box(work());
    began.elapsed()
}

/// The median seconds of each contender. They take turns, so that whatever
/// else the machine does meets all of them; a first round does not count.
pub(crate) fn in_turn<const N: usize>(rounds: usize, contenders: [Contender<'_>; N]) -> [f64; N] {
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for round in 0..=rounds {
        for number in 0..N {
            // Each is first as often as last.
            let at = (number + round) % N;
            let took = contenders[at]().as_secs_f64();
            if round > 0 {
                times[at].push(took);
            }
        }
    }
    times.map(median)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
