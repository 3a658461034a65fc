//! What the targets have in common.
#![forbid(unsafe_code)]

pub use libfuzzer_sys::fuzz_target;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// No input takes more memory.
const MOST: usize = 64 << 20;

/// One input, under the limit of memory.
pub fn hold(target: fn(&[u8]), input: &[u8]) {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    target(input);
    let peak = ALLOCATED.peak_usage().saturating_sub(before);
    assert!(peak < MOST, "{peak} bytes of memory");
}

/// The program of a target.
#[macro_export]
macro_rules! under_libfuzzer {
    ($target:ident) => {
        $crate::fuzz_target!(|input: &[u8]| $crate::hold(fuzz::targets::$target::target, input));
    };
}
