//! What was typed, as what it means: the options of `capture`.

use std::ffi::OsStr;

use capture::{Common, KernelOptions, Pick, TriageOptions};
use machine::Pages;

use crate::args::{self, CaptureArgs, EstimateArgs, KernelArgs, PageArgs, PickArg, TriageArgs};
use crate::world;

/// The header has four.
const PARAMETERS: usize = 4;

/// The meaning of `livedump kernel ...`.
pub(crate) fn kernel(typed: &KernelArgs) -> Result<KernelOptions, clap::Error> {
    let pages = Pages {
        use_dump_storage_stack: typed.dump_storage_stack,
        compress_memory_pages_data: typed.compress,
        abort_if_memory_pressure: typed.abort_on_memory_pressure,
        ..pages("kernel", &typed.pages, typed.hypervisor)?
    };
    Ok(KernelOptions { common: common("kernel", &typed.capture)?, pages })
}

/// The meaning of `livedump triage ...`.
pub(crate) fn triage(typed: &TriageArgs) -> Result<TriageOptions, clap::Error> {
    Ok(TriageOptions {
        common: common("triage", &typed.capture)?,
        process: typed.process.clone(),
        count: typed.threads,
        tids: typed.tids.clone(),
        thread_name: typed.thread_name.clone(),
        pick: match typed.pick {
            PickArg::Main => Pick::Main,
            PickArg::LongestWait => Pick::LongestWait,
            PickArg::Cpu => Pick::Cpu,
        },
    })
}

/// The pages that `livedump estimate ...` means.
pub(crate) fn estimate(typed: &EstimateArgs) -> Result<Pages, clap::Error> {
    pages("estimate", &typed.pages, typed.hypervisor)
}

fn pages(command: &str, typed: &PageArgs, hypervisor: bool) -> Result<Pages, clap::Error> {
    let excluded = [
        (typed.user_pages, "-u"),
        (typed.nonessential_hypervisor, "--nonessential-hypervisor"),
        (hypervisor, if command == "kernel" { "-h" } else { "--hypervisor" }),
    ];
    if let Some((_, name)) = excluded.iter().find(|(given, _)| typed.stacks_only && *given) {
        return Err(args::usage(
            command,
            format!(
                "--stacks-only takes kernel stacks and nothing else: leave out {name}, or --stacks-only"
            ),
        ));
    }
    Ok(Pages {
        include_user_space: typed.user_pages,
        kernel_stacks_only: typed.stacks_only,
        hypervisor: hypervisor || typed.nonessential_hypervisor,
        nonessential_hypervisor: typed.nonessential_hypervisor,
        ..Pages::default()
    })
}

fn common(command: &str, typed: &CaptureArgs) -> Result<Common, clap::Error> {
    if typed.parameters.len() > PARAMETERS {
        let text = format!(
            "--parameter was given {} times, a header has {PARAMETERS}",
            typed.parameters.len()
        );
        return Err(args::usage(command, text));
    }
    Ok(Common {
        file: file(command, typed)?,
        bugcheck: typed.bugcheck,
        parameters: typed.parameters.clone(),
        timeout: typed.timeout,
        retries: typed.retry,
        overwrite: typed.overwrite,
        comment: typed.comment.clone(),
        require_complete: typed.require_complete,
        keep_partial: typed.keep_partial,
        readable_by: typed.readable_by.clone(),
        hash: typed.hash,
        no_event_log: typed.no_event_log,
        allow_synced: typed.allow_synced,
    })
}

/// The one file name; what looks like a mistyped option is none.
fn file(command: &str, typed: &CaptureArgs) -> Result<Option<String>, clap::Error> {
    let Some(first) = &typed.file else { return Ok(None) };
    for name in std::iter::once(first).chain(&typed.second) {
        if let Some(why) = not_a_name(name, world::SLASH_IS_AN_OPTION) {
            return Err(args::usage(command, why));
        }
    }
    if let Some(second) = typed.second.first() {
        let (first, second) = (first.to_string_lossy(), second.to_string_lossy());
        let text = format!(
            "two file names, '{first}' and '{second}': give one, in quotation marks if it has spaces"
        );
        return Err(args::usage(command, text));
    }
    Ok(first.to_str().map(str::to_owned))
}

