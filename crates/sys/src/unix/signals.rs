//! SIGINT, SIGTERM and SIGHUP, by `ctrlc`, which replaces an inherited "ignore" too.

use std::sync::{Arc, Mutex};

use machine::{Interrupts, OsError, OsErrorKind, Wake};

use crate::interrupts;

/// What a shell reports for a program that Ctrl+C ended.
const ENDED_BY_SIGINT: i32 = 130;

static INSTALLED: Mutex<bool> = Mutex::new(false);

pub(super) fn listen(wake: Arc<Wake>) -> Result<Arc<dyn Interrupts>, OsError> {
    install()?;
    Ok(interrupts::listen(wake))
}

fn install() -> Result<(), OsError> {
    let Ok(mut installed) = INSTALLED.lock() else { return Ok(()) };
    if *installed {
        return Ok(());
    }
    ctrlc::set_handler(|| {
        if interrupts::interrupted(false).is_empty() {
            // The handler cannot be taken out again: do what the default would.
            std::process::exit(ENDED_BY_SIGINT);
        }
    })
    .map_err(|error| OsError {
        doing: "listen for interrupts".into(),
        kind: OsErrorKind::Other,
        code: 0,
        message: error.to_string(),
    })?;
    *installed = true;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_twice_is_no_error() {
        listen(Wake::new()).unwrap();
        listen(Wake::new()).unwrap();
    }
}
