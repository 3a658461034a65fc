//! Why the machine stopped, when it did.

use format::Header;
use nt::code::{Kind, explain_with};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Hex;

/// The code that the machine stopped with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Crash {
    /// The code, as it stands in the header.
    pub code: u32,
    /// Windows' name of it.
    pub name: Option<String>,
    /// What it means.
    pub meaning: Option<String>,
    /// Its four parameters.
    pub parameters: Vec<CrashParameter>,
}

/// A parameter of a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CrashParameter {
    /// Its value.
    pub value: Hex,
    /// What it is, and what the value says.
    pub meaning: Option<String>,
}

/// `None` for a dump of a machine that ran on.
pub fn crash(header: &Header) -> Option<Crash> {
    let code = header.bug_check_code.filter(|_| !header.is_live())?;
    let values = header.bug_check_parameters.map(Option::unwrap_or_default);
    let readings = explain_with(code, values).readings;
    let reading = readings.into_iter().find(|reading| reading.kind != Kind::NtStatus);
    let meaning = |number: usize| {
        let parameter = reading.as_ref()?.parameters.get(number)?;
        match (parameter.description, &parameter.decoded) {
            (Some(what), Some(value)) => Some(format!("{what}: {value}")),
            (what, decoded) => what.map(str::to_owned).or_else(|| decoded.clone()),
        }
    };
    let parameters = values.iter().enumerate();
    Some(Crash {
        code,
        name: reading.as_ref().map(|reading| reading.name.to_owned()),
        meaning: reading.as_ref().and_then(|reading| reading.meaning).map(str::to_owned),
        parameters: parameters
            .map(|(number, value)| CrashParameter { value: Hex(*value), meaning: meaning(number) })
            .collect(),
    })
}
