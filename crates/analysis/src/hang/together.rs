//! What several moments of one machine tell together.

use std::collections::{BTreeSet, HashMap};

use super::relation::{Evidence, Grade, Holder, Relation};
use super::{Hang, LONGEST, graph};
use crate::{Census, Hex, ListReport, ThreadRef, stack_wait};

/// What one file of a set tells.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The file's name.
    pub file: String,
    /// What it tells of waiting.
    pub hang: Hang,
    threads: Vec<ThreadRef>,
    processes: Vec<Hex>,
}

impl Moment {
    /// What a file with these threads tells.
    pub fn new(file: String, hang: Hang, census: &Census) -> Self {
        let threads = (0..census.threads.len()).filter_map(|number| census.name(number)).collect();
        let processes = census.processes.iter().map(|one| Hex(one.address.0)).collect();
        Self { file, hang, threads, processes }
    }
}

/// Where a thread is: which moment, and its number among all.
struct Place<'m> {
    moment: usize,
    number: usize,
    name: &'m ThreadRef,
}

/// All moments as one. What was found within one stays as it is; a holder that
/// is not in the moment of its waiter is looked for in the others. Threads of
/// different moments never were as they are at the same time: what is said
/// across them is consistent at most.
pub fn together(mut moments: Vec<Moment>) -> Option<Hang> {
    if moments.len() < 2 {
        return moments.pop().map(|one| one.hang);
    }
    let moments = moments;
    let mut known: HashMap<Hex, Place<'_>> = HashMap::new();
    let mut bases = Vec::new();
    let mut count = 0;
    for (moment, one) in moments.iter().enumerate() {
        bases.push(count);
        for name in &one.threads {
            let place = Place { moment, number: count, name };
            known.entry(name.address).or_insert(place);
            count += 1;
        }
    }
    let mut relations = Vec::new();
    for (number, (one, base)) in moments.iter().zip(&bases).enumerate() {
        relations.extend(one.hang.relations.iter().map(|relation| {
            let mut relation = relation.clone();
            relation.ends = (relation.ends.0 + base, relation.ends.1.map(|end| end + base));
            across(&mut relation, number, &known, &moments);
            relation
        }));
    }
    let processes: BTreeSet<Hex> =
        moments.iter().flat_map(|one| one.processes.iter().copied()).collect();
    let (files, processes) = (moments.len(), processes.len() as u64);
    let mut whole = moments.into_iter().map(|one| one.hang).reduce(add)?;
    whole.processes = processes;
    whole.relations = relations;
    whole.lists = ListReport::together(whole.lists.into_iter());
    let (chains, cycles) = graph::chains_and_cycles(&whole.relations);
    (whole.chains, whole.cycles) = (chains, cycles);
    whole.longest.sort_by_key(|one| std::cmp::Reverse(one.milliseconds));
    whole.longest.truncate(LONGEST);
    whole.waits_by_stack = stack_wait::together(whole.waits_by_stack.into_iter());
    whole.unasked.push(format!(
        "what all threads did at one time: the {files} files are of different moments"
    ));
    Some(whole)
}

/// Looks in the other moments for a holder that is not in its waiter's.
fn across(
    relation: &mut Relation,
    moment: usize,
    known: &HashMap<Hex, Place<'_>>,
    moments: &[Moment],
) {
    let address = match &relation.holder {
        Some(Holder::Thread(thread)) => thread.address,
        Some(Holder::GoneThread { thread, terminated: false }) => thread.address,
        _ => return,
    };
    let elsewhere = known.get(&address).filter(|place| place.moment != moment);
    let (None, Some(place)) = (relation.ends.1, elsewhere) else { return };
    let file = moments.get(place.moment).map_or("another file", |one| one.file.as_str());
    relation.ends.1 = Some(place.number);
    relation.holder = Some(Holder::Thread(place.name.clone()));
    relation.grade = relation.grade.min(Grade::Consistent);
    let what = format!("the thread, as it was at another moment, in {file}");
    relation.evidence.push(Evidence { address, what });
}

