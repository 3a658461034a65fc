//! Errors and limits of judges, by name: each is expected, and shown with its evidence.

use super::compare::{Difference, Plan, Subject};
use super::judges::{CRATE, LEECHCORE, VOLATILITY, WHEEL};

/// An error of a judge.
pub(crate) struct Known {
    pub(crate) judge: &'static str,
    pub(crate) name: &'static str,
    /// Where it stands in the specification of dump formats, or how it was found.
    pub(crate) why: &'static str,
    meets: fn(&Plan, &Difference) -> bool,
}

/// The known error that a difference is an instance of.
pub(crate) fn explain(judge: &str, plan: &Plan, found: &Difference) -> Option<&'static Known> {
    ALL.iter().find(|known| known.judge == judge && (known.meets)(plan, found))
}

fn is_refusal(found: &Difference, text: &str) -> bool {
    found.of == Subject::File && found.theirs.as_ref().is_some_and(|error| error.contains(text))
}

/// Made by the simulator's serialiser, for what we never write so.
fn made(plan: &Plan, part: &str) -> bool {
    plan.writer == "serialiser" && plan.file.contains(part)
}

fn lost(found: &Difference) -> bool {
    found.of == Subject::Page && found.theirs.is_none() && found.truth.is_some()
}

/// They know x64 with four levels of page tables; the dump does not tell another machine's.
fn other_tables(plan: &Plan, found: &Difference) -> bool {
    let machine = plan.file.contains("-la57") || plan.file.contains("-arm64");
    machine && found.of == Subject::Read
}

fn pat(plan: &Plan, found: &Difference) -> bool {
    plan.file.contains("-pat") && found.of == Subject::Read
}

fn page_zero(plan: &Plan, found: &Difference) -> bool {
    plan.file.contains("-frame-zero.made") && found.of != Subject::File
}

const PAT: &str = "bit 12 of a large page is taken for address";
const PAT_WHY: &str = "it is PAT there: specification, 11.1";
const ZERO: &str = "a type 0xA list ends at page 0";
const ZERO_WHY: &str = "all pages behind it are lost";
const FOUR: &str = "four-level x64 page tables only";
const FOUR_WHY: &str = "a limit: reads of other machines' virtual memory are not compared with it";

pub(crate) const ALL: &[Known] = &[
    Known { judge: CRATE, name: FOUR, why: FOUR_WHY, meets: other_tables },
    Known { judge: CRATE, name: PAT, why: PAT_WHY, meets: pat },
    Known { judge: CRATE, name: ZERO, why: ZERO_WHY, meets: page_zero },
    Known {
        judge: CRATE,
        name: "panics at a page that is stored twice",
        why: "an assertion of its own; the first one counts for us",
        meets: |plan, found| is_refusal(found, "panicked") && made(plan, "-overlapping"),
    },
    Known {
        judge: CRATE,
        name: "4 KiB steps behind a large page",
        why: "a read across two large pages goes on in the wrong page: specification, 11.1",
        meets: |_, found| found.of == Subject::Read && found.what == "across two large pages",
    },
    Known { judge: WHEEL, name: FOUR, why: FOUR_WHY, meets: other_tables },
    Known { judge: WHEEL, name: PAT, why: PAT_WHY, meets: pat },
    Known { judge: WHEEL, name: ZERO, why: ZERO_WHY, meets: page_zero },
    Known {
        judge: WHEEL,
        name: "a last partial byte of the bitmap is dropped",
        why: "specification, section 4; we write whole words",
        meets: |plan, found| made(plan, "-odd-bits") && found.theirs.is_none(),
    },
    Known { judge: VOLATILITY, name: FOUR, why: FOUR_WHY, meets: other_tables },
    Known {
        judge: VOLATILITY,
        name: "types 1 and 5 only",
        why: "a limit: it says so",
        meets: |_, found| is_refusal(found, "unsupported dump format"),
    },
    Known {
        judge: LEECHCORE,
        name: "files from 16 MiB on only",
        why: "a limit: specification, section 4",
        meets: |_, found| is_refusal(found, "Unable to initialize"),
    },
    Known {
        judge: LEECHCORE,
        name: "a last partial word of the bitmap is dropped",
        why: "64 bits: specification, section 4; we write whole words",
        meets: |plan, found| made(plan, "-odd-bits") && lost(found),
    },
    Known {
        judge: LEECHCORE,
        name: "range dumps are read as raw memory",
        why: "specification, section 5",
        meets: |plan, found| matches!(plan.kind, 8 | 9 | 0xA) && found.of == Subject::Page,
    },
];
