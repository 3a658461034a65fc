//! The commands that look into a dump.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::reading::{OpenArgs, OutputArgs};
use super::values;

/// Where types, symbols and images come from.
#[derive(Debug, Default, Args)]
pub(crate) struct SymbolArgs {
    /// Where PDBs, layout profiles and images are: a folder, a symbol store, or a path in the form of
    /// _NT_SYMBOL_PATH, which is taken as well; several with semicolons, or the option again. Nothing is
    /// downloaded without --download.
    #[arg(long, value_name = "PATH", help_heading = "Symbols")]
    pub(crate) symbols: Vec<String>,
    /// Where images (ntoskrnl.exe, drivers) are that the dump does not hold; for unwinding stacks.
    #[arg(long, value_name = "PATH", help_heading = "Symbols")]
    pub(crate) images: Vec<String>,
    /// A file of types of the dump's kernel: a layout profile, a volatility3 ISF, or a PDB. It is held against
    /// the dump and not used when it belongs to another kernel.
    #[arg(long, value_name = "FILE", help_heading = "Symbols")]
    pub(crate) profile: Option<PathBuf>,
    /// Ask the symbol servers that the symbol path names (srv*...). Names and identities of modules leave the
    /// machine; nothing else does.
    #[arg(long, help_heading = "Symbols")]
    pub(crate) download: bool,
}

/// A dump to look into.
#[derive(Debug, Args)]
pub(crate) struct DumpArgs {
    /// The dump file.
    #[arg(value_name = "DUMP")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) symbols: SymbolArgs,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Lists the modules that were loaded: the kernel and its drivers.
#[derive(Debug, Args)]
pub(crate) struct ModulesArgs {
    #[command(flatten)]
    pub(crate) dump: DumpArgs,
}

/// Lists the drivers that were unloaded, the latest first.
#[derive(Debug, Args)]
pub(crate) struct UnloadedArgs {
    #[command(flatten)]
    pub(crate) dump: DumpArgs,
}

/// Shows each processor: its thread, its interrupt level, its DPC, and its stack.
#[derive(Debug, Args)]
pub(crate) struct ProcessorsArgs {
    #[command(flatten)]
    pub(crate) dump: DumpArgs,
}

/// Shows the kernel stacks of threads.
///
/// Every frame says how it was found (context, unwind, machine-frame, frame-pointer, scan) and how far it can be
/// believed; every stack says why it ended. A name is the nearest symbol before the address.
///
/// Of the NAME.json of a triage capture of several files, the threads of all files.
#[derive(Debug, Args)]
pub(crate) struct StacksArgs {
    #[command(flatten)]
    pub(crate) dump: DumpArgs,
    /// Only threads of this process, by its id (decimal) or image name (".exe" may be left out).
    #[arg(short = 'p', long, value_name = "PID|NAME", allow_negative_numbers = true, value_parser = values::process)]
    pub(crate) process: Option<capture::ProcessTarget>,
    /// Only this thread.
    #[arg(long, value_name = "TID", value_parser = values::number)]
    pub(crate) tid: Option<u64>,
    /// Each stack once, with the threads that have it.
    #[arg(long)]
    pub(crate) unique: bool,
}

/// Tells who is stuck on whom: chains and cycles of threads that wait for one another.
///
/// Each claim carries the addresses that prove it and a grade: proved (structures of the dump agree), consistent
/// (the dump fits the claim and could fit another), or not provable from this dump. docs/hang.md teaches how to
/// read it.
///
/// Of the NAME.json of a triage capture of several files, all threads are asked. The files are of different moments, so
/// that across them nothing is more than consistent.
#[derive(Debug, Args)]
pub(crate) struct HangArgs {
    #[command(flatten)]
    pub(crate) dump: DumpArgs,
    /// Also write the report as one self-contained HTML page into this new file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// Layout profiles: the offsets that livedump needs of a kernel, in a small file.
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    pub(crate) action: ProfileAction,
}

/// What is done with profiles.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileAction {
    /// Makes a layout profile from the PDB of a kernel.
    Make {
        /// The PDB. (An ISF needs no profile: --profile takes it as it is.)
        #[arg(value_name = "PDB")]
        pdb: PathBuf,
        /// Write the profile into this new file; else to standard output.
        #[arg(short = 'o', long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}