fn add(mut whole: Hang, next: Hang) -> Hang {
    let sum = |a: Option<u64>, b: Option<u64>| Some(a? + b?);
    whole.threads += next.threads;
    whole.waiting_threads = sum(whole.waiting_threads, next.waiting_threads);
    whole.idle_workers = sum(whole.idle_workers, next.idle_workers);
    whole.lists.extend(next.lists);
    whole.longest.extend(next.longest);
    whole.waits_by_stack.extend(next.waits_by_stack);
    for one in next.stuck_queues {
        if !whole.stuck_queues.iter().any(|known| known.queue == one.queue) {
            whole.stuck_queues.push(one);
        }
    }
    for one in next.busy_processors {
        if !whole.busy_processors.iter().any(|known| known.processor == one.processor) {
            whole.busy_processors.push(one);
        }
    }
    for one in next.not_provable {
        match whole.not_provable.iter_mut().find(|known| known.reason == one.reason) {
            Some(known) => known.count += one.count,
            None => whole.not_provable.push(one),
        }
    }
    for what in next.unasked {
        if !whole.unasked.contains(&what) {
            whole.unasked.push(what);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::super::relation::Object;
    use super::*;

    fn named(address: u64) -> ThreadRef {
        ThreadRef { tid: Some(address), pid: Some(8), process: None, address: Hex(address) }
    }

    fn waits(waiter: (u64, usize), holder: Holder, end: Option<usize>) -> Relation {
        Relation {
            waiter: named(waiter.0),
            object: Object { address: Hex(0x70), kind: "resource".into() },
            holder: Some(holder),
            grade: Grade::Proved,
            evidence: Vec::new(),
            ends: (waiter.1, end),
        }
    }

    /// The thread in no list of its moment.
    fn unseen(address: u64) -> Holder {
        Holder::Thread(ThreadRef { tid: None, pid: None, process: None, address: Hex(address) })
    }

    fn moment(file: &str, threads: &[u64], relations: Vec<Relation>) -> Moment {
        let hang = Hang { threads: threads.len() as u64, relations, ..Hang::default() };
        let threads = threads.iter().map(|address| named(*address)).collect();
        Moment { file: file.into(), hang, threads, processes: vec![Hex(0x10)] }
    }

    #[test]
    fn a_holder_in_another_moment_is_named_and_what_is_said_across_is_never_proved() {
        let first = moment("x.dmp", &[1, 2], vec![waits((2, 1), unseen(3), None)]);
        let second = moment(
            "x.2.dmp",
            &[3, 4],
            vec![waits((3, 0), unseen(2), None), waits((4, 1), Holder::Thread(named(3)), Some(0))],
        );
        let whole = together(vec![first, second]).unwrap();
        assert_eq!((whole.threads, whole.processes), (4, 1));
        let grades: Vec<Grade> = whole.relations.iter().map(|one| one.grade).collect();
        assert_eq!(grades, [Grade::Consistent, Grade::Consistent, Grade::Proved]);
        assert_eq!(whole.relations[0].holder, Some(Holder::Thread(named(3))));
        assert!(whole.relations[0].evidence[0].what.contains("another moment, in x.2.dmp"));
        assert_eq!(whole.cycles.len(), 1, "{:?}", whole.cycles);
        assert_eq!(whole.cycles[0].grade, Grade::Consistent);
        assert_eq!(whole.cycles[0].blocked, [named(4)]);
        assert!(whole.unasked[0].contains("different moments"));
    }

    #[test]
    fn a_thread_that_ended_stays_so_where_its_own_moment_says_it() {
        let gone = Holder::GoneThread { thread: named(3), terminated: true };
        let first = moment("x.dmp", &[1], vec![waits((1, 0), gone.clone(), None)]);
        let whole = together(vec![first, moment("x.2.dmp", &[3], Vec::new())]).unwrap();
        assert_eq!(whole.relations[0].holder, Some(gone));
        assert_eq!(whole.relations[0].grade, Grade::Proved);
    }

    #[test]
    fn one_moment_is_what_it_was() {
        let one = moment("x.dmp", &[1, 2], vec![waits((1, 0), Holder::Thread(named(2)), Some(1))]);
        let whole = together(vec![one]).unwrap();
        assert_eq!(whole.relations[0].grade, Grade::Proved);
        assert!(whole.unasked.is_empty() && together(Vec::new()).is_none());
    }
}
