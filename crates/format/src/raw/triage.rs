//! The header of a triage dump (type 4) and its tables.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `TRIAGE_DUMP64`, at 0x2000. All offsets are file offsets. (S: 8 files)(R Ghidra, rizin, ntoseye)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TriageHeader64 {
    /// 0x00: CSD version; 0x100 is service pack 1.
    pub service_pack_build: U32,
    /// 0x04: everything but the blobs, which begin here; `valid_offset` + 4.
    pub size_of_dump: U32,
    /// 0x08: where the four bytes `TRGD` end the dump.
    pub valid_offset: U32,
    /// 0x0C: 0x348, in the dump header.
    pub context_offset: U32,
    /// 0x10: 0xF00, in the dump header.
    pub exception_offset: U32,
    /// 0x14: memory manager information.
    pub mm_offset: U32,
    /// 0x18: unloaded drivers: a count (u32, padded to 8), then entries of 0x38.
    pub unloaded_drivers_offset: U32,
    /// 0x1C: copy of the KPRCB.
    pub prcb_offset: U32,
    /// 0x20: copy of the EPROCESS.
    pub process_offset: U32,
    /// 0x24: copy of the ETHREAD.
    pub thread_offset: U32,
    /// 0x28: the call stack's bytes.
    pub call_stack_offset: U32,
    /// 0x2C: how many.
    pub size_of_call_stack: U32,
    /// 0x30: `driver_count` entries of [`TriageDriver64`].
    pub driver_list_offset: U32,
    /// 0x34: loaded drivers.
    pub driver_count: U32,
    /// 0x38: strings: length in characters (u32), UTF-16LE, a 0; aligned to 8.
    pub string_pool_offset: U32,
    /// 0x3C: bytes of strings.
    pub string_pool_size: U32,
    /// 0x40: 0 when there is none.
    pub broken_driver_offset: U32,
    /// 0x44: 0xFFFFFFFF in files the kernel wrote, 0x41 in later-made ones. (S)
    pub triage_options: U32,
    /// 0x48: the LOWEST address of the call stack, which reaches up from it.
    /// (Shown by comparing it with blocks of the same addresses in six samples.) (S)
    pub top_of_stack: U64,
    /// 0x50: IA64 only.
    pub b_store: [U32; 4],
    /// 0x60: virtual address of the data page.
    pub data_page_address: U64,
    /// 0x68: the data page's bytes.
    pub data_page_offset: U32,
    /// 0x6C: how many.
    pub data_page_size: U32,
    /// 0x70: copy of KDDEBUGGER_DATA64, whose address is in the dump header.
    pub debugger_data_offset: U32,
    /// 0x74: its size: 0x340 Windows 7, 0x380 Windows 10. (S)
    pub debugger_data_size: U32,
    /// 0x78: `data_blocks_count` entries of [`TriageBlock`].
    pub data_blocks_offset: U32,
    /// 0x7C: blocks.
    pub data_blocks_count: U32,
}

/// `TRIAGE_DUMP32`, at 0x1000: the fields of [`TriageHeader64`], narrower
/// from TopOfStack on. (S)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TriageHeader32 {
    /// 0x00.
    pub service_pack_build: U32,
    /// 0x04.
    pub size_of_dump: U32,
    /// 0x08.
    pub valid_offset: U32,
    /// 0x0C: 0x320, in the dump header.
    pub context_offset: U32,
    /// 0x10: 0x7D0, in the dump header.
    pub exception_offset: U32,
    /// 0x14.
    pub mm_offset: U32,
    /// 0x18: a count (u32), then entries of 0x28.
    pub unloaded_drivers_offset: U32,
    /// 0x1C.
    pub prcb_offset: U32,
    /// 0x20.
    pub process_offset: U32,
    /// 0x24.
    pub thread_offset: U32,
    /// 0x28.
    pub call_stack_offset: U32,
    /// 0x2C.
    pub size_of_call_stack: U32,
    /// 0x30: entries of [`TriageDriver32`].
    pub driver_list_offset: U32,
    /// 0x34.
    pub driver_count: U32,
    /// 0x38.
    pub string_pool_offset: U32,
    /// 0x3C.
    pub string_pool_size: U32,
    /// 0x40.
    pub broken_driver_offset: U32,
    /// 0x44.
    pub triage_options: U32,
    /// 0x48: the lowest address of the call stack.
    pub top_of_stack: U32,
    /// 0x4C.
    pub data_page_address: U32,
    /// 0x50.
    pub data_page_offset: U32,
    /// 0x54.
    pub data_page_size: U32,
    /// 0x58.
    pub debugger_data_offset: U32,
    /// 0x5C.
    pub debugger_data_size: U32,
    /// 0x60.
    pub data_blocks_offset: U32,
    /// 0x64.
    pub data_blocks_count: U32,
}

