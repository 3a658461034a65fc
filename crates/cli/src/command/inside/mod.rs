//! The commands that look into a dump: one file each, on what is opened here.

pub(super) mod hang;
pub(super) mod lists;
pub(super) mod profile;
pub(super) mod stacks;

use std::cell::OnceCell;
use std::path::Path;

use analysis::Census;
use capture::{Class, Failure, ProcessTarget};
use format::{Dump, Set};
use ntos::{Images, Kernel, Reader, StoreFiles};
use symbols::store::Download;
use symbols::{Store, SymbolPath};

use super::file::{self, Input};
use super::{Refused, members};
use crate::args::{DumpArgs, OpenArgs, SymbolArgs};
use crate::render::inside::{Head, Moment};

/// A dump that was named, and how it is to be looked into.
pub(super) struct Asked<'t> {
    pub(super) file: &'t Path,
    pub(super) symbols: &'t SymbolArgs,
    pub(super) open: &'t OpenArgs,
    pub(super) json: bool,
}

impl<'t> From<&'t DumpArgs> for Asked<'t> {
    fn from(typed: &'t DumpArgs) -> Self {
        Self {
            file: &typed.file,
            symbols: &typed.symbols,
            open: &typed.open,
            json: typed.output.json,
        }
    }
}

impl Asked<'_> {
    /// Whether it is the description of a set of triage dumps.
    fn is_set(&self) -> Result<bool, Failure> {
        let file = file::open(self.file, self.open)?;
        Ok(matches!(format::Identity::of(&file), Ok(format::Identity::Json)))
    }
}

/// A dump's kernel, with the files that go with it.
pub(super) struct Inside<'k, 'a> {
    pub(super) kernel: &'k Kernel<'a>,
    pub(super) images: &'k Images<'k>,
    pub(super) files: &'k StoreFiles,
    /// Not every question is of threads, which may be many.
    census: OnceCell<Census>,
    pub(super) simulated: bool,
    /// What was asked, as answers name it.
    path: &'k Path,
    /// The file of a set that this is.
    member: Option<&'k str>,
    /// All files of that set.
    set: &'k [Moment],
    wanted: Wanted,
}

impl Inside<'_, '_> {
    /// All processes and threads.
    pub(super) fn census(&self) -> &Census {
        self.census.get_or_init(|| Census::of(self.kernel))
    }

    /// What an answer begins with; to be made last, when all files were looked for.
    pub(super) fn head(&self, command: &str) -> Head {
        let summary = analysis::summary(self.kernel, self.images, self.files);
        let set = self.set.to_vec();
        let whole_set = self.wanted == Wanted::All;
        Head { set, whole_set, ..Head::new(command, self.path, self.simulated, summary) }
    }

    /// The file's name, where it is one of a set.
    pub(super) fn member(&self) -> Option<String> {
        self.member.map(str::to_owned)
    }

    /// Which threads belong to a process that was named; all without one.
    /// `None`: there is no such process.
    pub(super) fn chosen(&self, process: Option<&ProcessTarget>) -> Option<Vec<bool>> {
        let all = 0..self.census().threads.len();
        let Some(target) = process else { return Some(all.map(|_| true).collect()) };
        let is_it = |process: &ntos::Process| match target {
            ProcessTarget::Pid(pid) => process.pid == Some(u64::from(*pid)),
            ProcessTarget::Name(name) => process.name.as_deref().is_some_and(|own| {
                let stem = |text: &str| {
                    let lower = text.to_ascii_lowercase();
                    lower.strip_suffix(".exe").map(str::to_owned).unwrap_or(lower)
                };
                // The kernel keeps 14 characters of a name.
                let (own, asked) = (stem(own), stem(name));
                own == asked || (own.len() >= 10 && asked.starts_with(&own))
            }),
        };
        let found = self.census().processes.iter().any(is_it);
        let owned = |thread| self.census().owner(thread).is_some_and(is_it);
        found.then(|| all.map(owned).collect())
    }
}

/// Opens a dump and asks it. Of a set of triage dumps each file is a moment of
/// its own: the first is taken, and that is said.
pub(super) fn ask<T>(
    typed: &Asked<'_>,
    question: impl FnMut(&Inside<'_, '_>) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let answer = asked(typed, Wanted::First, question)?.pop();
    answer.ok_or_else(|| members::none(typed.file, Vec::new()).into())
}

/// The same of every file of a set, in their order; one answer at least.
pub(super) fn ask_all<T>(
    typed: &Asked<'_>,
    question: impl FnMut(&Inside<'_, '_>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    asked(typed, Wanted::All, question)
}

/// Which files of a set are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    First,
    All,
}

