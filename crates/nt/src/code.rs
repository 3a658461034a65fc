//! One lookup over bugcheck codes, live-dump codes and statuses.

mod decode;

use core::fmt;

use crate::bugcheck::BUGCHECKS;
use crate::live_dump_code::{ALSO_BUGCHECKS, LIVE_DUMP_CODES};
use crate::status::NtStatus;

/// One code of a table; empty texts are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The code without flags.
    pub code: u32,
    /// Windows' name.
    pub name: &'static str,
    /// What it means, or empty.
    pub meaning: &'static str,
    /// What the four parameters are; empty where not described.
    pub parameters: [&'static str; 4],
}

/// What a number can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A code the system stops with.
    Bugcheck,
    /// A code of a live dump: the system went on.
    LiveDump,
    /// A code of both.
    BugcheckOrLiveDump,
    /// An `NTSTATUS`.
    NtStatus,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bugcheck => "bugcheck",
            Self::LiveDump => "live dump",
            Self::BugcheckOrLiveDump => "bugcheck or live dump",
            Self::NtStatus => "NTSTATUS",
        })
    }
}

/// One way to read a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it is in this reading.
    pub kind: Kind,
    /// The code without its flags.
    pub code: u32,
    /// Windows' name.
    pub name: &'static str,
    /// What it means, if known.
    pub meaning: Option<&'static str>,
    /// What it means, or is reported to mean, when a dump call answers with it (statuses only).
    pub meaning_for_dump_call: Option<&'static str>,
    /// What to do when a dump call answers with it (statuses only).
    pub remedy: Option<&'static str>,
    /// The Win32 code it usually maps to (statuses only).
    pub win32: Option<u32>,
    /// The four parameters (bugchecks and live dumps only).
    pub parameters: [Parameter; 4],
}

/// One of the four parameters of a code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// What it is, if described.
    pub description: Option<&'static str>,
    /// The value given, if any.
    pub value: Option<u64>,
    /// What that value says, if known.
    pub decoded: Option<String>,
}

/// All that is known of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The number as asked.
    pub code: u32,
    /// What the flag bits in it say; empty without flags.
    pub flags: Vec<&'static str>,
    /// Every way to read it, likeliest first; empty for an unknown number.
    pub readings: Vec<Reading>,
}

/// The bit that marks a bugcheck's `_M` form, as small dumps carry it.
pub const MINIDUMP_FLAG: u32 = 0x1000_0000;
/// A bit that can precede a code; some documented codes carry it themselves.
pub const MESSAGE_FLAG: u32 = 0x4000_0000;

const MINIDUMP_TEXT: &str =
    "0x10000000: the _M form of the code, as in small dumps; same meaning and parameters";
const MESSAGE_TEXT: &str = "0x40000000: a marker of the message, not part of the code";

/// Everything known of `code`.
#[must_use]
pub fn explain(code: u32) -> Explanation {
    lookup(code, None)
}

/// Everything known of `code`, with its four parameters decoded.
#[must_use]
pub fn explain_with(code: u32, parameters: [u64; 4]) -> Explanation {
    lookup(code, Some(parameters))
}

/// The explanation of the code with that name, in any case: a bugcheck or
/// live-dump name, with or without `_M`, or a status with or without `STATUS_`.
#[must_use]
pub fn explain_name(name: &str) -> Option<Explanation> {
    let name = name.trim();
    let find = |name: &str| {
        let all = BUGCHECKS.iter().chain(LIVE_DUMP_CODES);
        all.into_iter().find(|row| row.name.eq_ignore_ascii_case(name)).map(|row| row.code)
    };
    let short = name.strip_suffix("_M").or_else(|| name.strip_suffix("_m"));
    find(name)
        .or_else(|| NtStatus::from_name(name).map(|status| status.0))
        .or_else(|| short.and_then(find).map(|code| code | MINIDUMP_FLAG))
        .map(explain)
}

fn lookup(code: u32, parameters: Option<[u64; 4]>) -> Explanation {
    let (bare, flags) = bare_code(code);
    let of_code = row(bare).map(|(row, kind)| reading_of_row(row, kind, parameters));
    let of_status = NtStatus(code).name().map(|name| reading_of_status(NtStatus(code), name));
    Explanation { code, flags, readings: of_code.into_iter().chain(of_status).collect() }
}

/// The code without flags, and what the flags say. A code known as it stands keeps its bits.
fn bare_code(code: u32) -> (u32, Vec<&'static str>) {
    if row(code).is_some() {
        return (code, Vec::new());
    }
    let bare = code & !(MINIDUMP_FLAG | MESSAGE_FLAG);
    if bare == code || row(bare).is_none() {
        return (code, Vec::new());
    }
    let texts = [(MINIDUMP_FLAG, MINIDUMP_TEXT), (MESSAGE_FLAG, MESSAGE_TEXT)];
    (bare, texts.into_iter().filter(|(bit, _)| code & bit != 0).map(|(_, text)| text).collect())
}

fn row(code: u32) -> Option<(&'static Row, Kind)> {
    let find = |table: &'static [Row]| {
        table.binary_search_by_key(&code, |row| row.code).ok().map(|at| &table[at])
    };
    let live =
        if ALSO_BUGCHECKS.contains(&code) { Kind::BugcheckOrLiveDump } else { Kind::LiveDump };
    find(BUGCHECKS)
        .map(|row| (row, Kind::Bugcheck))
        .or_else(|| find(LIVE_DUMP_CODES).map(|row| (row, live)))
}

fn reading_of_row(row: &Row, kind: Kind, values: Option<[u64; 4]>) -> Reading {
    let parameter = |at: usize| Parameter {
        description: Some(row.parameters[at]).filter(|text| !text.is_empty()),
        value: values.map(|values| values[at]),
        decoded: values.and_then(|values| decode::parameter(row.code, at, &values)),
    };
    Reading {
        kind,
        code: row.code,
        name: row.name,
        meaning: Some(row.meaning).filter(|text| !text.is_empty()),
        meaning_for_dump_call: None,
        remedy: None,
        win32: None,
        parameters: [0, 1, 2, 3].map(parameter),
    }
}

fn reading_of_status(status: NtStatus, name: &'static str) -> Reading {
    Reading {
        kind: Kind::NtStatus,
        code: status.0,
        name,
        meaning: status.general_meaning(),
        meaning_for_dump_call: status.meaning_for_dump_call(),
        remedy: status.remedy(),
        win32: status.win32(),
        parameters: Default::default(),
    }
}

#[cfg(test)]
mod tests;
