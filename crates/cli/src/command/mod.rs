//! One file for each command: meaning, call, rendering.

mod blobs;
mod bytes;
mod completions;
mod convert;
mod doctor;
mod estimate;
mod event_source;
mod explain;
mod file;
mod info;
mod inside;
mod kernel;
mod man;
mod members;
mod place;
mod ps;
mod read;
mod scenarios;
mod schema;
mod threads;
mod translate;
mod triage;
mod verify;
mod wildcard;

use std::ffi::OsString;
use std::io::{self, Write};

use capture::{Class, Failure};
use serde::Serialize;

use crate::args::{self, Asked, AskingArgs, Command, OutputArgs};
use crate::render::{failure, json};
use crate::{console, exit, world};

/// What a command says, and how it ends.
pub(crate) struct Said {
    /// For standard output.
    output: Vec<u8>,
    /// For standard error.
    errors: String,
    class: Class,
    /// The kernel still holds a thread of ours: end at once.
    abandoned: bool,
}

impl Said {
    /// Text, and a good end.
    fn text(output: impl Into<Vec<u8>>) -> Self {
        Self { output: output.into(), errors: String::new(), class: Class::Done, abandoned: false }
    }
}

/// Why a command says nothing of its own.
pub(crate) enum Refused {
    /// The command line, in clap's form; help and version are such refusals, too.
    Usage(Box<clap::Error>),
    /// Anything else.
    Failure(Failure),
}

