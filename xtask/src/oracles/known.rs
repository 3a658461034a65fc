//! Errors and limits of judges, by name: each is expected, and shown with its evidence. An error
//! explains a difference only when the judge saw what a reader with that error sees, to the byte.

use super::compare::{Difference, Plan, Subject};
use super::judges::{CRATE, LEECHCORE, VOLATILITY, WHEEL};

/// An error of a judge.
pub(crate) struct Known {
    pub(crate) judge: &'static str,
    pub(crate) name: &'static str,
    /// Where it stands in the specification of dump formats, or how it was found.
    pub(crate) why: &'static str,
    sign: Sign,
}

/// By what an error is known.
enum Sign {
    /// It sees exactly what a reader with this error does: `examples/oracle/errors.rs`.
    Sees(&'static str),
    /// It does not open such a file, and says this.
    Refuses(&'static str, fn(&Plan) -> bool),
}

/// The known error that a difference is an instance of.
pub(crate) fn explain(judge: &str, plan: &Plan, found: &Difference) -> Option<&'static Known> {
    ALL.iter().find(|known| known.judge == judge && known.sign.is_of(plan, found))
}

impl Sign {
    fn is_of(&self, plan: &Plan, found: &Difference) -> bool {
        match self {
            Self::Sees(error) => found.traps.get(*error).is_some_and(|sees| *sees == found.theirs),
            Self::Refuses(text, such) => {
                let said = found.theirs.as_deref().unwrap_or_default();
                found.of == Subject::File && said.contains(text) && such(plan)
            }
        }
    }
}

/// LeechCore takes no smaller ones.
const SMALLEST: u64 = 16 << 20;

const fn sees(
    judge: &'static str,
    error: &'static str,
    name: &'static str,
    why: &'static str,
) -> Known {
    Known { judge, name, why, sign: Sign::Sees(error) }
}

const PAT: &str = "bit 12 of a large page is taken for address";
const PAT_WHY: &str = "it is PAT there: specification, 11.1";
const ZERO: &str = "a type 0xA list ends at page 0";
const ZERO_WHY: &str = "all pages behind it are lost";
const FOUR: &str = "four-level x64 page tables only";
const FOUR_WHY: &str = "a limit: what another machine's tables are as those is what it sees";

pub(crate) const ALL: &[Known] = &[
    sees(CRATE, "four-levels-and-transition", FOUR, FOUR_WHY),
    sees(CRATE, "pat", PAT, PAT_WHY),
    sees(CRATE, "ends-at-zero", ZERO, ZERO_WHY),
    Known {
        judge: CRATE,
        name: "panics at a page that is stored twice",
        why: "an assertion of its own; the first one counts for us",
        sign: Sign::Refuses("panicked", |plan| plan.repeats),
    },
    sees(
        CRATE,
        "4k-steps",
        "4 KiB steps behind a large page",
        "a read across two large pages goes on in the wrong page: specification, 11.1",
    ),
    sees(
        CRATE,
        "left-of-first",
        "a read from the middle of a page leaves out parts of the next ones",
        "each is taken to have as many bytes left as the first: found here",
    ),
    sees(WHEEL, "four-levels", FOUR, FOUR_WHY),
    sees(WHEEL, "pat", PAT, PAT_WHY),
    sees(WHEEL, "ends-at-zero", ZERO, ZERO_WHY),
    sees(
        WHEEL,
        "last-byte",
        "a last partial byte of the bitmap is dropped",
        "specification, section 4; we write whole words",
    ),
    sees(VOLATILITY, "four-levels", FOUR, FOUR_WHY),
    Known {
        judge: VOLATILITY,
        name: "types 1 and 5 only",
        why: "a limit: it says so",
        sign: Sign::Refuses("unsupported dump format", |plan| !matches!(plan.kind, 1 | 5)),
    },
    Known {
        judge: LEECHCORE,
        name: "files from 16 MiB on only",
        why: "a limit: specification, section 4",
        sign: Sign::Refuses("Unable to initialize", |plan| plan.length < SMALLEST),
    },
    Known {
        judge: LEECHCORE,
        name: "pages on a page's boundary only",
        why: "a limit: specification, section 4",
        sign: Sign::Refuses("Unable to initialize", |plan| plan.unaligned),
    },
    sees(
        LEECHCORE,
        "last-word",
        "a last partial word of the bitmap is dropped",
        "64 bits: specification, section 4; we write whole words",
    ),
    sees(LEECHCORE, "raw", "range dumps are read as raw memory", "specification, section 5"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        serde_json::from_value(serde_json::json!({
            "file": "full-x64-pat.made.dmp", "kind": 1, "writer": "serialiser", "length": 0x4000,
            "header": { "directory_table_base": 0, "code": 0, "parameters": [0, 0, 0, 0],
                        "processors": 1 },
            "stored": 1, "counted": {}, "unaligned": false, "repeats": false, "pages": [], "reads": [],
        }))
        .unwrap()
    }

    fn read(theirs: &str) -> Difference {
        Difference {
            of: Subject::Read,
            what: "large page".to_owned(),
            address: 0x1000,
            theirs: Some(theirs.to_owned()),
            ours: None,
            truth: Some("truth".to_owned()),
            traps: [("pat".to_owned(), Some("what PAT makes of it".to_owned()))].into(),
        }
    }

    #[test]
    fn a_difference_is_explained_by_what_the_judge_saw() {
        let known = explain(CRATE, &plan(), &read("what PAT makes of it"));
        assert_eq!(known.map(|known| known.name), Some(PAT));
    }

    #[test]
    fn a_new_difference_in_a_file_that_a_judge_stumbles_over_is_not_hidden() {
        assert!(explain(CRATE, &plan(), &read("something else")).is_none());
        let nothing = Difference { theirs: None, ..read("") };
        assert!(explain(CRATE, &plan(), &nothing).is_none());
        assert!(explain(VOLATILITY, &plan(), &read("what PAT makes of it")).is_none());
    }

    #[test]
    fn a_refusal_is_only_known_of_files_that_it_is_known_for() {
        let refusal = Difference {
            of: Subject::File,
            theirs: Some("TypeError: Unable to initialize.".to_owned()),
            ..read("")
        };
        assert!(explain(LEECHCORE, &plan(), &refusal).is_some());
        let large = Plan { length: SMALLEST, ..plan() };
        assert!(explain(LEECHCORE, &large, &refusal).is_none());
        let panicked = Difference { theirs: Some("panicked".to_owned()), ..refusal };
        assert!(explain(CRATE, &plan(), &panicked).is_none());
        assert!(explain(CRATE, &Plan { repeats: true, ..plan() }, &panicked).is_some());
    }
}
