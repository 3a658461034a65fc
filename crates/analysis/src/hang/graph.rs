//! Chains and cycles in who waits for whom.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use memory::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use super::relation::{Grade, Holder, Relation};
use super::scene::Scene;
use super::waiting::{self, Waiting};
use crate::ThreadRef;

/// Threads that wait behind one another, down to one that does not wait for
/// another thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Chain {
    /// Who the others wait for in the end.
    pub root: Holder,
    /// What the root itself waits for, when it is a thread that waits.
    pub root_waits: Option<Waiting>,
    /// The root's state, when it is a thread.
    pub root_state: Option<String>,
    /// The longest way to it: numbers of `relations`, from the last waiter to the root.
    pub path: Vec<usize>,
    /// Every thread that waits for the root, near or far.
    pub blocked: Vec<ThreadRef>,
    /// How sure its least sure link is.
    pub grade: Grade,
}

/// Threads of which each waits for the next, and the last for the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cycle {
    /// Numbers of `relations`, in the order of the cycle.
    pub relations: Vec<usize>,
    /// The threads, in that order.
    pub threads: Vec<ThreadRef>,
    /// Threads that wait for one of these and are not in the cycle.
    pub blocked: Vec<ThreadRef>,
    /// How sure its least sure link is.
    pub grade: Grade,
}

/// Relations between threads, by the number of the thread that waits.
struct Graph<'r> {
    relations: &'r [Relation],
    out: BTreeMap<usize, Vec<(usize, usize)>>,
    back: BTreeMap<usize, Vec<(usize, usize)>>,
}

impl Chain {
    /// Says how its root is, if that is a thread whose state is its own.
    pub(crate) fn tell_root(&mut self, scene: &Scene<'_, '_>) {
        let Holder::Thread(ThreadRef { address, .. }) = &self.root else { return };
        let Some(number) = scene.census.find(VirtualAddress(address.0)) else { return };
        if !scene.kernel.is_of_threads_in_capture() {
            let state = scene.census.threads.get(number).and_then(|thread| thread.state);
            self.root_state = state.map(|state| state.to_string());
            self.root_waits = waiting::of(scene, number);
        }
    }
}

/// Finds every chain and every cycle.
pub(crate) fn chains_and_cycles(relations: &[Relation]) -> (Vec<Chain>, Vec<Cycle>) {
    let graph = Graph::of(relations);
    let components = graph.components();
    let cycles: Vec<Cycle> = components.iter().filter_map(|threads| graph.cycle(threads)).collect();
    let mut chains: Vec<Chain> = graph.thread_roots().collect();
    chains.extend(graph.other_roots());
    chains.sort_by_key(|chain| std::cmp::Reverse((chain.blocked.len(), chain.path.len())));
    (chains, cycles)
}

impl<'r> Graph<'r> {
    fn of(relations: &'r [Relation]) -> Self {
        let (mut out, mut back) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for (number, relation) in relations.iter().enumerate() {
            if let (waiter, Some(holder)) = relation.ends {
                out.entry(waiter).or_default().push((holder, number));
                back.entry(holder).or_default().push((waiter, number));
            }
        }
        Self { relations, out, back }
    }

    fn next(&self, thread: usize) -> &[(usize, usize)] {
        self.out.get(&thread).map_or(&[], Vec::as_slice)
    }

    /// Sets of threads of which each reaches each: Tarjan's, without recursion.
    fn components(&self) -> Vec<Vec<usize>> {
        let mut state = Tarjan::default();
        for start in self.out.keys() {
            if !state.index.contains_key(start) {
                state.visit(*start, |thread| self.next(thread));
            }
        }
        state.found
    }

    /// The shortest cycle through the first thread of a component.
    fn cycle(&self, threads: &[usize]) -> Option<Cycle> {
        let members: BTreeSet<usize> = threads.iter().copied().collect();
        let start = *members.first()?;
        let relations = self.way(start, start, &members)?;
        let of = |number: &usize| self.relations.get(*number);
        let named = relations.iter().filter_map(of).map(|relation| relation.waiter.clone());
        let grade = relations.iter().filter_map(of).map(|relation| relation.grade).min()?;
        let ends = relations.iter().filter_map(of).map(|relation| relation.ends.0).collect();
        let blocked = self.behind(&members).into_iter().chain(members.difference(&ends).copied());
        Some(Cycle {
            threads: named.collect(),
            blocked: blocked.filter_map(|thread| self.name(thread)).collect(),
            relations,
            grade,
        })
    }

    /// The shortest way along relations within a set, at least one long.
    fn way(&self, from: usize, to: usize, within: &BTreeSet<usize>) -> Option<Vec<usize>> {
        let mut came: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(thread) = queue.pop_front() {
            for (next, relation) in self.next(thread) {
                if *next == to {
                    let mut way = vec![*relation];
                    let mut at = thread;
                    while at != from {
                        let (before, relation) = came.get(&at)?;
                        way.push(*relation);
                        at = *before;
                    }
                    way.reverse();
                    return Some(way);
                }
                if within.contains(next) && *next != from && !came.contains_key(next) {
                    came.insert(*next, (thread, *relation));
                    queue.push_back(*next);
                }
            }
        }
        None
    }

