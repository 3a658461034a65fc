//! What lies inside a dump.

pub(crate) mod hang;
pub(crate) mod html;
pub(crate) mod lists;
pub(crate) mod stacks;

use analysis::summary::LayoutSource;
use analysis::{ListReport, Summary, ThreadRef};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::Record;

/// The head of an answer that is written while the question is answered.
pub(crate) struct LateHead<'h>(Box<dyn Fn() -> Head + 'h>);

impl<'h> LateHead<'h> {
    pub(crate) fn of(make: impl Fn() -> Head + 'h) -> Self {
        Self(Box::new(make))
    }

    /// As it is now.
    pub(crate) fn get(&self) -> Head {
        (self.0)()
    }
}

impl Serialize for LateHead<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

/// What every answer from inside a dump begins with. Any field may be absent.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct Head {
    /// "livedump.COMMAND/1".
    pub(crate) schema: String,
    /// The file as given.
    pub(crate) path: String,
    /// Of a set of triage dumps, its files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) set: Vec<Moment>,
    /// Whether all of them that can be read are in this answer; else the first is.
    #[serde(skip)]
    pub(crate) whole_set: bool,
    /// Made by the simulated machine.
    pub(crate) simulated: bool,
    /// The kernel, and by whose word.
    pub(crate) kernel: Summary,
}

/// A file of a set: a moment of its own.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct Moment {
    /// Its name.
    pub(crate) file: String,
    /// When it was taken: ISO 8601, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) taken: Option<String>,
    /// Whether it is in this answer.
    pub(crate) asked: bool,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

impl Head {
    /// To be made last: files are looked for while the question is answered.
    pub(crate) fn new(
        command: &str,
        path: &std::path::Path,
        simulated: bool,
        kernel: Summary,
    ) -> Self {
        Self {
            schema: format!("livedump.{command}/1"),
            path: path.display().to_string(),
            set: Vec::new(),
            whole_set: false,
            simulated,
            kernel,
        }
    }

    /// The first lines of an answer.
    pub(crate) fn record(&self) -> Record {
        let mut record = Record::default();
        record.line("file", &self.path);
        self.set_text(&mut record);
        if self.simulated {
            record.line("simulated", "a made-up machine: nothing here is real");
        }
        let kernel = &self.kernel;
        if kernel.debugger_block != "clear" {
            record.line("debugger", format!("block: {}", kernel.debugger_block));
        }
        if let Some(why) = &kernel.profile_refused {
            record.line("profile", format!("not used: {why}"));
        }
        record.line("layout", layout(kernel));
        for why in refused(kernel) {
            record.line("not used", why);
        }
        if kernel.threads_in_capture {
            record.line("capture", IN_CAPTURE);
        }
        record
    }
}

impl Head {
    fn set_text(&self, record: &mut Record) {
        let all = self.set.len();
        let asked = self.set.iter().filter(|moment| moment.asked).count();
        match self.whole_set {
            _ if all == 0 => {}
            false => {
                let what = "files, each a moment of its own; ask the others by their names";
                record.line("set", format!("the first of {all} {what}"));
            }
            true => {
                let what = "each a moment of its own: across them nothing is more than consistent";
                record.line("set", format!("{asked} of {all} files, {what}"));
            }
        }
        for moment in &self.set {
            if let Some(why) = &moment.problem {
                record.line("not read", format!("{}: {why}", moment.file));
            }
        }
    }
}

/// Who told where members lie, in one line.
fn layout(kernel: &Summary) -> String {
    let told = told(&kernel.layout);
    match (&kernel.types, told.is_empty()) {
        (Some(types), _) => format!("{told} from {} (by {})", types.path, types.matched),
        (None, false) => format!("{told}; no types of this kernel: --symbols"),
        (None, true) => "not known".to_owned(),
    }
}

/// Why files that were looked for did not do, each reason once.
fn refused(kernel: &Summary) -> Vec<&String> {
    let missing = kernel.files.iter().filter(|file| !file.found);
    let mut all: Vec<&String> = Vec::new();
    for why in missing.flat_map(|file| &file.refused) {
        if all.len() < REFUSED && !all.contains(&why) {
            all.push(why);
        }
    }
    all
}

/// `debugger-block 12, probed 9`.
pub(crate) fn told(layout: &[LayoutSource]) -> String {
    let told = layout.iter().map(|one| format!("{} {}", one.source, one.members));
    told.collect::<Vec<_>>().join(", ")
}

/// Reasons why files were not used that the text shows; the JSON has all.
const REFUSED: usize = 5;

/// What every answer about threads of a live triage dump says.
pub(crate) const IN_CAPTURE: &str =
    "threads ran the capture's own call: state, wait and innermost frames are of that";

/// Lists that did not come back to their heads.
pub(crate) fn incomplete(record: &mut Record, lists: &[ListReport]) {
    for list in lists.iter().filter(|list| !list.whole) {
        let end = list.end.as_deref().unwrap_or("it was cut");
        record.line("incomplete", format!("{} after {}: {end}", list.list, list.entries));
    }
    for list in lists.iter().filter(|list| list.blink_mismatches > 0) {
        let what = if list.blink_mismatches == 1 { "in flight" } else { "torn" };
        record.line(what, format!("{}: {} links", list.list, list.blink_mismatches));
    }
}

/// `tid 1234 of stuck.exe (640)`.
pub(crate) fn thread(thread: &ThreadRef) -> String {
    let tid = match thread.tid {
        Some(tid) => format!("tid {tid}"),
        None => format!("thread {}", thread.address),
    };
    match (&thread.process, thread.pid) {
        (Some(name), Some(pid)) => format!("{tid} of {name} ({pid})"),
        (Some(name), None) => format!("{tid} of {name}"),
        (None, Some(pid)) => format!("{tid} of process {pid}"),
        (None, None) => tid,
    }
}

/// A number, or a dash.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Milliseconds for people: `12.345 s`, `2 h 03 min`.
pub(crate) fn time(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..600 => format!("{seconds}.{:03} s", milliseconds % 1000),
        600..36_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}
