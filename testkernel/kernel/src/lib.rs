//! The test kernel: a DLL that takes the place of `ntdll!NtSystemDebugControl`
//! inside an unmodified `livedump.exe` under Wine.
//!
//! The kernel's side of the call is `simulator`'s; here is what only a process
//! can have: real handles, asked what they are and what they grant, and a log
//! of what crossed the ABI. Its checks are our reading of Windows, no proof
//! that the real kernel agrees.
//!
//! * `TEST_KERNEL_SCENARIO`: as after `--simulate=`; "healthy" when not set.
//! * `TEST_KERNEL_LOG`: a file that gets one line of JSON for each call.
#![cfg(windows)]

mod call;
mod clock;
mod handles;
mod log;
mod nt;
mod objects;
mod patch;
mod process;

use std::ffi::c_void;

const DLL_PROCESS_ATTACH: u32 = 1;

/// Patches the process as it starts. Nothing else may be done under the loader's lock.
///
/// # Safety
/// Called by the loader only.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn DllMain(_: *mut c_void, reason: u32, _: *mut c_void) -> i32 {
    if reason == DLL_PROCESS_ATTACH {
        return i32::from(patch::install());
    }
    1
}
