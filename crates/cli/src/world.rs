//! Picks the machine: this Windows or a made-up one. Nothing else here asks which system this is.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use capture::{Class, Failure, World};
use machine::{Host, Machine};
use simulator::{Scenario, SimulatedMachine};

use crate::args;
use crate::command::Refused;

/// `/word` is how options are written on this system, and no likely file name.
pub(crate) const SLASH_IS_AN_OPTION: bool = sys::IS_WINDOWS;

/// The shell has put names for `*` and `?` where it found some.
pub(crate) const SHELL_EXPANDS: bool = !sys::IS_WINDOWS;

/// Whose dumps others cannot read, and what to do about it.
pub(crate) const WHO_READS_A_DUMP: &str = if sys::IS_WINDOWS {
    "a dump is readable by administrators only, unless --readable-by named somebody: run elevated"
} else {
    "a dump is readable by its owner only: read it as that user, or let its owner give it away"
};

/// Whether a file lies where reading a map of it may end the process.
pub(crate) fn may_go_away(path: &Path) -> bool {
    sys::may_go_away(path)
}

/// The line that opens a dump in WinDbg, which runs on Windows.
pub(crate) fn opened_with(path: &str) -> String {
    if sys::IS_WINDOWS {
        return format!("windbg -z \"{path}\"");
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("copy it to Windows, and there: windbg -z \"{name}\"")
}

/// The world a command asks: `simulate` is the scenario's text, if one was asked for.
pub(crate) fn open(command: &str, simulate: Option<&str>) -> Result<World, Refused> {
    let machine = match simulate {
        Some(scenario) => simulated(command, scenario)?,
        None => real()?,
    };
    Ok(World { machine, host: host()? })
}

/// The computer we run on.
pub(crate) fn host() -> Result<Arc<dyn Host>, Refused> {
    let host = sys::host().map_err(|error| Failure::new(Class::Internal, error.to_string()))?;
    Ok(host)
}

/// The scenario that a text means, as reports name it.
pub(crate) fn scenario(text: &str) -> String {
    Scenario::parse(text).map_or_else(|_| text.to_owned(), |scenario| scenario.text().to_owned())
}

/// Writes what was planted in a scenario's machine to a new file.
pub(crate) fn write_truth(text: &str, file: &Path, overwrite: bool) -> Result<(), Refused> {
    let machine = Scenario::parse(text).and_then(SimulatedMachine::new);
    let machine = machine.map_err(|error| args::usage("kernel", format!("--simulate: {error}")))?;
    let truth = machine.kernel().truth().ok_or_else(|| {
        let needs = "nothing is planted in this scenario; add layout=19041, layout=a or layout=b (with arch=arm64, layout=22000)";
        args::usage("kernel", format!("--truth: {needs}"))
    })?;
    let failed =
        |error: std::io::Error| Failure::new(Class::Disk, format!("{}: {error}", file.display()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(!overwrite).create(true).truncate(overwrite);
    let mut file_made = options.open(file).map_err(failed)?;
    file_made.write_all(truth.as_bytes()).map_err(failed)?;
    Ok(())
}

fn simulated(command: &str, text: &str) -> Result<Arc<dyn Machine>, Refused> {
    let machine = Scenario::parse(text).and_then(SimulatedMachine::new);
    Ok(Arc::new(machine.map_err(|error| args::usage(command, format!("--simulate: {error}")))?))
}

fn real() -> Result<Arc<dyn Machine>, Refused> {
    match sys::machine() {
        Some(machine) => {
            let refused = |error| {
                Failure::new(Class::Internal, format!("this machine cannot be asked: {error}"))
            };
            Ok(machine.map_err(refused)?)
        }
        None => Err(Refused::Failure(Failure::new(
            Class::Unsupported,
            "live capture runs on Windows; here, add --simulate to ask a made-up machine, \
             or use `livedump verify FILE` and `livedump info FILE` on a dump",
        ))),
    }
}
