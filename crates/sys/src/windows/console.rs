//! Ctrl+C, Ctrl+Break, console close, logoff and shutdown.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use machine::{Interrupts, OsError, Wake};
use windows_sys::Win32::System::Console::{
    CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT, SetConsoleCtrlHandler,
};
use windows_sys::core::BOOL;

use super::error;
use crate::interrupts;

/// Windows ends us earlier, at a limit of its own; no handler waits for ever.
const HOLD: Duration = Duration::from_secs(60);

static INSTALLED: Mutex<bool> = Mutex::new(false);

pub(super) fn listen(wake: Arc<Wake>) -> Result<Arc<dyn Interrupts>, OsError> {
    let listener = interrupts::listen(wake);
    install()?;
    Ok(listener)
}

fn install() -> Result<(), OsError> {
    let Ok(mut installed) = INSTALLED.lock() else { return Ok(()) };
    if *installed {
        return Ok(());
    }
    // SAFETY: a null handler with FALSE only undoes an inherited "ignore Ctrl+C".
    unsafe { SetConsoleCtrlHandler(None, 0) };
    // SAFETY: the handler is a function of ours, which lives as long as the process.
    if unsafe { SetConsoleCtrlHandler(Some(handler), 1) } == 0 {
        return Err(error::last("listen for interrupts"));
    }
    *installed = true;
    Ok(())
}

/// Runs on a thread that Windows makes for each event.
extern "system" fn handler(event: u32) -> BOOL {
    let session_ends = matches!(event, CTRL_CLOSE_EVENT | CTRL_LOGOFF_EVENT | CTRL_SHUTDOWN_EVENT);
    let listeners = interrupts::interrupted(session_ends);
    if session_ends {
        // Returning ends the process at once: the capture needs the time to clean up.
        for listener in &listeners {
            listener.hold(HOLD);
        }
    }
    // FALSE hands it to the default, which ends the process: right when nobody listens.
    BOOL::from(!listeners.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The handler is called as Windows would call it: Wine has no way to send the closing ones.
    #[test]
    fn ctrl_c_counts_and_a_closing_console_ends_the_session() {
        let _turn = interrupts::TURN.lock();
        let wake = Wake::new();
        let listener = listen(Arc::clone(&wake)).unwrap();
        assert_eq!(handler(0), 1);
        assert!(wake.take());
        assert_eq!(listener.count(), 1);
        assert!(!listener.session_ends());
        let other = Arc::clone(&listener);
        let closing = std::thread::spawn(move || handler(CTRL_CLOSE_EVENT));
        while !other.session_ends() {
            std::thread::yield_now();
        }
        listener.finished();
        assert_eq!(closing.join().unwrap(), 1);
    }
}
