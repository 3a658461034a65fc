//! What the value of a parameter says.

use crate::status::NtStatus;

type Words = &'static [(u64, &'static str)];

/// Words for the value of parameter `at` (0 to 3) of `code`, if any are known.
pub(super) fn parameter(code: u32, at: usize, values: &[u64; 4]) -> Option<String> {
    let value = values[at];
    match (code, at) {
        (0x161, 0) => ascii(value),
        (0x0A | 0xD1, 1) => irql(value).map(Into::into),
        (0x1E, 2) if is_access_violation(values[0]) => word(ACCESS, value),
        (0x1E, 3) if is_access_violation(values[0]) => Some("address touched".into()),
        _ if is_status(code, at) => status(value),
        _ => word(words(code, at)?, value),
    }
}

fn is_status(code: u32, at: usize) -> bool {
    matches!(
        (code, at),
        (0x1E | 0x3B | 0x7E | 0x8E | 0x135 | 0x32 | 0x6B | 0x6D | 0x6F | 0x71, 0)
            | (0x73 | 0x77 | 0x7A | 0xBB | 0xED | 0xF8 | 0x12F | 0x1B0, 1)
            | (0x67 | 0x116, 2)
            | (0x19D, 3)
            | (0xC000_021A, 1)
    )
}

fn is_access_violation(value: u64) -> bool {
    value & 0xFFFF_FFFF == 0xC000_0005
}

/// The name of a status; values are sign-extended in 64-bit parameters.
fn status(value: u64) -> Option<String> {
    let low = (value & 0xFFFF_FFFF) as u32;
    if value >> 32 != 0 && value >> 32 != 0xFFFF_FFFF {
        return None;
    }
    let status = NtStatus(low);
    status.name().map(|_| match status.general_meaning() {
        Some(meaning) => format!("{status}: {meaning}"),
        None => status.to_string(),
    })
}

/// A value that is printable text, first letter in the highest byte.
fn ascii(value: u64) -> Option<String> {
    let bytes = value.to_be_bytes();
    let text: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let printable = text.len() >= 3 && text.iter().all(|byte| (0x20..0x7F).contains(byte));
    printable.then(|| String::from_utf8_lossy(&text).into_owned())
}

fn irql(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "PASSIVE_LEVEL",
        1 => "APC_LEVEL",
        2 => "DISPATCH_LEVEL",
        3..=12 => "a device's interrupt level",
        15 => "HIGH_LEVEL",
        _ => return None,
    })
}

fn word(words: Words, value: u64) -> Option<String> {
    words.iter().find(|(number, _)| *number == value).map(|(_, text)| (*text).to_owned())
}

const ACCESS: Words = &[(0, "read"), (1, "write"), (8, "execute")];
const OPERATION: Words = &[(0, "read"), (1, "write"), (2, "execute"), (8, "execute")];
const READ_OR_WRITE: Words = &[(0, "read"), (1, "write")];
const FAULT: Words = &[(0, "read"), (1, "write"), (2, "write"), (8, "execute"), (0x10, "execute")];
const CSV_STATE: Words =
    &[(0, "init"), (1, "paused"), (2, "draining"), (3, "set down level"), (4, "active")];

#[rustfmt::skip]
fn words(code: u32, at: usize) -> Option<Words> {
    Some(match (code, at) {
        (0x0A | 0xD1, 2) => OPERATION,
        (0x50, 1) => FAULT,
        (0xCC | 0xCD | 0xD5 | 0xD6, 1) | (0xC5 | 0xD0 | 0xDB, 2) => READ_OR_WRITE,
        (0x7F, 0) => &[
            (0, "divide error"), (1, "debug"), (2, "non-maskable interrupt"), (3, "breakpoint"), (4, "overflow"),
            (5, "bounds check"), (6, "invalid opcode"), (7, "no math unit"), (8, "double fault"), (0xA, "corrupt task state segment"),
            (0xB, "segment not present"), (0xC, "stack segment fault"), (0xD, "general protection fault"),
            (0xE, "page fault"), (0x10, "floating-point error"), (0x11, "alignment check"), (0x12, "machine check"),
        ],
        (0x9F, 0) => &[
            (1, "a device object was freed with a power request pending"),
            (2, "a system power request was completed without starting the next one"),
            (3, "a device object has blocked a power request for too long; parameter 2 is the physical device object, 4 the request"),
            (4, "the power transition timed out waiting for Plug and Play; parameter 3 is the thread that holds the lock"),
            (5, "a device did not complete a directed power transition in time"),
            (6, "a device did not complete its directed power callback successfully"),
        ],
        (0xEF, 1) => &[(0, "a process ended"), (1, "a thread ended")],
        (0xF4, 0) => &[(3, "process"), (6, "thread")],
        (0x124, 0) => &[
            (0, "machine check"), (1, "corrected machine check"), (2, "corrected platform error"),
            (3, "non-maskable interrupt"), (4, "PCI Express error"), (5, "other hardware error"),
        ],
        (0x133, 0) => &[
            (0, "a single DPC or interrupt routine ran longer than allowed"),
            (1, "the processor was at DISPATCH_LEVEL or above for longer than allowed in all"),
        ],
        (0x139, 0) => &[
            (0, "a stack buffer was overrun (older check)"), (1, "a virtual function table is not valid"),
            (2, "a stack buffer was overrun: the cookie changed"), (3, "a linked list is damaged (double remove or overwritten entry)"),
            (4, "the stack pointer is out of its limits"), (5, "a fatal invalid parameter"),
            (6, "the stack cookie was not initialised"), (7, "the program ended itself"),
            (8, "an array index is out of bounds"), (9, "an unsafe registry query"), (10, "an indirect call to a target that control flow guard refuses"),
        ],
        (0x144, 0) => &[(0x3003, "enumeration of a device failed")],
        (0x156, 1) => &[(1, "UDP"), (2, "raw"), (3, "listener"), (4, "TCP")],
        (0x15C, 1) => &[(1, "notification"), (2, "resiliency"), (3, "activator")],
        (0x15F, 0) => &[(1, "deepest idle state not reached"), (2, "device constraint")],
        (0x167, 2) => &[(1, "volume active"), (2, "after taking the volume down")],
        (0x168 | 0x16F, 1) => CSV_STATE,
        (0x193, 0) => &[(0x100, "internal")],
        (0x1A8, 0) => &[
            (1, "hotkey"), (2, "volume buttons"), (4, "internal"), (8, "long power press"), (9, "test"), (0xA, "no path for the monitor"),
        ],
        (0x1A9, 1) => &[(0, "power up"), (1, "power down")],
        (0x1B0, 0) => &[(1, "add device"), (2, "start device")],
        (0x1D4, 0) => &[(0, "timeout"), (1, "failure")],
        _ => return None,
    })
}
