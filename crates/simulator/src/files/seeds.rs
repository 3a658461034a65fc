//! Small files of every kind, machine and hazard.

use super::hazard::Hazard;
use super::kind::{Kind, Machine};
use super::spec::FileSpec;
use super::{Blob, Page};

/// A small file with its specification's name.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Kind, machine and what is special, in lower case: good as a file name.
    pub name: String,
    /// The specification: build it for the bytes and the truth.
    pub spec: FileSpec,
}

impl Seed {
    fn new(name: &str, spec: FileSpec) -> Self {
        let name = format!("{}-{}{name}", kind_name(spec.kind), machine_name(spec.machine));
        Self { name, spec }
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        self.spec.build().bytes()
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Full => "full",
        Kind::Summary => "summary",
        Kind::Header => "header",
        Kind::Triage => "triage",
        Kind::TriageLater => "triage-later",
        Kind::BitmapFull => "bitmap-full",
        Kind::BitmapKernel => "bitmap-kernel",
        Kind::Automatic => "automatic",
        Kind::KernelRanges => "ranges-8",
        Kind::KernelAndUserRanges => "ranges-9",
        Kind::CompleteRanges => "ranges-a",
    }
}

fn machine_name(machine: Machine) -> &'static str {
    match machine {
        Machine::X64 => "x64",
        Machine::X64FiveLevels => "x64-la57",
        Machine::Arm64 => "arm64",
        Machine::X86Pae => "x86-pae",
        Machine::X86 => "x86",
        Machine::Arm32 => "arm32",
        Machine::Ia64 => "ia64",
    }
}

const RUN_HAZARDS: &[(&str, Hazard)] = &[
    ("-filler", Hazard::FillerFields),
    ("-encrypted", Hazard::Encrypted),
    ("-beyond", Hazard::RequiredSpaceBeyond(0x12_3456)),
    ("-no-kdbg", Hazard::NoDebuggerBlock),
    ("-encoded-kdbg", Hazard::EncodedDebuggerBlock),
    ("-cr3-flags", Hazard::DirectoryBaseFlags),
    ("-pat", Hazard::LargePagesWithPat),
    ("-slack", Hazard::SlackTail(0x1234)),
    ("-short", Hazard::ShortPages),
    ("-count", Hazard::WrongPageCount(-2)),
    ("-padding", Hazard::PaddingGarbage),
    ("-unsorted", Hazard::UnsortedRuns),
    ("-overlapping", Hazard::OverlappingRuns),
    ("-filler-block", Hazard::FillerMemoryBlock),
];

const BITMAP_HAZARDS: &[(&str, Hazard)] = &[
    ("-unaligned", Hazard::UnalignedPages),
    ("-odd-bits", Hazard::BitmapBits(0xA05)),
    ("-stray-bits", Hazard::StrayBits),
    ("-signature", Hazard::OtherSignature),
    ("-count", Hazard::WrongPageCount(3)),
    ("-short", Hazard::ShortPages),
    ("-encrypted", Hazard::Encrypted),
    ("-filler-block", Hazard::FillerMemoryBlock),
];

const RANGE_HAZARDS: &[(&str, Hazard)] = &[
    ("-unsorted", Hazard::UnsortedRuns),
    ("-overlapping", Hazard::OverlappingRuns),
    ("-trailing", Hazard::TrailingRanges),
    ("-frame-zero", Hazard::FrameZero),
    ("-count", Hazard::WrongPageCount(1)),
];

const TRIAGE_HAZARDS: &[(&str, Hazard)] = &[
    ("-overlapping", Hazard::OverlappingBlocks),
    ("-conflicting", Hazard::ConflictingBlocks),
    ("-wrapping", Hazard::WrappingBlock),
    ("-no-end", Hazard::NoEndMark),
    ("-many-unloaded", Hazard::ManyUnloaded),
    ("-data-page", Hazard::DataPage),
    ("-beyond", Hazard::RequiredSpaceBeyond(0x8000)),
    ("-slack", Hazard::SlackTail(0x100)),
    ("-filler", Hazard::FillerFields),
    ("-encoded-kdbg", Hazard::EncodedDebuggerBlock),
];

fn hazards(kind: Kind) -> &'static [(&'static str, Hazard)] {
    match kind {
        Kind::Full => RUN_HAZARDS,
        Kind::BitmapFull => BITMAP_HAZARDS,
        Kind::CompleteRanges => RANGE_HAZARDS,
        Kind::Triage => TRIAGE_HAZARDS,
        _ => &[],
    }
}

/// A file of each kind and machine, then of each hazard, then some of a few KiB:
/// always the same, none over 200 KiB. They are made one at a time.
///
/// Files named `-tiny`, and those of ARM32 and IA64, have no kernel in them, only a few pages.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for kind in Kind::ALL {
        for machine in Machine::ALL {
            let whole = machine.has_system();
            let spec = if whole { FileSpec::new(kind, machine) } else { tiny(kind, machine) };
            seeds.push(Seed::new("", spec));
        }
        for (name, hazard) in hazards(kind) {
            seeds.push(Seed::new(name, FileSpec::new(kind, Machine::X64).with(*hazard)));
        }
        for machine in [Machine::X64, Machine::X86Pae] {
            seeds.push(Seed::new("-tiny", tiny(kind, machine)));
        }
    }
    for (name, hazard) in TRIAGE_HAZARDS {
        seeds.push(Seed::new(name, FileSpec::new(Kind::TriageLater, Machine::X86).with(*hazard)));
    }
    let full_table = FileSpec::new(Kind::Full, Machine::X64).bare().with(Hazard::FullRunTable);
    seeds.push(Seed::new("-full-table", full_table));
    seeds.push(Seed::new("-blobs", FileSpec::new(Kind::Header, Machine::X64).blobs(odd_blobs())));
    seeds.push(Seed::new("-blobs", tiny(Kind::Full, Machine::X64).blobs(odd_blobs())));
    seeds
}

/// Two runs of one and two pages.
fn tiny(kind: Kind, machine: Machine) -> FileSpec {
    let spec = FileSpec::new(kind, machine).bare();
    spec.pages(1, 1, Page::Addresses).pages(9, 2, Page::Noise(1))
}

/// Empty, of 8 bytes, padded on both sides, and of a size that unaligns what follows.
fn odd_blobs() -> Vec<Blob> {
    let before = Blob { before: 5, after: 3, ..Blob::new([4; 16], vec![4; 9]) };
    vec![
        Blob::new([1; 16], Vec::new()),
        Blob::new([2; 16], vec![2; 8]),
        Blob::padded([3; 16], vec![3; 13]),
        before,
        Blob::new([5; 16], vec![5; 7]),
        Blob { after: 8, ..Blob::new([6; 16], Vec::new()) },
    ]
}
