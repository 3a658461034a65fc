//! A clock that moves when everybody waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use machine::{Clock, Wake};

/// A sleeper looks again this often: a wake may be raised between its look and its sleep.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The machine's clock.
///
/// Simulated time stands still while any participant runs, and jumps to the
/// earliest deadline when all of them sleep. A sleeper whose wake is raised
/// or whose deadline has come counts as running.
pub struct SimulatedClock {
    /// Real time from here, where waits are to cost real time.
    real: Option<Instant>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    now: Duration,
    participants: usize,
    next: u64,
    sleepers: Vec<Sleeper>,
}

struct Sleeper {
    number: u64,
    deadline: Option<Duration>,
    wake: Arc<Wake>,
    thread: Thread,
}

impl Sleeper {
    fn sleeps(&self, now: Duration) -> bool {
        !self.wake.is_raised() && self.deadline.is_none_or(|deadline| deadline > now)
    }
}

impl State {
    /// Moves on if nobody runs, and wakes those whose time has come.
    fn advance(&mut self) {
        let asleep = self.sleepers.iter().filter(|s| s.sleeps(self.now)).count();
        // A caller that announced nobody is its own only participant.
        let all = asleep == self.sleepers.len() && asleep >= self.participants;
        let next = self.sleepers.iter().filter_map(|s| s.deadline).min();
        if let (true, Some(next)) = (all, next) {
            self.now = self.now.max(next);
            self.sleepers.iter().filter(|s| !s.sleeps(self.now)).for_each(|s| s.thread.unpark());
        }
    }
}

impl SimulatedClock {
    /// A clock at 0; `real_time`: it runs by itself, and waits cost what they say.
    pub fn new(real_time: bool) -> Arc<Self> {
        Arc::new(Self { real: real_time.then(Instant::now), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep_really(&self, start: Instant, deadline: Option<Duration>, wake: &Wake) -> bool {
        loop {
            if wake.take() {
                return true;
            }
            let left = deadline.map(|d| d.saturating_sub(start.elapsed()));
            if left == Some(Duration::ZERO) {
                return false;
            }
            std::thread::park_timeout(left.map_or(LOOK_AGAIN, |left| left.min(LOOK_AGAIN)));
        }
    }

    fn sleep_simulated(&self, deadline: Option<Duration>, wake: &Arc<Wake>) -> bool {
        let number = self.fall_asleep(deadline, wake);
        loop {
            let mut state = self.state();
            let woken = wake.take();
            if woken || deadline.is_some_and(|d| d <= state.now) {
                state.sleepers.retain(|s| s.number != number);
                return woken;
            }
            state.advance();
            let due = deadline.is_some_and(|d| d <= state.now);
            drop(state);
            if !due {
                std::thread::park_timeout(LOOK_AGAIN);
            }
        }
    }

    fn fall_asleep(&self, deadline: Option<Duration>, wake: &Arc<Wake>) -> u64 {
        let mut state = self.state();
        state.next += 1;
        let (number, thread) = (state.next, std::thread::current());
        state.sleepers.push(Sleeper { number, deadline, wake: wake.clone(), thread });
        number
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Duration {
        self.real.map_or_else(|| self.state().now, |start| start.elapsed())
    }

    fn sleep_until(&self, deadline: Option<Duration>, wake: &Arc<Wake>) -> bool {
        wake.attach_current_thread();
        match self.real {
            Some(start) => self.sleep_really(start, deadline, wake),
            None => self.sleep_simulated(deadline, wake),
        }
    }

    fn enter(&self) {
        self.state().participants += 1;
    }

    fn leave(&self) {
        let mut state = self.state();
        state.participants = state.participants.saturating_sub(1);
        state.advance();
    }
}