    /// Everybody who waits for one of a set, near or far, and is not of it.
    fn behind(&self, set: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut queue: VecDeque<usize> = set.iter().copied().collect();
        while let Some(thread) = queue.pop_front() {
            for (waiter, _) in self.back.get(&thread).into_iter().flatten() {
                if !set.contains(waiter) && found.insert(*waiter) {
                    queue.push_back(*waiter);
                }
            }
        }
        found
    }

    fn name(&self, thread: usize) -> Option<ThreadRef> {
        let waits = self.next(thread).first();
        waits.and_then(|(_, number)| Some(self.relations.get(*number)?.waiter.clone()))
    }

    /// Threads that others wait for and that wait for no thread themselves.
    fn thread_roots(&self) -> impl Iterator<Item = Chain> + '_ {
        let roots = self.back.keys().filter(|thread| self.next(**thread).is_empty());
        // A thread that waits for a device is not the end of its chain.
        let outside = self.relations.iter().filter(|one| one.ends.1.is_none());
        let further: BTreeSet<usize> =
            outside.filter(|one| one.holder.is_some()).map(|one| one.ends.0).collect();
        roots.filter(move |thread| !further.contains(thread)).filter_map(|thread| {
            let (_, number) = self.back.get(thread)?.first()?;
            let root = self.relations.get(*number)?.holder.clone()?;
            self.chain(root, &[], &BTreeSet::from([*thread]))
        })
    }

    /// Devices, processes and threads that ended: holders outside the census.
    fn other_roots(&self) -> Vec<Chain> {
        let mut known: HashMap<&Holder, usize> = HashMap::new();
        let mut by_holder: Vec<(&Holder, Vec<usize>)> = Vec::new();
        for (number, relation) in self.relations.iter().enumerate() {
            let Some(holder) = relation.holder.as_ref().filter(|_| relation.ends.1.is_none())
            else {
                continue;
            };
            let place = *known.entry(holder).or_insert(by_holder.len());
            match by_holder.get_mut(place) {
                Some((_, numbers)) => numbers.push(number),
                None => by_holder.push((holder, vec![number])),
            }
        }
        let chain = |(holder, numbers): (&Holder, Vec<usize>)| {
            let waiters = numbers.iter().filter_map(|n| Some(self.relations.get(*n)?.ends.0));
            self.chain(holder.clone(), &numbers, &waiters.collect())
        };
        by_holder.into_iter().filter_map(chain).collect()
    }

    /// The chain that ends at `root`: `last` are relations to it from the
    /// threads in `near`, or none when `near` is the root itself.
    fn chain(&self, root: Holder, last: &[usize], near: &BTreeSet<usize>) -> Option<Chain> {
        let mut came: BTreeMap<usize, Option<(usize, usize)>> =
            near.iter().map(|thread| (*thread, None)).collect();
        let mut queue: VecDeque<usize> = near.iter().copied().collect();
        let mut farthest = *near.first()?;
        while let Some(thread) = queue.pop_front() {
            farthest = thread;
            for (waiter, number) in self.back.get(&thread).into_iter().flatten() {
                if !came.contains_key(waiter) {
                    came.insert(*waiter, Some((thread, *number)));
                    queue.push_back(*waiter);
                }
            }
        }
        let (mut path, mut at) = (Vec::new(), farthest);
        while let Some(Some((next, number))) = came.get(&at) {
            path.push(*number);
            at = *next;
        }
        let of = |number: &usize| self.relations.get(*number);
        path.extend(last.iter().find(|number| of(number).is_some_and(|one| one.ends.0 == at)));
        let own = last.is_empty();
        let blocked = came.keys().filter(|thread| !own || !near.contains(thread));
        let names = blocked.filter_map(|thread| {
            self.name(*thread).or_else(|| {
                let to = last.iter().filter_map(of).find(|one| one.ends.0 == *thread);
                to.map(|one| one.waiter.clone())
            })
        });
        Some(Chain {
            root,
            root_waits: None,
            root_state: None,
            blocked: names.collect(),
            grade: path.iter().filter_map(of).map(|one| one.grade).min()?,
            path,
        })
    }
}

#[derive(Default)]
struct Tarjan {
    index: BTreeMap<usize, usize>,
    low: BTreeMap<usize, usize>,
    stack: Vec<usize>,
    on_stack: BTreeSet<usize>,
    found: Vec<Vec<usize>>,
}

impl Tarjan {
    fn enter(&mut self, thread: usize) {
        let number = self.index.len();
        self.index.insert(thread, number);
        self.low.insert(thread, number);
        self.stack.push(thread);
        self.on_stack.insert(thread);
    }

    fn lower(&mut self, thread: usize, to: usize) {
        let low = self.low.entry(thread).or_insert(to);
        *low = (*low).min(to);
    }

