//! `kernel` and `triage`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use super::values;

/// Takes a live dump: the kernel memory of the whole machine.
///
/// The machine goes on running; it is reported to stand still for a moment while Windows copies. The dump is
/// written to FILE.partial, verified, and gets its name only then: exit code 0 means that it was verified. A dump that
/// Windows calls partial is kept and exits 8.
///
/// Every LiveDump command line works, in any case. Note that -h means hypervisor pages here; --help shows
/// this text.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
#[command(after_help = "Examples:\n  livedump kernel C:\\dumps\\live.dmp\n  \
    livedump kernel --stacks-only --timeout 5m C:\\dumps\n  livedump kernel --simulate live.dmp")]
pub(crate) struct KernelArgs {
    #[command(flatten)]
    pub(crate) pages: PageArgs,
    /// CompressMemoryPagesData, as LiveDump's -c: passed on, but Windows is reported to ignore it.
    #[arg(short = 'c', long = "compress", help_heading = "What is captured")]
    pub(crate) compress: bool,
    /// UseDumpStorageStack, as LiveDump's -d: passed on, but Windows is reported to ignore it.
    #[arg(short = 'd', long = "dump-storage-stack", help_heading = "What is captured")]
    pub(crate) dump_storage_stack: bool,
    /// Hypervisor pages too.
    #[arg(short = 'h', long, help_heading = "What is captured")]
    pub(crate) hypervisor: bool,
    /// Fail (exit 6) rather than capture a partial dump when free memory is short.
    #[arg(long, help_heading = "What is captured")]
    pub(crate) abort_on_memory_pressure: bool,
    #[command(flatten)]
    pub(crate) capture: CaptureArgs,
    /// With --simulate: also write what was planted in the made-up machine's memory, as JSON.
    #[arg(long, value_name = "FILE", requires = "simulate")]
    pub(crate) truth: Option<PathBuf>,
    /// Print help (-h means hypervisor pages here).
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// Which pages, as `kernel` and `estimate` name them.
#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// User pages too: the memory of every process, passwords and documents included. Builds before
    /// Windows 11 22H2 are reported to refuse it unless booted with kernel debugging.
    #[arg(short = 'u', long = "user-pages", help_heading = "What is captured")]
    pub(crate) user_pages: bool,
    /// Kernel stacks of all threads only: small and quick. Reported to need Windows 11; of 21H2 that
    /// is not clear.
    #[arg(long, help_heading = "What is captured")]
    pub(crate) stacks_only: bool,
    /// All hypervisor pages, those not needed for most questions included; implies hypervisor pages.
    #[arg(long, help_heading = "What is captured")]
    pub(crate) nonessential_hypervisor: bool,
}

/// Takes a triage dump: the kernel stacks of the threads of one process.
///
/// Small, and quick unless a thread does not answer (each is reported to cost 5 seconds). One call is reported
/// to answer with 1 MiB at most: more threads than fit are captured in several batches, NAME.dmp, NAME.2.dmp,
/// ..., and NAME.json describes the set. Each thread of the result is looked at, and what the dump has of it is said.
///
/// Every LiveDump command line works, in any case.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  livedump triage -p 1234 C:\\dumps\\stuck.dmp\n  \
    livedump triage -p notepad -t all C:\\dumps\n  livedump triage --simulate -p explorer.exe stuck.dmp")]
pub(crate) struct TriageArgs {
    /// The process, by its id (decimal) or image name (".exe" may be left out).
    #[arg(short = 'p', long, value_name = "PID|NAME", allow_negative_numbers = true, value_parser = values::process, help_heading = "What is captured")]
    pub(crate) process: capture::ProcessTarget,
    /// How many threads, or `all` [default: 4, or all that --tid and --thread-name name].
    #[arg(short = 't', long, value_name = "N|all", allow_negative_numbers = true, value_parser = values::thread_count, help_heading = "What is captured")]
    pub(crate) threads: Option<capture::ThreadCount>,
    /// This thread, by its id; may be given several times, or with commas between the ids.
    #[arg(long = "tid", value_name = "ID", value_delimiter = ',', allow_negative_numbers = true, value_parser = values::tid, help_heading = "What is captured")]
    pub(crate) tids: Vec<u32>,
    /// Only threads whose name matches: * and ? stand for any text and any character, case does not matter.
    #[arg(long, value_name = "GLOB", help_heading = "What is captured")]
    pub(crate) thread_name: Option<String>,
    /// Which threads come first.
    #[arg(
        long,
        value_enum,
        default_value = "main",
        ignore_case = true,
        help_heading = "What is captured"
    )]
    pub(crate) pick: PickArg,
    #[command(flatten)]
    pub(crate) capture: CaptureArgs,
}