/// One entry of the block table: `size` bytes of virtual memory. Entries are
/// not sorted, may touch and may overlap. The same in 32-bit dumps, with a
/// sign-extended address. (S)
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TriageBlock {
    /// Virtual address of its first byte.
    pub address: U64,
    /// File offset of its first byte.
    pub offset: U32,
    /// Bytes.
    pub size: U32,
}

/// One entry of the driver list, 0x90 bytes: a string and a copy of KLDR_DATA_TABLE_ENTRY. (S)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TriageDriver64 {
    /// 0x00: file offset of the name in the string pool.
    pub name_offset: U32,
    /// 0x04: padding.
    pub padding_0: U32,
    /// 0x08: list links and what follows them.
    pub links: [u8; 0x30],
    /// 0x38: DllBase.
    pub dll_base: U64,
    /// 0x40: EntryPoint; 0 in files the kernel wrote.
    pub entry_point: U64,
    /// 0x48: SizeOfImage.
    pub size_of_image: U32,
    /// 0x4C: padding.
    pub padding_1: U32,
    /// 0x50: FullDllName, BaseDllName: their buffers are not here.
    pub names: [u8; 0x20],
    /// 0x70: Flags.
    pub flags: U32,
    /// 0x74: LoadCount.
    pub load_count: U16,
    /// 0x76: padding.
    pub padding_2: U16,
    /// 0x78: SectionPointer.
    pub section_pointer: U64,
    /// 0x80: CheckSum.
    pub check_sum: U32,
    /// 0x84: padding.
    pub padding_3: U32,
    /// 0x88: TimeDateStamp; with SizeOfImage the key of the file in a symbol store.
    pub time_date_stamp: U32,
    /// 0x8C: padding.
    pub padding_4: U32,
}

/// One entry of a 32-bit driver list, 0x4C bytes: as [`TriageDriver64`]. (S)
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TriageDriver32 {
    /// 0x00: file offset of the name in the string pool.
    pub name_offset: U32,
    /// 0x04: list links and what follows them.
    pub links: [u8; 0x18],
    /// 0x1C: DllBase.
    pub dll_base: U32,
    /// 0x20: EntryPoint.
    pub entry_point: U32,
    /// 0x24: SizeOfImage.
    pub size_of_image: U32,
    /// 0x28: FullDllName, BaseDllName: their buffers are not here.
    pub names: [u8; 0x10],
    /// 0x38: Flags.
    pub flags: U32,
    /// 0x3C: LoadCount, and what follows it.
    pub load_count: U32,
    /// 0x40: SectionPointer.
    pub section_pointer: U32,
    /// 0x44: CheckSum.
    pub check_sum: U32,
    /// 0x48: TimeDateStamp.
    pub time_date_stamp: U32,
}

super::assert_layout!(
    TriageHeader32, size 0x68,
    string_pool_offset = 0x38, triage_options = 0x44, top_of_stack = 0x48, data_page_size = 0x54,
    debugger_data_offset = 0x58, data_blocks_offset = 0x60, data_blocks_count = 0x64,
);
super::assert_layout!(
    TriageDriver32, size 0x4C,
    dll_base = 0x1C, size_of_image = 0x24, names = 0x28, flags = 0x38, check_sum = 0x44,
    time_date_stamp = 0x48,
);
super::assert_layout!(
    TriageHeader64, size 0x80,
    size_of_dump = 0x4, valid_offset = 0x8, mm_offset = 0x14, unloaded_drivers_offset = 0x18,
    prcb_offset = 0x1C, thread_offset = 0x24, call_stack_offset = 0x28, driver_list_offset = 0x30,
    string_pool_offset = 0x38, triage_options = 0x44, top_of_stack = 0x48,
    data_page_address = 0x60, debugger_data_offset = 0x70, data_blocks_offset = 0x78,
    data_blocks_count = 0x7C,
);
super::assert_layout!(TriageBlock, size 0x10, offset = 0x8, size = 0xC);
super::assert_layout!(
    TriageDriver64, size 0x90,
    dll_base = 0x38, size_of_image = 0x48, names = 0x50, flags = 0x70, section_pointer = 0x78,
    check_sum = 0x80, time_date_stamp = 0x88,
);
