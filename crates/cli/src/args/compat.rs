//! The pass before clap: what LiveDump and other Windows tools let people type.

use std::ffi::OsString;

use super::definition;

/// A command line in the form that clap knows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) arguments: Vec<OsString>,
    /// The command, when there is one.
    pub(crate) command: Option<String>,
    /// `--simulate=list` stands somewhere: it is answered whatever else is missing.
    pub(crate) list_scenarios: bool,
}

impl Prepared {
    /// With the program's name in front, as clap wants it.
    pub(crate) fn with_program_name(&self) -> impl Iterator<Item = OsString> + '_ {
        std::iter::once(OsString::from("livedump")).chain(self.arguments.iter().cloned())
    }
}

/// Dump types whose options LiveDump took in any case.
const ANY_CASE: [&str; 2] = ["kernel", "triage"];

/// Brings types and options to lower case, `/?` and `-?` to `--help`, and drops `-accepteula`.
pub(crate) fn prepare(typed: Vec<OsString>) -> Prepared {
    let mut prepared = Prepared::default();
    let mut typed = typed.into_iter();
    for argument in typed.by_ref() {
        if argument == "--" {
            prepared.arguments.push(argument);
            break;
        }
        match argument.to_str() {
            Some(text) if is_licence(text) => {}
            Some("/?" | "-?") => prepared.arguments.push("--help".into()),
            Some(text) if text.eq_ignore_ascii_case("--simulate=list") => {
                prepared.list_scenarios = true
            }
            Some(text) => {
                let text = prepared.normal(text);
                prepared.arguments.push(text.into());
            }
            None => prepared.arguments.push(argument),
        }
    }
    prepared.arguments.extend(typed);
    prepared
}

fn is_licence(text: &str) -> bool {
    ["-accepteula", "/accepteula", "--accepteula"]
        .iter()
        .any(|known| text.eq_ignore_ascii_case(known))
}

impl Prepared {
    fn normal(&mut self, text: &str) -> String {
        if let Some(long) = text.strip_prefix("--") {
            return long_option(long);
        }
        match text.strip_prefix('-') {
            Some(short) if self.command.as_deref().is_some_and(|c| ANY_CASE.contains(&c)) => {
                short_option(short)
            }
            Some(_) => text.to_owned(),
            None => self.word(text),
        }
    }

    /// The first word that is no option is the command; all others stay as they are.
    fn word(&mut self, text: &str) -> String {
        if self.command.is_some() {
            return text.to_owned();
        }
        let lower = text.to_ascii_lowercase();
        let known = definition().get_subcommands().any(|command| command.get_name() == lower);
        let word = if known || lower == "help" { lower } else { text.to_owned() };
        self.command = Some(word.clone());
        word
    }
}

/// The name in lower case, the value as it is.
fn long_option(option: &str) -> String {
    match option.split_once('=') {
        Some((name, value)) => format!("--{}={value}", name.to_ascii_lowercase()),
        None => format!("--{}", option.to_ascii_lowercase()),
    }
}

/// The letter in lower case; a value that is attached to it stays.
fn short_option(option: &str) -> String {
    if option.chars().all(|c| c.is_ascii_alphabetic()) {
        return format!("-{}", option.to_ascii_lowercase());
    }
    let mut characters = option.chars();
    let first = characters.next().map(|c| c.to_ascii_lowercase());
    format!("-{}{}", first.map(String::from).unwrap_or_default(), characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(line: &str) -> String {
        let prepared = prepare(line.split_whitespace().map(OsString::from).collect());
        let words: Vec<_> = prepared.arguments.iter().map(|a| a.to_str().unwrap()).collect();
        words.join(" ")
    }

    #[test]
    fn a_livedump_command_line_becomes_one_of_ours() {
        for (typed, meant) in [
            ("KERNEL -C -U x.dmp", "kernel -c -u x.dmp"),
            ("Kernel -CU X.dmp", "kernel -cu X.dmp"),
            ("kernel -H -D x.dmp", "kernel -h -d x.dmp"),
            ("Triage -P 1234 -T 4 C:\\X.DMP", "triage -p 1234 -t 4 C:\\X.DMP"),
            ("TRIAGE x.dmp -P1234 -T16", "triage x.dmp -p1234 -t16"),
            (
                "triage -P Foo.exe --Overwrite --Comment=Why x",
                "triage -p Foo.exe --overwrite --comment=Why x",
            ),
            ("-accepteula kernel x.dmp", "kernel x.dmp"),
            ("kernel x.dmp /AcceptEula", "kernel x.dmp"),
            ("/?", "--help"),
            ("kernel -?", "kernel --help"),
            ("TRIAGE /?", "triage --help"),
            ("PS", "ps"),
            ("-V", "-V"),
            ("explain KERNEL", "explain KERNEL"),
            ("kernel -- -C /?", "kernel -- -C /?"),
            ("kernel /tmp/X.dmp", "kernel /tmp/X.dmp"),
        ] {
            assert_eq!(prepared(typed), meant, "{typed}");
        }
    }

    #[test]
    fn the_list_of_scenarios_is_asked_for_on_any_command() {
        let asked = |line: &str| {
            prepare(line.split_whitespace().map(OsString::from).collect()).list_scenarios
        };
        assert!(asked("triage --simulate=list"));
        assert!(asked("--Simulate=LIST"));
        assert!(!asked("kernel -- --simulate=list"));
        assert!(!asked("kernel --simulate=partial x"));
    }
}
