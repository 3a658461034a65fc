//! The log of what crossed the ABI: one line of JSON for each call.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use crate::handles;
use crate::nt::Handle;

/// One call, as it came and as it was answered.
pub(crate) struct Record<'a> {
    pub(crate) class: u32,
    pub(crate) input: &'a [u8],
    pub(crate) input_length: u32,
    pub(crate) output_length: u32,
    /// What the call's structure points to, and the handles in it.
    pub(crate) selective: Option<&'a [u8]>,
    pub(crate) file: Option<Handle>,
    pub(crate) event: Option<Handle>,
    pub(crate) threads: &'a [Handle],
    pub(crate) debug_privilege: bool,
}

impl Record<'_> {
    /// The part that is known before the call is answered: afterwards handles may be closed.
    pub(crate) fn begin(&self) -> String {
        let mut line = format!(
            r#"{{"class":{},"input_length":{},"output_length":{},"input":"{}","debug_privilege":{}"#,
            self.class,
            self.input_length,
            self.output_length,
            hex(self.input),
            self.debug_privilege
        );
        if let Some(bytes) = self.selective {
            let _ = write!(line, r#","selective":"{}""#, hex(bytes));
        }
        if let Some(file) = self.file {
            let mode = handles::file_mode(file).unwrap_or_default();
            let _ = write!(
                line,
                r#","file":{{{},"synchronous":{},"unbuffered":{},"write_through":{}}}"#,
                object(file),
                mode.synchronous,
                mode.unbuffered,
                mode.write_through
            );
        }
        if let Some(event) = self.event {
            let _ = write!(line, r#","event":{{{}}}"#, object(event));
        }
        let threads: Vec<String> = self.threads.iter().map(|handle| thread(*handle)).collect();
        let _ = write!(line, r#","threads":[{}]"#, threads.join(","));
        line
    }
}

/// Ends a line and appends it to the file that `TEST_KERNEL_LOG` names.
pub(crate) fn finish(mut line: String, status: u32, returned: u32) {
    let Some(file) = std::env::var_os("TEST_KERNEL_LOG") else { return };
    let _ = writeln!(line, r#","returned":{returned},"status":{status}}}"#);
    // A log that cannot be written fails the test that reads it.
    if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(file) {
        let _ = file.write_all(line.as_bytes());
    }
}

fn object(handle: Handle) -> String {
    match (handles::type_name(handle), handles::granted_access(handle)) {
        (Ok(name), Ok(access)) => format!(r#""type":"{name}","access":{access}"#),
        (Err(status), _) | (_, Err(status)) => format!(r#""error":{status}"#),
    }
}

fn thread(handle: Handle) -> String {
    match handles::thread(handle) {
        Some((pid, tid)) => format!(r#"{{{},"pid":{pid},"tid":{tid}}}"#, object(handle)),
        None => format!("{{{}}}", object(handle)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
