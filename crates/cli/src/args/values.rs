//! The values of options, read and refused with what would be right.

use std::time::Duration;

use capture::{ProcessTarget, ThreadCount};

/// Characters that fit into the header's comment field beside its terminator.
const COMMENT: usize = 127;

/// A minus sign was meant as one: what is expected instead would not say what is wrong.
fn not_negative(text: &str) -> Result<(), String> {
    if is_negative(text) { Err("it cannot be negative".to_owned()) } else { Ok(()) }
}

/// A minus sign before a digit.
pub(super) fn is_negative(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// `0x1f`, `1fh` or decimal (`0n31` too).
pub(crate) fn number(text: &str) -> Result<u64, String> {
    not_negative(text)?;
    parse(text).ok_or_else(|| "a number is 0x hexadecimal or decimal, up to 64 bits".to_owned())
}

/// Digits of an address as livedump prints it.
const ADDRESS: usize = 16;

/// A number; and, as hexadecimal, what debuggers and livedump itself print: with a backtick, with
/// a letter from a to f, or with 16 digits.
pub(crate) fn address(text: &str) -> Result<u64, String> {
    not_negative(text)?;
    let bare = text.replace('`', "");
    let printed = text.contains('`') || bare.len() == ADDRESS || digits(&bare, 10).is_none();
    let value = match digits(&bare, 16).filter(|_| printed) {
        Some(value) => Some(value),
        None => parse(text),
    };
    value.ok_or_else(|| {
        "an address is hexadecimal, as 0x1f0, fffff804`7c600b20 or 16 digits, or decimal; up to \
         64 bits"
            .to_owned()
    })
}

/// How many bytes: at least one.
pub(crate) fn length(text: &str) -> Result<u64, String> {
    match number(text)? {
        0 => Err("nothing to read: give 1 byte or more".to_owned()),
        length => Ok(length),
    }
}

fn parse(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase().replace('`', "");
    if let Some(hex) = lower.strip_prefix("0x").or_else(|| lower.strip_suffix('h')) {
        return digits(hex, 16);
    }
    digits(lower.strip_prefix("0n").unwrap_or(&lower), 10)
}

/// No sign, which `from_str_radix` would take.
fn digits(text: &str, radix: u32) -> Option<u64> {
    let all = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    all.then(|| u64::from_str_radix(text, radix).ok()).flatten()
}

/// A blob of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhichBlob {
    /// By its place in the list, from 1.
    Number(usize),
    /// The first with this tag.
    Tag(format::Guid),
}

/// Digits are a place in the list, all else is a tag.
pub(crate) fn blob(text: &str) -> Result<WhichBlob, String> {
    let number = digits(text, 10).and_then(|number| usize::try_from(number).ok());
    if let Some(number) = number.filter(|number| *number > 0) {
        return Ok(WhichBlob::Number(number));
    }
    let tag = text.parse().map(WhichBlob::Tag);
    tag.map_err(|_: format::NotAGuid| {
        "a blob is its number in the list, from 1, or its tag, as \
         2b88b710-1c93-4f7c-b06c-655ecc50decc"
            .to_owned()
    })
}

/// A bug-check code, by number or name.
pub(crate) fn bugcheck(text: &str) -> Result<u32, String> {
    not_negative(text)?;
    if let Some(number) = parse(text) {
        return u32::try_from(number).map_err(|_| "a bug-check code has 32 bits".to_owned());
    }
    let named = nt::code::explain_name(text)
        .filter(|code| code.readings.iter().any(|r| r.kind != nt::code::Kind::NtStatus));
    named.map(|code| code.code).ok_or_else(|| {
        "a bug-check code is 0x hexadecimal, decimal, or a name as LIVE_SYSTEM_DUMP".to_owned()
    })
}

/// `90s`, `5m`, `1h`, or seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    not_negative(text)?;
    let expected = || "a time is a number of seconds, or 90s, 5m, 1h; more than 0".to_owned();
    let lower = text.to_ascii_lowercase();
    let (count, unit) = match lower.char_indices().last() {
        Some((at, 's')) => (&lower[..at], 1),
        Some((at, 'm')) => (&lower[..at], 60),
        Some((at, 'h')) => (&lower[..at], 3600),
        _ => (lower.as_str(), 1),
    };
    let seconds = digits(count, 10).and_then(|count| count.checked_mul(unit));
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(expected)
}

/// A plain number of times.
pub(crate) fn count(text: &str) -> Result<u32, String> {
    not_negative(text)?;
    let count = digits(text, 10).and_then(|count| u32::try_from(count).ok());
    count.ok_or_else(|| "a decimal number, 0 for not at all".to_owned())
}

/// A thread count of at least 1, or `all`.
pub(crate) fn thread_count(text: &str) -> Result<ThreadCount, String> {
    not_negative(text)?;
    if text.eq_ignore_ascii_case("all") {
        return Ok(ThreadCount::All);
    }
    match digits(text, 10).and_then(|count| u32::try_from(count).ok()) {
        Some(0) => Err("a dump of no threads has nothing in it: give 1 or more, or all".to_owned()),
        Some(count) => Ok(ThreadCount::First(count)),
        None => Err("a number of threads, as 4, or all".to_owned()),
    }
}

