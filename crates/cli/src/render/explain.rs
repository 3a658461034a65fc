//! What a code means.

use nt::code::{Explanation, Kind, Reading};
use schemars::JsonSchema;
use serde::Serialize;

use super::Record;

/// The result of `livedump explain`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Explained {
    /// "livedump.explain/1".
    pub(crate) schema: String,
    /// `0x161`, or `0xC000022D`.
    pub(crate) code: String,
    /// The same as a number.
    pub(crate) value: u32,
    /// What the flag bits in it say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) flags: Vec<String>,
    /// Every way to read it, likeliest first; none for an unknown number.
    pub(crate) readings: Vec<ReadingReport>,
    /// What it may be instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hints: Vec<String>,
}

/// One way to read a code.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReadingReport {
    /// "bugcheck", "live dump", "bugcheck or live dump", "NTSTATUS".
    pub(crate) kind: String,
    /// Without flags: `0x161`.
    pub(crate) code: String,
    /// Windows' name.
    pub(crate) name: String,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meaning: Option<String>,
    /// What it means, or is reported to mean, when a dump call answers with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meaning_for_dump_call: Option<String>,
    /// What to do when a dump call answers with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    /// The Win32 code it usually maps to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) win32: Option<u32>,
    /// Its parameters, those that are described or were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parameters: Vec<ParameterReport>,
}

/// One parameter of a code.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ParameterReport {
    /// 1 to 4.
    pub(crate) number: usize,
    /// 16 hex digits, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// What the value says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decoded: Option<String>,
}

/// The explanation as plain data; of the four parameters only the first `given` were typed.
pub(crate) fn report(explanation: &Explanation, given: usize, hints: Vec<String>) -> Explained {
    let readings: Vec<_> =
        explanation.readings.iter().map(|reading| of_reading(reading, given)).collect();
    let is_status =
        explanation.readings.first().is_none_or(|reading| reading.kind == Kind::NtStatus);
    Explained {
        schema: "livedump.explain/1".into(),
        code: code(explanation.code, is_status),
        value: explanation.code,
        flags: explanation.flags.iter().map(|flag| (*flag).to_owned()).collect(),
        readings,
        hints,
    }
}

fn of_reading(reading: &Reading, given: usize) -> ReadingReport {
    let own = |text: Option<&str>| text.map(str::to_owned);
    let parameters =
        reading.parameters.iter().enumerate().map(|(index, parameter)| ParameterReport {
            number: index + 1,
            value: parameter.value.filter(|_| index < given).map(|value| format!("{value:016x}")),
            description: own(parameter.description),
            decoded: parameter.decoded.clone().filter(|_| index < given),
        });
    ReadingReport {
        kind: reading.kind.to_string(),
        code: code(reading.code, reading.kind == Kind::NtStatus),
        name: reading.name.to_owned(),
        meaning: own(reading.meaning),
        meaning_for_dump_call: own(reading.meaning_for_dump_call),
        remedy: own(reading.remedy),
        win32: reading.win32,
        parameters: parameters
            .filter(|one| one.value.is_some() || one.description.is_some())
            .collect(),
    }
}

/// Statuses have eight digits, codes as many as they need.
pub(crate) fn code(value: u32, is_status: bool) -> String {
    if is_status && value > 0xFFFF { format!("0x{value:08X}") } else { format!("0x{value:X}") }
}

/// `livedump explain`.
pub(crate) fn text(explained: &Explained) -> String {
    let mut record = Record::default();
    record.line("code", format!("{} ({})", explained.code, explained.value));
    explained.flags.iter().for_each(|flag| record.line("flag", flag));
    if explained.readings.is_empty() {
        record.line(
            "unknown",
            "no bug check, live dump or status of this number is known to this version",
        );
    }
    for reading in &explained.readings {
        record.line("reading", format!("{}: {} ({})", reading.kind, reading.code, reading.name));
        record.maybe("meaning", reading.meaning.as_deref());
        record.maybe("of a dump", reading.meaning_for_dump_call.as_deref());
        record.maybe("what to do", reading.remedy.as_deref());
        record.maybe("win32", reading.win32.map(|code| code.to_string()));
        for parameter in &reading.parameters {
            record.line(&format!("parameter {}", parameter.number), words(parameter));
        }
    }
    explained.hints.iter().for_each(|hint| record.line("note", hint));
    record.into_text()
}

/// `005461736b6d6772  who asked for it: "Taskmgr"`
fn words(parameter: &ParameterReport) -> String {
    let mut text = parameter.value.as_ref().map(|value| format!("{value}  ")).unwrap_or_default();
    text.push_str(parameter.description.as_deref().unwrap_or("not described"));
    if let Some(decoded) = &parameter.decoded {
        text.push_str(&format!(": {decoded}"));
    }
    text
}
