//! `--simulate=...`: which machine it is, and what is wrong with it.

mod list;

use std::fmt;

use machine::Architecture;

use crate::nt::Build;

pub(crate) use list::Fault;
pub use list::{ScenarioInfo, list};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const MEMORY_LIMIT: u64 = 1 << 40;

/// A made-up machine, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Waits cost real time. Set by `slow-writer`; a caller may set it for a
    /// machine that others watch by their own clocks.
    pub real_time: bool,
    pub(crate) text: String,
    faults: Vec<Fault>,
    pub(crate) memory: u64,
    pub(crate) pool: Option<u64>,
    pub(crate) processes: Option<u32>,
    pub(crate) threads: Option<u32>,
    pub(crate) processors: u32,
    pub(crate) build: u32,
    pub(crate) architecture: Architecture,
    pub(crate) seed: u64,
    layout: Option<Build>,
    pub(crate) missing_pages: u32,
}

/// Why a scenario's text makes no machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioError {
    /// No scenario of that name.
    UnknownName {
        /// As given.
        name: String,
        /// Names that look like it.
        near: Vec<&'static str>,
    },
    /// No setting of that name.
    UnknownSetting {
        /// As given.
        name: String,
        /// Names that look like it.
        near: Vec<&'static str>,
    },
    /// A setting's value is not one.
    BadValue {
        /// The setting.
        setting: &'static str,
        /// As given.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName { name, near } => {
                write!(f, "no scenario is called \"{name}\"")?;
                did_you_mean(f, near)
            }
            Self::UnknownSetting { name, near } => {
                write!(f, "a scenario has no setting \"{name}\"")?;
                did_you_mean(f, near)
            }
            Self::BadValue { setting, value, expected } => {
                write!(f, "{setting}={value}: {expected} expected")
            }
        }
    }
}

fn did_you_mean(f: &mut fmt::Formatter<'_>, near: &[&str]) -> fmt::Result {
    match near {
        [] => write!(f, "; --simulate=list shows them all"),
        names => {
            write!(f, "; did you mean {}? (--simulate=list shows them all)", names.join(" or "))
        }
    }
}

impl std::error::Error for ScenarioError {}

const SETTINGS: &[&str] = &[
    "memory",
    "pool",
    "processes",
    "threads",
    "processors",
    "build",
    "arch",
    "seed",
    "layout",
    "missing-pages",
];

impl Default for Scenario {
    fn default() -> Self {
        Self {
            real_time: false,
            text: "healthy".into(),
            faults: Vec::new(),
            memory: 64 * MIB,
            pool: None,
            processes: None,
            threads: None,
            processors: 4,
            build: 26100,
            architecture: Architecture::X64,
            seed: 1,
            layout: None,
            missing_pages: 0,
        }
    }
}

