//! Is the file good, and if not, why not.

mod blobs;
mod check;
mod deep;
mod header;
mod pages;
mod set;
mod sum;
mod triage;

use std::fmt;

use map::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

pub use check::{Check, Outcome};
pub use set::{SetVerification, verify_set};

use crate::{Attributes, Dump, DumpType, Error, Width};
use check::{Checks, of_error};

/// How far to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Level {
    /// The dump header alone.
    Header,
    /// The page index, the tables, the bounds of all parts; not the pages' content.
    Structure,
    /// All stored memory is read; the debugger block and the kernel's base are
    /// looked up through the dump's own page tables.
    Deep,
}

/// What the checks come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Whole, as far as was looked.
    Good,
    /// Sound, but something is known to be missing or could not be checked.
    Partial,
    /// Contradicts itself, or was cut.
    Damaged,
    /// No kernel dump, or not even its header can be read.
    Unusable,
    /// Encrypted: nothing below the header can be looked at.
    Encrypted,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Partial => "partial",
            Self::Damaged => "damaged",
            Self::Unusable => "unusable",
            Self::Encrypted => "encrypted",
        })
    }
}

/// What verification found. Any field may be absent in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verification {
    /// What the checks come to.
    pub verdict: Verdict,
    /// How far it looked.
    pub level: Level,
    /// The verdict with its reason, one line.
    pub summary: String,
    /// "kernel bitmap dump", "triage dump", ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Bytes in the file.
    pub file_length: u64,
    /// By how many bytes the file is too short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_bytes: Option<u64>,
    /// Every check, in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// Verifies a dump. Takes any bytes; what cannot be read is a verdict.
pub fn verify(bytes: &dyn Bytes, level: Level) -> Verification {
    match Dump::open(bytes) {
        Ok(dump) => Verifier { dump: &dump, checks: Checks::default() }.run(level),
        Err(error) => unusable(&error, bytes.len(), level),
    }
}

fn unusable(error: &Error, file_length: u64, level: Level) -> Verification {
    let mut checks = Checks::default();
    checks.error("identity", error);
    Verification {
        verdict: Verdict::Unusable,
        level,
        summary: match error {
            Error::NotADump(identity) if identity.advice().is_some() => {
                format!("unusable: {error}; {}", identity.advice().unwrap_or_default())
            }
            _ => format!("unusable: {error}"),
        },
        kind: None,
        file_length,
        missing_bytes: checks.missing_bytes,
        checks: checks.list,
    }
}

struct Verifier<'v, 'a> {
    dump: &'v Dump<'a>,
    checks: Checks,
}

impl Verifier<'_, '_> {
    fn run(mut self, level: Level) -> Verification {
        self.header();
        let encrypted = self.dump.header().has(Attributes::ENCRYPTED_DUMP_DATA);
        if level >= Level::Structure && !encrypted {
            self.structure();
        }
        if level >= Level::Deep && !encrypted {
            self.deep();
        }
        let verdict = if encrypted { Verdict::Encrypted } else { self.checks.verdict() };
        Verification {
            verdict,
            level: if encrypted { Level::Header } else { level },
            summary: self.summary(verdict),
            kind: Some(self.kind()),
            file_length: self.dump.file_length(),
            missing_bytes: self.checks.missing_bytes,
            checks: self.checks.list,
        }
    }

    fn structure(&mut self) {
        match (self.dump.kind(), self.dump.header().width) {
            (DumpType::HeaderOnly, width) => self.secondary(width.header_size()),
            (DumpType::Triage, _) => self.triage(),
            (DumpType::Full, _) => self.runs(),
            (kind, _) if kind.is_ranges() => self.runs(),
            (kind, _) if kind.is_bitmap() || kind == DumpType::Summary => self.bitmap(),
            _ => self.checks.warn(Check::new(
                "structure",
                format!("only the header was verified: this version does not understand the rest of a {}", self.kind()),
            )),
        }
    }

    fn kind(&self) -> String {
        crate::info::kind(self.dump.header())
    }

    fn summary(&self, verdict: Verdict) -> String {
        let kind = self.kind();
        let article = if kind.starts_with('a') { "an" } else { "a" };
        match (verdict, self.checks.worst()) {
            (Verdict::Encrypted, _) => {
                format!(
                    "encrypted: {article} {kind} whose content cannot be verified below the header"
                )
            }
            (_, Some(worst)) => format!("{verdict}: {}", worst.text),
            _ => format!("{verdict}: {article} {kind} of {} bytes", self.dump.file_length()),
        }
    }

    /// An error while opening a part, as a failed check.
    fn broken(&mut self, name: &str, error: &Error) {
        self.checks.error(name, error);
    }

    /// Where the dump header ends.
    fn start(&self) -> u64 {
        self.dump.header().width.header_size()
    }

    /// Where in the header a field is: its 64-bit and its 32-bit offset.
    fn field(&self, bits64: u64, bits32: u64) -> u64 {
        match self.dump.header().width {
            Width::Bits64 => bits64,
            Width::Bits32 => bits32,
        }
    }

    /// Reading what the kernel may have left out is a warning, not a failure.
    fn unread(&mut self, name: &str, error: &Error) {
        let check = of_error(name, error);
        self.checks.warn(check);
    }
}
