//! A thread of ours that waits for a known time, to see in which unit the system reports it.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use machine::{OsError, OsErrorKind, WaitProbe};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;

use super::processes::Snapshot;
use super::time;

/// Parks a thread, and looks it up after `park`.
pub(super) fn probe(park: Duration) -> Result<WaitProbe, OsError> {
    let (tell, told) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new()
        .name("wait probe".into())
        .spawn(move || {
            // SAFETY: takes nothing, gives a number.
            let own = unsafe { GetCurrentThreadId() };
            // Nobody listens any more only when the probe failed already.
            let _ = tell.send((own, Instant::now()));
            let _ = ended.recv();
        })
        .map_err(|failed| OsError::from_io("start the wait probe's thread", &failed))?;
    let found = told.recv().map_err(|_| lost()).and_then(|(tid, since)| {
        std::thread::sleep(park);
        look_up(tid, since)
    });
    drop(end);
    // It did nothing that could panic.
    let _ = thread.join();
    found
}

fn look_up(tid: u32, since: Instant) -> Result<WaitProbe, OsError> {
    let snapshot = Snapshot::take()?;
    let (parked, clock) = (since.elapsed(), time::ticks());
    let own = std::process::id();
    let entry = snapshot.entries().find(|entry| entry.process.pid == own).ok_or_else(lost)?;
    let thread = entry.threads().find(|thread| thread.tid == tid).ok_or_else(lost)?;
    Ok(WaitProbe { raw: thread.wait_time_raw, parked, clock })
}

fn lost() -> OsError {
    OsError {
        doing: "look up the wait probe's thread".into(),
        kind: OsErrorKind::Gone,
        code: 0,
        message: "the system's list does not have it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Wine reports no wait time at all; only that the thread is found can be shown here.
    #[test]
    fn the_probe_finds_its_thread_after_the_wait() {
        let park = Duration::from_millis(20);
        let probe = probe(park).unwrap();
        assert!(probe.parked >= park);
        assert!(probe.clock.ticks > 0);
    }
}
