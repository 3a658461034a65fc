//! Reading the registry, 64-bit view, and writing the one key that is ours.

use machine::{OsError, Presence};
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_MORE_DATA, ERROR_PATH_NOT_FOUND, ERROR_SUCCESS,
};
use windows_sys::Win32::System::Registry as reg;

use super::error;
use super::wide::{length, text, wide};

/// Where a path begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Root {
    Machine,
    User,
}

impl Root {
    fn key(self) -> reg::HKEY {
        match self {
            Self::Machine => reg::HKEY_LOCAL_MACHINE,
            Self::User => reg::HKEY_CURRENT_USER,
        }
    }
}

struct Key(reg::HKEY);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: opened by us, closed once.
        unsafe { reg::RegCloseKey(self.0) };
    }
}

/// A DWORD; `None` when it is not set.
pub(super) fn dword(root: Root, path: &str, name: &str) -> Result<Option<u32>, OsError> {
    let (path, name) = (wide(path), wide(name));
    let mut value = 0_u32;
    let mut size = 4_u32;
    // SAFETY: both texts end in NUL, value has the size that is told.
    let code = unsafe {
        reg::RegGetValueW(
            root.key(),
            path.as_ptr(),
            name.as_ptr(),
            reg::RRF_RT_REG_DWORD | reg::RRF_SUBKEY_WOW6464KEY,
            std::ptr::null_mut(),
            (&raw mut value).cast(),
            &raw mut size,
        )
    };
    found(code, &path, value)
}

/// A text, expanded; `None` when it is not set.
pub(super) fn string(root: Root, path: &str, name: &str) -> Result<Option<String>, OsError> {
    let (path, name) = (wide(path), wide(name));
    let mut buffer = vec![0_u16; 512];
    loop {
        let mut size = length(&buffer);
        // SAFETY: both texts end in NUL, the buffer has the size that is told.
        let code = unsafe {
            reg::RegGetValueW(
                root.key(),
                path.as_ptr(),
                name.as_ptr(),
                reg::RRF_RT_REG_SZ | reg::RRF_SUBKEY_WOW6464KEY,
                std::ptr::null_mut(),
                buffer.as_mut_ptr().cast(),
                &raw mut size,
            )
        };
        // Values are small; one that grows without end is not asked again.
        if code == ERROR_MORE_DATA && buffer.len() < 64 * 1024 {
            buffer.resize(buffer.len() * 4, 0);
            continue;
        }
        return found(code, &path, text(&buffer));
    }
}

fn found<T>(code: u32, path: &[u16], value: T) -> Result<Option<T>, OsError> {
    match code {
        ERROR_SUCCESS => Ok(Some(value)),
        ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => Ok(None),
        code => Err(error::win32(format!("read the registry key {}", text(path)), code)),
    }
}

fn open(root: Root, path: &str) -> Result<Key, u32> {
    let path = wide(path);
    let mut key = std::ptr::null_mut();
    // SAFETY: the text ends in NUL, the key is taken over by a value that closes it.
    let code = unsafe {
        reg::RegOpenKeyExW(
            root.key(),
            path.as_ptr(),
            0,
            reg::KEY_READ | reg::KEY_WOW64_64KEY,
            &raw mut key,
        )
    };
    if code == ERROR_SUCCESS { Ok(Key(key)) } else { Err(code) }
}

/// Whether a key exists.
pub(super) fn key_presence(path: &str) -> Presence {
    match open(Root::Machine, path) {
        Ok(_) => Presence::Yes,
        Err(ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND) => Presence::No,
        Err(_) => Presence::Unknown,
    }
}

