//! Captures a made-up machine together with what was planted in it, and holds
//! what the commands say of the dump against that.
#![allow(dead_code)] // not every test file needs all of it
#![allow(clippy::unwrap_used, clippy::panic)] // as clippy.toml allows in tests, whose helpers it does not see

mod relations;
mod stacks;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::livedump::Bench;

pub(crate) const LAYOUTS: [&str; 3] = ["19041", "a", "b"];
/// The layout of ARM64.
pub(crate) const ARM64: &str = "22000";

/// How much a reader of the dump has beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Beside {
    /// PDB and images of the very build.
    Symbols(&'static str),
    /// A layout profile.
    Profile(String),
    Nothing,
}

/// A dump and the truth about it.
pub(crate) struct Case {
    pub(crate) bench: Bench,
    pub(crate) truth: Value,
    pub(crate) named: String,
    beside: String,
    /// Types are known: everything that can be found has to be.
    typed: bool,
    /// No page was left out of the dump.
    whole: bool,
}

/// The fixtures' folder with the files of a build.
pub(crate) fn fixtures(layout: &str) -> String {
    folder(architecture(layout), layout)
}

fn architecture(layout: &str) -> &'static str {
    if layout == ARM64 { "arm64" } else { "x64" }
}

fn folder(architecture: &str, what: &str) -> String {
    format!("{}/../simulator/fixtures/{architecture}-{what}", env!("CARGO_MANIFEST_DIR"))
}

impl Case {
    /// Takes a dump of `scenario`, which is read with the files of `layout`'s build.
    pub(crate) fn of(scenario: &str, layout: &'static str) -> Self {
        Self::with(scenario, layout, Beside::Symbols(layout))
    }

    /// The same with nothing but the dump.
    pub(crate) fn bare(scenario: &str, layout: &'static str) -> Self {
        Self::with(scenario, layout, Beside::Nothing)
    }

    pub(crate) fn with(scenario: &str, layout: &str, beside: Beside) -> Self {
        let bench = Bench::new();
        let machine = format!("{scenario},layout={layout},arch={}", architecture(layout));
        let line = format!("kernel --simulate={machine} --truth truth.json x.dmp");
        bench.run(&line).exits(0);
        let text = std::fs::read_to_string(bench.path("truth.json")).unwrap();
        Self {
            bench,
            truth: serde_json::from_str(&text).unwrap(),
            named: format!("{machine} with {beside:?}"),
            typed: beside != Beside::Nothing,
            beside: match beside {
                Beside::Symbols(layout) => {
                    let drivers = folder(architecture(layout), "drivers");
                    format!(" --symbols {};{drivers}", fixtures(layout))
                }
                Beside::Profile(path) => format!(" --profile {path}"),
                Beside::Nothing => String::new(),
            },
            whole: !scenario.contains("missing-pages"),
        }
    }

    /// What a command says of the dump.
    pub(crate) fn ask(&self, command: &str) -> Value {
        self.ask_of(command, "x.dmp")
    }

    /// The same of another dump of the same machine.
    pub(crate) fn ask_of(&self, command: &str, dump: &str) -> Value {
        let (code, answer) = self.bench.json(&format!("{command} {dump}{}", self.beside));
        assert_eq!(code, 0, "{command}: {}: {answer:#}", self.named);
        answer
    }

    /// `None`: so much is missing that the dump does not tell, and that is said.
    pub(crate) fn ask_what_is_left(&self, command: &str) -> Option<Value> {
        let ran = self.bench.run(&format!("{command} x.dmp{}", self.beside));
        if ran.code != 0 {
            assert_eq!(ran.code, 9, "{}: {}", self.named, ran.err);
            ran.complains("does not tell its");
            return None;
        }
        Some(self.ask(command))
    }

    /// What was planted of the thread at an address.
    pub(crate) fn thread_at(&self, address: &Value) -> Option<&Value> {
        each(&self.truth["threads"]).find(|one| one["address"] == *address)
    }

    /// The same in words.
    pub(crate) fn tell(&self, command: &str) -> String {
        self.bench.run(&format!("{command} x.dmp{}", self.beside)).exits(0).out
    }

    /// Threads that are in lists, by their address.
    fn threads(&self) -> BTreeMap<&str, &Value> {
        let listed = |thread: &&Value| thread["listed"] == true;
        each(&self.truth["threads"])
            .filter(listed)
            .map(|one| (text(&one["address"]), one))
            .collect()
    }

    fn tid_at(&self, address: &Value) -> Option<u64> {
        self.thread_at(address)?["tid"].as_u64()
    }

    /// Asserts that nothing was said against the truth.
    #[track_caller]
    pub(crate) fn agrees(&self, complaints: Vec<String>) {
        let shown: Vec<&String> = complaints.iter().take(25).collect();
        assert!(complaints.is_empty(), "{}: {} faults\n{shown:#?}", self.named, complaints.len());
    }
}

/// The elements of an array; none of anything else.
pub(crate) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What is missing in `found` if it must be there, and what is in it and must not.
fn differ<T: Ord + std::fmt::Debug>(
    what: &str,
    truth: &BTreeSet<T>,
    found: &BTreeSet<T>,
    all: bool,
) -> Vec<String> {
    let missed =
        truth.difference(found).filter(|_| all).map(|one| format!("{what} missed: {one:?}"));
    let invented = found.difference(truth).map(|one| format!("{what} invented: {one:?}"));
    missed.chain(invented).collect()
}
