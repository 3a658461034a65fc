//! The function that stands in the place of `NtSystemDebugControl`.

use std::sync::{Arc, OnceLock};

use simulator::{Answer, Kernel, RawCall, RealProcess, Scenario};

use crate::clock::RealClock;
use crate::log::{self, Record};
use crate::nt::Handle;
use crate::objects::Handles;
use crate::{handles, process};

const SYSDBG_GET_TRIAGE_DUMP: u32 = 29;
const SYSDBG_GET_LIVE_KERNEL_DUMP: u32 = 37;
const STATUS_ACCESS_VIOLATION: u32 = 0xC000_0005;
const STATUS_ACCESS_DENIED: u32 = 0xC000_0022;
/// What is said when the scenario's text makes no machine.
const STATUS_INVALID_PARAMETER: u32 = 0xC000_000D;
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
    let threads = if class == SYSDBG_GET_TRIAGE_DUMP { thread_handles(&bytes) } else { Vec::new() };
    let line = begin(class, &bytes, input_length, output_length, &threads);
    let mut dump = vec![0; if output == 0 { 0 } else { output_length as usize }];
    let call = RawCall {
        class,
        input: &bytes,
        misaligned: !input.is_multiple_of(4),
        output: (output != 0).then_some(dump.as_mut_slice()),
        output_length,
    };
    let mut answer = answer(call, &threads);
    if !process::write(output, dump.get(..answer.length as usize).unwrap_or(&dump)) {
        answer = refused(STATUS_ACCESS_VIOLATION);
    }
    if return_length != 0 {
        process::write(return_length, &answer.length.to_le_bytes());
    }
    log::finish(line, answer.status, answer.length);
    answer.status.cast_signed()
}

fn answer(call: RawCall<'_>, threads: &[Handle]) -> Answer {
    let known = matches!(call.class, SYSDBG_GET_TRIAGE_DUMP | SYSDBG_GET_LIVE_KERNEL_DUMP);
    // The simulated token is the scenario's; the process has a real one as well.
    if known && !call.misaligned && !process::debug_privilege() {
        return refused(STATUS_ACCESS_DENIED);
    }
    let Some(kernel) = kernel() else { return refused(STATUS_INVALID_PARAMETER) };
    if !threads.is_empty() {
        kernel.adopt(&owners(threads));
    }
    kernel.system_debug_control(call, &Handles)
}

fn refused(status: u32) -> Answer {
    Answer { status, length: 0 }
}

/// One kernel for the process: it counts attempts and has one lock.
fn kernel() -> Option<&'static Kernel> {
    static KERNEL: OnceLock<Option<Kernel>> = OnceLock::new();
    let make = || {
        let text = std::env::var("TEST_KERNEL_SCENARIO").unwrap_or_default();
        let mut scenario = Scenario::parse(&text).ok()?;
        scenario.real_time = true;
        Some(Kernel::new(scenario, Arc::new(RealClock::new())))
    };
    KERNEL.get_or_init(make).as_ref()
}

/// The processes of the threads that the handles name, around which the machine is built.
fn owners(threads: &[Handle]) -> Vec<RealProcess> {
    let mut owners: Vec<RealProcess> = Vec::new();
    for (pid, tid) in threads.iter().filter_map(|handle| handles::thread(*handle)) {
        match owners.iter_mut().find(|owner| owner.pid == pid) {
            Some(owner) => owner.threads.push(tid),
            None => owners.push(RealProcess { pid, name: process::name(pid), threads: vec![tid] }),
        }
    }
    owners
}

/// Offsets: section 1.2 of the interface specification, 64-bit.
fn begin(
    class: u32,
    bytes: &[u8],
    input_length: u32,
    output_length: u32,
    threads: &[Handle],
) -> String {
    let live = class == SYSDBG_GET_LIVE_KERNEL_DUMP;
    let selective = pointer(bytes, 64).and_then(|at| process::read(at, 48));
    Record {
        class,
        input: bytes,
        input_length,
        output_length,
        selective: selective.as_deref().filter(|_| live),
        file: pointer(bytes, 40).filter(|_| live),
        event: pointer(bytes, 48).filter(|_| live),
        threads,
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