/// Names of a key's subkeys; none when it cannot be read.
pub(super) fn subkeys(root: Root, path: &str) -> Vec<String> {
    let Ok(key) = open(root, path) else { return Vec::new() };
    let mut names = Vec::new();
    // Nobody has more providers; a bound keeps a changing key from holding us.
    for index in 0..1024 {
        let mut name = [0_u16; 256];
        let mut size = 256_u32;
        // SAFETY: the key is open, the buffer has the size that is told.
        let code = unsafe {
            reg::RegEnumKeyExW(
                key.0,
                index,
                name.as_mut_ptr(),
                &raw mut size,
                std::ptr::null(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        if code != ERROR_SUCCESS {
            break;
        }
        names.push(text(&name));
    }
    names
}

/// A value to write.
pub(super) enum Value<'a> {
    Dword(u32),
    Text(&'a str),
}

/// Makes a key of the machine and sets its values.
pub(super) fn write_key(path: &str, values: &[(&str, Value<'_>)]) -> Result<(), OsError> {
    let doing = || format!("write the registry key {path}");
    let wide_path = wide(path);
    let mut key = std::ptr::null_mut();
    // SAFETY: the text ends in NUL, the key is taken over by a value that closes it.
    let code = unsafe {
        reg::RegCreateKeyExW(
            reg::HKEY_LOCAL_MACHINE,
            wide_path.as_ptr(),
            0,
            std::ptr::null(),
            reg::REG_OPTION_NON_VOLATILE,
            reg::KEY_SET_VALUE | reg::KEY_WOW64_64KEY,
            std::ptr::null(),
            &raw mut key,
            std::ptr::null_mut(),
        )
    };
    if code != ERROR_SUCCESS {
        return Err(error::win32(doing(), code));
    }
    let key = Key(key);
    for (name, value) in values {
        let (kind, bytes) = match value {
            Value::Dword(number) => (reg::REG_DWORD, number.to_le_bytes().to_vec()),
            Value::Text(text) => {
                (reg::REG_SZ, wide(text).into_iter().flat_map(u16::to_le_bytes).collect())
            }
        };
        let name = wide(name);
        // SAFETY: the key is open, the name ends in NUL, the bytes have the size that is told.
        let code = unsafe {
            reg::RegSetValueExW(key.0, name.as_ptr(), 0, kind, bytes.as_ptr(), length(&bytes))
        };
        if code != ERROR_SUCCESS {
            return Err(error::win32(doing(), code));
        }
    }
    Ok(())
}

/// Deletes a key of the machine; one that is not there is no error.
pub(super) fn delete_key(path: &str) -> Result<(), OsError> {
    let wide_path = wide(path);
    // SAFETY: the text ends in NUL.
    let code = unsafe { reg::RegDeleteTreeW(reg::HKEY_LOCAL_MACHINE, wide_path.as_ptr()) };
    match code {
        ERROR_SUCCESS | ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => Ok(()),
        code => Err(error::win32(format!("delete the registry key {path}"), code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";

    #[test]
    fn a_value_that_is_not_set_is_no_error() {
        assert_eq!(dword(Root::Machine, VERSION, "livedump has no such value"), Ok(None));
        assert_eq!(string(Root::Machine, r"SOFTWARE\no such key", "x"), Ok(None));
        assert_eq!(key_presence(r"SOFTWARE\no such key"), Presence::No);
    }

    #[test]
    fn texts_and_keys_can_be_read() {
        assert!(
            string(Root::Machine, VERSION, "ProductName").unwrap().unwrap().contains("Windows")
        );
        assert_eq!(key_presence(VERSION), Presence::Yes);
        assert!(!subkeys(Root::Machine, r"SOFTWARE\Microsoft").is_empty());
    }

    #[test]
    fn a_key_that_was_written_can_be_read_and_deleted() {
        let path = r"SOFTWARE\livedump test key";
        if let Err(refused) = write_key(path, &[("a", Value::Dword(7)), ("b", Value::Text("text"))])
        {
            // What an unelevated process on Windows is told; Wine lets everybody write.
            assert_eq!(refused.kind, machine::OsErrorKind::AccessDenied);
            return;
        }
        assert_eq!(dword(Root::Machine, path, "a"), Ok(Some(7)));
        assert_eq!(string(Root::Machine, path, "b"), Ok(Some("text".into())));
        delete_key(path).unwrap();
        assert_eq!(key_presence(path), Presence::No);
        delete_key(path).unwrap();
    }
}
