//! The function that stands in the place of `NtSystemDebugControl`.

use crate::log::{self, Record};
use crate::nt::Handle;
use crate::process;

const SYSDBG_GET_TRIAGE_DUMP: u32 = 29;
const SYSDBG_GET_LIVE_KERNEL_DUMP: u32 = 37;
const STATUS_ACCESS_VIOLATION: u32 = 0xC000_0005;
/// Longer input is not copied: no class takes it.
const LONGEST_INPUT: u32 = 4096;

/// The six parameters of `NtSystemDebugControl`.
pub(crate) unsafe extern "system" fn nt_system_debug_control(
    class: u32,
    input: usize,
    input_length: u32,
    output: usize,
    output_length: u32,
    return_length: usize,
) -> i32 {
    let Some(bytes) = process::read(input, input_length.min(LONGEST_INPUT) as usize) else {
        return STATUS_ACCESS_VIOLATION.cast_signed();
    };
    let line = begin(class, &bytes, input_length, output_length);
    let _ = output;
    let (status, returned) = (0xC000_00BBu32, 0u32);
    if return_length != 0 {
        process::write(return_length, &returned.to_le_bytes());
    }
    log::finish(line, status, returned);
    status.cast_signed()
}

/// Offsets: sections 1.2 of the interface specification, 64-bit.
fn begin(class: u32, bytes: &[u8], input_length: u32, output_length: u32) -> String {
    let live = class == SYSDBG_GET_LIVE_KERNEL_DUMP;
    let threads = if class == SYSDBG_GET_TRIAGE_DUMP { thread_handles(bytes) } else { Vec::new() };
    let selective = pointer(bytes, 64).and_then(|at| process::read(at, 48));
    Record {
        class,
        input: bytes,
        input_length,
        output_length,
        selective: selective.as_deref().filter(|_| live),
        file: pointer(bytes, 40).filter(|_| live),
        event: pointer(bytes, 48).filter(|_| live),
        threads: &threads,
        debug_privilege: process::debug_privilege(),
    }
    .begin()
}

fn thread_handles(bytes: &[u8]) -> Vec<Handle> {
    let count = number(bytes, 44).unwrap_or(0);
    let Some(at) = pointer(bytes, 48) else { return Vec::new() };
    let array = process::read(at, count as usize * size_of::<Handle>()).unwrap_or_default();
    (0..count as usize).filter_map(|i| pointer(&array, i * size_of::<Handle>())).collect()
}

fn number(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

/// A pointer or handle; nothing where it is 0.
fn pointer(bytes: &[u8], offset: usize) -> Option<usize> {
    let value = usize::from_le_bytes(bytes.get(offset..offset + 8)?.try_into().ok()?);
    (value != 0).then_some(value)
}
