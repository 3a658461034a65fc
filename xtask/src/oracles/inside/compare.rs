//! Lists against lists, and pages against pages.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use super::Answer;
use super::limits::{self, Limit};
use super::machines::{Machine, Made};

/// A process, a module or a thread: fields by the names that `livedump --json` gives them. Absent:
/// who says it cannot tell; null: told that there is none.
pub(crate) type Record = BTreeMap<String, Value>;

/// First page frame, count, SHA-256 of all their bytes.
pub(crate) type PageRun = (u64, u64, String);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Lists {
    pub(crate) processes: Option<Vec<Record>>,
    pub(crate) modules: Option<Vec<Record>>,
    pub(crate) threads: Option<Vec<Record>>,
}

/// One judge and one dump.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// Entries of processes, modules and threads that are equal, of how many.
    pub(crate) lists: Option<[(usize, usize); 3]>,
    /// Pages that are equal, of how many.
    pub(crate) pages: Option<(u64, u64)>,
    /// What explains that there is not more.
    pub(crate) limit: Option<&'static Limit>,
    /// What nothing explains.
    pub(crate) differences: Vec<String>,
}

/// Everything that was compared.
#[derive(Default)]
pub(crate) struct Compared {
    pub(crate) judges: Vec<&'static str>,
    /// By dump and judge, in order of the dumps.
    pub(crate) cells: BTreeMap<(String, &'static str), (Machine, Cell)>,
    /// Of each limit that was met the first machine, and the judge's words.
    pub(crate) evidence: BTreeMap<(&'static str, &'static str), (Machine, String)>,
}

impl Compared {
    pub(crate) fn add(&mut self, judge: &'static str, made: &Made, answer: &Answer) -> Result<()> {
        let mut cell = Cell::default();
        if let Some(runs) = &answer.pages {
            let ours = &made.ours;
            let own = |first, count| ours.source.hash(first, count);
            let (equal, differences) = pages(ours.pages, own, runs);
            cell.pages = Some((equal, ours.pages));
            cell.differences.extend(differences);
        }
        let words = limits::words(answer);
        cell.limit = limits::explain(judge, &made.machine, &words);
        if let Some(limit) = cell.limit {
            self.evidence.entry((judge, limit.name)).or_insert((made.machine, words));
        } else if let Some(error) = &answer.error {
            cell.differences.push(format!("it refuses: {error}"));
        } else {
            let (counts, differences) = lists(&made.ours.lists, &answer.lists);
            cell.lists = Some(counts);
            cell.differences.extend(differences);
        }
        self.cells.insert((made.file.clone(), judge), (made.machine, cell));
        Ok(())
    }

    /// Differences that nothing explains.
    pub(crate) fn failures(&self) -> usize {
        self.cells.values().map(|(_, cell)| cell.differences.len()).sum()
    }

