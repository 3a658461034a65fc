//! NtSystemDebugControl, imported statically and openly: security tools judge a dump tool by that.

use std::ffi::c_void;

use machine::{CallAnswer, LiveDumpRequest, StructureVersion, TriageRequest};
use nt::sysdbg::{
    LiveDumpControlV2, LiveDumpSelectiveControl, LiveDumpSelectiveFlags,
    SYSDBG_GET_LIVE_KERNEL_DUMP, SYSDBG_GET_TRIAGE_DUMP,
};
use windows_sys::Win32::Foundation::STATUS_INVALID_PARAMETER;

use super::wide::length;
use crate::debug_structures;

#[link(name = "ntdll.dll", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn NtSystemDebugControl(
        command: u32,
        input: *const c_void,
        input_length: u32,
        output: *mut c_void,
        output_length: u32,
        return_length: *mut u32,
    ) -> i32;
}

/// One call. `output: None` is a null pointer of length 0.
///
/// # Safety
/// Every pointer and handle in `input` is valid for the length of the call.
unsafe fn call<T>(command: u32, input: &T, output: Option<&mut [u8]>) -> CallAnswer {
    let (buffer, size) = match output {
        Some(output) => (output.as_mut_ptr(), length(output)),
        None => (std::ptr::null_mut(), 0),
    };
    let mut returned = 0_u32;
    // SAFETY: input and output have the lengths that are told; what input points to is the caller's promise.
    let status = unsafe {
        NtSystemDebugControl(
            command,
            std::ptr::from_ref(input).cast(),
            length(std::slice::from_ref(input)),
            buffer.cast(),
            size,
            &raw mut returned,
        )
    };
    CallAnswer { status: status.cast_unsigned(), length: returned }
}

/// Class 37. The structure that is sent has the size of its version.
pub(super) fn live_dump(request: &LiveDumpRequest<'_>) -> CallAnswer {
    let control = debug_structures::live_dump(request);
    match request.version {
        // SAFETY: the handles are open as long as the request's target and token live.
        StructureVersion::V1 => unsafe { call(SYSDBG_GET_LIVE_KERNEL_DUMP, &control, None) },
        StructureVersion::V2 => {
            let selective =
                LiveDumpSelectiveControl::new(LiveDumpSelectiveFlags::THREAD_KERNEL_STACKS);
            let address = if request.pages.kernel_stacks_only {
                (&raw const selective).expose_provenance() as u64
            } else {
                0
            };
            let control = LiveDumpControlV2::from_v1(&control, address);
            // SAFETY: as above; `selective` outlives the call.
            unsafe { call(SYSDBG_GET_LIVE_KERNEL_DUMP, &control, None) }
        }
    }
}

/// Class 29. The kernel fills `buffer`.
pub(super) fn triage_dump(request: &TriageRequest<'_>, buffer: &mut [u8]) -> CallAnswer {
    let handles: Vec<usize> = request.threads.iter().map(|thread| thread.raw).collect();
    let Some(control) = debug_structures::triage(request, &handles) else {
        return CallAnswer { status: STATUS_INVALID_PARAMETER.cast_unsigned(), length: 0 };
    };
    // SAFETY: `handles` outlives the call, and the request's threads hold the handles open.
    unsafe { call(SYSDBG_GET_TRIAGE_DUMP, &control, Some(buffer)) }
}
