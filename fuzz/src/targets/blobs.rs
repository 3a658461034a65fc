//! Secondary data behind a header.

use format::{BlobEnd, Dump};

/// What stands behind the header of a type 3 dump.
pub fn target(data: &[u8]) {
    let mut file = b"PAGE".repeat(0x800);
    for (at, bytes) in [(4, b"DU64"), (0x30, b"\x64\x86\0\0"), (0xF98, b"\x03\0\0\0")] {
        file[at..at + 4].copy_from_slice(bytes);
    }
    file.extend_from_slice(data);
    crate::facts::of(&file);
    let dump = Dump::open(&file).expect("a header is there");
    let Some(blobs) = dump.blobs().expect("the bytes are there") else {
        assert!(!data.starts_with(b"DumpBlob"));
        return;
    };
    // Each has a header of 0x20 bytes.
    assert!(blobs.count * 0x20 <= data.len() as u64);
    let length = file.len() as u64;
    match blobs.end {
        BlobEnd::EndOfFile | BlobEnd::TooMany => {}
        BlobEnd::Slack { offset } | BlobEnd::NoHeader { offset, .. } => assert!(offset < length),
        BlobEnd::Cut { missing, .. } => assert!(missing > 0),
    }
}
