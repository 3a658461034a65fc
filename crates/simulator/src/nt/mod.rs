//! A small kernel of real code: images, layouts, and the stacks that its functions' prologues lay.
//!
//! The images, their PDBs and the tables are made by `fixtures/make.sh` from
//! our own sources. The tables are all that this crate knows of them: it reads
//! no PDB and no unwind data.

pub(crate) mod chains;
pub(crate) mod frames;
pub(crate) mod picture;
pub(crate) mod plan;
pub(crate) mod stacks;
pub(crate) mod table;

use std::sync::OnceLock;

use self::picture::Picture;
use self::table::Table;

/// Which of the simulated builds' layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// The offsets of Windows 10 build 19041.
    Real19041,
    A,
    B,
    /// Of ARM64, its layouts made up.
    Arm22000,
}

impl Build {
    pub(crate) fn is_arm(self) -> bool {
        self == Self::Arm22000
    }

    /// The build number that such a machine tells.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Real19041 => 19041,
            Self::A => 22621,
            Self::B => 26100,
            Self::Arm22000 => 22000,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Real19041 => "19041",
            Self::A => "a",
            Self::B => "b",
            Self::Arm22000 => "22000",
        }
    }
}

/// A kernel, its drivers, and what is known of them.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) build: Build,
    /// The kernel first.
    pub(crate) pictures: Vec<Picture>,
}

impl Fixture {
    pub(crate) fn table(&self) -> &Table {
        &self.pictures[0].table
    }

    /// The fixture of a build.
    pub(crate) fn of(build: Build) -> &'static Self {
        static MADE: [OnceLock<Fixture>; 4] = [const { OnceLock::new() }; 4];
        let (kernel, drivers) = match build {
            Build::Real19041 => (&X64_19041, &X64_DRIVERS),
            Build::A => (&X64_A, &X64_DRIVERS),
            Build::B => (&X64_B, &X64_DRIVERS),
            Build::Arm22000 => (&ARM64_22000, &ARM64_DRIVERS),
        };
        MADE[build as usize].get_or_init(|| Self::new(build, kernel, drivers))
    }

    fn new(build: Build, kernel: &File, drivers: &[File]) -> Self {
        let files = [kernel].into_iter().chain(drivers);
        Self { build, pictures: files.map(|f| Picture::new(f.path, f.image, f.table)).collect() }
    }
}

struct File {
    path: &'static str,
    image: &'static [u8],
    table: &'static str,
}

macro_rules! file {
    ($path:literal, $folder:literal, $image:literal, $table:literal) => {
        File {
            path: $path,
            image: include_bytes!(concat!("../../fixtures/", $folder, "/", $image)),
            table: include_str!(concat!("../../fixtures/", $folder, "/", $table)),
        }
    };
}

const X64_19041: File =
    file!(r"\SystemRoot\system32\ntoskrnl.exe", "x64-19041", "ntoskrnl.exe", "ntoskrnl.txt");
const X64_A: File =
    file!(r"\SystemRoot\system32\ntoskrnl.exe", "x64-a", "ntoskrnl.exe", "ntoskrnl.txt");
const X64_B: File =
    file!(r"\SystemRoot\system32\ntoskrnl.exe", "x64-b", "ntoskrnl.exe", "ntoskrnl.txt");
const X64_DRIVERS: [File; 2] = [
    file!(r"\SystemRoot\System32\drivers\diskbus.sys", "x64-drivers", "diskbus.sys", "diskbus.txt"),
    file!(
        r"\SystemRoot\System32\drivers\volfilter.sys",
        "x64-drivers",
        "volfilter.sys",
        "volfilter.txt"
    ),
];
const ARM64_22000: File =
    file!(r"\SystemRoot\system32\ntoskrnl.exe", "arm64-22000", "ntoskrnl.exe", "ntoskrnl.txt");
const ARM64_DRIVERS: [File; 2] = [
    file!(
        r"\SystemRoot\System32\drivers\diskbus.sys",
        "arm64-drivers",
        "diskbus.sys",
        "diskbus.txt"
    ),
    file!(
        r"\SystemRoot\System32\drivers\volfilter.sys",
        "arm64-drivers",
        "volfilter.sys",
        "volfilter.txt"
    ),
];