impl Scenario {
    /// Reads `NAME[,NAME...][,setting=value...]`; empty text is "healthy".
    ///
    /// # Errors
    /// A name, setting or value that is not known.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let mut scenario = Self::default();
        let text = text.trim();
        if !text.is_empty() {
            scenario.text = text.to_owned();
        }
        let words = || text.split(',').map(str::trim).filter(|w| !w.is_empty());
        // Names first: a setting wins over what a name implies, wherever it stands.
        for name in words().filter(|w| !w.contains('=')) {
            scenario.add(name)?;
        }
        for (name, value) in words().filter_map(|w| w.split_once('=')) {
            scenario.set(name.trim(), value.trim())?;
        }
        scenario.check_architecture()?;
        if let Some(build) = scenario.real()
            && !words().any(|w| w.starts_with("build="))
        {
            scenario.build = build.number();
        }
        Ok(scenario)
    }

    /// The layout of a machine whose kernel is real code; others have a made-up image.
    pub(crate) fn real(&self) -> Option<Build> {
        let needed = self.missing_pages != 0 || self.faults.iter().any(|f| f.needs_real_kernel());
        let usual = match self.architecture {
            Architecture::Arm64 => Build::Arm22000,
            _ => Build::Real19041,
        };
        self.layout.or(needed.then_some(usual))
    }

    /// Each kernel of real code is of one architecture.
    fn check_architecture(&self) -> Result<(), ScenarioError> {
        let Some(build) = self.real() else { return Ok(()) };
        let arm = self.architecture == Architecture::Arm64;
        if build.is_arm() != arm {
            let expected = if arm { "22000 on ARM64" } else { "19041, a or b on x64" };
            return Err(bad("layout", build.name(), expected));
        }
        if arm && (self.has(Fault::La57) || self.has(Fault::KvaShadow)) {
            return Err(bad("arch", "arm64", "x64 with la57 and kva-shadow"));
        }
        Ok(())
    }

    /// As it was given, "healthy" when nothing was.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    fn add(&mut self, name: &str) -> Result<(), ScenarioError> {
        let lower = name.to_ascii_lowercase();
        let Some(info) = list().iter().find(|info| info.name == lower) else {
            return Err(ScenarioError::UnknownName {
                name: name.to_owned(),
                near: near(&lower, list().iter().map(|info| info.name)),
            });
        };
        match info.fault {
            Fault::OldBuild | Fault::Windows10 => self.build = 19045,
            Fault::Windows10Redstone => self.build = 14393,
            Fault::Windows11 => self.build = 26100,
            Fault::X64OnArm64 => self.architecture = Architecture::Arm64,
            Fault::ManyProcessors => self.processors = 64,
            Fault::SlowWriter => self.real_time = true,
            _ => {}
        }
        self.faults.push(info.fault);
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ScenarioError> {
        match name.to_ascii_lowercase().as_str() {
            "memory" => {
                self.memory =
                    size("memory", value, 16 * MIB, MEMORY_LIMIT, "a size from 16m to 1t")?;
            }
            "pool" => {
                self.pool = Some(size("pool", value, 0, 256 * GIB, "a size up to 256g")?);
            }
            "processes" => {
                self.processes =
                    Some(number("processes", value, 8, 20_000, "a number from 8 to 20000")?);
            }
            "threads" => {
                self.threads =
                    Some(number("threads", value, 1, 100_000, "a number from 1 to 100000")?);
            }
            "processors" => {
                self.processors = number("processors", value, 1, 2048, "a number from 1 to 2048")?;
            }
            "build" => {
                self.build = number("build", value, 14393, 99_999, "a build number from 14393 on")?;
            }
            "seed" => {
                self.seed = value.parse().map_err(|_| bad("seed", value, "a number"))?;
            }
            "layout" => {
                self.layout = Some(match value.to_ascii_lowercase().as_str() {
                    "19041" => Build::Real19041,
                    "a" => Build::A,
                    "b" => Build::B,
                    "22000" => Build::Arm22000,
                    _ => return Err(bad("layout", value, "19041, a, b, or 22000 on ARM64")),
                });
            }
            "missing-pages" => {
                self.missing_pages =
                    number("missing-pages", value, 0, 1_000_000, "a number up to 1000000")?;
            }
            "arch" => {
                self.architecture = match value.to_ascii_lowercase().as_str() {
                    "x64" | "amd64" | "x86_64" => Architecture::X64,
                    "arm64" | "aarch64" => Architecture::Arm64,
                    _ => return Err(bad("arch", value, "x64 or arm64")),
                };
            }
            other => {
                return Err(ScenarioError::UnknownSetting {
                    name: name.to_owned(),
                    near: near(other, SETTINGS.iter().copied()),
                });
            }
        }
        Ok(())
    }

    /// The pool the machine fills, in pages.
    pub(crate) fn pool_pages(&self) -> u64 {
        self.pool.unwrap_or((self.memory / 4).min(GIB)) / 4096
    }
}

fn bad(setting: &'static str, value: &str, expected: &'static str) -> ScenarioError {
    ScenarioError::BadValue { setting, value: value.to_owned(), expected }
}

fn number(
    setting: &'static str,
    value: &str,
    least: u32,
    most: u32,
    expected: &'static str,
) -> Result<u32, ScenarioError> {
    let number = value.parse::<u32>().map_err(|_| bad(setting, value, expected))?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(bad(setting, value, expected)) }
}

fn size(
    setting: &'static str,
    value: &str,
    least: u64,
    most: u64,
    expected: &'static str,
) -> Result<u64, ScenarioError> {
    let lower = value.to_ascii_lowercase();
    let (digits, unit) = match lower.char_indices().last() {
        Some((at, 'k')) => (&lower[..at], 1 << 10),
        Some((at, 'm')) => (&lower[..at], MIB),
        Some((at, 'g')) => (&lower[..at], GIB),
        Some((at, 't')) => (&lower[..at], 1 << 40),
        _ => (lower.as_str(), 1),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(unit))
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| bad(setting, value, expected))
}

fn near(word: &str, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut found: Vec<(usize, &str)> = names
        .map(|name| (distance(word, name), name))
        .filter(|(distance, name)| {
            *distance <= 2 + word.len() / 6 || (word.len() >= 4 && name.contains(word))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How many letters have to change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
