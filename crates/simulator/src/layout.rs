//! Where the fields of this machine's kernel structures lie, by build.
//!
//! Source: dump-formats specification, section 10.3. Not proved there, and
//! UNCONFIRMED: ETHREAD sizes but those of 19041 and ARM64, WaitTime, MHz, most
//! of the ARM64 row, and of 26100 all but UniqueProcessId and
//! ActiveProcessLinks. Readers take what they can from the debugger block,
//! which is filled from the same row.

use machine::Architecture;

/// Field offsets and structure sizes of one kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) first_build: u32,
    pub(crate) eprocess: u16,
    pub(crate) pid: u16,
    pub(crate) links: u16,
    pub(crate) parent: u16,
    pub(crate) peb: u16,
    pub(crate) name: u16,
    pub(crate) thread_list: u16,
    pub(crate) ethread: u16,
    pub(crate) cid: u16,
    pub(crate) thread_entry: u16,
    pub(crate) win32_start: u16,
    pub(crate) prcb: u16,
    pub(crate) processor_state: u16,
    pub(crate) context_pointer: u16,
    pub(crate) dpc_stack: u16,
}

/// The same in every 64-bit kernel from 9600 to 22000.
pub(crate) mod fixed {
    pub(crate) const DIRECTORY_TABLE_BASE: usize = 0x28;
    pub(crate) const PROCESS_THREADS: usize = 0x30;
    pub(crate) const INITIAL_STACK: usize = 0x28;
    pub(crate) const STACK_LIMIT: usize = 0x30;
    pub(crate) const STACK_BASE: usize = 0x38;
    pub(crate) const KERNEL_STACK: usize = 0x58;
    pub(crate) const TRAP_FRAME: usize = 0x90;
    pub(crate) const APC_STATE: usize = 0x98;
    /// ApcState.Process, behind two list heads.
    pub(crate) const APC_PROCESS: usize = APC_STATE + 0x20;
    pub(crate) const TEB: usize = 0xF0;
    pub(crate) const STATE: usize = 0x184;
    pub(crate) const WAIT_TIME: usize = 0x1B4;
    pub(crate) const THREAD_PROCESS: usize = 0x220;
    pub(crate) const WAIT_REASON: usize = 0x283;
    pub(crate) const THREAD_ENTRY: usize = 0x2F8;
    pub(crate) const CURRENT_THREAD: usize = 0x8;
    pub(crate) const IDLE_THREAD: usize = 0x18;
    pub(crate) const NUMBER: usize = 0x24;
    pub(crate) const MHZ: usize = 0x44;
    /// KPCR.Prcb.
    pub(crate) const PRCB_IN_PCR: usize = 0x180;
    /// KSPECIAL_REGISTERS before the context frame in KPROCESSOR_STATE.
    pub(crate) const SPECIAL_REGISTERS: usize = 0xF0;
}

const X64: &[Layout] = &[
    Layout {
        first_build: 14393,
        eprocess: 0x7D0,
        pid: 0x2E8,
        links: 0x2F0,
        parent: 0x3E0,
        peb: 0x3F8,
        name: 0x450,
        thread_list: 0x488,
        ethread: 0x7D0,
        cid: 0x630,
        thread_entry: 0x698,
        win32_start: 0x688,
        prcb: 0x7EC0,
        processor_state: 0x40,
        context_pointer: 0x6300,
        dpc_stack: 0x2DD0,
    },
    Layout {
        first_build: 17763,
        eprocess: 0x858,
        pid: 0x2E0,
        links: 0x2E8,
        parent: 0x3E0,
        peb: 0x3F8,
        name: 0x450,
        thread_list: 0x488,
        ethread: 0x7E0,
        cid: 0x638,
        thread_entry: 0x6A8,
        win32_start: 0x690,
        prcb: 0x7EC0,
        processor_state: 0x100,
        context_pointer: 0x62C0,
        dpc_stack: 0x2E50,
    },
    Layout {
        first_build: 18362,
        eprocess: 0x880,
        pid: 0x2E8,
        links: 0x2F0,
        parent: 0x3E8,
        peb: 0x3F8,
        name: 0x450,
        thread_list: 0x488,
        ethread: 0x800,
        cid: 0x648,
        thread_entry: 0x6B8,
        win32_start: 0x6A0,
        prcb: 0x8F00,
        processor_state: 0x100,
        context_pointer: 0x62C0,
        dpc_stack: 0x2E50,
    },
    Layout {
        first_build: 19041,
        eprocess: 0xA40,
        pid: 0x440,
        links: 0x448,
        parent: 0x540,
        peb: 0x550,
        name: 0x5A8,
        thread_list: 0x5E0,
        ethread: 0x898,
        cid: 0x478,
        thread_entry: 0x4E8,
        win32_start: 0x4D0,
        prcb: 0xAF00,
        processor_state: 0x100,
        context_pointer: 0x85C0,
        dpc_stack: 0x3110,
    },
    Layout {
        first_build: 20348,
        eprocess: 0xB80,
        pid: 0x440,
        links: 0x448,
        parent: 0x540,
        peb: 0x550,
        name: 0x5A8,
        thread_list: 0x5E0,
        ethread: 0x900,
        cid: 0x4C8,
        thread_entry: 0x538,
        win32_start: 0x520,
        prcb: 0xBF00,
        processor_state: 0x100,
        context_pointer: 0x89C0,
        dpc_stack: 0x33A0,
    },
    Layout {
        first_build: 26100,
        eprocess: 0x840,
        pid: 0x1D0,
        links: 0x1D8,
        parent: 0x2D0,
        peb: 0x2E0,
        name: 0x338,
        thread_list: 0x370,
        ethread: 0x950,
        cid: 0x508,
        thread_entry: 0x578,
        win32_start: 0x560,
        prcb: 0xBF00,
        processor_state: 0x100,
        context_pointer: 0x8E40,
        dpc_stack: 0x33A0,
    },
];

const ARM64: Layout = Layout {
    first_build: 0,
    eprocess: 0xC80,
    pid: 0x3F8,
    links: 0x400,
    parent: 0x4F8,
    peb: 0x508,
    name: 0x560,
    thread_list: 0x598,
    ethread: 0x910,
    cid: 0x4C8,
    thread_entry: 0x538,
    win32_start: 0x520,
    prcb: 0x9680,
    processor_state: 0x100,
    context_pointer: 0x7A40,
    dpc_stack: 0x33A0,
};

impl Layout {
    /// The layout of a build: the last row that is not newer.
    pub(crate) fn of(build: u32, architecture: Architecture) -> Self {
        if architecture == Architecture::Arm64 {
            return ARM64;
        }
        X64.iter().rev().find(|row| row.first_build <= build).copied().unwrap_or(X64[0])
    }
}
