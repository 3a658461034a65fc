//! What was typed: the clap definitions, one file for each family of commands.

mod capture;
mod compat;
mod convert;
mod inside;
mod memory;
mod reading;
mod refusal;
pub(crate) mod values;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub(crate) use capture::{CaptureArgs, KernelArgs, PageArgs, PickArg, ProgressArg, TriageArgs};
pub(crate) use convert::ConvertArgs;
pub(crate) use inside::{
    DumpArgs, HangArgs, ModulesArgs, ProcessorsArgs, ProfileAction, ProfileArgs, StacksArgs,
    SymbolArgs, UnloadedArgs,
};
pub(crate) use memory::{BlobsArgs, BytesArgs, ReadArgs, TranslateArgs};
pub(crate) use reading::{
    AskingArgs, DoctorArgs, EstimateArgs, ExplainArgs, FileArgs, FilesArgs, OpenArgs, OutputArgs,
    ProcessesArgs, ThreadsArgs, VerifyLevel,
};

/// Takes, verifies and explains kernel dumps of a running Windows machine.
///
/// On Windows, from an elevated console, livedump takes a kernel dump of the running machine without a
/// driver, a reboot or a debugger. Anywhere, `--simulate` takes one of a made-up machine, and `verify`
/// and `info` read such files.
///
/// Exit code 0 of a capture means that the file was verified.
#[derive(Debug, Parser)]
#[command(name = "livedump", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Oldest Windows for capture: 10 version 1607, Server 2016.\n\
    livedump COMMAND --help tells more; livedump kernel --simulate live.dmp shows it all, on any system.")]
#[command(after_long_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
   0  done and verified           7  cancelled or timed out
   1  internal error              8  captured but partial, or a requirement not met
   2  usage                       9  verification failed
   3  elevation or privilege     10  target not found or gone
   4  not supported here         11  busy or throttled
   5  disk                       12  refused by policy
   6  memory                     13  delivery failed, local file fine

Commands that read and tell exit 0 when they answered, gaps and all, and 9 when the file cannot be
read as a dump; bytes that were to go into a file or pipe and have gaps are 8; verify exits 0 good, 8 partial, 9 damaged, unusable or encrypted.

Oldest Windows for capture: 10 version 1607, Server 2016. NO_COLOR is honoured.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Triage(TriageArgs),
    Kernel(KernelArgs),
    Ps(ProcessesArgs),
    Threads(ThreadsArgs),
    Stacks(StacksArgs),
    Hang(HangArgs),
    Modules(ModulesArgs),
    Unloaded(UnloadedArgs),
    Processors(ProcessorsArgs),
    Verify(FilesArgs),
    Info(FileArgs),
    Read(ReadArgs),
    Translate(TranslateArgs),
    Blobs(BlobsArgs),
    Convert(ConvertArgs),
    Profile(ProfileArgs),
    Doctor(DoctorArgs),
    Estimate(EstimateArgs),
    Explain(ExplainArgs),
    /// Writes a completion script for a shell.
    Completions {
        /// The shell to write it for.
        shell: clap_complete::Shell,
    },
    /// Writes the manual page of livedump, or of one command, in roff.
    Man {
        /// The command; none: livedump itself.
        command: Option<String>,
    },
    /// Writes the JSON schema of what a command's `--json` prints.
    Schema {
        /// The command; `progress` for the lines of `--progress json`, `scenarios` for `--simulate=list`.
        #[arg(ignore_case = true)]
        command: SchemaOf,
    },
    /// Registers livedump in the Application event log, or takes it out again (Windows, elevated).
    ///
    /// Each real capture writes one record to the Application event log. Without registration the records
    /// are written all the same, but the event viewer shows their values without the text around them.
    /// Nothing else registers it.
    EventSource {
        /// What to do.
        #[arg(ignore_case = true)]
        action: SourceAction,
    },
}

/// What `schema` can print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    Triage,
    Kernel,
    Ps,
    Threads,
    Stacks,
    Hang,
    Modules,
    Unloaded,
    Processors,
    Verify,
    Info,
    Read,
    Translate,
    Blobs,
    Convert,
    Doctor,
    Estimate,
    Explain,
    Scenarios,
    Progress,
}

/// What `event-source` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceAction {
    /// Write the registry key that names this exe as the source's message file.
    Register,
    /// Delete that key.
    Unregister,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A command.
    Command(Box<Command>),
    /// `--simulate=list`, on whatever command.
    Scenarios {
        /// As JSON.
        json: bool,
    },
}

/// Reads the arguments after the program's own name. A refusal is complete: its text and its exit code.
pub(crate) fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<Asked, clap::Error> {
    let prepared = compat::prepare(typed.into_iter().collect());
    if prepared.list_scenarios {
        let json = prepared.arguments.iter().any(|argument| argument == "--json");
        return Ok(Asked::Scenarios { json });
    }
    let mut definition = definition();
    definition
        .try_get_matches_from_mut(prepared.with_program_name())
        .and_then(|matches| Args::from_arg_matches(&matches))
        .map(|args| Asked::Command(Box::new(args.command)))
        .map_err(|error| refusal::say_more(error, &prepared, &definition))
}

/// The whole command line, for help, completions and manual pages.
pub(crate) fn definition() -> clap::Command {
    Args::command()
}

/// A refusal that clap cannot know of, in clap's own form, with the usage of the command.
pub(crate) fn usage(command: &str, text: impl std::fmt::Display) -> clap::Error {
    let kind = clap::error::ErrorKind::ValueValidation;
    let mut definition = definition();
    definition.build();
    match definition.find_subcommand_mut(command) {
        Some(command) => command.error(kind, text),
        None => definition.error(kind, text),
    }
}
