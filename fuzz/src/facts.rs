//! What holds for every file, whatever its bytes.

mod pages;
mod triage;
mod virtual_memory;

use std::io;

use format::{Bytes, Content, Dump, Extent, Level, Verdict, Verification, info, verify};

/// Bytes that are read by position, as those of a file that is not mapped.
pub struct ByPosition<'a>(pub &'a [u8]);

impl Bytes for ByPosition<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }
}

/// Does with a file what can be done, in both ways of reading it, and holds it
/// to the promises. Answers the verdict on its structure.
pub fn of(file: &[u8]) -> Verdict {
    let found = verdicts(&file);
    assert_eq!(found, verdicts(&ByPosition(file)), "the way of reading changes the verdict");
    said(&file, &found);
    let verdict = found[1].verdict;
    let Ok(dump) = Dump::open(&file) else { return verdict };
    everything(&dump, file, verdict == Verdict::Good);
    let by_position = ByPosition(file);
    let dump = Dump::open(&by_position).expect("it could be opened in memory");
    everything(&dump, file, verdict == Verdict::Good);
    verdict
}

fn verdicts(bytes: &dyn Bytes) -> Vec<Verification> {
    let levels = [Level::Header, Level::Structure, Level::Deep];
    let found: Vec<_> = levels.into_iter().map(|level| verify(bytes, level)).collect();
    let rising = found.windows(2).all(|pair| pair[0].verdict <= pair[1].verdict);
    assert!(rising, "a closer look finds a file better: {found:#?}");
    found
}

fn said(bytes: &dyn Bytes, found: &[Verification]) {
    for found in found {
        let verdict = found.verdict.to_string();
        assert!(found.summary.starts_with(&verdict) && found.summary.len() > verdict.len());
        serde_json::to_string(found).expect("a verdict is always JSON");
    }
    let unusable = found[0].verdict == Verdict::Unusable;
    assert_eq!(unusable, Dump::open(bytes).is_err(), "unusable is what cannot be opened");
    match info(bytes) {
        Ok(info) => {
            assert!(!unusable);
            serde_json::to_string(&info).expect("what is known is always JSON");
            let stored = info.bytes_stored.unwrap_or(0);
            let overlaps = info.blocks.is_some();
            let fits = overlaps || stored <= bytes.len();
            assert!(found[1].verdict != Verdict::Good || fits, "{stored} bytes stored");
        }
        Err(_) => assert!(unusable),
    }
}

fn everything(dump: &Dump<'_>, file: &[u8], good: bool) {
    let _ = (dump.exception(), dump.context());
    pages::of(dump, file, good);
    virtual_memory::of(dump, file);
    triage::of(dump, file, good);
    blobs(dump, file);
}

/// Blobs lie in the file, behind each other.
fn blobs(dump: &Dump<'_>, file: &[u8]) {
    let Ok(Some(blobs)) = dump.blobs() else { return };
    assert!(blobs.count >= blobs.list.len() as u64);
    let _ = dump.build(&blobs);
    let mut least = blobs.offset + 16;
    for blob in &blobs.list {
        let bytes = dump.blob_bytes(blob).expect("a listed blob is in the file");
        let at = blob.offset as usize;
        assert_eq!(bytes, file[at..at + blob.size as usize]);
        assert!(blob.offset >= least + 0x20);
        least = blob.offset + u64::from(blob.size);
    }
}

/// Extents cover their range without holes, and what they call held is in the file.
struct Tiling<'a> {
    file: &'a [u8],
    next: u64,
    end: u64,
}

impl<'a> Tiling<'a> {
    fn new(file: &'a [u8], start: u64, length: u64) -> Self {
        Self { file, next: start, end: start + length }
    }

    fn see(&mut self, extent: &Extent) {
        assert_eq!(extent.address, self.next, "a hole or an overlap");
        assert!(extent.length > 0);
        self.next = extent.address.wrapping_add(extent.length);
        if let Content::Held { offset } = extent.content {
            assert!(offset.checked_add(extent.length).unwrap() <= self.file.len() as u64);
        }
    }

    fn finish(self, gave_up: Option<u64>) {
        assert_eq!(self.next, gave_up.unwrap_or(self.end));
    }
}
