//! A security descriptor made from text.

use machine::OsError;
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::SECURITY_DESCRIPTOR;

use super::error;
use super::wide::wide;

pub(super) struct Descriptor(*mut core::ffi::c_void);

impl Descriptor {
    pub(super) fn new(sddl: &str) -> Result<Self, OsError> {
        let text = wide(sddl);
        let mut made = std::ptr::null_mut();
        // SAFETY: the text ends in NUL; what is made is freed by our Drop.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                std::ptr::null_mut(),
            )
        };
        if done == 0 {
            return Err(error::last(format!("make the access list {sddl}")));
        }
        Ok(Self(made))
    }

    pub(super) fn as_ptr(&self) -> *const SECURITY_DESCRIPTOR {
        self.0.cast()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the conversion allocated it with LocalAlloc, as documented.
        unsafe { LocalFree(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sddl::{Owner, descriptor};

    #[test]
    fn windows_takes_every_access_list_that_we_ask_for() {
        let reader = Some("S-1-5-32-545");
        for owner in [Owner::Administrators, Owner::Ourselves("S-1-5-18")] {
            assert!(Descriptor::new(&descriptor(owner, reader)).is_ok());
        }
        assert!(Descriptor::new("O:BAG:BAD:P(A;;FA;;;nobody)").is_err());
    }
}
