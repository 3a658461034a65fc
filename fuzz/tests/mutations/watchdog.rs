//! Ends the process when a file takes too long, and says which.

use std::process::abort;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Far more than any file takes, on any machine, beside any load.
const PATIENCE: Duration = Duration::from_secs(60);

const RESTING: u64 = u64::MAX;

/// Watches one worker.
pub(crate) struct Watchdog(Arc<AtomicU64>);

impl Watchdog {
    pub(crate) fn start() -> Self {
        let current = Arc::new(AtomicU64::new(RESTING));
        let watched = Arc::downgrade(&current);
        thread::spawn(move || {
            let mut before = RESTING;
            loop {
                thread::sleep(PATIENCE);
                let Some(now) = watched.upgrade().map(|now| now.load(Ordering::Relaxed)) else {
                    return;
                };
                if now == before && now != RESTING {
                    eprintln!("no answer in {PATIENCE:?}: LIVEDUMP_MUTATION={now}");
                    abort();
                }
                before = now;
            }
        });
        Self(current)
    }

    pub(crate) fn watch(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }

    pub(crate) fn rest(&self) {
        self.0.store(RESTING, Ordering::Relaxed);
    }
}
