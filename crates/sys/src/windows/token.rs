//! Our own token: who we are, whether elevated, and SeDebugPrivilege.

use std::os::windows::io::{AsRawHandle, OwnedHandle};

use machine::{OsError, OsErrorKind, PrivilegeState};
use windows_sys::Win32::Foundation::{ERROR_NOT_ALL_ASSIGNED, LUID};
use windows_sys::Win32::Security as sec;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::wide::wide;
use super::{error, handle, sid};
use crate::bytes::u32_at;

fn open(access: u32) -> Result<OwnedHandle, OsError> {
    let mut raw = std::ptr::null_mut();
    // SAFETY: the pseudo handle of our process needs no closing; the token's handle is ours.
    let token = unsafe {
        OpenProcessToken(GetCurrentProcess(), access, &raw mut raw);
        handle::own(raw)
    };
    token.ok_or_else(|| error::last("open our own token"))
}

/// One kind of token information, in memory aligned for its structures.
fn information(class: sec::TOKEN_INFORMATION_CLASS) -> Result<Vec<u64>, OsError> {
    let token = open(sec::TOKEN_QUERY)?;
    let mut size = 0_u32;
    let mut buffer = vec![0_u64; 128];
    for _ in 0..4 {
        let room = u32::try_from(buffer.len() * 8).unwrap_or(u32::MAX);
        // SAFETY: the buffer has the size that is told.
        let done = unsafe {
            sec::GetTokenInformation(
                token.as_raw_handle(),
                class,
                buffer.as_mut_ptr().cast(),
                room,
                &raw mut size,
            )
        };
        if done != 0 {
            buffer.truncate((size as usize).div_ceil(8));
            return Ok(buffer);
        }
        if size <= room {
            break;
        }
        buffer.resize((size as usize).div_ceil(8), 0);
    }
    Err(error::last("ask our own token"))
}

fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The user's SID as text.
pub(super) fn user_sid() -> Result<String, OsError> {
    let buffer = information(sec::TokenUser)?;
    if buffer.len() * 8 < size_of::<sec::TOKEN_USER>() {
        return Err(error::unsupported("ask our own token", "it names no user"));
    }
    // SAFETY: the system filled a TOKEN_USER whose SID lies in the same, still living, buffer.
    unsafe { sid::to_text((*buffer.as_ptr().cast::<sec::TOKEN_USER>()).User.Sid) }
}

/// Whether the token is elevated.
pub(super) fn elevated() -> Result<bool, OsError> {
    let buffer = information(sec::TokenElevation)?;
    Ok(u32_at(&bytes(&buffer), 0).is_some_and(|elevated| elevated != 0))
}

fn debug_luid() -> Result<LUID, OsError> {
    let name = wide("SeDebugPrivilege");
    let mut luid = LUID { LowPart: 0, HighPart: 0 };
    // SAFETY: the name ends in NUL, the LUID is ours.
    if unsafe { sec::LookupPrivilegeValueW(std::ptr::null(), name.as_ptr(), &raw mut luid) } == 0 {
        return Err(error::last("look up SeDebugPrivilege"));
    }
    Ok(luid)
}

/// Where SeDebugPrivilege stands.
pub(super) fn debug_privilege() -> Result<PrivilegeState, OsError> {
    let luid = debug_luid()?;
    let listed = bytes(&information(sec::TokenPrivileges)?);
    Ok(state(&listed, luid.LowPart, luid.HighPart.cast_unsigned()))
}

/// TOKEN_PRIVILEGES: a count, then LUID and attributes, twelve bytes each.
fn state(listed: &[u8], low: u32, high: u32) -> PrivilegeState {
    let count = u32_at(listed, 0).unwrap_or(0) as usize;
    let found = listed
        .get(4..)
        .unwrap_or_default()
        .chunks_exact(12)
        .take(count)
        .find(|one| u32_at(one, 0) == Some(low) && u32_at(one, 4) == Some(high));
    match found.and_then(|one| u32_at(one, 8)) {
        None => PrivilegeState::NotHeld,
        Some(attributes) if attributes & sec::SE_PRIVILEGE_ENABLED != 0 => PrivilegeState::Enabled,
        Some(_) => PrivilegeState::Disabled,
    }
}

