//! A GUID as Windows keeps and writes it.

use std::fmt;
use std::str::FromStr;

/// A GUID: the first three fields are little endian in files, the last eight
/// bytes are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid {
    /// The first 32 bits.
    pub data1: u32,
    /// The next 16.
    pub data2: u16,
    /// The next 16.
    pub data3: u16,
    /// The last eight bytes.
    pub data4: [u8; 8],
}

/// A text that is not a GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a GUID is 32 hex digits, with or without dashes and braces")]
pub struct GuidError;

impl Guid {
    /// From the 16 bytes that a file has.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, data4 @ ..] = bytes;
        Self {
            data1: u32::from_le_bytes([a, b, c, d]),
            data2: u16::from_le_bytes([e, f]),
            data3: u16::from_le_bytes([g, h]),
            data4,
        }
    }

    /// The 32 upper-case digits that symbol stores use, without dashes.
    pub fn digits(&self) -> String {
        let mut text = format!("{:08X}{:04X}{:04X}", self.data1, self.data2, self.data3);
        for byte in self.data4 {
            text.push_str(&format!("{byte:02X}"));
        }
        text
    }
}

/// `5278AFF8-6C34-1677-D7D7-835C85B7B844`.
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.digits();
        let (a, b, c, d) = (&text[..8], &text[8..12], &text[12..16], &text[16..20]);
        write!(f, "{a}-{b}-{c}-{d}-{}", &text[20..])
    }
}

impl FromStr for Guid {
    type Err = GuidError;

    fn from_str(text: &str) -> Result<Self, GuidError> {
        let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        let digits: String = text.chars().filter(|&c| c != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(GuidError);
        }
        let value = u128::from_str_radix(&digits, 16).map_err(|_| GuidError)?;
        Ok(Self {
            data1: (value >> 96) as u32,
            data2: (value >> 80) as u16,
            data3: (value >> 64) as u16,
            data4: (value as u64).to_be_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_guid_is_read_back_in_every_usual_form() {
        let guid =
            Guid::from_bytes(*b"\xF8\xAF\x78\x52\x34\x6C\x77\x16\xD7\xD7\x83\x5C\x85\xB7\xB8\x44");
        assert_eq!(guid.digits(), "5278AFF86C341677D7D7835C85B7B844");
        assert_eq!(guid.to_string(), "5278AFF8-6C34-1677-D7D7-835C85B7B844");
        for text in
            [guid.digits(), guid.to_string(), format!("{{{guid}}}"), guid.digits().to_lowercase()]
        {
            assert_eq!(text.parse(), Ok(guid));
        }
        assert_eq!("5278AFF8".parse::<Guid>(), Err(GuidError));
        assert_eq!("+278AFF86C341677D7D7835C85B7B844".parse::<Guid>(), Err(GuidError));
    }
}
