//! Panics of code that is not ours, caught without a word on stderr.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// A panic happened, and was caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Runs `work`; a panic in it is an error that nobody hears. The panic hook is
/// wrapped once, for good: to swap it each time would race with other threads.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    // What a panic left half done is dropped with the closure.
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    done.map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_the_next_call_is_none_the_wiser() {
        assert_eq!(quietly(|| panic!("no")).map(|(): ()| ()), Err(Panicked));
        assert_eq!(quietly(|| 5), Ok(5));
        assert!(!QUIET.get());
    }
}