/// Puts the privilege back as it was.
pub(super) struct Restore {
    token: OwnedHandle,
    previous: sec::TOKEN_PRIVILEGES,
}

impl Drop for Restore {
    fn drop(&mut self) {
        // No count: it was enabled already, nothing was changed.
        if self.previous.PrivilegeCount == 0 {
            return;
        }
        // SAFETY: the token is open and the structure is what the system gave us.
        unsafe {
            sec::AdjustTokenPrivileges(
                self.token.as_raw_handle(),
                0,
                &raw const self.previous,
                0,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            );
        }
    }
}

/// Enables SeDebugPrivilege, really: the call "succeeds" also where the token does not hold it.
pub(super) fn enable_debug_privilege() -> Result<Restore, OsError> {
    let luid = debug_luid()?;
    let token = open(sec::TOKEN_ADJUST_PRIVILEGES | sec::TOKEN_QUERY)?;
    let one = |attributes, count| sec::TOKEN_PRIVILEGES {
        PrivilegeCount: count,
        Privileges: [sec::LUID_AND_ATTRIBUTES { Luid: luid, Attributes: attributes }],
    };
    let wanted = one(sec::SE_PRIVILEGE_ENABLED, 1);
    let mut previous = one(0, 0);
    let mut size = 0_u32;
    // SAFETY: both structures hold one privilege, and the size told is theirs.
    let done = unsafe {
        sec::AdjustTokenPrivileges(
            token.as_raw_handle(),
            0,
            &raw const wanted,
            size_of::<sec::TOKEN_PRIVILEGES>() as u32,
            &raw mut previous,
            &raw mut size,
        )
    };
    let code = error::last_code();
    if done != 0 && code == 0 {
        return Ok(Restore { token, previous });
    }
    let failed = error::win32("enable SeDebugPrivilege", code);
    let kind =
        if code == ERROR_NOT_ALL_ASSIGNED { OsErrorKind::PrivilegeNotHeld } else { failed.kind };
    Err(OsError { kind, ..failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_privilege_is_found_by_its_luid_within_the_count() {
        let mut listed = 2_u32.to_le_bytes().to_vec();
        for (low, attributes) in [(19_u32, 2_u32), (20, 0), (21, 2)] {
            for value in [low, 0, attributes] {
                listed.extend(value.to_le_bytes());
            }
        }
        assert_eq!(state(&listed, 19, 0), PrivilegeState::Enabled);
        assert_eq!(state(&listed, 20, 0), PrivilegeState::Disabled);
        assert_eq!(state(&listed, 21, 0), PrivilegeState::NotHeld);
        assert_eq!(state(&listed, 20, 1), PrivilegeState::NotHeld);
        assert_eq!(state(&[1, 0], 20, 0), PrivilegeState::NotHeld);
    }

    // Wine gives SeDebugPrivilege to every token, elevated or not; Windows only to administrators.
    #[test]
    fn an_enabled_privilege_is_put_back() {
        let before = debug_privilege().unwrap();
        if before == PrivilegeState::NotHeld {
            let refused = enable_debug_privilege().err().unwrap();
            assert_eq!(refused.kind, OsErrorKind::PrivilegeNotHeld);
            return;
        }
        let restore = enable_debug_privilege().unwrap();
        assert_eq!(debug_privilege().unwrap(), PrivilegeState::Enabled);
        let second = enable_debug_privilege().unwrap();
        drop(second);
        assert_eq!(debug_privilege().unwrap(), PrivilegeState::Enabled);
        drop(restore);
        assert_eq!(debug_privilege().unwrap(), before);
    }
}
