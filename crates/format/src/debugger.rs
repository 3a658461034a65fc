//! The few facts of KDDEBUGGER_DATA64 that a triage dump cannot be read without.

/// Sizes and offsets of kernel structures as the dump's own debugger block
/// gives them. Field offsets: [H `WDBGEXTS.H`][S].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebuggerSizes {
    /// 0x2A8: SizeEProcess.
    pub size_eprocess: u16,
    /// 0x2B0: SizePrcb.
    pub size_prcb: u16,
    /// 0x2C0: SizeEThread.
    pub size_ethread: u16,
    /// 0x2A0: OffsetKThreadApcProcess.
    pub offset_kthread_apc_process: u16,
    /// 0x2B4: OffsetPrcbCurrentThread.
    pub offset_prcb_current_thread: u16,
    /// 0x2A2: OffsetKThreadState.
    pub offset_kthread_state: u16,
    /// 0x29C: OffsetKThreadKernelStack.
    pub offset_kthread_kernel_stack: u16,
    /// 0x29E: OffsetKThreadInitialStack.
    pub offset_kthread_initial_stack: u16,
}

impl DebuggerSizes {
    /// Reads them from a copy of the block; `None` without its tag `KDBG` at
    /// 0x10, which an encoded block does not have.
    pub fn of(block: &[u8]) -> Option<Self> {
        if block.get(0x10..0x14)? != b"KDBG" {
            return None;
        }
        let field = |offset: usize| {
            let bytes = block.get(offset..offset + 2)?;
            Some(u16::from_le_bytes([bytes[0], bytes[1]]))
        };
        Some(Self {
            size_eprocess: field(0x2A8)?,
            size_prcb: field(0x2B0)?,
            size_ethread: field(0x2C0)?,
            offset_kthread_apc_process: field(0x2A0)?,
            offset_prcb_current_thread: field(0x2B4)?,
            offset_kthread_state: field(0x2A2)?,
            offset_kthread_kernel_stack: field(0x29C)?,
            offset_kthread_initial_stack: field(0x29E)?,
        })
    }
}
