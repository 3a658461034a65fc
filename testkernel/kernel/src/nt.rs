//! The functions of Windows that the test kernel calls, as phnt and the Win32 documentation declare them.

use std::ffi::c_void;

/// A HANDLE.
pub(crate) type Handle = usize;

/// IO_STATUS_BLOCK.
#[repr(C)]
#[derive(Default)]
pub(crate) struct IoStatusBlock {
    pub(crate) status: usize,
    pub(crate) information: usize,
}

/// LUID_AND_ATTRIBUTES and PRIVILEGE_SET with one privilege.
#[repr(C)]
pub(crate) struct PrivilegeSet {
    pub(crate) count: u32,
    pub(crate) control: u32,
    pub(crate) luid: [u32; 2],
    pub(crate) attributes: u32,
}

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    pub(crate) fn NtQueryObject(
        handle: Handle,
        class: u32,
        buffer: *mut c_void,
        length: u32,
        returned: *mut u32,
    ) -> i32;
    pub(crate) fn NtQueryInformationFile(
        handle: Handle,
        io: *mut IoStatusBlock,
        buffer: *mut c_void,
        length: u32,
        class: u32,
    ) -> i32;
    pub(crate) fn NtWriteFile(
        handle: Handle,
        event: Handle,
        apc: *const c_void,
        context: *const c_void,
        io: *mut IoStatusBlock,
        buffer: *const c_void,
        length: u32,
        offset: *const i64,
        key: *const u32,
    ) -> i32;
    pub(crate) fn NtQueryEvent(
        handle: Handle,
        class: u32,
        buffer: *mut c_void,
        length: u32,
        returned: *mut u32,
    ) -> i32;
}

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    pub(crate) fn GetModuleHandleW(name: *const u16) -> *mut c_void;
    pub(crate) fn GetProcAddress(module: *mut c_void, name: *const u8) -> *mut c_void;
    pub(crate) fn GetCurrentProcess() -> Handle;
    pub(crate) fn VirtualProtect(at: *mut c_void, size: usize, new: u32, old: *mut u32) -> i32;
    pub(crate) fn FlushInstructionCache(process: Handle, at: *const c_void, size: usize) -> i32;
    pub(crate) fn ReadProcessMemory(
        process: Handle,
        from: *const c_void,
        to: *mut c_void,
        size: usize,
        read: *mut usize,
    ) -> i32;
    pub(crate) fn WriteProcessMemory(
        process: Handle,
        to: *mut c_void,
        from: *const c_void,
        size: usize,
        written: *mut usize,
    ) -> i32;
    pub(crate) fn OpenProcess(access: u32, inherit: i32, pid: u32) -> Handle;
    pub(crate) fn QueryFullProcessImageNameW(
        process: Handle,
        flags: u32,
        name: *mut u16,
        length: *mut u32,
    ) -> i32;
    pub(crate) fn GetThreadId(thread: Handle) -> u32;
    pub(crate) fn GetProcessIdOfThread(thread: Handle) -> u32;
    pub(crate) fn CloseHandle(handle: Handle) -> i32;
}

#[link(name = "advapi32", kind = "raw-dylib")]
unsafe extern "system" {
    pub(crate) fn OpenProcessToken(process: Handle, access: u32, token: *mut Handle) -> i32;
    pub(crate) fn LookupPrivilegeValueW(
        system: *const u16,
        name: *const u16,
        luid: *mut [u32; 2],
    ) -> i32;
    pub(crate) fn PrivilegeCheck(token: Handle, set: *mut PrivilegeSet, result: *mut i32) -> i32;
}

/// A text as Windows takes it.
pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
