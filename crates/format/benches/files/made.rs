//! The files that are measured, made by the simulator.

use std::fs::File;
use std::path::{Path, PathBuf};

use simulator::files::{FileSpec, Kind, Machine, Page};
use tempfile::TempDir;

pub(crate) const PAGE: u64 = 4096;
pub(crate) const GIB: u64 = 1 << 30;

/// The first page frame behind those of the simulator's kernel.
const FIRST: u64 = 0x2000;
/// Where the virtual addresses begin.
const START: u64 = 0xFFFF_F800_0000_0000;

/// A made file, deleted with its folder when it is dropped.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    /// The root of the page tables of [`Made::virtual_addresses`].
    pub(crate) root: u64,
    /// How many pages [`Made::frame`] knows, and their groups: stored, then not.
    pages: u64,
    stored: u64,
    group: u64,
    virtual_bytes: u64,
    folder: TempDir,
}

/// 2 GiB of pages that hold their own addresses, in runs of 64 with gaps of
/// 32, and page tables for 2 GiB that lie in some of the gaps.
pub(crate) fn bitmap() -> Made {
    let (pages, stored, group) = (2 * GIB / PAGE, 64, 96);
    let frame = |n: u64| FIRST + n / stored * group + n % stored;
    let home = |table: u64| FIRST + 7 * table * group + stored + 6;
    let mut spec = FileSpec::new(Kind::BitmapFull, Machine::X64);
    for first in (0..pages).step_by(stored as usize) {
        spec = spec.pages(frame(first), stored, Page::Addresses);
    }
    // An odd number times anything permutes a power of two.
    let to = |n: u64| frame(n * 0x9E37_79B1 % pages);
    let spec = tables(spec, 2, 2, home, to);
    write(&spec, home(0) * PAGE, (pages, stored, group), 2 * GIB)
}

/// 2 GiB of noise in 40 runs.
pub(crate) fn full() -> Made {
    let pages = 2 * GIB / PAGE;
    let (stored, group) = (pages / 40, pages / 40 + 100);
    let mut spec = FileSpec::new(Kind::Full, Machine::X64).bare();
    for run in 0..40 {
        spec = spec.pages(FIRST + run * group, stored, Page::Noise(1));
    }
    write(&spec, 0, (stored * 40, stored, group), 0)
}

/// So many GiB of pages, all zero and holes, between 515 page tables that map
/// as much virtual memory, every GiB of it alike.
pub(crate) fn sparse(gib: u64) -> Made {
    let stored = gib * GIB / PAGE / 515;
    let group = stored + 1;
    let home = |table: u64| FIRST + table * group + stored;
    let mut spec = FileSpec::new(Kind::BitmapFull, Machine::X64);
    for table in 0..515 {
        spec = spec.pages(FIRST + table * group, stored, Page::Zero);
    }
    let frame = |n: u64| FIRST + n / stored * group + n % stored;
    let pages = stored * 515;
    let to = |n: u64| frame(n * 0x9E37_79B1 % pages);
    let spec = tables(spec, gib, 1, home, to);
    write(&spec, home(0) * PAGE, (pages, stored, group), gib * GIB)
}

/// Page tables for `gib` GiB from [`START`] on, of which the first `own` have
/// tables of their own and the others share them. `home` says in which frame
/// the nth table lies, `to` where the nth page is mapped.
fn tables(
    spec: FileSpec,
    gib: u64,
    own: u64,
    home: impl Fn(u64) -> u64,
    to: impl Fn(u64) -> u64,
) -> FileSpec {
    let top = START >> 39 & 0x1FF;
    let entry = |frame: u64| ((frame << 12) | 0x63).to_le_bytes();
    let page = |entries: Vec<[u8; 8]>| Page::Bytes(entries.concat().into());
    let upper = (0..512).map(|n| match n >= top && (n - top) * 512 < gib {
        true => entry(home(1)),
        false => [0; 8],
    });
    let middle = (0..gib.min(512)).map(|n| entry(home(2 + n % own)));
    let mut spec =
        spec.pages(home(0), 1, page(upper.collect())).pages(home(1), 1, page(middle.collect()));
    for directory in 0..own {
        let leaf = |n: u64| 2 + own + directory * 512 + n;
        let entries = (0..512).map(|n| entry(home(leaf(n)))).collect();
        spec = spec.pages(home(2 + directory), 1, page(entries));
        for table in 0..512 {
            let first = (directory * 512 + table) * 512;
            let entries = (0..512).map(|n| entry(to(first + n))).collect();
            spec = spec.pages(home(leaf(table)), 1, page(entries));
        }
    }
    spec
}

fn write(spec: &FileSpec, root: u64, layout: (u64, u64, u64), virtual_bytes: u64) -> Made {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("made.dmp");
    let mut file = File::create_new(&path).unwrap();
    spec.build().write_to(&mut file).unwrap();
    // What is written back later would disturb what is measured.
    file.sync_all().unwrap();
    let (pages, stored, group) = layout;
    Made { path, root, pages, stored, group, virtual_bytes, folder }
}

impl Made {
    /// The frame of the nth page.
    pub(crate) fn frame(&self, n: u64) -> u64 {
        FIRST + n / self.stored * self.group + n % self.stored
    }

    /// Another file beside it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn length(&self) -> u64 {
        length(&self.path)
    }

    /// Random addresses of 8 bytes in its pages; in so many of them only,
    /// evenly spread, when that is asked for.
    pub(crate) fn addresses(&self, count: usize, pages: Option<u64>) -> Vec<u64> {
        let pages = pages.unwrap_or(self.pages).min(self.pages);
        let step = self.pages / pages;
        let mut random = Random::new();
        let address = |r: u64| self.frame(r / 512 % pages * step) * PAGE + r % 512 * 8;
        (0..count).map(|_| address(random.next())).collect()
    }

    /// Random virtual addresses of 8 bytes.
    pub(crate) fn virtual_addresses(&self, count: usize) -> Vec<u64> {
        let mut random = Random::new();
        (0..count).map(|_| START + random.next() % self.virtual_bytes / 8 * 8).collect()
    }
}

pub(crate) fn length(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// xorshift64*, from a fixed seed.
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    }
}
