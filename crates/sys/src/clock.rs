//! The real clock. A real machine's time passes by itself, so participants are not counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use machine::{Clock, Wake};

/// Monotonic time since the clock was made.
pub(crate) struct RealClock {
    start: Instant,
}

impl RealClock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep_until(&self, deadline: Option<Duration>, wake: &Arc<Wake>) -> bool {
        wake.attach_current_thread();
        loop {
            if wake.take() {
                return true;
            }
            match deadline {
                None => std::thread::park(),
                Some(deadline) => {
                    let left = deadline.saturating_sub(self.now());
                    if left.is_zero() {
                        return false;
                    }
                    std::thread::park_timeout(left);
                }
            }
        }
    }

    fn enter(&self) {}

    fn leave(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_at_its_deadline() {
        let clock = RealClock::new();
        let deadline = clock.now() + Duration::from_millis(5);
        assert!(!clock.sleep_until(Some(deadline), &Wake::new()));
        assert!(clock.now() >= deadline);
    }

    #[test]
    fn a_raised_wake_ends_a_sleep_without_deadline_and_is_taken_down() {
        let clock = RealClock::new();
        let wake = Wake::new();
        let other = Arc::clone(&wake);
        let raiser = std::thread::spawn(move || other.raise());
        assert!(clock.sleep_until(None, &wake));
        assert!(!wake.is_raised());
        raiser.join().unwrap();
    }
}
