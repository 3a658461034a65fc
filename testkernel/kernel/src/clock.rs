//! Real time: the process under test watches by its own clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use machine::{Clock, Wake};

/// Time since it was made.
pub(crate) struct RealClock(Instant);

impl RealClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    /// The kernel's waits are not woken early: nobody has their [`Wake`].
    fn sleep_until(&self, deadline: Option<Duration>, wake: &Arc<Wake>) -> bool {
        if let Some(deadline) = deadline {
            std::thread::sleep(deadline.saturating_sub(self.now()));
        }
        wake.take()
    }

    fn enter(&self) {}

    fn leave(&self) {}
}
