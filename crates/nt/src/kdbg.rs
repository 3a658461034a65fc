//! `KDDEBUGGER_DATA64`: where the debugger data block keeps what.
//!
//! Field names are those of the SDK's `wdbgexts.h`; offsets through 0x37C were
//! checked against real dumps (`dump-formats.md` 10.1), later ones are computed
//! from the newer header by alignment and are not verified. Fields are addresses
//! of kernel variables, except those named `Offset*`, `Size*`, `Gdt*` and the
//! few values marked in [`Field::is_value`].

/// One field of `KDDEBUGGER_DATA64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The header's name.
    pub name: &'static str,
    /// Bytes from the start of the block.
    pub offset: u16,
    /// Bytes of the field: 2, 4 or 8.
    pub width: u8,
}

/// `OwnerTag` of a decoded block: `KDBG`, little-endian.
pub const OWNER_TAG: u32 = u32::from_le_bytes(*b"KDBG");
/// The smallest `Size` met on supported systems (Windows 7), in bytes.
pub const SIZE_MIN: u32 = 0x340;

impl Field {
    /// The offset just behind the field; a block of a smaller `Size` lacks it.
    #[must_use]
    pub const fn end(self) -> u32 {
        self.offset as u32 + self.width as u32
    }

    /// Whether the field holds a value itself and not a variable's address.
    #[must_use]
    pub fn is_value(self) -> bool {
        const VALUES: &[Field] = &[
            KERN_BASE,
            MM_PAGE_SIZE,
            PTE_BASE,
            OWNER_TAG_FIELD,
            SIZE,
            PAE_ENABLED,
            POINTER_AUTH_MASK,
            POINTER_IGNORE_BITS,
        ];
        self.width < 8 || VALUES.contains(&self)
    }

    /// Whether the offset was checked against real dumps.
    #[must_use]
    pub const fn is_verified(self) -> bool {
        self.offset <= 0x37C
    }
}

/// The field of that name, exactly as in the header.
#[must_use]
pub fn field(name: &str) -> Option<Field> {
    FIELDS.iter().copied().find(|field| field.name == name)
}

macro_rules! fields {
    ($($constant:ident = $name:literal, $offset:literal, $width:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "` at ", stringify!($offset), ", ", stringify!($width), " bytes.")]
            pub const $constant: Field = Field { name: $name, offset: $offset, width: $width };
        )*
        /// Every field by offset.
        pub const FIELDS: &[Field] = &[$($constant),*];
    };
}

