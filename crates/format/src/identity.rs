//! What a file is, by its first bytes.

use std::fmt;

use map::Bytes;

use crate::source::Source;
use crate::{Error, Width};

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// `PAGEDU64` or `PAGEDUMP`: a Windows kernel dump.
    KernelDump(Width),
    /// No bytes at all.
    Empty,
    /// The first page holds zeros only. The kernel writes a live dump's
    /// header last, so a capture that ended early leaves such a file.
    HeaderNotWritten,
    /// The header's filler without its signature.
    HeaderUnfinished,
    /// `MDMP`: a user-mode minidump.
    UserMinidump,
    /// `Raw_Dmp!`: a dump that firmware took.
    OfflineDump,
    /// Any other kind of file that is known.
    Other(&'static str),
    /// The first bytes mean nothing to us (up to eight of them).
    Unknown(Vec<u8>),
}

/// First bytes of other kinds of files that get taken for dumps, and what to do with them.
const OTHERS: [(&[u8], &str, &str); 20] = [
    (b"\x7fELF", "an ELF file (a core dump of QEMU or Linux?)", GUEST),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"MSCF", "a cabinet archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive", UNPACK),
    (b"Rar!", "a rar archive", UNPACK),
    (b"\x1f\x8b", "a gzip file", UNPACK),
    (b"BZh", "a bzip2 file", UNPACK),
    (b"\xfd7zXZ", "an xz file", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", UNPACK),
    (b"EMiL", "a LiME memory image", "read it with a memory forensics tool"),
    (b"HIBR", "a hibernation file", HIBERNATION),
    (b"hibr", "a hibernation file", HIBERNATION),
    (b"WAKE", "a hibernation file that was resumed from", HIBERNATION),
    (b"RSTR", "a hibernation file that was resumed from", HIBERNATION),
    (b"\x53\xff\x00\xf0", "a raw memory image", "read it with a memory forensics tool"),
    (b"MZ", "a program", "look for the dump beside it"),
    (b"{", "a JSON text", "a set of triage dumps is described by one: open it as a set"),
    (b"<", "an HTML or XML page: a download that went wrong?", "download it again"),
    (b"%PDF", "a PDF document", "look for the dump elsewhere"),
    (b"Microsoft C/C++ MSF", "a PDB symbol file", "look for the dump beside it"),
];

const UNPACK: &str = "unpack it first";
const GUEST: &str = "take the guest's dump as a Windows dump: QEMU's dump-guest-memory -w";
const HIBERNATION: &str = "take a dump of the running machine, or read it with a forensics tool";

impl Identity {
    /// Looks at the first page.
    pub fn of(bytes: &dyn Bytes) -> Result<Self, Error> {
        let source = Source::new(bytes);
        if source.len() == 0 {
            return Ok(Self::Empty);
        }
        let page = source.vec("the first page", 0, source.len().min(0x1000))?;
        Ok(Self::of_page(&page))
    }

    fn of_page(page: &[u8]) -> Self {
        match page {
            [b'P', b'A', b'G', b'E', b'D', b'U', b'6', b'4', ..] => Self::KernelDump(Width::Bits64),
            [b'P', b'A', b'G', b'E', b'D', b'U', b'M', b'P', ..] => Self::KernelDump(Width::Bits32),
            [b'P', b'A', b'G', b'E', b'P', b'A', b'G', b'E', ..] => Self::HeaderUnfinished,
            [b'M', b'D', b'M', b'P', ..] => Self::UserMinidump,
            [b'R', b'a', b'w', b'_', b'D', b'm', b'p', b'!', ..] => Self::OfflineDump,
            _ if page.iter().all(|byte| *byte == 0) => Self::HeaderNotWritten,
            _ => OTHERS.iter().find(|(magic, ..)| page.starts_with(magic)).map_or_else(
                || Self::Unknown(page[..page.len().min(8)].to_vec()),
                |(_, name, _)| Self::Other(name),
            ),
        }
    }

    /// What to do with it instead.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::UserMinidump => Some("open it with WinDbg or a minidump tool"),
            Self::HeaderNotWritten | Self::HeaderUnfinished => {
                Some("nothing can be read from it: take the dump again")
            }
            Self::Empty => Some("take or copy the dump again"),
            Self::OfflineDump => {
                Some("convert it with Microsoft's OfflineCrashDumpUefi tools, on a Windows machine")
            }
            Self::Other(found) => {
                OTHERS.iter().find(|(_, name, _)| name == found).map(|(.., advice)| *advice)
            }
            Self::Unknown(_) => Some("a raw memory image needs a memory forensics tool"),
            Self::KernelDump(_) => None,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KernelDump(Width::Bits64) => "a 64-bit Windows kernel dump",
            Self::KernelDump(Width::Bits32) => "a 32-bit Windows kernel dump",
            Self::Empty => "an empty file",
            Self::HeaderNotWritten => {
                "a file that begins with zeros: a capture that was cut off before its header was written"
            }
            Self::HeaderUnfinished => "a dump header that was never finished",
            Self::UserMinidump => "a user-mode minidump, of a process and not of the kernel",
            Self::OfflineDump => "a raw dump that firmware took (UEFI offline dump)",
            Self::Other(name) => name,
            Self::Unknown(bytes) => return write!(f, "an unknown kind of file that begins with {}", hex(bytes)),
        })
    }
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(bytes: &[u8]) -> Identity {
        Identity::of(&bytes).unwrap()
    }

    #[test]
    fn what_is_not_a_kernel_dump_is_named() {
        assert_eq!(identity(b""), Identity::Empty);
        assert_eq!(identity(b"MDMP\x93\xa7"), Identity::UserMinidump);
        assert_eq!(identity(&[0; 0x3000]), Identity::HeaderNotWritten);
        assert_eq!(identity(&[0; 10]), Identity::HeaderNotWritten);
        assert_eq!(identity(&b"PAGE".repeat(1024)), Identity::HeaderUnfinished);
        assert!(identity(b"\x7fELF\x02").to_string().contains("ELF"));
        assert!(identity(b"PK\x03\x04").to_string().contains("zip"));
        assert_eq!(identity(b"abc").to_string(), "an unknown kind of file that begins with 616263");
    }

    #[test]
    fn a_page_that_is_zero_only_at_its_start_is_not_an_unwritten_header() {
        let mut page = [0; 0x1000];
        page[0xFFF] = 1;
        assert!(matches!(identity(&page), Identity::Unknown(_)));
    }
}
