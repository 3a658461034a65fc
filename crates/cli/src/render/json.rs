//! Answers as JSON: one object, pure ASCII unless a person looks at it.

use std::fmt::Write;

use capture::Failure;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

/// What `--json` prints when there is no answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FailureReport {
    /// "livedump.failure/1".
    pub(crate) schema: String,
    /// The command.
    pub(crate) command: String,
    /// The exit code.
    pub(crate) exit_code: u8,
    /// The scenario, when the machine was a simulated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) simulated: Option<String>,
    /// Why there is no answer.
    pub(crate) failure: Failure,
}

impl FailureReport {
    pub(crate) fn new(command: &str, simulated: Option<String>, failure: Failure) -> Self {
        Self {
            schema: "livedump.failure/1".into(),
            command: command.into(),
            exit_code: failure.class.exit_code(),
            simulated,
            failure,
        }
    }
}

/// What a command prints: its answer, or why there is none.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)] // the published schema is made from it, values are not
enum Printed<T> {
    Answer(T),
    Failure(FailureReport),
}

/// The published schema of a command whose answer is `T`.
pub(crate) fn schema<T: JsonSchema>(command: &str) -> Schema {
    let mut schema = of_output::<Printed<T>>();
    schema.insert("title".into(), format!("livedump {command} --json").into());
    schema
}

/// The schema of what is printed: a field that is left out when empty is not required.
pub(crate) fn of_output<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// One object: over several lines for a person, in one line and ASCII for a program.
pub(crate) fn object(
    value: &impl Serialize,
    for_a_person: bool,
) -> Result<String, serde_json::Error> {
    if for_a_person {
        return Ok(serde_json::to_string_pretty(value)? + "\n");
    }
    Ok(ascii(&serde_json::to_string(value)?) + "\n")
}

/// One line of `--progress json`.
pub(crate) fn line(event: &capture::Event) -> String {
    // An event has only numbers and strings: nothing that JSON cannot hold.
    serde_json::to_string(event).map(|text| ascii(&text) + "\n").unwrap_or_default()
}

/// All that is not ASCII stands within strings, where an escape means the same.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_a_program_json_is_one_line_of_ascii_that_means_the_same() {
        let value = serde_json::json!({ "name": "Grün 😀\u{7f}" });
        let text = object(&value, false).unwrap();
        assert!(text.is_ascii() && text.lines().count() == 1 && text.contains("\\ud83d\\ude00"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn for_a_person_json_stays_readable() {
        let text = object(&serde_json::json!({ "name": "Grün" }), true).unwrap();
        assert!(text.contains("Grün") && text.lines().count() > 1);
    }
}
