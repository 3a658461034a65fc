//! Why a command failed, for standard error.

use capture::Failure;

use super::clean;

/// `livedump: error: ...`, its details, and what to do.
pub(crate) fn text(failure: &Failure) -> String {
    let mut text = format!("livedump: error: {}\n", clean(&failure.message));
    for detail in &failure.details {
        text.push_str(&format!("  {}\n", clean(detail)));
    }
    if let Some(meaning) = meaning(failure) {
        text.push_str(&format!("meaning: {}\n", clean(meaning)));
    }
    if let Some(remedy) = remedy(failure) {
        text.push_str(&format!("what to do: {}\n", clean(remedy)));
    }
    text
}

/// The line that says that no real machine failed; "" where one was asked.
pub(crate) fn simulated(scenario: Option<&str>) -> String {
    scenario.map(|name| format!("simulated: {}\n", clean(name))).unwrap_or_default()
}

/// The meaning of the kernel's status, unless the message has it.
fn meaning(failure: &Failure) -> Option<&str> {
    let meaning = failure.status.as_ref()?.meaning.as_str();
    (!failure.message.contains(meaning)).then_some(meaning)
}

/// The failure's own advice knows more than the status's.
fn remedy(failure: &Failure) -> Option<&str> {
    failure.remedy.as_deref().or_else(|| failure.status.as_ref()?.remedy.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::{Class, StatusReport};

    #[test]
    fn a_failure_says_what_it_means_and_what_to_do() {
        let status = StatusReport {
            ntstatus: "0xC000022D".into(),
            name: Some("STATUS_RETRY".into()),
            win32: None,
            meaning: "another dump runs".into(),
            remedy: Some("wait".into()),
        };
        let failure =
            Failure { status: Some(Box::new(status)), ..Failure::new(Class::Busy, "refused") }
                .details(vec!["first".into(), "second".into()]);
        assert_eq!(
            text(&failure),
            "livedump: error: refused\n  first\n  second\nmeaning: another dump runs\nwhat to do: wait\n"
        );
        let more = failure.remedy("look at first");
        assert!(text(&more).ends_with("what to do: look at first\n"));
    }
}