    fn visit<'g>(&mut self, start: usize, next: impl Fn(usize) -> &'g [(usize, usize)]) {
        self.enter(start);
        let mut work = vec![(start, 0)];
        while let Some((thread, done)) = work.last_mut() {
            let thread = *thread;
            if let Some((to, _)) = next(thread).get(*done) {
                *done += 1;
                match self.index.get(to).copied() {
                    None => {
                        self.enter(*to);
                        work.push((*to, 0));
                    }
                    Some(index) if self.on_stack.contains(to) => self.lower(thread, index),
                    Some(_) => {}
                }
                continue;
            }
            work.pop();
            let low = self.low.get(&thread).copied().unwrap_or_default();
            if let Some((above, _)) = work.last() {
                self.lower(*above, low);
            }
            if self.index.get(&thread) == Some(&low) {
                let start = self.stack.iter().rposition(|one| *one == thread).unwrap_or_default();
                let component = self.stack.split_off(start);
                for one in &component {
                    self.on_stack.remove(one);
                }
                self.found.push(component);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hex;
    use crate::hang::relation::Object;
    use proptest::prelude::*;

    fn named(number: usize) -> ThreadRef {
        let tid = Some(number as u64);
        ThreadRef { tid, pid: Some(4), process: None, address: Hex(number as u64) }
    }

    /// `waiter` waits for what `holder` has.
    fn waits(waiter: usize, holder: usize) -> Relation {
        Relation {
            waiter: named(waiter),
            object: Object { address: Hex(0), kind: "resource".into() },
            holder: Some(Holder::Thread(named(holder))),
            grade: Grade::Proved,
            evidence: Vec::new(),
            ends: (waiter, Some(holder)),
        }
    }

    fn ended() -> Holder {
        Holder::GoneThread { thread: named(99), terminated: true }
    }

    fn gone(waiter: usize) -> Relation {
        let holder = Some(ended());
        Relation { holder, ends: (waiter, None), ..waits(waiter, 0) }
    }

    fn tids(threads: &[ThreadRef]) -> Vec<u64> {
        let mut tids: Vec<u64> = threads.iter().filter_map(|thread| thread.tid).collect();
        tids.sort();
        tids
    }

    #[test]
    fn a_ring_is_a_cycle_and_who_waits_behind_it_is_no_part_of_it() {
        let (chains, cycles) =
            chains_and_cycles(&[waits(1, 2), waits(2, 1), waits(3, 1), waits(4, 3)]);
        assert_eq!(cycles.len(), 1);
        assert_eq!(tids(&cycles[0].threads), [1, 2]);
        assert_eq!(tids(&cycles[0].blocked), [3, 4]);
        assert_eq!(chains, []);
    }

    #[test]
    fn a_chain_ends_at_who_waits_for_nobody() {
        let (chains, cycles) = chains_and_cycles(&[waits(1, 2), waits(2, 3), waits(4, 3)]);
        assert!(cycles.is_empty());
        assert_eq!(chains.len(), 1);
        assert_eq!(chains[0].root, Holder::Thread(named(3)));
        assert_eq!(chains[0].path, [0, 1]);
        assert_eq!(tids(&chains[0].blocked), [1, 2, 4]);
    }

    #[test]
    fn a_thread_that_ended_is_the_root_of_all_who_wait_for_it() {
        let (chains, _) = chains_and_cycles(&[gone(1), gone(2), waits(3, 1)]);
        assert_eq!(chains.len(), 1);
        assert_eq!(chains[0].root, ended());
        assert_eq!(tids(&chains[0].blocked), [1, 2, 3]);
        assert_eq!(chains[0].path, [2, 0]);
    }

    #[test]
    fn a_claim_is_as_sure_as_its_least_sure_link() {
        let guessed = Relation { grade: Grade::Consistent, ..waits(2, 3) };
        let (chains, _) = chains_and_cycles(&[waits(1, 2), guessed]);
        assert_eq!(chains[0].grade, Grade::Consistent);
    }

    proptest! {
        /// Whoever waits is told of exactly once a root or a ring is reached from it.
        #[test]
        fn every_waiter_is_behind_a_root_or_in_a_cycle(
            edges in proptest::collection::vec((0_usize..30, 0_usize..30), 0..60),
        ) {
            let relations: Vec<Relation> =
                edges.iter().map(|(waiter, holder)| waits(*waiter, *holder)).collect();
            let (chains, cycles) = chains_and_cycles(&relations);
            let mut told: BTreeSet<u64> = BTreeSet::new();
            for chain in &chains {
                told.extend(tids(&chain.blocked));
                for pair in chain.path.windows(2) {
                    let (one, next) = (&relations[pair[0]], &relations[pair[1]]);
                    prop_assert_eq!(one.ends.1, Some(next.ends.0));
                }
            }
            for cycle in &cycles {
                told.extend(tids(&cycle.threads));
                told.extend(tids(&cycle.blocked));
                let first = relations[cycle.relations[0]].ends.0;
                let last = relations[*cycle.relations.last().unwrap()].ends.1;
                prop_assert_eq!(Some(first), last);
            }
            let waiters: BTreeSet<u64> = edges.iter().map(|(waiter, _)| *waiter as u64).collect();
            prop_assert_eq!(told, waiters);
        }
    }
}
