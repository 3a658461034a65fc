//! The access list of a dump: kernel memory is nobody's business but the administrators'.

/// SYSTEM and Administrators, protected from what the folder would hand down.
const BASE: &str = "D:P(A;;FA;;;SY)(A;;FA;;;BA)";

/// Who owns the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    /// Administrators: the user's own SID would open the file to every
    /// unelevated process of that user, since an owner can change the list.
    Administrators,
    /// Our own SID, where the token may not name Administrators as owner.
    /// Listed too, so that we can read what we own.
    Ourselves(&'a str),
}

/// The security descriptor as text.
pub(crate) fn descriptor(owner: Owner<'_>, reader: Option<&str>) -> String {
    let mut text = match owner {
        Owner::Administrators => format!("O:BAG:BA{BASE}"),
        Owner::Ourselves(sid) => format!("{BASE}(A;;FA;;;{sid})"),
    };
    if let Some(sid) = reader {
        text.push_str(&format!("(A;;FR;;;{sid})"));
    }
    text
}

/// Whether `text` has the form of a SID: `S-1-authority-subauthority...`.
pub(crate) fn is_sid(text: &str) -> bool {
    let mut parts = text.split('-');
    let head =
        parts.next().is_some_and(|s| s.eq_ignore_ascii_case("S")) && parts.next() == Some("1");
    let authority = parts.next().is_some_and(|authority| match authority.strip_prefix("0x") {
        Some(hex) => hex.len() == 12 && u64::from_str_radix(hex, 16).is_ok(),
        None => number(authority).is_some_and(|value| value < 1 << 32),
    });
    let rest: Vec<_> = parts.collect();
    let subs = (1..=15).contains(&rest.len());
    head && authority && subs && rest.iter().all(|s| number(s).is_some_and(|n| n < 1 << 32))
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_asked_to_be_administrators_own_and_nobody_elses() {
        assert_eq!(descriptor(Owner::Administrators, None), "O:BAG:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)");
    }

    #[test]
    fn a_reader_may_read_and_no_more() {
        assert_eq!(
            descriptor(Owner::Administrators, Some("S-1-5-21-1-2-3-1001")),
            "O:BAG:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;S-1-5-21-1-2-3-1001)"
        );
    }

    #[test]
    fn who_cannot_name_administrators_owns_it_and_is_listed() {
        assert_eq!(
            descriptor(Owner::Ourselves("S-1-5-21-7"), None),
            "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;S-1-5-21-7)"
        );
    }

    #[test]
    fn only_the_form_of_a_sid_passes_for_one() {
        for good in ["S-1-5-18", "s-1-5-21-1-2-3-1001", "S-1-0x000000000005-32-544", "S-1-1-0"] {
            assert!(is_sid(good), "{good}");
        }
        for bad in [
            "",
            "S",
            "S-1",
            "S-1-5",
            "S-2-5-18",
            "S-1-5-",
            "S-1-5--1",
            "S-1-5-4294967296",
            "S-1-5-+1",
            "S-1-5-18)(A;;FA;;;WD",
            "BA",
            "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
        ] {
            assert!(!is_sid(bad), "{bad}");
        }
    }
}
