//! The command that writes one dump from another.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use format::write::Kind;

use super::ProgressArg;
use super::reading::OutputArgs;

/// Converts a dump with pages of physical memory into another kind.
///
/// IN may be a complete, bitmap, kernel, summary or range dump of any machine. No page is added and none is
/// left out; secondary data is carried over unchanged; the header says that it was made offline. The result is
/// written to OUT.partial, its structure is verified, and only then it is named OUT. Stretches of zeros become
/// holes where the file system can do that.
///
/// Of an IN that was cut, or that cannot be read in places, all is converted that can be read; what is missing is
/// counted and said, in the result's header as well.
///
/// Exits 0 when the result is good, 8 when it is partial because IN is, or is damaged, 9 when IN cannot be read as
/// a dump, 4 when IN has no pages or too many runs of them for the kind, 5 when there is no room, 7 when it was
/// cancelled.
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The dump to read.
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,
    /// The file to write, or a folder for one of the same name.
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// What to make of it.
    #[arg(long = "type", value_name = "TYPE", ignore_case = true)]
    pub(crate) kind: KindArg,
    /// Replace an existing file, at the final rename only.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Write into a folder that a cloud client synchronises, although IN is in none.
    #[arg(long)]
    pub(crate) allow_synced: bool,
    /// How far it is, told on standard error.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        ignore_case = true,
        help_heading = "Output"
    )]
    pub(crate) progress: ProgressArg,
    /// Says what is so anyhow: the source is read by position.
    // Mapped it is no faster, and a page that the disk fails to read would end the process.
    #[arg(long, hide = true)]
    pub(crate) no_map: bool,
    #[command(flatten)]
    pub(crate) answer: OutputArgs,
}

/// The kinds that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    /// Type 1: at most 42 runs of pages; the oldest kind, read by nearly every tool.
    Full,
    /// Type 5: a bitmap of pages.
    Bitmap,
    /// Type 6: the same, but says that it has kernel pages.
    KernelBitmap,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Full => Self::Full,
            KindArg::Bitmap => Self::Bitmap,
            KindArg::KernelBitmap => Self::KernelBitmap,
        }
    }
}
