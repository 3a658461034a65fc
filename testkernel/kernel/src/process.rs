//! The calling process: its memory, read as a kernel does (a bad address is an
//! answer, no crash), and its token.

use crate::nt;

const TOKEN_QUERY: u32 = 8;
const PROCESS_QUERY_LIMITED_INFORMATION: u32 = 0x1000;

/// Bytes of the caller, or nothing where an address is not readable.
pub(crate) fn read(address: usize, length: usize) -> Option<Vec<u8>> {
    if length == 0 {
        return Some(Vec::new());
    }
    let mut bytes = vec![0; length];
    let mut done = 0;
    // SAFETY: the buffer has `length` bytes; the address is checked by the system.
    let good = unsafe {
        nt::ReadProcessMemory(
            nt::GetCurrentProcess(),
            address as *const _,
            bytes.as_mut_ptr().cast(),
            length,
            &raw mut done,
        )
    };
    (good != 0 && done == length).then_some(bytes)
}

/// Writes to the caller; false where it cannot be written. Nothing can be written anywhere.
pub(crate) fn write(address: usize, bytes: &[u8]) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let mut done = 0;
    // SAFETY: the slice has its length; the address is checked by the system.
    let good = unsafe {
        nt::WriteProcessMemory(
            nt::GetCurrentProcess(),
            address as *mut _,
            bytes.as_ptr().cast(),
            bytes.len(),
            &raw mut done,
        )
    };
    good != 0 && done == bytes.len()
}

/// Whether SeDebugPrivilege is enabled in the process's token.
pub(crate) fn debug_privilege() -> bool {
    let mut token = 0;
    let mut set = nt::PrivilegeSet { count: 1, control: 1, luid: [0; 2], attributes: 0 };
    let mut enabled = 0;
    // SAFETY: all pointers are to locals of the declared shape; the token is closed.
    unsafe {
        if nt::OpenProcessToken(nt::GetCurrentProcess(), TOKEN_QUERY, &raw mut token) == 0 {
            return false;
        }
        let name = nt::wide("SeDebugPrivilege");
        let known = nt::LookupPrivilegeValueW(std::ptr::null(), name.as_ptr(), &raw mut set.luid);
        let asked = known != 0 && nt::PrivilegeCheck(token, &raw mut set, &raw mut enabled) != 0;
        nt::CloseHandle(token);
        asked && enabled != 0
    }
}

/// The image name of a process, "unknown.exe" where it cannot be told.
pub(crate) fn name(pid: u32) -> String {
    let mut path = [0u16; 1024];
    let mut length = path.len() as u32;
    // SAFETY: the buffer is as long as told; the handle is closed.
    let good = unsafe {
        let process = nt::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
        let good = nt::QueryFullProcessImageNameW(process, 0, path.as_mut_ptr(), &raw mut length);
        nt::CloseHandle(process);
        good
    };
    if good == 0 {
        return "unknown.exe".into();
    }
    let path = String::from_utf16_lossy(&path[..length as usize]);
    path.rsplit('\\').next().unwrap_or(&path).to_owned()
}
