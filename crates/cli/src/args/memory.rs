//! The commands that show the memory in a dump.

use std::path::PathBuf;

use clap::Args;

use super::reading::{OpenArgs, OutputArgs};
use super::values;

/// Where bytes go.
#[derive(Debug, Args)]
pub(crate) struct BytesArgs {
    /// Write the bytes themselves to standard output, which must not be a console.
    #[arg(long, help_heading = "Bytes")]
    pub(crate) raw: bool,
    /// Write the bytes themselves to a file.
    ///
    /// It is OUT.partial until it has all of them.
    #[arg(short = 'o', long = "output", value_name = "OUT", help_heading = "Bytes")]
    pub(crate) out: Option<PathBuf>,
    /// Replace an existing OUT, at the final rename only.
    #[arg(long, requires = "out", help_heading = "Bytes")]
    pub(crate) overwrite: bool,
    /// Write into a folder that a cloud client synchronises, although FILE is in none.
    #[arg(long, requires = "out", help_heading = "Bytes")]
    pub(crate) allow_synced: bool,
}

/// Shows memory in a dump.
///
/// By virtual address, through the page tables of the dump or in the blocks of a triage dump, or with --physical by
/// physical address. What can be read is shown, whatever pages it crosses; what cannot is shown as a gap with its
/// reason: which level of the page tables failed at which entry, or which page is not in the dump. After 4096 gaps
/// it ends, and says where to read on.
///
/// Of a set of triage dumps (NAME.json) the file that holds the most of the range answers, and is named.
///
/// --raw and -o write bytes up to the first gap and no further, because bytes behind it would stand in the wrong
/// place: the gap is told, the file keeps the name OUT.partial, and the exit code is 8.
///
/// Exits 0 when it could answer, 9 when the file cannot be read as a dump, 4 when the dump has no such memory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  livedump read MEMORY.DMP fffff804`7c600b20 0x380\n  \
    livedump read MEMORY.DMP 0x1ad000 4096 --physical -o page.bin")]
pub(crate) struct ReadArgs {
    /// The dump file, or the NAME.json of a set of triage dumps.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where to begin: 0x hexadecimal, fffff804`7c600b20, 16 digits as livedump prints them, or decimal.
    ///
    /// What has a letter from a to f or a backtick is hexadecimal too. Of a 32-bit machine, addresses with extended
    /// sign are taken as well.
    #[arg(value_name = "ADDRESS", allow_negative_numbers = true, value_parser = values::address)]
    pub(crate) address: u64,
    /// How many bytes: 0x hexadecimal or decimal.
    #[arg(value_name = "LENGTH", allow_negative_numbers = true, value_parser = values::length)]
    pub(crate) length: u64,
    /// ADDRESS is a physical one.
    #[arg(long, conflicts_with = "dtb")]
    pub(crate) physical: bool,
    /// Use other page tables than the header's: those of a process, by its DirectoryTableBase.
    #[arg(long, value_name = "ADDRESS", allow_negative_numbers = true, value_parser = values::address)]
    pub(crate) dtb: Option<u64>,
    #[command(flatten)]
    pub(crate) bytes: BytesArgs,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Shows where a virtual address leads, level by level.
///
/// Every level of the page tables is shown with its table, index, entry and flags, and in the end the physical
/// address, the size of the page and where in the file its byte is; or which level failed, and why. Of a triage
/// dump, or a set of them (NAME.json): every part that holds the address.
///
/// Exits 0 when it could answer, 9 when the file cannot be read as a dump, 4 when it has no page tables.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  livedump translate MEMORY.DMP fffff804`7c600b20")]
pub(crate) struct TranslateArgs {
    /// The dump file, or the NAME.json of a set of triage dumps.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The virtual address: 0x hexadecimal, fffff804`7c600b20, 16 digits as livedump prints them, or decimal.
    #[arg(value_name = "ADDRESS", allow_negative_numbers = true, value_parser = values::address)]
    pub(crate) address: u64,
    /// Use other page tables than the header's: those of a process, by its DirectoryTableBase.
    #[arg(long, value_name = "ADDRESS", allow_negative_numbers = true, value_parser = values::address)]
    pub(crate) dtb: Option<u64>,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Lists the secondary data of a dump (tagged blobs), or shows or extracts one.
///
/// Drivers and the kernel leave blobs behind the memory in a dump: logs, tables, the true build number.
///
/// Exits 0 when it could answer, 9 when the file cannot be read as a dump, 10 when there is no such blob.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  livedump blobs MEMORY.DMP\n  livedump blobs MEMORY.DMP 3 -o third.bin\n  \
    livedump blobs MEMORY.DMP 2b88b710-1c93-4f7c-b06c-655ecc50decc"
)]
pub(crate) struct BlobsArgs {
    /// The dump file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Which blob: its number in the list, from 1, or its tag.
    #[arg(value_name = "NUMBER|TAG", value_parser = values::blob)]
    pub(crate) which: Option<values::WhichBlob>,
    #[command(flatten)]
    pub(crate) bytes: BytesArgs,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
