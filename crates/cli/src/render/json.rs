//! Answers as JSON: one object, pure ASCII unless a person looks at it.

use std::io::{self, Write};

use capture::Failure;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

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
    let mut text = Vec::new();
    write(value, for_a_person, &mut text)?;
    // JSON is UTF-8.
    Ok(String::from_utf8(text).unwrap_or_default())
}

/// The same, into a stream: an answer may be longer than what shall be kept.
pub(crate) fn write(
    value: &impl Serialize,
    for_a_person: bool,
    out: &mut dyn Write,
) -> Result<(), serde_json::Error> {
    if for_a_person {
        serde_json::to_writer_pretty(&mut *out, value)?;
    } else {
        value.serialize(&mut Serializer::with_formatter(&mut *out, Ascii))?;
    }
    out.write_all(b"\n").map_err(serde_json::Error::io)
}

/// One line of `--progress json`.
pub(crate) fn line(event: &capture::Event) -> String {
    // An event has only numbers and strings: nothing that JSON cannot hold.
    object(event, false).unwrap_or_default()
}

/// All that is not ASCII stands within strings, where an escape means the same.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        let foreign = |character: char| !character.is_ascii() || character == '\u{7f}';
        for part in fragment.split_inclusive(foreign) {
            let (known, last) = match part.chars().next_back().filter(|last| foreign(*last)) {
                Some(last) => (part.strip_suffix(last).unwrap_or(part), Some(last)),
                None => (part, None),
            };
            writer.write_all(known.as_bytes())?;
            let escaped = last.map(|last| last.encode_utf16(&mut units)).unwrap_or_default();
            for unit in escaped {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
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