/// Which threads come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PickArg {
    /// The main thread, then the waits that tell most, then the rest by wait time.
    Main,
    /// The longest waits.
    LongestWait,
    /// The most processor time.
    Cpu,
}

/// What is told while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressArg {
    /// Notes, retries and cancelling on standard error as they happen; on a console also a line that is drawn over.
    /// What was said so is not repeated in the summary.
    Auto,
    /// One JSON object a line on standard error, always; the summary has the notes again, for people.
    Json,
    /// Nothing; notes stand in the summary, or behind the error.
    None,
}

/// Options of both kinds of dump.
#[derive(Debug, Args)]
pub(crate) struct CaptureArgs {
    /// Where the dump goes: a file, a folder, or a name with {host} {kind} {process} {pid} {time} {seq} in it;
    /// without it a name is made in the current folder. An existing file is refused (exit 5).
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<OsString>,
    /// A second name is always a mistake; it is taken here so that it can be said which two.
    #[arg(hide = true, value_name = "SECOND")]
    pub(crate) second: Vec<OsString>,

    /// Replace an existing file, at the final rename only.
    #[arg(long, help_heading = "File")]
    pub(crate) overwrite: bool,
    /// A partial dump is a failure: the .partial is kept, no final name, exit 8.
    #[arg(long, help_heading = "File")]
    pub(crate) require_complete: bool,
    /// Keep the .partial of a capture that failed or was cancelled.
    #[arg(long, help_heading = "File")]
    pub(crate) keep_partial: bool,
    /// Let somebody besides SYSTEM and Administrators read the dump: `me`, or a SID.
    #[arg(long, value_name = "me|SID", help_heading = "File")]
    pub(crate) readable_by: Option<String>,
    /// Allow a folder that synchronises to a cloud.
    #[arg(long, help_heading = "File")]
    pub(crate) allow_synced: bool,
    /// Compute the SHA-256 of the file.
    #[arg(long, help_heading = "File")]
    pub(crate) hash: bool,

    /// Bug-check code for the header: 0x161, 353, 161h or a name [default: 0x161 (LIVE_SYSTEM_DUMP)].
    #[arg(long, value_name = "CODE", allow_negative_numbers = true, value_parser = values::bugcheck, help_heading = "Dump header")]
    pub(crate) bugcheck: Option<u32>,
    /// Bug-check parameter for the header, 0x hexadecimal or decimal; up to four times [default: parameter 1
    /// spells "livedump"].
    #[arg(long = "parameter", value_name = "V", allow_negative_numbers = true, value_parser = values::number, help_heading = "Dump header")]
    pub(crate) parameters: Vec<u64>,
    /// A comment in the header: ASCII, up to 127 characters.
    #[arg(long, value_name = "TEXT", value_parser = values::comment, help_heading = "Dump header")]
    pub(crate) comment: Option<String>,

    /// Cancel after this long: 90s, 5m, 1h; a bare number is seconds.
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = values::duration, help_heading = "Course")]
    pub(crate) timeout: Option<Duration>,
    /// How often to try again while Windows is busy, after 1, 2, 4, 8, 15, 15... seconds.
    #[arg(long, value_name = "N", default_value = "5", allow_negative_numbers = true, value_parser = values::count, help_heading = "Course")]
    pub(crate) retry: u32,
    /// Write no record to the Application event log.
    #[arg(long, help_heading = "Course")]
    pub(crate) no_event_log: bool,
    /// What is told while it runs.
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        ignore_case = true,
        help_heading = "Output"
    )]
    pub(crate) progress: ProgressArg,
    #[command(flatten)]
    pub(crate) asking: super::reading::AskingArgs,
}
