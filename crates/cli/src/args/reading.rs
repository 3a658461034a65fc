//! The commands that read and tell.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::capture::PageArgs;
use super::inside::SymbolArgs;
use super::values;

/// Options of every command that asks a machine.
#[derive(Debug, Args)]
pub(crate) struct AskingArgs {
    /// Ask a made-up Windows machine instead of this one: --simulate, or --simulate=NAME,NAME,memory=1g and the
    /// like. --simulate=list shows all names and settings. Everything made this way says "simulated".
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = "",
        help_heading = "Machine")]
    pub(crate) simulate: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Options of every command that answers.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Print one JSON object; `livedump schema COMMAND` prints its schema.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// How a dump file is read.
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// Read the file by position, do not map it.
    ///
    /// Files on local disks are mapped, which is faster. Should somebody cut a mapped file while it is read, or its
    /// disk fail, the system may end livedump on the spot (on Linux with SIGBUS, exit code 135 of a shell; Windows
    /// does not let a mapped file be cut); with --no-map that is an error with an exit code like any other. Files
    /// that may go away, as on network shares, are read by position in any case.
    #[arg(long, help_heading = "File")]
    pub(crate) no_map: bool,
}

/// Lists processes: those of a dump, or of the machine that would be captured.
#[derive(Debug, Args)]
pub(crate) struct ProcessesArgs {
    /// The dump to look into; without one, the running machine is asked.
    #[arg(value_name = "DUMP", conflicts_with = "simulate")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) symbols: SymbolArgs,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

/// Lists threads: state, wait reason, wait time, CPU time, name.
///
/// Of a dump: all, or those of one process, with what they wait for; of the NAME.json of a triage capture of several
/// files, those of all files. Of the running machine: those of one process.
/// The unit of Windows' wait times is found out each time, by a thread of livedump's own that is parked for
/// a known time.
#[derive(Debug, Args)]
pub(crate) struct ThreadsArgs {
    /// The process, by its id (decimal) or image name (".exe" may be left out).
    #[arg(short = 'p', long, value_name = "PID|NAME", allow_negative_numbers = true, value_parser = values::process,
        required_unless_present = "file")]
    pub(crate) process: Option<capture::ProcessTarget>,
    /// The dump to look into; without one, the running machine is asked.
    #[arg(value_name = "DUMP", conflicts_with = "simulate")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) symbols: SymbolArgs,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

/// Verifies dump files: is each one whole, and what was checked.
///
/// The NAME.json of a triage capture of several files stands for all of them: the worst verdict is its own, and a
/// file that is missing makes it partial.
///
/// On Windows, where the shell leaves that to the program, * and ? in a file's name stand for any text and any
/// character.
///
/// Exits 0 when all are good, 8 when one is partial, 9 when one is damaged, unusable or encrypted, 10 when
/// one cannot be opened; of several files the worst counts.
#[derive(Debug, Args)]
pub(crate) struct FilesArgs {
    /// The dump files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How far to look.
    #[arg(long, value_name = "LEVEL", default_value = "structure")]
    pub(crate) level: VerifyLevel,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// How far `verify` looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyLevel {
    /// The dump header alone.
    Header,
    /// Page index, tables and bounds of all parts, not the pages' content.
    Structure,
    /// Every stored page is read, debugger block and kernel image are compared with the header.
    Deep,
}

/// Shows what a debugger shows on opening a dump file, and more.
///
/// How many modules, unloaded drivers, processes, threads and processors are in it is told as far as the dump tells
/// it without symbols, and how far that was; `modules`, `ps`, `threads` and the like list them.
///
/// The NAME.json of a triage capture of several files is shown as one.
///
/// Exits 0 when it could answer, 9 when the file cannot be read as a dump.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The dump file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Tells whether each kind of dump can be taken now, and if not, why and what to do.
///
/// Nothing on the machine is changed: privileges are looked at, not enabled.
#[derive(Debug, Args)]
#[command(after_long_help = BUILDS)]
pub(crate) struct DoctorArgs {
    /// Where a dump would go [default: the current folder].
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

/// Estimates the size of a live dump, and compares it with free disk and memory.
///
/// Nothing on the machine is changed. The lower bound is the sum of what the system measures of its kernel
/// memory; the upper one is the memory in use less the private working sets.
#[derive(Debug, Args)]
pub(crate) struct EstimateArgs {
    /// Where the dump would go [default: the current folder].
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) pages: PageArgs,
    /// Hypervisor pages too (`kernel -h`).
    #[arg(long, help_heading = "What is captured")]
    pub(crate) hypervisor: bool,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

const BUILDS: &str = "\
What builds are reported to know (the kernel's answer decides):
  Windows 8.1             live dumps
  Windows 10 1607         the oldest that livedump runs on
  Windows 10 1803         --abort-on-memory-pressure
  Windows 11              --stacks-only (of 21H2 that is not clear)
  Windows 11 22H2, July 2023 (22621.1992)
                          user pages (-u) without kernel debugging";

/// Explains a bug-check code, live-dump code or NTSTATUS, and its parameters.
///
/// A number that stands for several things is explained as each of them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  livedump explain 0x161 0x005461736b6d6772\n  \
    livedump explain STATUS_RETRY\n  livedump explain -1073741267")]
pub(crate) struct ExplainArgs {
    /// The code: 0x hexadecimal, decimal (signed too), or a name.
    #[arg(value_name = "CODE", allow_negative_numbers = true)]
    pub(crate) code: String,
    /// Its parameters 1 to 4, 0x hexadecimal or decimal.
    #[arg(value_name = "P", num_args = 0..=4, allow_negative_numbers = true, value_parser = values::number)]
    pub(crate) parameters: Vec<u64>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
