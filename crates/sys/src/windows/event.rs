//! The cancel event: the kernel asks it for each chunk that it writes.

use std::os::windows::io::{AsRawHandle, OwnedHandle};

use machine::{CancelToken, OsError};
use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent, WaitForSingleObject};

use super::{error, handle};

pub(super) struct Event(OwnedHandle);

impl Event {
    /// Manual reset, not set, no name. All access, SYNCHRONIZE and EVENT_QUERY_STATE among it.
    pub(super) fn new() -> Result<Self, OsError> {
        // SAFETY: no attributes, no name; the handle is ours.
        let made = unsafe { handle::own(CreateEventW(std::ptr::null(), 1, 0, std::ptr::null())) };
        made.map(Self).ok_or_else(|| error::last("create the cancel event"))
    }
}

impl CancelToken for Event {
    fn cancel(&self) {
        // SAFETY: the handle lives as long as self. It cannot fail on an event of our own.
        unsafe { SetEvent(self.0.as_raw_handle()) };
    }

    fn is_cancelled(&self) -> bool {
        // SAFETY: the handle lives as long as self; zero milliseconds never wait.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }

    fn raw(&self) -> usize {
        handle::number(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_event_stays_set() {
        let event = Event::new().unwrap();
        assert!(!event.is_cancelled());
        event.cancel();
        assert!(event.is_cancelled() && event.is_cancelled());
        assert_ne!(event.raw(), 0);
    }
}
