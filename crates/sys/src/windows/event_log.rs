//! One record in the Application log for each capture: a dump tool that hides is one that gets blocked.

use machine::{EventRecord, OsError};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_INFORMATION_TYPE, RegisterEventSourceW, ReportEventW,
};

use super::error;
use super::registry::{self, Value};
use super::wide::wide;

/// The name of our source.
const SOURCE: &str = "livedump";
/// The record of a capture: message 1000, severity "informational", as the
/// exe's message table has it. %1 to %6 are who, what, file, size, flags, result.
const CAPTURED: u32 = 0x4000_03E8;
/// Where the Application log's sources are registered.
const SOURCE_KEY: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application\livedump";
/// Longest insertion string that the log takes, in UTF-16 units.
const LONGEST: usize = 31_839;

struct Source(HANDLE);

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: registered by us, closed once.
        unsafe { DeregisterEventSource(self.0) };
    }
}

pub(super) fn write(record: &EventRecord) -> Result<(), OsError> {
    let name = wide(SOURCE);
    // SAFETY: the name ends in NUL; the source is closed by our Drop.
    let source = unsafe { RegisterEventSourceW(std::ptr::null(), name.as_ptr()) };
    if source.is_null() {
        return Err(error::last("open the Application event log"));
    }
    let source = Source(source);
    let size = record.size.to_string();
    let said = [&record.who, &record.what, &record.file, &size, &record.flags, &record.result];
    let texts: Vec<Vec<u16>> = said.into_iter().map(|text| insertion(text)).collect();
    let pointers: Vec<*const u16> = texts.iter().map(|text| text.as_ptr()).collect();
    // SAFETY: the source is open, six texts ending in NUL are there, and no raw data.
    let done = unsafe {
        ReportEventW(
            source.0,
            EVENTLOG_INFORMATION_TYPE,
            0,
            CAPTURED,
            std::ptr::null_mut(),
            6,
            0,
            pointers.as_ptr(),
            std::ptr::null(),
        )
    };
    if done == 0 { Err(error::last("write to the Application event log")) } else { Ok(()) }
}

/// Cut where the log would refuse it. ReportEvent's documentation forbids `%1`
/// and the like, which the viewer would take for an insertion: a space parts them.
fn insertion(text: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(text.len() + 1);
    let mut last = '\0';
    for character in text.chars().filter(|character| *character != '\0') {
        if last == '%' && (character.is_ascii_digit() || character == '%') {
            units.push(u16::from(b' '));
        }
        units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        last = character;
    }
    units.truncate(LONGEST);
    units.push(0);
    units
}

/// Registers this exe as the source of the messages, or takes that back.
pub(super) fn register(register: bool) -> Result<(), OsError> {
    if !register {
        return registry::delete_key(SOURCE_KEY);
    }
    let exe = std::env::current_exe()
        .map_err(|failed| OsError::from_io("find this program's own path", &failed))?;
    let exe = exe.to_string_lossy();
    registry::write_key(
        SOURCE_KEY,
        &[("EventMessageFile", Value::Text(&exe)), ("TypesSupported", Value::Dword(7))],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inserted_cannot_itself_insert() {
        assert_eq!(insertion("100%1 %%2 5%"), wide("100% 1 % % 2 5%"));
        assert_eq!(insertion(&"x".repeat(40_000)).len(), LONGEST + 1);
    }

    // Wine takes every record and keeps none; on Windows it lands in the Application log.
    #[test]
    fn a_record_is_taken_also_when_the_source_is_not_registered() {
        let record = EventRecord {
            who: r"TEST\nobody".into(),
            what: "test of livedump".into(),
            file: r"C:\x.dmp".into(),
            size: 1,
            flags: String::new(),
            result: "good".into(),
        };
        write(&record).unwrap();
    }
}
