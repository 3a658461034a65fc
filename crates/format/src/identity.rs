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
    /// A JSON text: maybe the description of a set of triage dumps ([`crate::Set`]).
    Json,
    /// Any other kind of file that is known.
    Other(&'static str),
    /// The first bytes mean nothing to us (up to eight of them).
    Unknown(Vec<u8>),
}

/// First bytes of other kinds of files that get taken for dumps, and what to do with them.
const OTHERS: [(&[u8], &str, &str); 47] = [
    (b"\x7fELF", "an ELF file, perhaps a core dump of QEMU, VirtualBox or Linux", GUEST),
    (b"KDUMP   ", "a Linux kernel dump (kdump)", LINUX),
    (b"DISKDUMP", "a Linux kernel dump (diskdump)", LINUX),
    (b"makedumpfile", "a Linux kernel dump (makedumpfile)", LINUX),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"PK\x05\x06", "an empty zip archive", "pack it again, with the dump in it"),
    (b"MSCF", "a cabinet archive", UNPACK),
    (b"MSWIM\0\0\0", "a Windows image archive (WIM)", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive", UNPACK),
    (b"Rar!", "a rar archive", UNPACK),
    (b"\x1f\x8b", "a gzip file", UNPACK),
    (b"BZh", "a bzip2 file", UNPACK),
    (b"\xfd7zXZ", "an xz file", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", UNPACK),
    (b"\x04\x22\x4d\x18", "an LZ4 file", UNPACK),
    (b"SZDD\x88\xf0", "a file packed with compress.exe", "unpack it first, with expand.exe"),
    (b"EMiL", "a LiME memory image", FORENSICS),
    (b"AVML", "an AVML memory image", FORENSICS),
    (b"EVF\x09\x0d\x0a\xff\0", "an EnCase image (E01)", FORENSICS),
    (b"\xd0\xbe\xd2\xbe", VMWARE_STATE, VMWARE),
    (b"\xd1\xba\xd1\xba", VMWARE_STATE, VMWARE),
    (b"\xd2\xbe\xd2\xbe", VMWARE_STATE, VMWARE),
    (b"\xd3\xbe\xd3\xbe", VMWARE_STATE, VMWARE),
    (b"\x7fVirtualBox SavedState", "the saved state of a VirtualBox machine", GUEST_OTHER),
    (b"KDMV", "a virtual disk (VMDK)", DISK),
    (b"# Disk DescriptorFile", "the description of a virtual disk (VMDK)", DISK),
    (b"conectix", "a virtual disk (VHD)", DISK),
    (b"vhdxfile", "a virtual disk (VHDX)", DISK),
    (b"QFI\xfb", "a virtual disk (QCOW)", DISK),
    (b"HIBR", "a hibernation file", HIBERNATION),
    (b"hibr", "a hibernation file", HIBERNATION),
    (b"WAKE", "a hibernation file that was resumed from", HIBERNATION),
    (b"wake", "a hibernation file that was resumed from", HIBERNATION),
    (b"RSTR", "a hibernation file that was resumed from", HIBERNATION),
    (b"\x53\xff\x00\xf0", "a raw memory image", FORENSICS),
    (b"MZ", "a program", "look for the dump beside it"),
    (b"%PDF", "a PDF document", "look for the dump elsewhere"),
    (b"\x89PNG", "a picture", "look for the dump elsewhere"),
    (b"\xff\xd8\xff", "a picture", "look for the dump elsewhere"),
    (b"Microsoft C/C++ MSF", "a PDB symbol file", "look for the dump beside it"),
    (b"Microsoft C/C++ program database", "an old PDB symbol file", "look for the dump beside it"),
    (b"ElfFile\0", "an event log (EVTX)", "open it with the event viewer"),
    (b"regf", "a registry hive", "look for the dump elsewhere"),
    (b"SQLite format 3\0", "an SQLite database", "look for the dump elsewhere"),
    (b"version https://git-lfs", "a Git LFS pointer in place of the file", "run: git lfs pull"),
    (b"\xff\xfe", TEXT, "look for the dump beside it"),
    (b"\xfe\xff", TEXT, "look for the dump beside it"),
];

const UNPACK: &str = "unpack it first";
const GUEST: &str = "take the guest's dump as a Windows dump: QEMU's dump-guest-memory -w";
const GUEST_OTHER: &str = "start the machine, and take the dump inside its Windows";
const LINUX: &str = "open it with crash or drgn";
const FORENSICS: &str = "read it with a memory forensics tool";
const VMWARE_STATE: &str = "the saved state of a VMware machine (vmss, vmsn)";
const VMWARE: &str = "make a Windows dump of it with VMware's vmss2core: -W8, before Windows 8 -W";
const DISK: &str = "look for the dump on it";
const HIBERNATION: &str = "take a dump of the running machine, or read it with a forensics tool";
const TEXT: &str = "a text";
const PAGE_OF_THE_WEB: &str = "an HTML or XML page, perhaps of a download that went wrong";
const TAR: &str = "a tar archive";

/// What is told by more than its first bytes.
const FURTHER: [(&str, &str); 3] =
    [(TAR, UNPACK), (PAGE_OF_THE_WEB, "download it again"), (TEXT, "look for the dump beside it")];

/// Kinds that are told by their first bytes.
fn known(page: &[u8]) -> Option<Identity> {
    let found = OTHERS.iter().find(|(magic, ..)| page.starts_with(magic));
    found.map(|(_, name, _)| Identity::Other(name))
}

/// Kinds that are told by more than their first bytes.
fn further(page: &[u8]) -> Option<Identity> {
    if page.get(257..262) == Some(b"ustar") {
        return Some(Identity::Other(TAR));
    }
    let text = page.strip_prefix(b"\xef\xbb\xbf").unwrap_or(page).trim_ascii_start();
    let plain = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || *byte > 0x7F;
    if text.is_empty() || !page.iter().all(plain) || str_start(text).is_none() {
        return None;
    }
    Some(match text {
        [b'{', ..] => Identity::Json,
        [b'<', ..] => Identity::Other(PAGE_OF_THE_WEB),
        _ => Identity::Other(TEXT),
    })
}

/// Text, whose last character the end of the page may have cut.
fn str_start(text: &[u8]) -> Option<&str> {
    match std::str::from_utf8(text) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(text.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

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
            _ => known(page)
                .or_else(|| further(page))
                .unwrap_or_else(|| Self::Unknown(page[..page.len().min(8)].to_vec())),
        }
    }

    /// What to do with it instead.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::UserMinidump => Some("open it with WinDbg or a minidump tool"),
            Self::HeaderNotWritten => Some(
                "if it should be a dump, take or copy it again; a raw memory image needs a memory \
                 forensics tool",
            ),
            Self::HeaderUnfinished => Some("nothing can be read from it: take the dump again"),
            Self::Json => Some("to verify or read a set of triage dumps, name its own NAME.json"),
            Self::Empty => Some("take or copy the dump again"),
            Self::OfflineDump => {
                Some("convert it with Microsoft's OfflineCrashDumpUefi tools, on a Windows machine")
            }
            Self::Other(found) => {
                let others = OTHERS.iter().map(|(_, name, advice)| (name, advice));
                let mut all = others.chain(FURTHER.iter().map(|(name, advice)| (name, advice)));
                all.find(|(name, _)| *name == found).map(|(_, advice)| *advice)
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
                "a file that begins with zeros: a capture that was cut off before its header was \
                 written, or no dump at all"
            }
            Self::HeaderUnfinished => "a dump header that was never finished",
            Self::UserMinidump => "a user-mode minidump, of a process and not of the kernel",
            Self::OfflineDump => "a raw dump that firmware took (UEFI offline dump)",
            Self::Json => "a JSON text that describes no set of triage dumps",
            Self::Other(name) => name,
            Self::Unknown(bytes) => {
                return write!(f, "an unknown kind of file that begins with {}", hex(bytes));
            }
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
        assert_eq!(identity(b"\xef\xbb\xbf {\"a\":\"gr\xc3\xbcn\"}"), Identity::Json);
        for (bytes, name) in [
            (&b"\x7fELF\x02"[..], "ELF"),
            (b"\x7fVirtualBox SavedState V2.0", "VirtualBox"),
            (b"PK\x03\x04", "zip"),
            (b"\xd2\xbe\xd2\xbe", "VMware"),
            (b"EMiL\x01", "LiME"),
            (b"  <!DOCTYPE html>", "HTML"),
            (b"\xef\xbb\xbf<html>", "HTML"),
            (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
            (b"BugCheck 1A, {41790}\r\n", "a text"),
            (b"\xff\xfeV\0e\0", "a text"),
            (b"\x01abc", "an unknown kind of file that begins with 01616263"),
        ] {
            assert!(identity(bytes).to_string().contains(name), "{name}: {}", identity(bytes));
            assert!(identity(bytes).advice().is_some(), "{name}");
        }
    }

    #[test]
    fn every_kind_that_is_named_has_an_advice_and_none_hides_another() {
        for (magic, name, _) in OTHERS {
            assert_eq!(identity(magic), Identity::Other(name), "{magic:?}");
            assert!(Identity::Other(name).advice().is_some(), "{name}");
        }
        let mut tar = vec![b'x'; 0x400];
        tar[257..262].copy_from_slice(b"ustar");
        tar[300] = 0;
        assert_eq!(identity(&tar), Identity::Other(TAR));
    }

    #[test]
    fn a_text_whose_last_character_the_page_cuts_is_a_text() {
        let text = [&[b'a'; 0xFFF][..], "\u{fc}".as_bytes()].concat();
        assert_eq!(identity(&text), Identity::Other(TEXT));
        assert!(matches!(identity(b"a\xff\xfeb"), Identity::Unknown(_)));
    }

    #[test]
    fn a_page_that_is_zero_only_at_its_start_is_not_an_unwritten_header() {
        let mut page = [0; 0x1000];
        page[0xFFF] = 1;
        assert!(matches!(identity(&page), Identity::Unknown(_)));
    }
}
