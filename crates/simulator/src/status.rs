//! The NTSTATUS values this kernel answers with.
//!
//! Source: interface specification, sections 1.3 to 1.8.

pub(crate) const SUCCESS: u32 = 0;
pub(crate) const MORE_ENTRIES: u32 = 0x0000_0105;
pub(crate) const DATATYPE_MISALIGNMENT: u32 = 0x8000_0002;
pub(crate) const UNSUCCESSFUL: u32 = 0xC000_0001;
pub(crate) const NOT_IMPLEMENTED: u32 = 0xC000_0002;
pub(crate) const INVALID_INFO_CLASS: u32 = 0xC000_0003;
pub(crate) const INFO_LENGTH_MISMATCH: u32 = 0xC000_0004;
pub(crate) const ACCESS_VIOLATION: u32 = 0xC000_0005;
pub(crate) const INVALID_HANDLE: u32 = 0xC000_0008;
pub(crate) const INVALID_PARAMETER: u32 = 0xC000_000D;
pub(crate) const OBJECT_TYPE_MISMATCH: u32 = 0xC000_0024;
pub(crate) const ACCESS_DENIED: u32 = 0xC000_0022;
pub(crate) const DISK_FULL: u32 = 0xC000_007F;
pub(crate) const INSUFFICIENT_RESOURCES: u32 = 0xC000_009A;
pub(crate) const NOT_SUPPORTED: u32 = 0xC000_00BB;
pub(crate) const CANCELLED: u32 = 0xC000_0120;
pub(crate) const IO_DEVICE_ERROR: u32 = 0xC000_0185;
pub(crate) const RETRY: u32 = 0xC000_022D;
pub(crate) const REQUEST_ABORTED: u32 = 0xC000_0240;
pub(crate) const DEBUGGER_INACTIVE: u32 = 0xC000_0354;
pub(crate) const OPERATION_IN_PROGRESS: u32 = 0xC000_0476;
pub(crate) const CONTENT_BLOCKED: u32 = 0xC000_0804;
/// A status that no Windows is known to answer.
pub(crate) const UNHEARD_OF: u32 = 0xC0DE_F00D;
