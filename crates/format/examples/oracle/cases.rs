//! The files that are converted and judged.

use simulator::files::{FileSpec, Hazard, Kind, Machine, Page, seeds};

/// A source of pages.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) spec: FileSpec,
    /// Judged as the serialiser made it too: a file that we cannot write, or do not write so.
    pub(crate) as_made: bool,
}

impl Case {
    fn new(name: &str, spec: FileSpec) -> Self {
        Self { name: name.to_owned(), spec, as_made: false }
    }

    fn and_as_made(self) -> Self {
        Self { as_made: true, ..self }
    }
}

/// LeechCore takes files from 16 MiB on: these have more.
const BIG: u64 = 4500;

/// Small files of every 64-bit kind with pages, and big ones with a shape of their own.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = small();
    let x64 = |kind| FileSpec::new(kind, Machine::X64);
    cases.push(Case::new(
        "big",
        x64(Kind::Full).pages(0x2003, BIG, Page::Addresses).pages(0x10_0000, 700, Page::Noise(2)),
    ));
    let mut odd = x64(Kind::CompleteRanges);
    for (number, count) in [1, 31, 32, 33, 63, 64, 65, 127, 7].into_iter().enumerate() {
        odd = odd.pages(0x2001 + 0x101 * number as u64, count, Page::Noise(number as u64));
    }
    cases.push(Case::new("big-odd-runs", odd.pages(0x3007, BIG, Page::Noise(77))).and_as_made());
    let mut many = x64(Kind::BitmapFull).bare();
    for number in 0..300 {
        many = many.pages(5 + number * 37, 17, Page::Noise(number));
    }
    cases.push(Case::new("big-300-runs", many));
    let mut table = x64(Kind::BitmapFull).bare();
    for number in 0..42 {
        table = table.pages(1 + number * 131, 109 + number % 2, Page::Addresses);
    }
    cases.push(Case::new("big-42-runs", table));
    // Both of two large pages side by side, whose frames are far apart.
    let large = x64(Kind::Full).pages(0x200, 0x200, Page::Noise(8));
    cases.push(Case::new("large", large.pages(0xA00, 0x200, Page::Noise(9))).and_as_made());
    let partial = x64(Kind::BitmapFull).pages(0x2003, BIG, Page::Noise(3));
    let end = 0x2003 + BIG;
    cases.push(Case::new("big-odd-bits", partial.with(Hazard::BitmapBits(end - 4))).and_as_made());
    let zeros = x64(Kind::BitmapKernel).pages(0x2000, BIG, Page::Zero);
    cases.push(Case::new("big-zeros", zeros.pages(0x8000, 3, Page::Fill(0xEE))));
    let unaligned = x64(Kind::BitmapFull).pages(0x2003, BIG, Page::Noise(4));
    cases.push(Case::new("big-unaligned", unaligned.with(Hazard::UnalignedPages)).and_as_made());
    for (name, kind) in [("8", Kind::KernelRanges), ("9", Kind::KernelAndUserRanges)] {
        let spec = x64(kind).pages(0x2003, BIG, Page::Noise(5));
        cases.push(Case::new(&format!("big-ranges-{name}"), spec).and_as_made());
    }
    cases
}

/// Seeds of 64-bit machines whose pages are all readable.
fn small() -> Vec<Case> {
    let with_pages = ["full-", "bitmap-", "ranges-"];
    let without =
        ["x86", "arm32", "ia64", "-encrypted", "-short", "-count", "full-x64-filler-block"];
    let mut cases = Vec::new();
    for seed in seeds() {
        let name = seed.name.as_str();
        let taken = with_pages.iter().any(|start| name.starts_with(start))
            && !without.iter().any(|part| name.contains(part));
        if taken {
            // The hazards are what judges are known to stumble over.
            let as_made =
                name.starts_with("ranges-") || name.contains("-pat") || name.contains("-odd-bits");
            cases.push(Case { name: seed.name, spec: seed.spec, as_made });
        }
    }
    cases
}