/// Why this cannot be meant as a file name.
fn not_a_name(name: &OsStr, slash_is_an_option: bool) -> Option<String> {
    let Some(name) = name.to_str() else {
        return Some(format!("the file name '{}' is not Unicode", name.to_string_lossy()));
    };
    if name.is_empty() {
        return Some("the file name is empty".to_owned());
    }
    if name == "-" {
        return Some("a dump cannot go to standard output: Windows writes it to a file".to_owned());
    }
    if name.eq_ignore_ascii_case("help") {
        return Some("'help' is no file name here: --help shows the help".to_owned());
    }
    if name.starts_with([
        '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}',
    ]) {
        return Some(format!(
            "'{name}' begins with a typographic dash: options begin with an ordinary hyphen, -"
        ));
    }
    let word = slash_option(name, slash_is_an_option)?;
    Some(format!(
        "'{name}' looks like an option: options begin with -, as -{}{word}; for a file of that name write its full path",
        if word.chars().count() > 1 { "-" } else { "" }
    ))
}

/// The word of `/c`, `/t4`, `/overwrite`; any `/word` where that is how options are written.
fn slash_option(name: &str, any_word: bool) -> Option<&str> {
    let word = name.strip_prefix('/')?;
    let letters = word.chars().take_while(|c| c.is_ascii_alphabetic() || *c == '-').count();
    let only_letters = !word.is_empty() && letters == word.len();
    let with_number =
        letters == 1 && word.len() > 1 && word[1..].chars().all(|c| c.is_ascii_digit());
    let known = only_letters && (letters == 1 || is_long_option(word));
    (known || with_number || (any_word && only_letters)).then_some(word)
}

