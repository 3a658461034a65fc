//! `DUMP_HEADER64`.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `DUMP_HEADER64`, the first 0x2000 bytes of a dump of a 64-bit Windows;
/// the same for x64 and ARM64. (H) (S)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct DumpHeader64 {
    /// 0x000: `PAGE`.
    pub signature: [u8; 4],
    /// 0x004: `DU64`.
    pub valid_dump: [u8; 4],
    /// 0x008: 0xF for a free build, 0xC for a checked one.
    pub major_version: U32,
    /// 0x00C: NtBuildNumber without its 0xF0000000 flag. A 19045 machine says 19041. (S)
    pub minor_version: U32,
    /// 0x010: CR3 or TTBR; the low 12 bits are flags (a sample has 0x6d4002). (S)
    pub directory_table_base: U64,
    /// 0x018: virtual address of the variable nt!MmPfnDatabase, not its value. (S)
    pub pfn_data_base: U64,
    /// 0x020: virtual address of the list head.
    pub ps_loaded_module_list: U64,
    /// 0x028: virtual address of the list head.
    pub ps_active_process_head: U64,
    /// 0x030: 0x8664 x64, 0xAA64 ARM64, 0x0200 IA64.
    pub machine_image_type: U32,
    /// 0x034: logical processors.
    pub number_processors: U32,
    /// 0x038: bugcheck or live-dump code; may carry the flag 0x10000000. (S)
    pub bug_check_code: U32,
    /// 0x03C: filler or 0.
    pub padding_0: U32,
    /// 0x040: the four parameters.
    pub bug_check_parameters: [U64; 4],
    /// 0x060: usually filler.
    pub version_user: [u8; 32],
    /// 0x080: virtual address of KDDEBUGGER_DATA64.
    pub kd_debugger_data_block: U64,
    /// 0x088: type 1: NumberOfRuns. Elsewhere filler, or what RAM is installed.
    pub number_of_runs: U32,
    /// 0x08C: may hold garbage.
    pub padding_1: U32,
    /// 0x090: NumberOfPages, the sum of the runs.
    pub number_of_pages: U64,
    /// 0x098: 42 runs inside the SDK's 700 bytes; a 43rd uses the padding behind them, as QEMU does.
    pub runs: [PhysicalMemoryRun; 43],
    /// 0x348: x64 uses 0x4D0 bytes of it, ARM64 0x390.
    pub context_record: [u8; 3000],
    /// 0xF00: `EXCEPTION_RECORD64`.
    pub exception: [u8; 0x98],
    /// 0xF98: see [`crate::DumpType`].
    pub dump_type: U32,
    /// 0xF9C: filler or 0.
    pub padding_2: U32,
    /// 0xFA0: bytes wanted; may be more than the file has. Never the file's size. (S)
    pub required_dump_space: U64,
    /// 0xFA8: FILETIME, UTC.
    pub system_time: U64,
    /// 0xFB0: ASCII, ended by a 0 or by its size; may be all filler.
    pub comment: [u8; 128],
    /// 0x1030: in units of 100 ns.
    pub system_up_time: U64,
    /// 0x1038: what a triage dump has, as bits. (R) (S)
    pub mini_dump_fields: U32,
    /// 0x103C: NTSTATUS of the secondary data's phase.
    pub secondary_data_state: U32,
    /// 0x1040: 1 workstation, 2 domain controller, 3 server.
    pub product_type: U32,
    /// 0x1044: bits of the product.
    pub suite_mask: U32,
    /// 0x1048: NTSTATUS of the writer.
    pub writer_status: U32,
    /// 0x104C: unused.
    pub unused_1: u8,
    /// 0x104D: 0x41 means absent. (H) (S)
    pub kd_secondary_version: u8,
    /// 0x104E: unused.
    pub unused_2: [u8; 2],
    /// 0x1050: see [`crate::Attributes`].
    pub attributes: U32,
    /// 0x1054: counts boots; filler before Windows 10.
    pub boot_id: U32,
    /// 0x1058: filler.
    pub reserved: [u8; 4008],
}

/// One run of physical pages (`PHYSICAL_MEMORY_RUN64`). (H)
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct PhysicalMemoryRun {
    /// Number of its first page.
    pub base_page: U64,
    /// How many pages.
    pub page_count: U64,
}

super::assert_layout!(
    DumpHeader64, size 0x2000,
    major_version = 0x8, minor_version = 0xC, directory_table_base = 0x10, pfn_data_base = 0x18,
    ps_loaded_module_list = 0x20, ps_active_process_head = 0x28, machine_image_type = 0x30,
    number_processors = 0x34, bug_check_code = 0x38, bug_check_parameters = 0x40,
    version_user = 0x60, kd_debugger_data_block = 0x80, number_of_runs = 0x88,
    number_of_pages = 0x90, runs = 0x98, context_record = 0x348, exception = 0xF00,
    dump_type = 0xF98, required_dump_space = 0xFA0, system_time = 0xFA8, comment = 0xFB0,
    system_up_time = 0x1030, mini_dump_fields = 0x1038, secondary_data_state = 0x103C,
    product_type = 0x1040, suite_mask = 0x1044, writer_status = 0x1048,
    kd_secondary_version = 0x104D, attributes = 0x1050, boot_id = 0x1054, reserved = 0x1058,
);
