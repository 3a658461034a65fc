//! Where the fields of this machine's kernel structures lie, by build.
//!
//! Source: dump-formats specification, section 10.3. Not proved there, and
//! UNCONFIRMED: ETHREAD sizes but those of 19041 and ARM64, WaitTime, MHz, most
//! of the ARM64 row, and of 26100 all but UniqueProcessId and
//! ActiveProcessLinks. Readers take what they can from the debugger block,
//! which is filled from the same row.

use machine::Architecture;

use crate::nt::Fixture;
use crate::nt::table::Table;
use crate::scenario::Scenario;

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
    pub(crate) fixed: Fixed,
}

/// What is at the same place in every 64-bit kernel from 9600 to 22000.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fixed {
    pub(crate) directory_table_base: usize,
    pub(crate) process_threads: usize,
    pub(crate) initial_stack: usize,
    pub(crate) stack_limit: usize,
    pub(crate) stack_base: usize,
    pub(crate) kernel_stack: usize,
    pub(crate) trap_frame: usize,
    pub(crate) apc_state: usize,
    pub(crate) apc_process: usize,
    pub(crate) teb: usize,
    pub(crate) state: usize,
    pub(crate) wait_time: usize,
    pub(crate) thread_process: usize,
    pub(crate) wait_reason: usize,
    pub(crate) thread_entry: usize,
    pub(crate) current_thread: usize,
    pub(crate) idle_thread: usize,
    pub(crate) number: usize,
    pub(crate) mhz: usize,
}

const FIXED: Fixed = Fixed {
    directory_table_base: 0x28,
    process_threads: 0x30,
    initial_stack: 0x28,
    stack_limit: 0x30,
    stack_base: 0x38,
    kernel_stack: 0x58,
    trap_frame: 0x90,
    apc_state: 0x98,
    apc_process: 0xB8,
    teb: 0xF0,
    state: 0x184,
    wait_time: 0x1B4,
    thread_process: 0x220,
    wait_reason: 0x283,
    thread_entry: 0x2F8,
    current_thread: 0x8,
    idle_thread: 0x18,
    number: 0x24,
    mhz: 0x44,
};

/// Of the processor's region, the same in every kernel.
pub(crate) mod fixed {
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
        fixed: FIXED,
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
        fixed: FIXED,
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
        fixed: FIXED,
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
        fixed: FIXED,
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
        fixed: FIXED,
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
        fixed: FIXED,
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
    fixed: FIXED,
};

impl Layout {
    /// The layout of a build: the last row that is not newer.
    pub(crate) fn of(build: u32, architecture: Architecture) -> Self {
        if architecture == Architecture::Arm64 {
            return ARM64;
        }
        X64.iter().rev().find(|row| row.first_build <= build).copied().unwrap_or(X64[0])
    }

    /// The layout of a scenario's machine.
    pub(crate) fn of_scenario(scenario: &Scenario) -> Self {
        match scenario.real() {
            Some(build) => {
                let fixture = Fixture::of(build);
                Self::of_table(scenario.build, fixture.table())
            }
            None => Self::of(scenario.build, scenario.architecture),
        }
    }

    /// The layout of a kernel of real code.
    fn of_table(build: u32, table: &Table) -> Self {
        let of = |structure: &str, field: &str| table.offset(structure, field) as u16;
        let (process, thread, prcb) = ("_EPROCESS", "_ETHREAD", "_KPRCB");
        Self {
            first_build: build,
            eprocess: table.size(process) as u16,
            pid: of(process, "UniqueProcessId"),
            links: of(process, "ActiveProcessLinks"),
            parent: of(process, "InheritedFromUniqueProcessId"),
            peb: of(process, "Peb"),
            name: of(process, "ImageFileName"),
            thread_list: of(process, "ThreadListHead"),
            ethread: table.size(thread) as u16,
            cid: of(thread, "Cid"),
            thread_entry: of(thread, "ThreadListEntry"),
            win32_start: of(thread, "Win32StartAddress"),
            prcb: table.size(prcb) as u16,
            processor_state: of(prcb, "ProcessorState"),
            context_pointer: of(prcb, "Context"),
            dpc_stack: of(prcb, "DpcStack"),
            fixed: Fixed::of_table(table),
        }
    }
}

impl Fixed {
    fn of_table(table: &Table) -> Self {
        let thread = |field| table.offset("_KTHREAD", field);
        let prcb = |field| table.offset("_KPRCB", field);
        let apc_state = thread("ApcState");
        Self {
            directory_table_base: table.offset("_KPROCESS", "DirectoryTableBase"),
            process_threads: table.offset("_KPROCESS", "ThreadListHead"),
            initial_stack: thread("InitialStack"),
            stack_limit: thread("StackLimit"),
            stack_base: thread("StackBase"),
            kernel_stack: thread("KernelStack"),
            trap_frame: thread("TrapFrame"),
            apc_state,
            apc_process: apc_state + table.offset("_KAPC_STATE", "Process"),
            teb: thread("Teb"),
            state: thread("State"),
            wait_time: thread("WaitTime"),
            thread_process: thread("Process"),
            wait_reason: thread("WaitReason"),
            thread_entry: thread("ThreadListEntry"),
            current_thread: prcb("CurrentThread"),
            idle_thread: prcb("IdleThread"),
            number: prcb("Number"),
            mhz: prcb("MHz"),
        }
    }
}
