//! From a class to an exit code; panics are internal errors.

use std::panic::{UnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;

use capture::Class;

use crate::console;

/// Runs the program. What panics is told in one line, on whatever thread, and ends with exit code 1.
pub(crate) fn guarded(run: impl FnOnce() -> Class + UnwindSafe) -> ExitCode {
    set_hook(Box::new(|panic| console::complain(&internal_error(&panic.to_string()))));
    let class = catch_unwind(run).unwrap_or(Class::Internal);
    ExitCode::from(class.exit_code())
}

/// One line, however many the panic has.
fn internal_error(panic: &str) -> String {
    let words: Vec<&str> = panic.split_whitespace().collect();
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "livedump: internal error: {} (livedump {version}; please report it with the command line)\n",
        words.join(" ")
    )
}

/// Ends the process at once: a thread of it still waits for the kernel.
pub(crate) fn abandon(class: Class) -> ! {
    std::process::exit(class.exit_code().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_exit_code_1() {
        assert_eq!(guarded(|| panic!("made for a test")), ExitCode::from(1));
    }

    #[test]
    fn a_panic_is_told_in_one_line_that_asks_for_a_report() {
        let text = internal_error("panicked at src/x.rs:1:2:\nindex out of bounds");
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with(
            "livedump: internal error: panicked at src/x.rs:1:2: index out of bounds"
        ));
    }
}
