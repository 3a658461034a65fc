//! Checks of what follows the dump proper.

use super::{Check, Verifier};
use crate::blob::{BlobEnd, Blobs};

/// Bytes of an unexplained tail that are looked at on each side.
const TAIL: u64 = 16 << 20;

/// The check of what follows the last blob.
const SLACK: &str = "secondary.slack";

impl Verifier<'_, '_> {
    /// Secondary data at `offset`, or whatever else is there.
    pub(super) fn secondary(&mut self, offset: u64) {
        let file = self.dump.file_length();
        if offset >= file {
            let text = "there is no secondary data";
            return self.checks.pass(Check::new("secondary.blobs", text).at(offset));
        }
        match Blobs::read(self.dump.source(), offset) {
            Ok(Some(blobs)) => self.blobs(&blobs),
            Ok(None) => self.tail("tail", offset),
            Err(error) => self.unread("secondary.blobs", &error),
        }
    }

    fn blobs(&mut self, blobs: &Blobs) {
        let count = blobs.count;
        let check = Check::new("secondary.blobs", format!("{count} blobs of secondary data"));
        let check = check.at(blobs.offset);
        match blobs.end {
            BlobEnd::EndOfFile => self.checks.pass(check),
            BlobEnd::Slack { offset } => {
                self.checks.pass(check);
                self.tail(SLACK, offset);
            }
            BlobEnd::NoHeader { offset, found } => {
                let text = format!("after {count} blobs comes no blob header");
                let check = Check { text, ..check.at(offset) };
                self.checks.fail(check.expected("0x20, or 0 at the end").found_hex(found));
            }
            BlobEnd::Cut { offset, missing } => {
                self.checks.missing(missing);
                let text =
                    format!("the file ends inside blob {}, {missing} bytes too early", count + 1);
                self.checks.fail(Check { text, ..check.at(offset) });
            }
            BlobEnd::TooMany => {
                let text = format!("too many: more than {count} blobs of secondary data");
                self.checks.fail(Check { text, ..check });
            }
        }
    }

    /// Bytes behind the end. Zeros are room that was not used. Directly behind the pages others
    /// may be pages that a damaged list no longer names; behind the blobs they harm no reader.
    fn tail(&mut self, name: &str, offset: u64) {
        let length = self.dump.file_length() - offset;
        let zero = self.is_zero(offset, length.min(TAIL)).and_then(|first| {
            let rest = (length - length.min(TAIL)).min(TAIL);
            Ok(first && self.is_zero(self.dump.file_length() - rest, rest)?)
        });
        let explained = !matches!(zero, Ok(false)) || name == SLACK;
        let text = match zero {
            Ok(true) if length <= 2 * TAIL => format!("the last {length} bytes are zero"),
            Ok(true) => format!("the last {length} bytes begin and end with zeros"),
            Ok(false) => format!("{length} bytes follow that nothing explains"),
            Err(error) => return self.unread(name, &error),
        };
        let check = Check::new(name, text).at(offset).expected("nothing, or zeros");
        let check = check.found(format!("{length} bytes"));
        match explained {
            true => self.checks.note(check),
            false => self.checks.warn(check),
        }
    }

    fn is_zero(&self, offset: u64, length: u64) -> Result<bool, crate::Error> {
        let mut zero = true;
        self.dump.source().windows("the end of the file", offset, length, |_, window| {
            zero = window.iter().all(|byte| *byte == 0);
            zero
        })?;
        Ok(zero)
    }
}
