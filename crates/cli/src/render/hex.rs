//! Bytes for people: an address, 16 bytes in hexadecimal, the same as ASCII.

use std::fmt::Write;

/// Bytes in a line.
const LINE: usize = 16;

/// Lines under construction: bytes of one address after the other, in parts of any size.
#[derive(Default)]
pub(crate) struct Hex {
    text: String,
    start: u64,
    bytes: Vec<u8>,
}

impl Hex {
    /// Adds bytes; where they do not follow those before, a new line begins.
    pub(crate) fn push(&mut self, address: u64, bytes: &[u8]) {
        if self.start.wrapping_add(self.bytes.len() as u64) != address {
            self.end_line();
        }
        if self.bytes.is_empty() {
            self.start = address;
        }
        for byte in bytes {
            self.bytes.push(*byte);
            if self.bytes.len() == LINE {
                let next = self.start.wrapping_add(LINE as u64);
                self.end_line();
                self.start = next;
            }
        }
    }

    /// Adds a line of words, with its address.
    pub(crate) fn note(&mut self, address: u64, text: &str) {
        self.end_line();
        let _ = writeln!(self.text, "{address:016x}  {text}");
    }

    /// The lines so far, which are then forgotten.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Ends the line.
    pub(crate) fn end_line(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        // A string takes all that is written to it.
        let _ = write!(self.text, "{:016x}  ", self.start);
        for at in 0..LINE {
            let gap = if at == LINE / 2 { '-' } else { ' ' };
            if at > 0 {
                self.text.push(if at < self.bytes.len() { gap } else { ' ' });
            }
            match self.bytes.get(at) {
                Some(byte) => {
                    let _ = write!(self.text, "{byte:02x}");
                }
                None => self.text.push_str("  "),
            }
        }
        self.text.push_str("  ");
        let shown = |byte: &u8| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        };
        self.text.extend(self.bytes.iter().map(shown));
        self.text.push('\n');
        self.bytes.clear();
    }
}

/// The digits alone.
pub(crate) fn digits(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_address_16_bytes_and_their_characters() {
        let mut hex = Hex::default();
        hex.push(0x1ff8, b"MZ\x90\0abc");
        hex.push(0x1fff, b"defghijklmno\x1b[2J");
        hex.end_line();
        assert_eq!(
            hex.take(),
            "0000000000001ff8  4d 5a 90 00 61 62 63 64-65 66 67 68 69 6a 6b 6c  MZ..abcdefghijkl\n\
             0000000000002008  6d 6e 6f 1b 5b 32 4a                             mno.[2J\n"
        );
    }

    #[test]
    fn what_does_not_follow_begins_a_line_of_its_own() {
        let mut hex = Hex::default();
        hex.push(0x10, b"a");
        hex.note(0x11, "missing");
        hex.push(0x20, b"b");
        hex.push(0x40, b"c");
        hex.end_line();
        let text = hex.take();
        let starts: Vec<_> = text.lines().map(|line| &line[13..16]).collect();
        assert_eq!(starts, ["010", "011", "020", "040"]);
    }
}
