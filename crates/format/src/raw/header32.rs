//! `DUMP_HEADER32`.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `DUMP_HEADER32`, the first 0x1000 bytes of a dump of a 32-bit Windows. (H) (S)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct DumpHeader32 {
    /// 0x000: `PAGE`.
    pub signature: [u8; 4],
    /// 0x004: `DUMP`.
    pub valid_dump: [u8; 4],
    /// 0x008: 0xF for a free build, 0xC for a checked one.
    pub major_version: U32,
    /// 0x00C: NtBuildNumber without its flag.
    pub minor_version: U32,
    /// 0x010: CR3.
    pub directory_table_base: U32,
    /// 0x014: virtual address of the variable nt!MmPfnDatabase.
    pub pfn_data_base: U32,
    /// 0x018: virtual address of the list head.
    pub ps_loaded_module_list: U32,
    /// 0x01C: virtual address of the list head.
    pub ps_active_process_head: U32,
    /// 0x020: 0x14C x86, 0x1C4 ARM32.
    pub machine_image_type: U32,
    /// 0x024: logical processors.
    pub number_processors: U32,
    /// 0x028: bugcheck code.
    pub bug_check_code: U32,
    /// 0x02C: the four parameters.
    pub bug_check_parameters: [U32; 4],
    /// 0x03C: usually filler.
    pub version_user: [u8; 32],
    /// 0x05C: 1 with PAE paging.
    pub pae_enabled: u8,
    /// 0x05D: 0x41 means absent.
    pub kd_secondary_version: u8,
    /// 0x05E: unused.
    pub spare: [u8; 2],
    /// 0x060: virtual address of KDDEBUGGER_DATA64.
    pub kd_debugger_data_block: U32,
    /// 0x064: physical runs of a type 1 dump.
    pub physical_memory_block: [u8; 700],
    /// 0x320: x86 uses 0x2CC bytes of it.
    pub context_record: [u8; 1200],
    /// 0x7D0: `EXCEPTION_RECORD32`.
    pub exception: [u8; 0x50],
    /// 0x820: ASCII, ended by a 0 or by its size.
    pub comment: [u8; 128],
    /// 0x8A0: see [`crate::Attributes`].
    pub attributes: U32,
    /// 0x8A4: counts boots.
    pub boot_id: U32,
    /// 0x8A8: filler.
    pub reserved_0: [u8; 1760],
    /// 0xF88: see [`crate::DumpType`].
    pub dump_type: U32,
    /// 0xF8C: what a triage dump has.
    pub mini_dump_fields: U32,
    /// 0xF90: NTSTATUS of the secondary data's phase.
    pub secondary_data_state: U32,
    /// 0xF94: 1 workstation, 2 domain controller, 3 server.
    pub product_type: U32,
    /// 0xF98: bits of the product.
    pub suite_mask: U32,
    /// 0xF9C: NTSTATUS of the writer.
    pub writer_status: U32,
    /// 0xFA0: bytes wanted.
    pub required_dump_space: U64,
    /// 0xFA8: filler.
    pub reserved_1: [u8; 16],
    /// 0xFB8: in units of 100 ns.
    pub system_up_time: U64,
    /// 0xFC0: FILETIME, UTC.
    pub system_time: U64,
    /// 0xFC8: filler.
    pub reserved_2: [u8; 56],
}

super::assert_layout!(
    DumpHeader32, size 0x1000,
    machine_image_type = 0x20, bug_check_code = 0x28, pae_enabled = 0x5C,
    kd_debugger_data_block = 0x60, physical_memory_block = 0x64, context_record = 0x320,
    exception = 0x7D0, comment = 0x820, attributes = 0x8A0, boot_id = 0x8A4, dump_type = 0xF88,
    mini_dump_fields = 0xF8C, writer_status = 0xF9C, required_dump_space = 0xFA0,
    system_up_time = 0xFB8, system_time = 0xFC0,
);
