//! SIDs as text, and the accounts behind them.

use machine::{OsError, OsErrorKind, Reader};
use windows_sys::Win32::Foundation::{ERROR_NONE_MAPPED, LocalFree};
use windows_sys::Win32::Security::Authorization::{ConvertSidToStringSidW, ConvertStringSidToSidW};
use windows_sys::Win32::Security::{LookupAccountSidW, PSID};

use super::wide::{text, wide};
use super::{error, token};
use crate::sddl;

/// A SID that LocalFree frees.
struct Sid(PSID);

impl Drop for Sid {
    fn drop(&mut self) {
        // SAFETY: the conversion allocated it with LocalAlloc, as documented.
        unsafe { LocalFree(self.0) };
    }
}

impl Sid {
    fn parse(sid: &str) -> Result<Self, OsError> {
        let units = wide(sid);
        let mut made = std::ptr::null_mut();
        // SAFETY: the text ends in NUL; what is made is freed by our Drop.
        if unsafe { ConvertStringSidToSidW(units.as_ptr(), &raw mut made) } == 0 {
            return Err(error::last(format!("read the SID {sid}")));
        }
        Ok(Self(made))
    }
}

/// A SID in memory as text.
///
/// # Safety
/// `sid` points to a valid SID.
pub(super) unsafe fn to_text(sid: PSID) -> Result<String, OsError> {
    let mut made = std::ptr::null_mut();
    // SAFETY: the SID is valid; the text is read up to its NUL and freed once.
    unsafe {
        if ConvertSidToStringSidW(sid, &raw mut made) == 0 {
            return Err(error::last("write a SID as text"));
        }
        let length = (0..256).take_while(|at| *made.add(*at) != 0).count();
        let said = text(std::slice::from_raw_parts(made, length));
        LocalFree(made.cast());
        Ok(said)
    }
}

/// "DOMAIN\user"; `Ok(None)` for a SID that nobody knows.
pub(super) fn account(sid: &str) -> Result<Option<String>, OsError> {
    let parsed = Sid::parse(sid)?;
    let (mut name, mut domain) = ([0_u16; 257], [0_u16; 257]);
    let (mut name_length, mut domain_length, mut kind) = (257, 257, 0);
    // SAFETY: the SID is valid, both buffers have the lengths that are told.
    let done = unsafe {
        LookupAccountSidW(
            std::ptr::null(),
            parsed.0,
            name.as_mut_ptr(),
            &raw mut name_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if done == 0 {
        return match error::last_code() {
            ERROR_NONE_MAPPED => Ok(None),
            code => Err(error::win32(format!("look up the SID {sid}"), code)),
        };
    }
    let (name, domain) = (text(&name), text(&domain));
    Ok(Some(if domain.is_empty() { name } else { format!(r"{domain}\{name}") }))
}

/// `--readable-by`: "me", or a SID. A SID that nobody knows here is taken: it may be known where the file goes.
pub(super) fn reader(who: &str) -> Result<Reader, OsError> {
    let sid = if who.eq_ignore_ascii_case("me") { token::user_sid()? } else { who.to_uppercase() };
    if !sddl::is_sid(&sid) {
        return Err(OsError {
            doing: format!("let {who} read the file"),
            kind: OsErrorKind::Other,
            code: 0,
            message: "neither \"me\" nor a SID (S-1-...)".into(),
        });
    }
    // Read as a SID for certain; only its name may stay unknown.
    drop(Sid::parse(&sid)?);
    Ok(Reader { account: account(&sid).ok().flatten(), sid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn me_is_the_user_of_our_token() {
        let reader = reader("me").unwrap();
        assert_eq!(reader.sid, token::user_sid().unwrap());
        assert!(reader.sid.starts_with("S-1-5-"));
    }

    #[test]
    fn a_sid_is_checked_for_form_and_may_be_unknown() {
        assert!(reader("s-1-5-18").unwrap().account.is_some_and(|name| name.contains("SYSTEM")));
        assert_eq!(reader("S-1-5-21-9-9-9-4711").unwrap().account, None);
        assert!(reader("BA").is_err());
        assert!(reader("S-1-5-18)(A;;FA;;;WD").is_err());
    }
}
