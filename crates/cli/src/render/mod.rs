//! Answers as text. One record a line, key first; every file here turns one kind of answer into a string.

pub(crate) mod blobs;
pub(crate) mod capture;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod entry;
pub(crate) mod estimate;
pub(crate) mod explain;
pub(crate) mod failure;
pub(crate) mod hex;
pub(crate) mod info;
pub(crate) mod inside;
pub(crate) mod json;
pub(crate) mod listing;
pub(crate) mod read;
mod rows;
pub(crate) mod scenarios;
mod table;
pub(crate) mod translation;
pub(crate) mod verification;

pub(crate) use rows::Rows;
pub(crate) use table::{Columns, Table};

/// Width of the keys of [`Record`].
const KEY: usize = 12;

/// Lines of a key and a value.
#[derive(Default)]
pub(crate) struct Record(String);

impl Record {
    /// One line. What a file or a machine named cannot break out of it.
    pub(crate) fn line(&mut self, key: &str, value: impl AsRef<str>) {
        let gap = if key.len() < KEY { "" } else { " " };
        self.0.push_str(&format!("{key:<KEY$}{gap}{}\n", clean(value.as_ref())));
    }

    /// One line, if there is a value.
    pub(crate) fn maybe(&mut self, key: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.line(key, value);
        }
    }

    /// The line that says that nothing of this is real.
    pub(crate) fn simulated(&mut self, scenario: Option<&str>) {
        self.maybe(
            "simulated",
            scenario.map(|name| format!("{name} (a made-up machine: nothing here is real)")),
        );
    }

    /// Whatever stands in lines of its own.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Control characters made visible: names come from foreign machines and files,
/// and a console obeys what it is sent.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_bidirectional(character) {
            clean.extend(character.escape_unicode());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Characters that turn the direction of what follows.
fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Bytes for people: `14.2 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut one = 1_u64;
    while unit + 1 < UNITS.len() && bytes / one >= 1024 {
        one *= 1024;
        unit += 1;
    }
    if unit == 0 {
        return format!("{bytes} bytes");
    }
    let tenths = u128::from(bytes) * 10 / u128::from(one);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// Bytes for people and for scripts: `14.2 MiB (14893056 bytes)`.
pub(crate) fn exact_size(bytes: u64) -> String {
    if bytes < 1024 { size(bytes) } else { format!("{} ({bytes} bytes)", size(bytes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_machine_cannot_steer_the_console() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\u{a}c\\u{202e}d");
        assert_eq!(clean("Grün 日本"), "Grün 日本");
    }

    #[test]
    fn sizes_are_human_and_exact() {
        assert_eq!(exact_size(512), "512 bytes");
        assert_eq!(exact_size(14_893_056), "14.2 MiB (14893056 bytes)");
        assert_eq!(size(u64::MAX), "16777215.9 TiB");
    }

    #[test]
    fn a_record_is_one_line_with_its_key_first() {
        let mut record = Record::default();
        record.line("file", "a\nb");
        record.maybe("none", None::<&str>);
        assert_eq!(record.into_text(), "file        a\\u{a}b\n");
    }
}
