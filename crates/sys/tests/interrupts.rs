//! Signals, as a terminal, `kill` or a closing session sends them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::process::Command;
use std::sync::Arc;

use machine::{Interrupts, Wake};
use rustix::process::{Signal, getpid, kill_process};

const CHILD: &str = "LIVEDUMP_TEST_INTERRUPTED_CHILD";

fn wait_for(listener: &Arc<dyn Interrupts>, count: u32) {
    while listener.count() < count {
        std::thread::yield_now();
    }
}

fn interrupted_three_times() {
    let wake = Wake::new();
    let listener = sys::host().unwrap().interrupts(Arc::clone(&wake)).unwrap();
    for (index, signal) in [Signal::INT, Signal::TERM, Signal::HUP].into_iter().enumerate() {
        kill_process(getpid(), signal).unwrap();
        wait_for(&listener, index as u32 + 1);
        while !wake.take() {
            std::thread::yield_now();
        }
    }
    listener.finished();
}

/// Runs this very test again as a process of its own, started by `shell`.
fn child(shell: &str, role: &str) -> Option<i32> {
    let own = std::env::current_exe().unwrap();
    let test = "interrupts_are_counted_and_after_the_end_they_end_the_process";
    Command::new("sh")
        .args(["-c", shell])
        .arg(own)
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, role)
        .output()
        .unwrap()
        .status
        .code()
}

// One test, because signals are the process's: each part runs in a child.
#[test]
fn interrupts_are_counted_and_after_the_end_they_end_the_process() {
    match std::env::var(CHILD).as_deref() {
        Ok("counts") => interrupted_three_times(),
        Ok("ends") => {
            interrupted_three_times();
            kill_process(getpid(), Signal::INT).unwrap();
            loop {
                std::thread::park();
            }
        }
        _ => {
            assert_eq!(child(r#"exec "$0" "$@""#, "counts"), Some(0));
            let ignored = r#"trap "" INT TERM HUP; exec "$0" "$@""#;
            assert_eq!(child(ignored, "counts"), Some(0));
            assert_eq!(child(r#"exec "$0" "$@""#, "ends"), Some(130));
        }
    }
}
