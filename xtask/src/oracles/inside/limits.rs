//! Limits of judges of what is inside, by name: each is expected on certain machines, in certain
//! words, and shown with its evidence.

use super::compare::Lists;
use super::machines::{KNOWN_LAYOUT, Machine};
use super::{Answer, MEMPROCFS, TOLD, VOLATILITY};

/// A limit of a judge.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) judge: &'static str,
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    /// On which machines.
    such: fn(&Machine) -> bool,
    /// What it says there.
    says: &'static str,
}

/// When it lists nothing at all and does not say why.
const NOTHING: &str = "nothing: no process, no module, no thread";

const FIVE: &str = "no five-level page tables";

pub(crate) const ALL: &[Limit] = &[
    Limit {
        judge: VOLATILITY,
        name: FIVE,
        why: "its x64 layer has four levels",
        such: five_levels,
        says: NOTHING,
    },
    Limit {
        judge: MEMPROCFS,
        name: FIVE,
        why: "its x64 memory model has four levels",
        such: five_levels,
        says: "Unable to locate valid DTB",
    },
    Limit {
        judge: MEMPROCFS,
        name: "a kernel without a section POOLCODE is none",
        why: "it searches the kernel's first page for this name, which Windows' kernel has there and ours has not",
        such: |machine| !five_levels(machine),
        says: "Unable to locate ntoskrnl.exe",
    },
    Limit { judge: TOLD, name: FIVE, why: "as when nothing was told", such: five_levels, says: "" },
    Limit {
        judge: TOLD,
        name: "no kernel whose offsets it does not know",
        why: "layouts a and b are of no Windows, so that nothing can be told, and it has no reader of PDBs",
        such: |machine| machine.layout != KNOWN_LAYOUT,
        says: "Unable to locate EPROCESS offsets",
    },
];

fn five_levels(machine: &Machine) -> bool {
    machine.simulated.contains("la57")
}

/// What a judge said that may be a limit of it.
pub(crate) fn words(answer: &Answer) -> String {
    let Lists { processes, modules, threads } = &answer.lists;
    let lists = [processes, modules, threads];
    let empty = lists.iter().all(|list| list.as_ref().is_some_and(Vec::is_empty));
    match &answer.error {
        Some(error) => error.clone(),
        None if empty => NOTHING.to_owned(),
        None => String::new(),
    }
}

/// The limit that an answer is an instance of.
pub(crate) fn explain(judge: &str, machine: &Machine, words: &str) -> Option<&'static Limit> {
    let is = |limit: &&Limit| {
        limit.judge == judge && (limit.such)(machine) && words.contains(limit.says)
    };
    if words.is_empty() { None } else { ALL.iter().find(is) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(simulated: &'static str) -> Machine {
        Machine { simulated, layout: KNOWN_LAYOUT, user: false }
    }

    fn refused(error: &str) -> Answer {
        Answer { error: Some(error.to_owned()), ..Answer::default() }
    }

    #[test]
    fn a_refusal_is_known_only_on_its_machines_and_in_its_words() {
        let known = "Initialization Failed. Unable to locate ntoskrnl.exe. #3";
        let (plain, five) = (machine("healthy"), machine("la57"));
        assert!(explain(MEMPROCFS, &plain, &words(&refused(known))).is_some());
        assert!(explain(MEMPROCFS, &five, &words(&refused(known))).is_none());
        assert!(explain(MEMPROCFS, &plain, &words(&refused("it died of signal 11"))).is_none());
        assert!(explain(TOLD, &plain, &words(&refused(known))).is_none());
    }

    #[test]
    fn empty_lists_are_known_with_five_levels_only_and_one_empty_list_never() {
        let empty = Some(Vec::new());
        let lists =
            Lists { processes: empty.clone(), modules: empty.clone(), threads: empty.clone() };
        let nothing = Answer { lists, ..Answer::default() };
        assert!(explain(VOLATILITY, &machine("la57"), &words(&nothing)).is_some());
        assert!(explain(VOLATILITY, &machine("healthy"), &words(&nothing)).is_none());
        let modules = Some(vec![super::super::compare::Record::new()]);
        let lists = Lists { modules, ..nothing.lists };
        let one = Answer { lists, ..Answer::default() };
        assert!(explain(VOLATILITY, &machine("la57"), &words(&one)).is_none());
    }
}