impl From<clap::Error> for Refused {
    fn from(error: clap::Error) -> Self {
        Self::Usage(Box::new(error))
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

type Outcome = Result<Said, Refused>;

/// Runs the command line: the arguments after the program's own name.
pub(crate) fn run(typed: impl Iterator<Item = OsString>) -> Class {
    let asked = match args::parse(typed) {
        Ok(asked) => asked,
        Err(error) => return usage(&error),
    };
    let said = match outcome(&asked) {
        Ok(said) => said,
        Err(Refused::Usage(error)) => return usage(&error),
        Err(Refused::Failure(failure)) => failed(&asked, failure),
    };
    say(&said)
}

fn outcome(asked: &Asked) -> Outcome {
    match asked {
        Asked::Scenarios { json } => scenarios::run(*json),
        Asked::Command(command) => match command.as_ref() {
            Command::Triage(typed) => triage::run(typed),
            Command::Kernel(typed) => kernel::run(typed),
            Command::Ps(typed) => ps::run(typed),
            Command::Threads(typed) => threads::run(typed),
            Command::Stacks(typed) => inside::stacks::run(typed),
            Command::Hang(typed) => inside::hang::run(typed),
            Command::Modules(typed) => inside::lists::modules(typed),
            Command::Unloaded(typed) => inside::lists::unloaded(typed),
            Command::Processors(typed) => inside::lists::processors(typed),
            Command::Verify(typed) => verify::run(typed),
            Command::Info(typed) => info::run(typed),
            Command::Read(typed) => read::run(typed),
            Command::Translate(typed) => translate::run(typed),
            Command::Blobs(typed) => blobs::run(typed),
            Command::Convert(typed) => convert::run(typed),
            Command::Profile(typed) => inside::profile::run(typed),
            Command::Doctor(typed) => doctor::run(typed),
            Command::Estimate(typed) => estimate::run(typed),
            Command::Explain(typed) => explain::run(typed),
            Command::Completions { shell } => completions::run(*shell),
            Command::Man { command } => man::run(command.as_deref()),
            Command::Schema { command } => schema::run(*command),
            Command::EventSource { action } => event_source::run(*action),
        },
    }
}

/// The command's name, for failures as JSON.
fn name(asked: &Asked) -> &'static str {
    let Asked::Command(command) = asked else { return "scenarios" };
    match command.as_ref() {
        Command::Triage(_) => "triage",
        Command::Kernel(_) => "kernel",
        Command::Ps(_) => "ps",
        Command::Threads(_) => "threads",
        Command::Stacks(_) => "stacks",
        Command::Hang(_) => "hang",
        Command::Modules(_) => "modules",
        Command::Unloaded(_) => "unloaded",
        Command::Processors(_) => "processors",
        Command::Profile(_) => "profile",
        Command::Verify(_) => "verify",
        Command::Info(_) => "info",
        Command::Read(_) => "read",
        Command::Translate(_) => "translate",
        Command::Blobs(_) => "blobs",
        Command::Convert(_) => "convert",
        Command::Doctor(_) => "doctor",
        Command::Estimate(_) => "estimate",
        Command::Explain(_) => "explain",
        Command::Completions { .. } => "completions",
        Command::Man { .. } => "man",
        Command::Schema { .. } => "schema",
        Command::EventSource { .. } => "event-source",
    }
}

fn wants_json(asked: &Asked) -> bool {
    let Asked::Command(command) = asked else { return false };
    let output: &OutputArgs = match command.as_ref() {
        Command::Triage(typed) => &typed.capture.asking.output,
        Command::Kernel(typed) => &typed.capture.asking.output,
        Command::Ps(typed) => &typed.asking.output,
        Command::Threads(typed) => &typed.asking.output,
        Command::Stacks(typed) => &typed.dump.output,
        Command::Hang(typed) => &typed.dump.output,
        Command::Modules(typed) => &typed.dump.output,
        Command::Unloaded(typed) => &typed.dump.output,
        Command::Processors(typed) => &typed.dump.output,
        Command::Verify(typed) => &typed.output,
        Command::Info(typed) => &typed.output,
        Command::Read(typed) => &typed.output,
        Command::Translate(typed) => &typed.output,
        Command::Blobs(typed) => &typed.output,
        Command::Convert(typed) => &typed.answer,
        Command::Doctor(typed) => &typed.asking.output,
        Command::Estimate(typed) => &typed.asking.output,
        Command::Explain(typed) => &typed.output,
        _ => return false,
    };
    output.json
}

/// The scenario that was asked, if it was one.
fn simulated(asked: &Asked) -> Option<String> {
    let Asked::Command(command) = asked else { return None };
    let asking: &AskingArgs = match command.as_ref() {
        Command::Triage(typed) => &typed.capture.asking,
        Command::Kernel(typed) => &typed.capture.asking,
        Command::Ps(typed) => &typed.asking,
        Command::Threads(typed) => &typed.asking,
        Command::Doctor(typed) => &typed.asking,
        Command::Estimate(typed) => &typed.asking,
        _ => return None,
    };
    asking.simulate.as_deref().map(world::scenario)
}

/// An answer as text, or as JSON where that was asked for.
fn answer<T: Serialize>(
    json: bool,
    class: Class,
    answer: &T,
    text: impl FnOnce(&T) -> String,
) -> Outcome {
    let output = if json { object(answer)? } else { text(answer) };
    Ok(Said { class, ..Said::text(output) })
}

/// The same of an answer that is written as it is made.
fn stream<T: Serialize>(
    json: bool,
    answer: &T,
    text: impl FnOnce(&T, &mut dyn Write) -> io::Result<()>,
) -> Outcome {
    let mut out = console::Stream::new();
    let written = match json {
        true => json::write(answer, console::shows_output(), out.writer()).map_err(io::Error::from),
        false => text(answer, out.writer()),
    };
    match written.and_then(|()| out.finish()) {
        // A reader that went away has read what it wanted.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let what = format!("standard output could not be written: {error}");
            Err(Failure::new(Class::Disk, what).into())
        }
        _ => Ok(Said::text("")),
    }
}

fn object(value: &impl Serialize) -> Result<String, Failure> {
    json::object(value, console::shows_output()).map_err(|error| {
        Failure::new(Class::Internal, format!("the answer could not be written as JSON: {error}"))
    })
}

fn failed(asked: &Asked, failure: Failure) -> Said {
    let class = failure.class;
    let simulated = simulated(asked);
    let errors = failure::text(&failure) + &failure::simulated(simulated.as_deref());
    let report = json::FailureReport::new(name(asked), simulated, failure);
    match wants_json(asked).then(|| object(&report)) {
        Some(Ok(output)) => Said { class, ..Said::text(output) },
        _ => Said { class, errors, ..Said::text("") },
    }
}

/// Help and version go to standard output and end well, all else is a usage error.
fn usage(error: &clap::Error) -> Class {
    // Whoever closed the stream does not want to read it.
    let _ = error.print();
    if error.exit_code() == 0 { Class::Done } else { Class::Usage }
}

fn say(said: &Said) -> Class {
    console::complain(&said.errors);
    let mut class = said.class;
    if let Err(error) = console::answer(&said.output) {
        console::complain(&format!(
            "livedump: error: standard output could not be written: {error}\n"
        ));
        if class == Class::Done {
            class = Class::Disk;
        }
    }
    if said.abandoned {
        exit::abandon(class);
    }
    class
}
