//! Fresh processes, in which memory is measured.

use std::path::Path;
use std::process::Command;

use format::{Bytes, Dump};

use crate::{ALLOCATOR, rival};

/// The first argument of a process that measures one thing and says it.
pub(crate) const CHILD: &str = "--child";

/// Bytes of memory that opening a file took.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// The most that was allocated.
    pub(crate) peak: u64,
    /// Anonymous memory when it was open; 0 where the system does not say.
    pub(crate) anonymous: u64,
}

/// Opens a file in a process of its own; `task` is "ours", "theirs" or "verify".
pub(crate) fn memory(task: &str, path: &Path) -> Memory {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args([CHILD, task]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap());
    Memory { peak: numbers.next().unwrap(), anonymous: numbers.next().unwrap() }
}

pub(crate) fn child(task: &str, path: &Path) {
    ALLOCATOR.reset_peak_usage();
    let (before, anonymous) = (ALLOCATOR.current_usage(), anonymous());
    let now = match task {
        "ours" => {
            let file = format::File::open_mapped(path).unwrap();
            let dump = Dump::open(&file).unwrap();
            let pages = dump.pages().unwrap();
            assert!(pages.count() > 0);
            crate::process::anonymous()
        }
        "verify" => {
            let file = format::File::open(path).unwrap();
            assert!(!file.is_empty());
            format::verify(&file, format::Level::Structure);
            crate::process::anonymous()
        }
        _ => {
            let parser = rival::open(path);
            assert!(parser.physmem().len() > 0);
            crate::process::anonymous()
        }
    };
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    println!("{peak} {}", now.saturating_sub(anonymous));
}

/// Anonymous memory of this process, in bytes.
fn anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}