fn asked<T>(
    typed: &Asked<'_>,
    wanted: Wanted,
    mut question: impl FnMut(&Inside<'_, '_>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    let set = match file::input(typed.file, typed.open)? {
        Input::One(bytes) => {
            let one = Part { path: typed.file, member: None, set: &[], wanted, bytes: &bytes };
            return Ok(vec![ask_bytes(&one, typed.symbols, question)?]);
        }
        Input::Set(set) => set,
    };
    let moments = moments(&set, wanted);
    let problems =
        moments.iter().filter_map(|one| Some(format!("{}: {}", one.file, one.problem.as_ref()?)));
    if !moments.iter().any(|moment| moment.asked) {
        return Err(members::none(typed.file, problems.collect()).into());
    }
    let mut answers = Vec::new();
    for (number, moment) in moments.iter().enumerate().filter(|(_, moment)| moment.asked) {
        let Some(bytes) = set.file(number) else { continue };
        let path = match wanted {
            Wanted::First => Path::new(&moment.file),
            Wanted::All => typed.file,
        };
        let part = Part { path, member: Some(&moment.file), set: &moments, wanted, bytes };
        answers.push(ask_bytes(&part, typed.symbols, &mut question)?);
    }
    Ok(answers)
}

/// The files of a set: which can be asked, and why not those that cannot.
fn moments(set: &Set, wanted: Wanted) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    for (number, moment) in set.moments().iter().enumerate() {
        let problem = match set.file(number) {
            Some(bytes) => {
                let opened = Dump::open(bytes).and_then(|dump| dump.kernel_memory().map(drop));
                opened.err().map(|why| file::unreadable(Path::new(&moment.file), &why).message)
            }
            None => Some(set.problem(number).map(format::SetError::reason).unwrap_or_default()),
        };
        let more = wanted == Wanted::All || !moments.iter().any(|known| known.asked);
        moments.push(Moment {
            file: moment.file.clone(),
            taken: moment.taken.clone(),
            asked: problem.is_none() && more,
            problem,
        });
    }
    moments
}

/// What can be asked of a dump, without any file beside it. `None`: nothing,
/// as of a file that has no kernel in it.
pub(super) fn completeness(bytes: &map::File) -> Option<analysis::Completeness> {
    let dump = Dump::open(bytes).ok()?;
    let kernel = Kernel::open(&dump, &ntos::NoFiles).ok()?;
    Some(analysis::completeness(&kernel, &Census::of(&kernel)))
}

/// The short form of what is in a dump, without any file beside it, and
/// quickly. `None`: nothing can be looked for, as in an encrypted one.
pub(super) fn contents(bytes: &map::File) -> Option<analysis::Contents> {
    let dump = Dump::open(bytes).ok()?;
    let kernel = Kernel::open_within(analysis::contents::QUICK, &dump, &ntos::NoFiles).ok()?;
    Some(analysis::contents(&kernel))
}

/// A file that is asked, and what it is part of.
struct Part<'p> {
    path: &'p Path,
    member: Option<&'p str>,
    set: &'p [Moment],
    wanted: Wanted,
    bytes: &'p map::File,
}

fn ask_bytes<T>(
    part: &Part<'_>,
    symbols: &SymbolArgs,
    question: impl FnOnce(&Inside<'_, '_>) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let Part { path, member, set, wanted, bytes } = *part;
    let files = files(symbols);
    let unreadable = |error: format::Error| Refused::from(file::unreadable(path, &error));
    let dump = Dump::open(bytes).map_err(unreadable)?;
    let simulated = dump.header().is_simulated();
    let kernel = Kernel::open(&dump, &files).map_err(unreadable)?;
    let reader: Reader<'_> = kernel.reader();
    let images = Images::new(reader, kernel.modules(), &files);
    let census = OnceCell::new();
    let (kernel, images, files) = (&kernel, &images, &files);
    question(&Inside { kernel, images, files, census, simulated, path, member, set, wanted })
}

/// Where files are looked for: what was named, then what the environment names.
fn files(typed: &SymbolArgs) -> StoreFiles {
    let path = |typed: &[String], variable: &str| {
        let environment = std::env::var(variable).ok();
        let all = typed.iter().chain(&environment).map(|text| SymbolPath::parse(text));
        all.fold(SymbolPath::default(), SymbolPath::and)
    };
    let store = |path| match typed.download {
        true => Store::new(path).with_download(Download::default()),
        false => Store::new(path),
    };
    let symbols = store(path(&typed.symbols, "_NT_SYMBOL_PATH"));
    let own = own_images().into_iter().map(SymbolPath::folder);
    let images = own.fold(path(&typed.images, "_NT_EXECUTABLE_IMAGE_PATH"), SymbolPath::and);
    let images = store(images);
    StoreFiles::new(symbols, images, typed.profile.clone())
}

/// Where a Windows machine has its own kernel and drivers: a dump of the same
/// machine finds them there, by stamp and size.
fn own_images() -> Vec<std::path::PathBuf> {
    let Some(root) = std::env::var_os("SystemRoot").map(std::path::PathBuf::from) else {
        return Vec::new();
    };
    let system = root.join("System32");
    vec![system.join("drivers"), system]
}

/// A question that the dump has no answer to, as far as it is understood.
fn not_told(file: &Path, what: &str) -> Failure {
    let file = file.display();
    Failure::new(Class::Unverified, format!("'{file}' does not tell its {what}")).remedy(
        "`livedump verify --level deep FILE` says what can be asked of it; --symbols may help",
    )
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let failed = |error: std::io::Error| {
        Failure::new(Class::Disk, format!("'{}' cannot be written: {error}", path.display()))
    };
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
