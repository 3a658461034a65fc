//! clap's errors, with what to type instead.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::compat::Prepared;
use super::values;

/// Adds what clap cannot know: whose option it is, and where to look names up.
pub(super) fn say_more(
    mut error: clap::Error,
    prepared: &Prepared,
    definition: &Command,
) -> clap::Error {
    if let Some(tip) = tip(&error, prepared, definition) {
        error.remove(ContextKind::Suggested);
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error
}

/// clap would have a number that stands behind an option written as a file name.
const NOT_NEGATIVE: &str =
    "no option has a negative value; a file name that begins with - stands last, behind --";

fn tip(error: &clap::Error, prepared: &Prepared, definition: &Command) -> Option<String> {
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let typed = invalid(error)?;
            if values::is_negative(&typed) {
                return Some(NOT_NEGATIVE.to_owned());
            }
            let command = prepared.command.as_deref()?;
            let owners = owners(&typed, command, definition);
            if owners.is_empty() {
                return None;
            }
            Some(format!("{} belongs to {}, not to {command}", name(&typed), owners.join(" and ")))
        }
        ErrorKind::MissingRequiredArgument if invalid(error)?.contains("PID|NAME") => Some(
            "-p names the process, as -p 1234 or -p notepad.exe; livedump ps lists them".to_owned(),
        ),
        ErrorKind::InvalidSubcommand => {
            let typed = invalid(error)?;
            let looks_like_a_file = typed.contains(['.', '\\', '/', ':']);
            looks_like_a_file
                .then(|| format!("the kind of dump comes first: livedump kernel {typed}"))
        }
        _ => None,
    }
}

fn invalid(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand];
    kinds.iter().find_map(|kind| match error.get(*kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(" ")),
        _ => None,
    })
}

/// `--tid=5` without its value.
fn name(typed: &str) -> &str {
    typed.split('=').next().unwrap_or(typed)
}

/// The commands other than this one that have the option. Who takes a dump means the other
/// kind of dump, where that one has it.
fn owners(typed: &str, command: &str, definition: &Command) -> Vec<String> {
    let has = |other: &&Command| {
        other.get_name() != command
            && other.get_arguments().any(|argument| {
                let long = argument
                    .get_long()
                    .is_some_and(|long| name(typed).strip_prefix("--") == Some(long));
                let short = argument
                    .get_short()
                    .is_some_and(|short| typed.strip_prefix('-') == Some(&short.to_string()));
                long || short
            })
    };
    let all: Vec<String> =
        definition.get_subcommands().filter(has).map(|c| c.get_name().to_owned()).collect();
    let other_kind = match command {
        "kernel" => "triage",
        "triage" => "kernel",
        _ => return all,
    };
    if all.iter().any(|name| name == other_kind) { vec![other_kind.to_owned()] } else { all }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    fn refused(line: &str) -> String {
        let error = super::super::parse(line.split_whitespace().map(OsString::from)).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        error.to_string()
    }

    #[test]
    fn an_option_of_the_other_kind_is_named_as_such() {
        assert!(refused("kernel -p 12 x.dmp").contains("-p belongs to triage, not to kernel"));
        assert!(refused("KERNEL -T 4 x.dmp").contains("-t belongs to triage, not to kernel"));
        assert!(refused("kernel --tid=5 x.dmp").contains("--tid belongs to triage"));
        assert!(refused("triage -p 1 -c x.dmp").contains("-c belongs to kernel, not to triage"));
        assert!(
            refused("triage -p 1 --stacks-only x.dmp").contains("--stacks-only belongs to kernel")
        );
        assert!(refused("verify --simulate x.dmp").contains("ps and threads and doctor"));
        assert!(refused("ps --overwrite").contains("--overwrite belongs to triage and kernel"));
    }

    #[test]
    fn a_negative_value_is_never_told_to_be_written_as_a_file_name() {
        for (line, option) in [
            ("kernel --parameter -1 x", "--parameter <V>"),
            ("kernel --timeout -5 x", "--timeout <T>"),
            ("kernel --retry -1 x", "--retry <N>"),
            ("kernel --bugcheck -1 x", "--bugcheck <CODE>"),
            ("triage -p -1 x", "--process <PID|NAME>"),
            ("TRIAGE -P -1 x", "--process <PID|NAME>"),
            ("triage -p 4 -t -1 x", "--threads <N|all>"),
            ("triage -p 4 --tid -1 x", "--tid <ID>"),
            ("threads -p -1", "--process <PID|NAME>"),
            ("explain 0x161 -1", "[P]"),
        ] {
            let text = refused(line);
            assert!(text.contains("cannot be negative") && text.contains(option), "{line}: {text}");
            assert!(!text.contains("-- -"), "{line}: {text}");
        }
        for line in ["kernel --timeout -5s x", "kernel -1", "kernel --parameter -0x1 x"] {
            let text = refused(line);
            assert!(text.contains("no option has a negative value"), "{line}: {text}");
            assert!(!text.contains("'-- -"), "{line}: {text}");
        }
    }

    #[test]
    fn a_mistyped_option_is_not_a_file_name() {
        for line in
            ["kernel -x", "kernel -x live.dmp", "triage -p 1 -x", "kernel --stack-only x.dmp"]
        {
            assert!(refused(line).contains("unexpected argument"), "{line}");
        }
    }

    #[test]
    fn a_triage_dump_without_a_process_says_how_to_name_one() {
        let text = refused("triage x.dmp");
        assert!(text.contains("-p 1234") && text.contains("livedump ps"), "{text}");
    }

    #[test]
    fn what_livedump_let_pass_as_a_thread_count_is_refused() {
        assert!(refused("triage -p 1 -t 0 x.dmp").contains("give 1 or more"));
        assert!(refused("triage -p 1 -t abc x.dmp").contains("a number of threads"));
    }

    #[test]
    fn a_file_without_a_kind_of_dump_is_told_where_the_kind_goes() {
        assert!(refused("live.dmp").contains("livedump kernel live.dmp"));
    }
}