fields! {
    LIST_FLINK = "ListFlink", 0x0, 8;
    LIST_BLINK = "ListBlink", 0x8, 8;
    OWNER_TAG_FIELD = "OwnerTag", 0x10, 4;
    SIZE = "Size", 0x14, 4;
    KERN_BASE = "KernBase", 0x18, 8;
    BREAKPOINT_WITH_STATUS = "BreakpointWithStatus", 0x20, 8;
    SAVED_CONTEXT = "SavedContext", 0x28, 8;
    TH_CALLBACK_STACK = "ThCallbackStack", 0x30, 2;
    NEXT_CALLBACK = "NextCallback", 0x32, 2;
    FRAME_POINTER = "FramePointer", 0x34, 2;
    PAE_ENABLED = "PaeEnabled", 0x36, 2;
    KI_CALL_USER_MODE = "KiCallUserMode", 0x38, 8;
    KE_USER_CALLBACK_DISPATCHER = "KeUserCallbackDispatcher", 0x40, 8;
    PS_LOADED_MODULE_LIST = "PsLoadedModuleList", 0x48, 8;
    PS_ACTIVEPROCESS_HEAD = "PsActiveProcessHead", 0x50, 8;
    PSP_CID_TABLE = "PspCidTable", 0x58, 8;
    EXP_SYSTEM_RESOURCES_LIST = "ExpSystemResourcesList", 0x60, 8;
    EXP_PAGED_POOL_DESCRIPTOR = "ExpPagedPoolDescriptor", 0x68, 8;
    EXP_NUMBER_OF_PAGED_POOLS = "ExpNumberOfPagedPools", 0x70, 8;
    KE_TIME_INCREMENT = "KeTimeIncrement", 0x78, 8;
    KE_BUG_CHECK_CALLBACK_LIST_HEAD = "KeBugCheckCallbackListHead", 0x80, 8;
    KI_BUGCHECK_DATA = "KiBugcheckData", 0x88, 8;
    IOP_ERROR_LOG_LIST_HEAD = "IopErrorLogListHead", 0x90, 8;
    OBP_ROOT_DIRECTORY_OBJECT = "ObpRootDirectoryObject", 0x98, 8;
    OBP_TYPE_OBJECT_TYPE = "ObpTypeObjectType", 0xA0, 8;
    MM_SYSTEM_CACHE_START = "MmSystemCacheStart", 0xA8, 8;
    MM_SYSTEM_CACHE_END = "MmSystemCacheEnd", 0xB0, 8;
    MM_SYSTEM_CACHE_WS = "MmSystemCacheWs", 0xB8, 8;
    MM_PFN_DATABASE = "MmPfnDatabase", 0xC0, 8;
    MM_SYSTEM_PTES_START = "MmSystemPtesStart", 0xC8, 8;
    MM_SYSTEM_PTES_END = "MmSystemPtesEnd", 0xD0, 8;
    MM_SUBSECTION_BASE = "MmSubsectionBase", 0xD8, 8;
    MM_NUMBER_OF_PAGING_FILES = "MmNumberOfPagingFiles", 0xE0, 8;
    MM_LOWEST_PHYSICAL_PAGE = "MmLowestPhysicalPage", 0xE8, 8;
    MM_HIGHEST_PHYSICAL_PAGE = "MmHighestPhysicalPage", 0xF0, 8;
    MM_NUMBER_OF_PHYSICAL_PAGES = "MmNumberOfPhysicalPages", 0xF8, 8;
    MM_MAXIMUM_NON_PAGED_POOL_IN_BYTES = "MmMaximumNonPagedPoolInBytes", 0x100, 8;
    MM_NON_PAGED_SYSTEM_START = "MmNonPagedSystemStart", 0x108, 8;
    MM_NON_PAGED_POOL_START = "MmNonPagedPoolStart", 0x110, 8;
    MM_NON_PAGED_POOL_END = "MmNonPagedPoolEnd", 0x118, 8;
    MM_PAGED_POOL_START = "MmPagedPoolStart", 0x120, 8;
    MM_PAGED_POOL_END = "MmPagedPoolEnd", 0x128, 8;
    MM_PAGED_POOL_INFORMATION = "MmPagedPoolInformation", 0x130, 8;
    MM_PAGE_SIZE = "MmPageSize", 0x138, 8;
    MM_SIZE_OF_PAGED_POOL_IN_BYTES = "MmSizeOfPagedPoolInBytes", 0x140, 8;
    MM_TOTAL_COMMIT_LIMIT = "MmTotalCommitLimit", 0x148, 8;
    MM_TOTAL_COMMITTED_PAGES = "MmTotalCommittedPages", 0x150, 8;
    MM_SHARED_COMMIT = "MmSharedCommit", 0x158, 8;
    MM_DRIVER_COMMIT = "MmDriverCommit", 0x160, 8;
    MM_PROCESS_COMMIT = "MmProcessCommit", 0x168, 8;
    MM_PAGED_POOL_COMMIT = "MmPagedPoolCommit", 0x170, 8;
    MM_EXTENDED_COMMIT = "MmExtendedCommit", 0x178, 8;
    MM_ZEROED_PAGE_LIST_HEAD = "MmZeroedPageListHead", 0x180, 8;
    MM_FREE_PAGE_LIST_HEAD = "MmFreePageListHead", 0x188, 8;
    MM_STANDBY_PAGE_LIST_HEAD = "MmStandbyPageListHead", 0x190, 8;
    MM_MODIFIED_PAGE_LIST_HEAD = "MmModifiedPageListHead", 0x198, 8;
    MM_MODIFIED_NO_WRITE_PAGE_LIST_HEAD = "MmModifiedNoWritePageListHead", 0x1A0, 8;
    MM_AVAILABLE_PAGES = "MmAvailablePages", 0x1A8, 8;
    MM_RESIDENT_AVAILABLE_PAGES = "MmResidentAvailablePages", 0x1B0, 8;
    POOL_TRACK_TABLE = "PoolTrackTable", 0x1B8, 8;
    NON_PAGED_POOL_DESCRIPTOR = "NonPagedPoolDescriptor", 0x1C0, 8;
    MM_HIGHEST_USER_ADDRESS = "MmHighestUserAddress", 0x1C8, 8;
    MM_SYSTEM_RANGE_START = "MmSystemRangeStart", 0x1D0, 8;
    MM_USER_PROBE_ADDRESS = "MmUserProbeAddress", 0x1D8, 8;
    KD_PRINT_CIRCULAR_BUFFER = "KdPrintCircularBuffer", 0x1E0, 8;
    KD_PRINT_CIRCULAR_BUFFER_END = "KdPrintCircularBufferEnd", 0x1E8, 8;
    KD_PRINT_WRITE_POINTER = "KdPrintWritePointer", 0x1F0, 8;
    KD_PRINT_ROLLOVER_COUNT = "KdPrintRolloverCount", 0x1F8, 8;
    MM_LOADED_USER_IMAGE_LIST = "MmLoadedUserImageList", 0x200, 8;
    NT_BUILD_LAB = "NtBuildLab", 0x208, 8;
    KI_NORMAL_SYSTEM_CALL = "KiNormalSystemCall", 0x210, 8;
    KI_PROCESSOR_BLOCK = "KiProcessorBlock", 0x218, 8;
    MM_UNLOADED_DRIVERS = "MmUnloadedDrivers", 0x220, 8;
    MM_LAST_UNLOADED_DRIVER = "MmLastUnloadedDriver", 0x228, 8;
    MM_TRIAGE_ACTION_TAKEN = "MmTriageActionTaken", 0x230, 8;
    MM_SPECIAL_POOL_TAG = "MmSpecialPoolTag", 0x238, 8;
    KERNEL_VERIFIER = "KernelVerifier", 0x240, 8;
    MM_VERIFIER_DATA = "MmVerifierData", 0x248, 8;
    MM_ALLOCATED_NON_PAGED_POOL = "MmAllocatedNonPagedPool", 0x250, 8;
    MM_PEAK_COMMITMENT = "MmPeakCommitment", 0x258, 8;
    MM_TOTAL_COMMIT_LIMIT_MAXIMUM = "MmTotalCommitLimitMaximum", 0x260, 8;
    CM_NT_CSD_VERSION = "CmNtCSDVersion", 0x268, 8;
    MM_PHYSICAL_MEMORY_BLOCK = "MmPhysicalMemoryBlock", 0x270, 8;
    MM_SESSION_BASE = "MmSessionBase", 0x278, 8;
    MM_SESSION_SIZE = "MmSessionSize", 0x280, 8;
    MM_SYSTEM_PARENT_TABLE_PAGE = "MmSystemParentTablePage", 0x288, 8;
    MM_VIRTUAL_TRANSLATION_BASE = "MmVirtualTranslationBase", 0x290, 8;
    OFFSET_KTHREAD_NEXT_PROCESSOR = "OffsetKThreadNextProcessor", 0x298, 2;
    OFFSET_KTHREAD_TEB = "OffsetKThreadTeb", 0x29A, 2;
    OFFSET_KTHREAD_KERNEL_STACK = "OffsetKThreadKernelStack", 0x29C, 2;
    OFFSET_KTHREAD_INITIAL_STACK = "OffsetKThreadInitialStack", 0x29E, 2;
    OFFSET_KTHREAD_APC_PROCESS = "OffsetKThreadApcProcess", 0x2A0, 2;
    OFFSET_KTHREAD_STATE = "OffsetKThreadState", 0x2A2, 2;
    OFFSET_KTHREAD_BSTORE = "OffsetKThreadBStore", 0x2A4, 2;
    OFFSET_KTHREAD_BSTORE_LIMIT = "OffsetKThreadBStoreLimit", 0x2A6, 2;
    SIZE_EPROCESS = "SizeEProcess", 0x2A8, 2;
    OFFSET_EPROCESS_PEB = "OffsetEprocessPeb", 0x2AA, 2;
    OFFSET_EPROCESS_PARENT_CID = "OffsetEprocessParentCID", 0x2AC, 2;
    OFFSET_EPROCESS_DIRECTORY_TABLE_BASE = "OffsetEprocessDirectoryTableBase", 0x2AE, 2;
    SIZE_PRCB = "SizePrcb", 0x2B0, 2;
    OFFSET_PRCB_DPC_ROUTINE = "OffsetPrcbDpcRoutine", 0x2B2, 2;
    OFFSET_PRCB_CURRENT_THREAD = "OffsetPrcbCurrentThread", 0x2B4, 2;
    OFFSET_PRCB_MHZ = "OffsetPrcbMhz", 0x2B6, 2;
    OFFSET_PRCB_CPU_TYPE = "OffsetPrcbCpuType", 0x2B8, 2;
    OFFSET_PRCB_VENDOR_STRING = "OffsetPrcbVendorString", 0x2BA, 2;
    OFFSET_PRCB_PROC_STATE_CONTEXT = "OffsetPrcbProcStateContext", 0x2BC, 2;
    OFFSET_PRCB_NUMBER = "OffsetPrcbNumber", 0x2BE, 2;
    SIZE_ETHREAD = "SizeEThread", 0x2C0, 2;
    KD_PRINT_CIRCULAR_BUFFER_PTR = "KdPrintCircularBufferPtr", 0x2C8, 8;
    KD_PRINT_BUFFER_SIZE = "KdPrintBufferSize", 0x2D0, 8;
    KE_LOADER_BLOCK = "KeLoaderBlock", 0x2D8, 8;
    SIZE_PCR = "SizePcr", 0x2E0, 2;
    OFFSET_PCR_SELF_PCR = "OffsetPcrSelfPcr", 0x2E2, 2;
    OFFSET_PCR_CURRENT_PRCB = "OffsetPcrCurrentPrcb", 0x2E4, 2;
    OFFSET_PCR_CONTAINED_PRCB = "OffsetPcrContainedPrcb", 0x2E6, 2;
    OFFSET_PCR_INITIAL_BSTORE = "OffsetPcrInitialBStore", 0x2E8, 2;
    OFFSET_PCR_BSTORE_LIMIT = "OffsetPcrBStoreLimit", 0x2EA, 2;
    OFFSET_PCR_INITIAL_STACK = "OffsetPcrInitialStack", 0x2EC, 2;
    OFFSET_PCR_STACK_LIMIT = "OffsetPcrStackLimit", 0x2EE, 2;
    OFFSET_PRCB_PCR_PAGE = "OffsetPrcbPcrPage", 0x2F0, 2;
    OFFSET_PRCB_PROC_STATE_SPECIAL_REG = "OffsetPrcbProcStateSpecialReg", 0x2F2, 2;
    GDT_R0_CODE = "GdtR0Code", 0x2F4, 2;
    GDT_R0_DATA = "GdtR0Data", 0x2F6, 2;
    GDT_R0_PCR = "GdtR0Pcr", 0x2F8, 2;
    GDT_R3_CODE = "GdtR3Code", 0x2FA, 2;
    GDT_R3_DATA = "GdtR3Data", 0x2FC, 2;
    GDT_R3_TEB = "GdtR3Teb", 0x2FE, 2;
    GDT_LDT = "GdtLdt", 0x300, 2;
    GDT_TSS = "GdtTss", 0x302, 2;
    GDT64_R3_CM_CODE = "Gdt64R3CmCode", 0x304, 2;
    GDT64_R3_CM_TEB = "Gdt64R3CmTeb", 0x306, 2;
    IOP_NUM_TRIAGE_DUMP_DATA_BLOCKS = "IopNumTriageDumpDataBlocks", 0x308, 8;
    IOP_TRIAGE_DUMP_DATA_BLOCKS = "IopTriageDumpDataBlocks", 0x310, 8;
    VF_CRASH_DATA_BLOCK = "VfCrashDataBlock", 0x318, 8;
    MM_BAD_PAGES_DETECTED = "MmBadPagesDetected", 0x320, 8;
    MM_ZEROED_PAGE_SINGLE_BIT_ERRORS_DETECTED = "MmZeroedPageSingleBitErrorsDetected", 0x328, 8;
    ETWP_DEBUGGER_DATA = "EtwpDebuggerData", 0x330, 8;
    OFFSET_PRCB_CONTEXT = "OffsetPrcbContext", 0x338, 2;
    OFFSET_PRCB_MAX_BREAKPOINTS = "OffsetPrcbMaxBreakpoints", 0x33A, 2;
    OFFSET_PRCB_MAX_WATCHPOINTS = "OffsetPrcbMaxWatchpoints", 0x33C, 2;
    OFFSET_KTHREAD_STACK_LIMIT = "OffsetKThreadStackLimit", 0x340, 4;
    OFFSET_KTHREAD_STACK_BASE = "OffsetKThreadStackBase", 0x344, 4;
    OFFSET_KTHREAD_QUEUE_LIST_ENTRY = "OffsetKThreadQueueListEntry", 0x348, 4;
    OFFSET_ETHREAD_IRP_LIST = "OffsetEThreadIrpList", 0x34C, 4;
    OFFSET_PRCB_IDLETHREAD = "OffsetPrcbIdleThread", 0x350, 2;
    OFFSET_PRCB_NORMAL_DPC_STATE = "OffsetPrcbNormalDpcState", 0x352, 2;
    OFFSET_PRCB_DPC_STACK = "OffsetPrcbDpcStack", 0x354, 2;
    OFFSET_PRCB_ISR_STACK = "OffsetPrcbIsrStack", 0x356, 2;
    SIZE_KDPC_STACK_FRAME = "SizeKDPC_STACK_FRAME", 0x358, 2;
    OFFSET_K_PRI_QUEUETHREAD_LIST_HEAD = "OffsetKPriQueueThreadListHead", 0x35A, 2;
    OFFSET_KTHREAD_WAIT_REASON = "OffsetKThreadWaitReason", 0x35C, 2;
    PTE_BASE = "PteBase", 0x360, 8;
    RETPOLINE_STUB_FUNCTION_TABLE = "RetpolineStubFunctionTable", 0x368, 8;
    RETPOLINE_STUB_FUNCTION_TABLE_SIZE = "RetpolineStubFunctionTableSize", 0x370, 4;
    RETPOLINE_STUB_OFFSET = "RetpolineStubOffset", 0x374, 4;
    RETPOLINE_STUB_SIZE = "RetpolineStubSize", 0x378, 4;
    OFFSET_EPROCESS_MM_HOT_PATCH_CONTEXT = "OffsetEProcessMmHotPatchContext", 0x37C, 2;
    OFFSET_KTHREAD_SHADOW_STACK_LIMIT = "OffsetKThreadShadowStackLimit", 0x380, 4;
    OFFSET_KTHREAD_SHADOW_STACK_BASE = "OffsetKThreadShadowStackBase", 0x384, 4;
    SHADOW_STACK_ENABLED = "ShadowStackEnabled", 0x388, 8;
    POINTER_AUTH_MASK = "PointerAuthMask", 0x390, 8;
    OFFSET_PRCB_EXCEPTION_STACK = "OffsetPrcbExceptionStack", 0x398, 2;
    POINTER_IGNORE_BITS = "PointerIgnoreBits", 0x3A0, 8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_sorted_aligned_and_do_not_overlap() {
        for pair in FIELDS.windows(2) {
            assert!(pair[0].end() <= u32::from(pair[1].offset), "{pair:?}");
        }
        assert!(FIELDS.iter().all(|field| field.offset % u16::from(field.width) == 0));
    }

    #[test]
    fn offsets_are_those_checked_against_real_dumps() {
        let known = [
            ("KernBase", 0x18),
            ("PsLoadedModuleList", 0x48),
            ("PsActiveProcessHead", 0x50),
            ("KiBugcheckData", 0x88),
            ("MmPfnDatabase", 0xC0),
            ("MmPageSize", 0x138),
            ("MmAvailablePages", 0x1A8),
            ("NtBuildLab", 0x208),
            ("KiProcessorBlock", 0x218),
            ("MmUnloadedDrivers", 0x220),
            ("MmPhysicalMemoryBlock", 0x270),
            ("MmVirtualTranslationBase", 0x290),
            ("OffsetKThreadState", 0x2A2),
            ("SizeEProcess", 0x2A8),
            ("OffsetPrcbCurrentThread", 0x2B4),
            ("OffsetPrcbProcStateContext", 0x2BC),
            ("SizeEThread", 0x2C0),
            ("KeLoaderBlock", 0x2D8),
            ("OffsetPrcbProcStateSpecialReg", 0x2F2),
            ("Gdt64R3CmTeb", 0x306),
            ("EtwpDebuggerData", 0x330),
            ("OffsetPrcbContext", 0x338),
            ("OffsetEThreadIrpList", 0x34C),
            ("OffsetKThreadWaitReason", 0x35C),
            ("PteBase", 0x360),
            ("OffsetEProcessMmHotPatchContext", 0x37C),
            ("PointerAuthMask", 0x390),
            ("PointerIgnoreBits", 0x3A0),
        ];
        for (name, offset) in known {
            assert_eq!(field(name).map(|field| field.offset), Some(offset), "{name}");
        }
        assert_eq!(field("Nothing"), None);
    }

    #[test]
    fn the_tag_reads_kdbg() {
        assert_eq!(&OWNER_TAG.to_le_bytes(), b"KDBG");
    }

    #[test]
    fn values_and_addresses_are_told_apart() {
        assert!(PTE_BASE.is_value() && OFFSET_PRCB_NUMBER.is_value());
        assert!(!PS_LOADED_MODULE_LIST.is_value());
        assert!(PTE_BASE.is_verified() && !POINTER_AUTH_MASK.is_verified());
    }
}