fn is_long_option(word: &str) -> bool {
    args::definition()
        .get_subcommands()
        .flat_map(clap::Command::get_arguments)
        .any(|argument| argument.get_long().is_some_and(|long| long.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::args::{Asked, Command};

    fn asked(line: &str) -> Command {
        match args::parse(line.split_whitespace().map(OsString::from)).unwrap() {
            Asked::Command(command) => *command,
            Asked::Scenarios { .. } => panic!("a command was expected"),
        }
    }

    fn kernel_of(line: &str) -> Result<KernelOptions, clap::Error> {
        match asked(line) {
            Command::Kernel(typed) => kernel(&typed),
            other => panic!("{other:?}"),
        }
    }

    fn triage_of(line: &str) -> TriageOptions {
        match asked(line) {
            Command::Triage(typed) => triage(&typed).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn livedumps_letters_mean_the_same_pages() {
        let pages = kernel_of("KERNEL -C -D -H -U x.dmp").unwrap().pages;
        let expected = Pages {
            use_dump_storage_stack: true,
            compress_memory_pages_data: true,
            include_user_space: true,
            hypervisor: true,
            ..Pages::default()
        };
        assert_eq!(pages, expected);
        assert_eq!(kernel_of("kernel x.dmp").unwrap().pages, Pages::default());
    }

    #[test]
    fn nonessential_hypervisor_pages_imply_hypervisor_pages() {
        let pages = kernel_of("kernel --nonessential-hypervisor x").unwrap().pages;
        assert!(pages.hypervisor && pages.nonessential_hypervisor);
    }

    #[test]
    fn stacks_only_with_other_pages_is_refused() {
        for more in ["-h", "-u", "--nonessential-hypervisor"] {
            let text =
                kernel_of(&format!("kernel --stacks-only {more} x")).unwrap_err().to_string();
            assert!(text.contains(&format!("leave out {more}")), "{text}");
        }
        assert!(kernel_of("kernel --stacks-only x").unwrap().pages.kernel_stacks_only);
    }

    #[test]
    fn every_option_of_a_capture_arrives() {
        let common = kernel_of(
            "kernel --bugcheck 0x1a --parameter 1 --parameter 0x2 --timeout 5m --retry 2 --overwrite --comment why \
             --require-complete --keep-partial --readable-by me --hash --no-event-log --allow-synced a.dmp",
        )
        .unwrap()
        .common;
        assert_eq!(common.file.as_deref(), Some("a.dmp"));
        assert_eq!(common.bugcheck, Some(0x1a));
        assert_eq!(common.parameters, [1, 2]);
        assert_eq!(common.timeout, Some(std::time::Duration::from_secs(300)));
        assert_eq!(common.retries, 2);
        assert_eq!(common.comment.as_deref(), Some("why"));
        assert_eq!(common.readable_by.as_deref(), Some("me"));
        assert!(common.overwrite && common.require_complete && common.keep_partial && common.hash);
        assert!(common.no_event_log && common.allow_synced);
    }

    #[test]
    fn without_options_a_capture_retries_five_times_and_names_its_file_itself() {
        let common = kernel_of("kernel").unwrap().common;
        assert_eq!((common.file, common.retries, common.timeout), (None, 5, None));
    }

    #[test]
    fn a_triage_capture_takes_threads_by_count_id_name_and_order() {
        let options =
            triage_of("triage -p 1234 -t all --tid 5 --tid 6,7 --thread-name Wor* --pick CPU x");
        assert_eq!(options.process, capture::ProcessTarget::Pid(1234));
        assert_eq!(options.count, Some(capture::ThreadCount::All));
        assert_eq!(options.tids, [5, 6, 7]);
        assert_eq!(options.thread_name.as_deref(), Some("Wor*"));
        assert_eq!(options.pick, Pick::Cpu);
        assert_eq!(triage_of("triage -p 1234 x").count, None);
    }

    #[test]
    fn an_empty_simulate_does_not_swallow_the_file() {
        let Command::Kernel(typed) = asked("kernel --simulate live.dmp") else { panic!() };
        assert_eq!(typed.capture.asking.simulate.as_deref(), Some(""));
        assert_eq!(kernel(&typed).unwrap().common.file.as_deref(), Some("live.dmp"));
    }

    #[test]
    fn two_file_names_are_named() {
        let text = kernel_of("kernel c live.dmp").unwrap_err().to_string();
        assert!(text.contains("'c' and 'live.dmp'"), "{text}");
        assert!(text.contains("livedump kernel"), "{text}");
    }

    #[test]
    fn a_fifth_parameter_is_refused() {
        let text =
            kernel_of(&format!("kernel {} x", "--parameter 1 ".repeat(5))).unwrap_err().to_string();
        assert!(text.contains("5 times"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_unicode_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        assert!(not_a_name(OsStr::from_bytes(b"x\xff.dmp"), false).is_some());
    }

    #[test]
    fn what_looks_like_an_option_is_no_file_name_and_a_path_is_one() {
        for (name, anywhere, where_slashes_are_options) in [
            ("/c", true, true),
            ("/U", true, true),
            ("/t4", true, true),
            ("/overwrite", true, true),
            ("/stacks", false, true),
            ("/tmp", false, true),
            ("/tmp/x.dmp", false, false),
            ("/x.dmp", false, false),
            ("/", false, false),
            ("c", false, false),
            ("C:\\dumps\\x.dmp", false, false),
            ("\u{2013}u", true, true),
            ("-", true, true),
            ("HELP", true, true),
            ("help.dmp", false, false),
            ("", true, true),
        ] {
            assert_eq!(not_a_name(OsStr::new(name), false).is_some(), anywhere, "{name}");
            assert_eq!(
                not_a_name(OsStr::new(name), true).is_some(),
                where_slashes_are_options,
                "{name}"
            );
        }
    }
}
