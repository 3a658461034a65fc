//! The few facts of KDDEBUGGER_DATA64 that dumps cannot be read or verified without.

use memory::VirtualAddress;
use nt::kdbg::{self, Field};

/// Sizes and offsets of kernel structures, in bytes, as the dump's own
/// debugger block gives them. Where the fields lie: `nt::kdbg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebuggerSizes {
    /// SizeEProcess.
    pub size_eprocess: u16,
    /// SizePrcb.
    pub size_prcb: u16,
    /// SizeEThread.
    pub size_ethread: u16,
    /// OffsetKThreadApcProcess: where a thread points to its process.
    pub offset_kthread_apc_process: u16,
    /// OffsetPrcbCurrentThread: where a processor points to its thread.
    pub offset_prcb_current_thread: u16,
    /// OffsetPrcbNumber: where a processor has its number.
    pub offset_prcb_number: u16,
    /// KernBase, as it is in the block; `None` for 0.
    pub kernel_base: Option<VirtualAddress>,
    /// PsLoadedModuleList.
    pub ps_loaded_module_list: Option<VirtualAddress>,
    /// PsActiveProcessHead.
    pub ps_active_process_head: Option<VirtualAddress>,
    /// KiProcessorBlock: where the pointers to the KPRCBs are.
    pub ki_processor_block: Option<VirtualAddress>,
}

impl DebuggerSizes {
    /// Reads them from a copy of the block; `None` without its tag `KDBG`,
    /// which an encoded block does not show.
    pub fn of(block: &[u8]) -> Option<Self> {
        let bytes = |field: Field| block.get(field.offset.into()..field.end() as usize);
        if bytes(kdbg::OWNER_TAG_FIELD)? != b"KDBG" {
            return None;
        }
        let field = |field: Field| bytes(field)?.try_into().ok().map(u16::from_le_bytes);
        let address = |field: Field| {
            let value = u64::from_le_bytes(bytes(field)?.try_into().ok()?);
            Some(VirtualAddress(value)).filter(|_| value != 0)
        };
        Some(Self {
            kernel_base: address(kdbg::KERN_BASE),
            ps_loaded_module_list: address(kdbg::PS_LOADED_MODULE_LIST),
            ps_active_process_head: address(kdbg::PS_ACTIVEPROCESS_HEAD),
            ki_processor_block: address(kdbg::KI_PROCESSOR_BLOCK),
            size_eprocess: field(kdbg::SIZE_EPROCESS)?,
            size_prcb: field(kdbg::SIZE_PRCB)?,
            size_ethread: field(kdbg::SIZE_ETHREAD)?,
            offset_kthread_apc_process: field(kdbg::OFFSET_KTHREAD_APC_PROCESS)?,
            offset_prcb_number: field(kdbg::OFFSET_PRCB_NUMBER)?,
            offset_prcb_current_thread: field(kdbg::OFFSET_PRCB_CURRENT_THREAD)?,
        })
    }
}
