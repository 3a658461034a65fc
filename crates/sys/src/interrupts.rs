//! Who is told when somebody interrupts us: platform handlers call [`interrupted`].

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};

use machine::{Interrupts, Wake};

/// One listener's count.
pub(crate) struct Listener {
    count: AtomicU32,
    session_ends: AtomicBool,
    finished: Mutex<bool>,
    changed: Condvar,
    wake: Arc<Wake>,
}

/// Tests that interrupt take turns, because the listeners are the process's.
#[cfg(test)]
pub(crate) static TURN: Mutex<()> = Mutex::new(());

static LISTENERS: Mutex<Vec<Weak<Listener>>> = Mutex::new(Vec::new());

/// Adds a listener; the platform's handler must be installed already.
pub(crate) fn listen(wake: Arc<Wake>) -> Arc<Listener> {
    let listener = Arc::new(Listener {
        count: AtomicU32::new(0),
        session_ends: AtomicBool::new(false),
        finished: Mutex::new(false),
        changed: Condvar::new(),
        wake,
    });
    if let Ok(mut listeners) = LISTENERS.lock() {
        listeners.retain(|one| one.strong_count() > 0);
        listeners.push(Arc::downgrade(&listener));
    }
    listener
}

/// Counts one interrupt at everybody who still listens, and returns them. Nobody: the default applies.
pub(crate) fn interrupted(session_ends: bool) -> Vec<Arc<Listener>> {
    let listeners: Vec<_> = LISTENERS
        .lock()
        .map(|all| all.iter().filter_map(Weak::upgrade).filter(|one| !one.is_finished()).collect())
        .unwrap_or_default();
    for listener in &listeners {
        if session_ends {
            listener.session_ends.store(true, Ordering::SeqCst);
        }
        listener.count.fetch_add(1, Ordering::SeqCst);
        listener.wake.raise();
    }
    listeners
}

impl Listener {
    fn is_finished(&self) -> bool {
        self.finished.lock().is_ok_and(|finished| *finished)
    }

    /// Holds the calling handler until the listener is done, or `limit` is over.
    #[cfg(any(windows, test))]
    pub(crate) fn hold(&self, limit: std::time::Duration) {
        if let Ok(finished) = self.finished.lock() {
            let _ = self.changed.wait_timeout_while(finished, limit, |finished| !*finished);
        }
    }
}

impl Interrupts for Listener {
    fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    fn session_ends(&self) -> bool {
        self.session_ends.load(Ordering::SeqCst)
    }

    fn finished(&self) {
        if let Ok(mut finished) = self.finished.lock() {
            *finished = true;
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_interrupt_counts_and_wakes_until_the_listener_is_finished() {
        let _turn = TURN.lock();
        let wake = Wake::new();
        let listener = listen(Arc::clone(&wake));
        assert_eq!(listener.count(), 0);
        interrupted(false);
        assert!(wake.take());
        assert!(!listener.session_ends());
        interrupted(true);
        assert_eq!(listener.count(), 2);
        assert!(listener.session_ends());

        let holder = Arc::clone(&listener);
        let held = std::thread::spawn(move || holder.hold(Duration::from_secs(600)));
        listener.finished();
        held.join().unwrap();
        assert!(interrupted(false).iter().all(|one| !Arc::ptr_eq(one, &listener)));
        assert_eq!(listener.count(), 2);
    }
}
