//! Where output goes: standard output and error, consoles and pipes.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};

/// Whether a person looks at standard output.
pub(crate) fn shows_output() -> bool {
    io::stdout().is_terminal()
}

/// Whether a person looks at standard error.
pub(crate) fn shows_errors() -> bool {
    io::stderr().is_terminal()
}

/// Writes an answer. A reader that went away has read what it wanted; any other
/// error is one: the answer did not arrive.
pub(crate) fn answer(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Standard output for an answer that may be longer than memory.
pub(crate) struct Stream(BufWriter<StdoutLock<'static>>);

impl Stream {
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Writes a part; false when the reader went away.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        still_read(self.0.write_all(bytes))
    }

    /// For who writes many small parts; a reader that went away is an error there.
    pub(crate) fn writer(&mut self) -> &mut dyn Write {
        &mut self.0
    }

    /// The end.
    pub(crate) fn finish(mut self) -> io::Result<bool> {
        still_read(self.0.flush())
    }
}

fn still_read(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}

/// Writes to standard error; there is nobody left to tell when that fails.
pub(crate) fn complain(text: &str) {
    let mut errors = io::stderr().lock();
    let _ = errors.write_all(text.as_bytes()).and_then(|()| errors.flush());
}
