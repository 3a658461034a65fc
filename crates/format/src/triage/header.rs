//! The triage header of either width, decoded.

use memory::VirtualAddress;

use crate::raw::{TriageHeader32, TriageHeader64};
use crate::source::Source;
use crate::{Error, Width};

/// `TRIAGE_DUMP64` or `TRIAGE_DUMP32`: see [`crate::raw::TriageHeader64`] for
/// what each field is. Offsets are file offsets; 0 is none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // The same names as the raw layout's, which tells each.
pub struct TriageHeader {
    /// Of which Windows: its pointers are as wide.
    pub width: Width,
    pub service_pack_build: u32,
    pub size_of_dump: u32,
    pub valid_offset: u32,
    pub context_offset: u32,
    pub exception_offset: u32,
    pub mm_offset: u32,
    pub unloaded_drivers_offset: u32,
    pub prcb_offset: u32,
    pub process_offset: u32,
    pub thread_offset: u32,
    pub call_stack_offset: u32,
    pub size_of_call_stack: u32,
    pub driver_list_offset: u32,
    pub driver_count: u32,
    pub string_pool_offset: u32,
    pub string_pool_size: u32,
    pub broken_driver_offset: u32,
    pub triage_options: u32,
    pub top_of_stack: VirtualAddress,
    pub data_page_address: VirtualAddress,
    pub data_page_offset: u32,
    pub data_page_size: u32,
    pub debugger_data_offset: u32,
    pub debugger_data_size: u32,
    pub data_blocks_offset: u32,
    pub data_blocks_count: u32,
}

/// Decodes either layout: the fields have the same names in both.
macro_rules! decode {
    ($raw:expr, $width:expr) => {{
        let raw = $raw;
        TriageHeader {
            width: $width,
            service_pack_build: raw.service_pack_build.get(),
            size_of_dump: raw.size_of_dump.get(),
            valid_offset: raw.valid_offset.get(),
            context_offset: raw.context_offset.get(),
            exception_offset: raw.exception_offset.get(),
            mm_offset: raw.mm_offset.get(),
            unloaded_drivers_offset: raw.unloaded_drivers_offset.get(),
            prcb_offset: raw.prcb_offset.get(),
            process_offset: raw.process_offset.get(),
            thread_offset: raw.thread_offset.get(),
            call_stack_offset: raw.call_stack_offset.get(),
            size_of_call_stack: raw.size_of_call_stack.get(),
            driver_list_offset: raw.driver_list_offset.get(),
            driver_count: raw.driver_count.get(),
            string_pool_offset: raw.string_pool_offset.get(),
            string_pool_size: raw.string_pool_size.get(),
            broken_driver_offset: raw.broken_driver_offset.get(),
            triage_options: raw.triage_options.get(),
            top_of_stack: VirtualAddress(raw.top_of_stack.get().into()),
            data_page_address: VirtualAddress(raw.data_page_address.get().into()),
            data_page_offset: raw.data_page_offset.get(),
            data_page_size: raw.data_page_size.get(),
            debugger_data_offset: raw.debugger_data_offset.get(),
            debugger_data_size: raw.debugger_data_size.get(),
            data_blocks_offset: raw.data_blocks_offset.get(),
            data_blocks_count: raw.data_blocks_count.get(),
        }
    }};
}

impl TriageHeader {
    pub(crate) fn read(source: &Source<'_>, width: Width) -> Result<Self, Error> {
        let (what, offset) = ("the triage header", width.header_size());
        Ok(match width {
            Width::Bits64 => decode!(source.read::<TriageHeader64>(what, offset)?, width),
            Width::Bits32 => decode!(source.read::<TriageHeader32>(what, offset)?, width),
        })
    }

    /// File offset of the field DataBlocksCount.
    pub(crate) fn blocks_count_field(&self) -> u64 {
        match self.width {
            Width::Bits64 => self.width.header_size() + 0x7C,
            Width::Bits32 => self.width.header_size() + 0x64,
        }
    }

    /// Bytes of the Mm information. (R Ghidra)
    pub(crate) fn mm_size(&self) -> u32 {
        match self.width {
            Width::Bits64 => 0x50,
            Width::Bits32 => 0x34,
        }
    }
}
