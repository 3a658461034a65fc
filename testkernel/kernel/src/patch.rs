//! Puts our function in the place of `ntdll!NtSystemDebugControl`: its code is
//! overwritten, so that a static import and GetProcAddress lead here alike.

use std::ffi::c_void;

use crate::call;
use crate::nt;

const PAGE_EXECUTE_READWRITE: u32 = 0x40;

/// mov rax, ADDRESS; jmp rax
const JUMP: [u8; 12] = [0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0];

/// True when it is done.
pub(crate) fn install() -> bool {
    let mut jump = JUMP;
    let ours = call::nt_system_debug_control as *const () as usize as u64;
    jump[2..10].copy_from_slice(&ours.to_le_bytes());
    // SAFETY: both names end in 0.
    let function = unsafe {
        let ntdll = nt::GetModuleHandleW(nt::wide("ntdll.dll").as_ptr());
        nt::GetProcAddress(ntdll, c"NtSystemDebugControl".as_ptr().cast())
    };
    if function.is_null() {
        return false;
    }
    overwrite(function, &jump)
}

fn overwrite(function: *mut c_void, code: &[u8]) -> bool {
    let mut old = 0;
    // SAFETY: the function's code is longer than the jump, and no other thread runs yet.
    unsafe {
        if nt::VirtualProtect(function, code.len(), PAGE_EXECUTE_READWRITE, &raw mut old) == 0 {
            return false;
        }
        std::ptr::copy_nonoverlapping(code.as_ptr(), function.cast(), code.len());
        nt::VirtualProtect(function, code.len(), old, &raw mut old);
        nt::FlushInstructionCache(nt::GetCurrentProcess(), function, code.len());
    }
    true
}