/// Digits are a process id, all else is an image name.
pub(crate) fn process(text: &str) -> Result<ProcessTarget, String> {
    not_negative(text)?;
    if text.is_empty() {
        return Err("a process id or an image name; livedump ps lists them".to_owned());
    }
    if text.chars().all(|c| c.is_ascii_digit()) {
        let pid = text.parse().map_err(|_| "no process id is that large".to_owned())?;
        return Ok(ProcessTarget::Pid(pid));
    }
    Ok(ProcessTarget::Name(text.to_owned()))
}

/// A thread id.
pub(crate) fn tid(text: &str) -> Result<u32, String> {
    not_negative(text)?;
    let tid = digits(text, 10).and_then(|tid| u32::try_from(tid).ok()).filter(|tid| *tid > 0);
    tid.ok_or_else(|| {
        "a thread id is a decimal number; livedump threads -p PID lists them".to_owned()
    })
}

/// Printable ASCII that fits into the header.
pub(crate) fn comment(text: &str) -> Result<String, String> {
    if !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return Err("the header's comment field takes printable ASCII only".to_owned());
    }
    if text.len() > COMMENT {
        let length = text.len();
        return Err(format!(
            "it has {length} characters, the header's comment field takes {COMMENT}"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_hexadecimal_with_0x_or_h_and_decimal_else() {
        for (text, value) in [
            ("0x161", 0x161),
            ("0X1F", 0x1f),
            ("161h", 0x161),
            ("353", 353),
            ("0", 0),
            ("0x00546173`6b6d6772", 0x0054_6173_6b6d_6772),
            ("0xffffffffffffffff", u64::MAX),
        ] {
            assert_eq!(number(text), Ok(value), "{text}");
        }
        for text in ["", "0x", "h", "+1", "-1", "1f", "0x1_0", "\"live\"", "0x10000000000000000"] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_taken_as_debuggers_and_livedump_print_it() {
        for (text, value) in [
            ("0x1f0", 0x1f0),
            ("0xFFFFF804`7C600B20", 0xffff_f804_7c60_0b20),
            ("fffff804`7c600b20", 0xffff_f804_7c60_0b20),
            ("00000000`00123000", 0x12_3000),
            ("fffff8047c600b20", 0xffff_f804_7c60_0b20),
            ("0000000000123000", 0x12_3000),
            ("82801000", 82_801_000),
            ("8280100c", 0x8280_100c),
            ("123000h", 0x12_3000),
            ("0n4096", 4096),
            ("4096", 4096),
        ] {
            assert_eq!(address(text), Ok(value), "{text}");
        }
        for text in ["", "`", "0x", "-1", "nt!KiBugCheckData", "1ffffffffffffffff", "+1f"] {
            assert!(address(text).is_err(), "{text}");
        }
        assert!(length("0").unwrap_err().contains("1 byte or more"));
        assert_eq!(length("0n16"), Ok(16));
    }

    #[test]
    fn a_blob_is_named_by_its_place_or_its_tag() {
        assert_eq!(blob("3"), Ok(WhichBlob::Number(3)));
        let tag = "{2B88B710-1c93-4f7c-b06c-655ecc50decc}";
        assert!(matches!(blob(tag), Ok(WhichBlob::Tag(_))));
        for text in ["", "0", "-1", "x", "2b88b710"] {
            assert!(blob(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_negative_value_is_refused_as_such() {
        let negative = Err("it cannot be negative".to_owned());
        assert_eq!(number("-1").map(|_| ()), negative);
        assert_eq!(bugcheck("-0x1").map(|_| ()), negative);
        assert_eq!(duration("-5s").map(|_| ()), negative);
        assert_eq!(count("-1").map(|_| ()), negative);
        assert_eq!(thread_count("-1").map(|_| ()), negative);
        assert_eq!(process("-1").map(|_| ()), negative);
        assert_eq!(tid("-1").map(|_| ()), negative);
    }

    #[test]
    fn a_bug_check_code_has_32_bits_and_may_be_named() {
        assert_eq!(bugcheck("0x161"), Ok(0x161));
        assert_eq!(bugcheck("live_system_dump"), Ok(0x161));
        assert!(bugcheck("0x100000000").is_err());
        assert!(bugcheck("STATUS_RETRY").is_err());
        assert!(bugcheck("NO_SUCH_CODE").is_err());
    }

    #[test]
    fn a_time_is_seconds_unless_a_unit_says_otherwise() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1H"), Ok(Duration::from_secs(3600)));
        for text in ["", "0", "0m", "s", "1d", "-5", "1.5m", "99999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_thread_count_is_at_least_one() {
        assert_eq!(thread_count("64"), Ok(ThreadCount::First(64)));
        assert_eq!(thread_count("ALL"), Ok(ThreadCount::All));
        for text in ["0", "abc", "-1", "", "4294967296", "0x4"] {
            assert!(thread_count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn digits_are_a_process_id_and_all_else_a_name() {
        assert_eq!(process("1234"), Ok(ProcessTarget::Pid(1234)));
        assert_eq!(process("7zFM.exe"), Ok(ProcessTarget::Name("7zFM.exe".into())));
        assert!(process("").is_err());
        assert!(process("99999999999").is_err());
    }

    #[test]
    fn a_comment_is_ascii_and_fits_the_header() {
        assert!(comment(&"x".repeat(127)).is_ok());
        assert!(comment(&"x".repeat(128)).unwrap_err().contains("127"));
        assert!(comment("grün").is_err());
        assert!(comment("a\u{1b}[2J").is_err());
    }
}
