//! `livedump explain`. A number always gets an answer, if only that it is unknown; a name that is not known is not found.

use capture::{Class, Failure};
use nt::NtStatus;
use nt::code::{Explanation, explain, explain_name, explain_with};

use super::{Outcome, answer};
use crate::args::values::number;
use crate::args::{self, ExplainArgs};
use crate::render::explain::{code, report, text};

pub(super) fn run(typed: &ExplainArgs) -> Outcome {
    if typed.code.trim().is_empty() {
        let text = "the code is empty: give a number, or a name as LIVE_SYSTEM_DUMP";
        return Err(args::usage("explain", text).into());
    }
    let Some((value, mut hints)) = value(typed.code.trim()) else {
        let failure = Failure::new(Class::NotFound, format!("no bug check, live dump or status is called '{}'", typed.code))
            .remedy("give a number (0x hexadecimal or decimal), or Windows' whole name as in LIVE_SYSTEM_DUMP or STATUS_RETRY");
        return Err(failure.into());
    };
    let mut parameters = [0; 4];
    for (slot, value) in parameters.iter_mut().zip(&typed.parameters) {
        *slot = *value;
    }
    let explanation =
        if typed.parameters.is_empty() { explain(value) } else { explain_with(value, parameters) };
    hints.extend(of_an_unknown(&explanation));
    let explained = report(&explanation, typed.parameters.len(), hints);
    answer(typed.output.json, Class::Done, &explained, text)
}

/// The code that was typed, and what else the text may have meant.
fn value(typed: &str) -> Option<(u32, Vec<String>)> {
    if let Some(value) = signed(typed).or_else(|| number(typed).ok().and_then(low_half)) {
        return Some((value, as_hexadecimal(typed, value).into_iter().collect()));
    }
    if let Some(explanation) = explain_name(typed) {
        return Some((explanation.code, Vec::new()));
    }
    let value = low_half(number(&format!("0x{typed}")).ok()?)?;
    Some((value, vec!["read as hexadecimal".to_owned()]))
}

/// A status as programs print it that take it for a signed number.
fn signed(typed: &str) -> Option<u32> {
    typed.strip_prefix('-')?;
    typed.parse::<i32>().ok().map(i32::cast_unsigned)
}

/// 32 bits, also when they were extended by their sign.
fn low_half(value: u64) -> Option<u32> {
    let extended = value >> 31 == (1 << 33) - 1;
    u32::try_from(if extended { value & 0xFFFF_FFFF } else { value }).ok()
}

/// Codes are mostly written in hexadecimal: says so when a decimal number has a meaning in that reading, too.
fn as_hexadecimal(typed: &str, decimal: u32) -> Option<String> {
    if !typed.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let value = u32::from_str_radix(typed, 16).ok().filter(|value| *value != decimal)?;
    let other = explain(value);
    let name = other.readings.first()?.name;
    Some(format!("read as decimal; 0x{typed} would be {} ({name})", code(value, false)))
}

/// What the bits of a number say that is in no table.
fn of_an_unknown(explanation: &Explanation) -> Option<String> {
    if !explanation.readings.is_empty() {
        return None;
    }
    let status = NtStatus(explanation.code);
    let facility = (explanation.code >> 16) & 0xFFF;
    let owner = if explanation.code & 0x2000_0000 == 0 { "Microsoft's" } else { "a third party's" };
    Some(format!(
        "as an NTSTATUS its bits say: severity {}, facility {facility:#x}, {owner}",
        status.severity()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for typed in ["0x161", "353", "161h", "LIVE_SYSTEM_DUMP", "live_system_dump"] {
            assert_eq!(value(typed).unwrap().0, 0x161, "{typed}");
        }
        for typed in [
            "0xC000022D",
            "-1073741267",
            "STATUS_RETRY",
            "C000022D",
            "0xffffffffc000022d",
            "3221226029",
        ] {
            assert_eq!(value(typed).unwrap().0, 0xC000_022D, "{typed}");
        }
        assert!(value("NO_SUCH_NAME").is_none());
        assert!(value("0x100000000").is_none());
    }

    #[test]
    fn a_decimal_number_that_is_a_code_in_hexadecimal_is_told_so() {
        let (value, hints) = value("161").unwrap();
        assert_eq!(value, 161);
        assert!(hints[0].contains("0x161 (LIVE_SYSTEM_DUMP)"), "{hints:?}");
    }

    #[test]
    fn an_unknown_number_is_taken_apart() {
        let hint = of_an_unknown(&explain(0xE0AB_1234)).unwrap();
        assert_eq!(
            hint,
            "as an NTSTATUS its bits say: severity error, facility 0xab, a third party's"
        );
    }
}
