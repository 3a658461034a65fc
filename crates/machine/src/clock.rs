//! The machine's clock: real, or simulated so that waiting costs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A monotonic clock that can be waited on.
///
/// A simulated clock moves forward only when every *participant* sleeps: each
/// thread that takes part in a capture and may sleep or run on this clock is
/// announced with [`Clock::enter`] *before* it starts, by whoever starts it.
pub trait Clock: Send + Sync {
    /// Time since a fixed start.
    fn now(&self) -> Duration;

    /// Sleeps until `deadline` (for ever when `None`) or until `wake` is raised,
    /// whichever is first, and takes the wake down again. True: woken.
    fn sleep_until(&self, deadline: Option<Duration>, wake: &Arc<Wake>) -> bool;

    /// One more thread takes part. Paired with [`Clock::leave`]; prefer [`Participant`].
    fn enter(&self);

    /// One thread takes part no longer.
    fn leave(&self);
}

/// Takes part in a clock for as long as it lives. `Send`: make it, then move it into the new thread.
pub struct Participant(Arc<dyn Clock>);

impl Participant {
    /// Announces one thread to the clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        clock.enter();
        Self(clock)
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A flag that ends a sleep. Raised by any thread, a signal handler's included.
#[derive(Debug, Default)]
pub struct Wake {
    raised: AtomicBool,
    sleeper: std::sync::Mutex<Option<std::thread::Thread>>,
}

impl Wake {
    /// A wake nobody has raised.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Raises the flag and unparks whoever sleeps on it.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        if let Ok(sleeper) = self.sleeper.lock()
            && let Some(thread) = sleeper.as_ref()
        {
            thread.unpark();
        }
    }

    /// Whether it is raised; leaves it so.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Takes it down; true if it was raised.
    pub fn take(&self) -> bool {
        self.raised.swap(false, Ordering::SeqCst)
    }

    /// The current thread will park until this is raised: for clocks only.
    pub fn attach_current_thread(&self) {
        if let Ok(mut sleeper) = self.sleeper.lock() {
            *sleeper = Some(std::thread::current());
        }
    }
}