    /// For one line.
    pub(crate) fn summary(&self) -> String {
        let cells = || self.cells.values().map(|(_, cell)| cell);
        let compared = |list: usize| -> usize {
            cells().filter_map(|cell| cell.lists).map(|counts| counts[list].1).sum()
        };
        let pages: u64 = cells().filter_map(|cell| cell.pages).map(|(_, of)| of).sum();
        format!(
            "inside: {} processes, {} modules, {} threads and {pages} pages compared, \
             {} differences unexplained",
            compared(0),
            compared(1),
            compared(2),
            self.failures()
        )
    }
}

/// Entries that are equal and entries in all of processes, modules and threads; and what differs.
fn lists(ours: &Lists, theirs: &Lists) -> ([(usize, usize); 3], Vec<String>) {
    let pairs = [
        ("process", "address", &ours.processes, &theirs.processes),
        ("module", "base", &ours.modules, &theirs.modules),
        ("thread", "address", &ours.threads, &theirs.threads),
    ];
    let mut all = Vec::new();
    let counts = pairs.map(|(what, key, ours, theirs)| {
        let (counts, differences) = list(what, key, ours.as_deref(), theirs.as_deref());
        all.extend(differences);
        counts
    });
    (counts, all)
}

/// As sets: the order is not compared, but an entry that is there twice is no set's.
fn list(
    what: &str,
    key: &str,
    ours: Option<&[Record]>,
    theirs: Option<&[Record]>,
) -> ((usize, usize), Vec<String>) {
    let mut differences = Vec::new();
    let mut side = |whose: &str, list: Option<&[Record]>| {
        let mut set = BTreeMap::new();
        if list.is_none() {
            differences.push(format!("{whose} has no list of {what}s"));
        }
        for record in list.unwrap_or_default() {
            let name = record.get(key).map(plain).unwrap_or_default();
            if set.insert(name.clone(), record.clone()).is_some() {
                differences.push(format!("{what} {name}: twice in the list of {whose}"));
            }
        }
        set
    };
    let (ours, theirs) = (side("livedump", ours), side("the judge", theirs));
    let mut equal = 0;
    for (name, record) in &theirs {
        match ours.get(name) {
            None => differences.push(format!("{what} {name}: livedump misses {}", shown(record))),
            Some(own) => {
                let parted = parted(own, record);
                equal += usize::from(parted.is_empty());
                differences.extend(parted.iter().map(|found| format!("{what} {name}: {found}")));
            }
        }
    }
    for (name, record) in ours.iter().filter(|(name, _)| !theirs.contains_key(*name)) {
        differences.push(format!("{what} {name}: only livedump sees {}", shown(record)));
    }
    let all = ours.len() + theirs.keys().filter(|name| !ours.contains_key(*name)).count();
    ((equal, all), differences)
}

/// Fields that the judge tells and we tell otherwise.
fn parted(ours: &Record, theirs: &Record) -> Vec<String> {
    let differs = |(field, their): (&String, &Value)| {
        let our = ours.get(field).unwrap_or(&Value::Null);
        (our != their).then(|| format!("{field}: theirs {}, ours {}", plain(their), plain(our)))
    };
    theirs.iter().filter_map(differs).collect()
}

/// Pages that are equal, and what differs; `ours` tells what we read in such a run.
fn pages(
    all: u64,
    ours: impl Fn(u64, u64) -> Result<String>,
    theirs: &[PageRun],
) -> (u64, Vec<String>) {
    let mut equal = 0;
    let mut differences = Vec::new();
    for (first, count, hash) in theirs {
        let own = ours(*first, *count).unwrap_or_else(|error| error.to_string());
        if own == *hash {
            equal += count;
        } else {
            let address = first << 12;
            differences.push(format!("{count} pages at {address:016x}: theirs {hash}, ours {own}"));
        }
    }
    let seen: u64 = theirs.iter().map(|(_, count, _)| count).sum();
    if seen != all {
        differences.push(format!("theirs has {seen} pages, ours {all}"));
    }
    (equal, differences)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

fn shown(record: &Record) -> String {
    let fields = record.iter().map(|(field, value)| format!("{field} {}", plain(value)));
    fields.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(address: &str, pid: u32, name: &str) -> Record {
        let fields = serde_json::json!({ "address": address, "pid": pid, "name": name });
        serde_json::from_value(fields).unwrap()
    }

    fn two() -> Vec<Record> {
        vec![process("ffffe00084200b40", 4, "System"), process("ffffe000842020c0", 956, "smss.exe")]
    }

    fn compared(ours: &[Record], theirs: &[Record]) -> ((usize, usize), Vec<String>) {
        list("process", "address", Some(ours), Some(theirs))
    }

    #[test]
    fn the_order_does_not_matter() {
        let turned: Vec<_> = two().into_iter().rev().collect();
        assert_eq!(compared(&two(), &turned), ((2, 2), Vec::new()));
    }

    #[test]
    fn a_process_that_livedump_misses_is_a_difference() {
        let (counts, differences) = compared(&two()[..1], &two());
        assert_eq!(counts, (1, 2));
        let [found] = &differences[..] else { panic!("{differences:?}") };
        assert!(found.contains("livedump misses") && found.contains("smss.exe"), "{found}");
    }

    #[test]
    fn a_process_that_livedump_invents_is_a_difference() {
        let (counts, differences) = compared(&two(), &two()[..1]);
        assert_eq!(counts, (1, 2));
        let [found] = &differences[..] else { panic!("{differences:?}") };
        assert!(found.contains("only livedump sees") && found.contains("smss.exe"), "{found}");
    }

    #[test]
    fn a_process_that_is_listed_twice_is_a_difference() {
        let mut twice = two();
        twice.push(two()[1].clone());
        assert_eq!(compared(&twice, &two()).1.len(), 1);
        assert_eq!(compared(&two(), &twice).1.len(), 1);
    }

    #[test]
    fn a_field_that_is_told_otherwise_is_a_difference() {
        let mut other = two();
        other[1].insert("pid".to_owned(), 960.into());
        let (counts, differences) = compared(&two(), &other);
        assert_eq!(counts, (1, 2));
        assert_eq!(differences, ["process ffffe000842020c0: pid: theirs 960, ours 956"]);
    }

    #[test]
    fn a_field_that_the_judge_cannot_tell_is_not_compared_and_one_it_tells_alone_is() {
        let mut less = two();
        less[0].remove("name");
        assert_eq!(compared(&two(), &less).1, Vec::<String>::new());
        assert_eq!(compared(&less, &two()).1.len(), 1);
    }

    #[test]
    fn a_list_that_the_judge_does_not_have_is_a_difference() {
        let module = Record::from([("base".to_owned(), "fffff80640800000".into())]);
        let modules = Some(vec![module]);
        let ours = Lists { processes: Some(two()), modules, threads: Some(two()) };
        let theirs = Lists { threads: None, ..ours.clone() };
        assert_eq!(lists(&ours, &ours), ([(2, 2), (1, 1), (2, 2)], Vec::new()));
        assert!(lists(&ours, &theirs).1.iter().any(|found| found.contains("no list of threads")));
    }

    #[test]
    fn a_page_that_differs_and_pages_that_the_judge_does_not_see_are_differences() {
        let own = |first: u64, _: u64| Ok(format!("hash of {first:#x}"));
        let run = |first: u64, hash: &str| (first, 2, hash.to_owned());
        let right = [run(0x100, "hash of 0x100"), run(0x200, "hash of 0x200")];
        assert_eq!(pages(4, own, &right), (4, Vec::new()));
        assert_eq!(pages(4, own, &right[..1]).1, ["theirs has 2 pages, ours 4"]);
        let (equal, differences) = pages(4, own, &[right[0].clone(), run(0x200, "other")]);
        assert_eq!((equal, differences.len()), (2, 1), "{differences:?}");
        let absent = |_: u64, _: u64| anyhow::bail!("not in the dump");
        assert_eq!(pages(4, absent, &right).1.len(), 2);
    }
}
