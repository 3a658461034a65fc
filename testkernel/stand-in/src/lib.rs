//! Stands in for `bcryptprimitives.dll`, which every Rust program imports, so
//! that the test kernel is in a process before `main` begins.
//!
//! Does what the real one does (random bytes) and, when the environment names a
//! DLL in `TEST_KERNEL_DLL`, loads it. Without the variable nothing is different.
#![no_std]
#![cfg(windows)]

use core::ffi::c_void;
use core::panic::PanicInfo;

#[link(name = "advapi32", kind = "raw-dylib")]
unsafe extern "system" {
    /// RtlGenRandom.
    fn SystemFunction036(buffer: *mut u8, length: u32) -> u8;
}

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    fn GetEnvironmentVariableW(name: *const u16, buffer: *mut u16, size: u32) -> u32;
    fn LoadLibraryW(name: *const u16) -> *mut c_void;
    fn ExitProcess(code: u32) -> !;
}

const DLL_PROCESS_ATTACH: u32 = 1;
const LONGEST_PATH: usize = 1024;
/// Exit code of a process whose test kernel cannot be loaded.
const NO_TEST_KERNEL: u32 = 254;

/// Fills a buffer with random bytes; TRUE unless the system has none.
///
/// # Safety
/// `buffer` is writable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn ProcessPrng(buffer: *mut u8, length: usize) -> i32 {
    let mut done = 0;
    while done < length {
        let part = (length - done).min(1 << 20);
        // SAFETY: the caller's buffer has `length` bytes, of which `done + part` at most are used.
        if unsafe { SystemFunction036(buffer.add(done), part as u32) } == 0 {
            return 0;
        }
        done += part;
    }
    1
}

/// The entry point.
///
/// # Safety
/// Called by the loader only.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn DllMainCRTStartup(
    _instance: *mut c_void,
    reason: u32,
    _reserved: *mut c_void,
) -> i32 {
    if reason == DLL_PROCESS_ATTACH {
        load_test_kernel();
    }
    1
}

fn load_test_kernel() {
    let mut name = [0u16; 16];
    for (unit, byte) in name.iter_mut().zip(b"TEST_KERNEL_DLL") {
        *unit = u16::from(*byte);
    }
    let mut path = [0u16; LONGEST_PATH];
    // SAFETY: the name ends in 0, the buffer's length is told.
    let length =
        unsafe { GetEnvironmentVariableW(name.as_ptr(), path.as_mut_ptr(), LONGEST_PATH as u32) };
    if length == 0 {
        return;
    }
    // SAFETY: what fitted ends in 0; ExitProcess takes any code.
    unsafe {
        if length as usize >= LONGEST_PATH || LoadLibraryW(path.as_ptr()).is_null() {
            ExitProcess(NO_TEST_KERNEL);
        }
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: takes any code.
    unsafe { ExitProcess(NO_TEST_KERNEL) }
}
