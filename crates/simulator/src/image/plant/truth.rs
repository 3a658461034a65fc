//! What was planted, told as JSON.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::image::Image;
use crate::image::plant::locks::truth_hex;
use crate::nt::plan::TERMINATED;
use crate::scenario::Scenario;

/// How far a reader of the dump can prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grade {
    Proved,
    Consistent,
    NotProvable,
}

impl Grade {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Consistent => "consistent",
            Self::NotProvable => "not provable from this dump",
        }
    }
}

/// A thread waits for an object, which has an owner or none that can be known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) waiter: usize,
    pub(crate) object: u64,
    pub(crate) kind: &'static str,
    pub(crate) owner: Option<usize>,
    pub(crate) grade: Grade,
}

/// Everything that planting tells of.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Objects that a thread's wait blocks name.
    pub(crate) waits: HashMap<usize, Vec<u64>>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) objects: Vec<Value>,
    pub(crate) requests: Vec<Value>,
    pub(crate) storm: Option<Value>,
    pub(crate) work_queue: Option<u64>,
}

/// Frames are told of every thread up to this many.
const WITH_STACKS: usize = 1000;

impl Image {
    /// The truth; `None` where the kernel is no real code.
    pub(crate) fn truth(&self, scenario: &Scenario) -> Option<Value> {
        let real = self.real.as_ref()?;
        Some(json!({
            "scenario": scenario.text(),
            "seed": scenario.seed,
            "build": self.build,
            "layout": real.fixture.build.name(),
            "architecture": if self.is_arm() { "arm64" } else { "x64" },
            "kernel": {
                "base": truth_hex(self.at.kernel),
                "directory_table_base": truth_hex(self.directory_base()),
                "module_list": truth_hex(self.at.module_head),
                "process_list": truth_hex(self.at.process_head),
                "debugger_block": truth_hex(self.at.debugger_block),
            },
            "modules": self.modules.iter().map(|m| json!({
                "name": m.name(),
                "base": truth_hex(m.base),
                "size": m.size,
                "time_date_stamp": m.time_stamp,
            })).collect::<Vec<_>>(),
            "processes": self.true_processes(),
            "threads": (0..self.threads.len()).map(|n| self.true_thread(n)).collect::<Vec<_>>(),
            "processors": self.true_processors(),
            "objects": real.facts.objects,
            "edges": real.facts.edges.iter().map(|e| self.true_edge(e)).collect::<Vec<_>>(),
            "cycles": self.true_cycles(),
            "chains": self.true_chains(),
            "requests": real.facts.requests,
            "dpc": real.facts.storm,
            "missing_pages": self.missing.len(),
        }))
    }

    fn tid(&self, thread: usize) -> u32 {
        self.population.threads[thread].tid
    }

    fn true_processes(&self) -> Vec<Value> {
        let numbered = self.population.processes.iter().enumerate();
        numbered
            .map(|(number, p)| {
                json!({
                    "pid": p.pid,
                    "parent": p.parent,
                    "name": p.name,
                    "address": truth_hex(self.processes[number]),
                    "directory_table_base": truth_hex(self.directory_of(number)),
                    "listed": p.pid != 0,
                })
            })
            .collect()
    }

    fn true_thread(&self, number: usize) -> Value {
        let model = &self.population.threads[number];
        let plan = self.population.plan.as_ref();
        let waits = self.real.as_ref().and_then(|r| r.facts.waits.get(&number));
        let mut thread = json!({
            "tid": model.tid,
            "pid": model.pid,
            "address": truth_hex(self.threads[number]),
            "state": model.state,
            "wait_reason": model.wait_reason,
            "wait_ticks": model.waited,
            "resident": plan.is_none_or(|p| !p.swapped.contains(&number)),
            "listed": model.pid != 0 && model.state != TERMINATED,
        });
        if let Some(objects) = waits {
            thread["waits_for"] = objects.iter().map(|o| truth_hex(*o)).collect();
        }
        if self.threads.len() <= WITH_STACKS
            && let Some(layer) = self.space.physical.stacks.lay(number)
        {
            let frames = layer.frames.iter().rev();
            thread["stack"] = frames
                .map(|f| {
                    json!({
                        "pc": truth_hex(f.pc),
                        "sp": truth_hex(f.sp),
                        "symbol": f.name,
                        "offset": f.offset,
                    })
                })
                .collect();
        }
        thread
    }

    fn true_processors(&self) -> Vec<Value> {
        let current = self.current.iter().enumerate();
        current
            .map(|(number, thread)| {
                json!({
                    "number": number,
                    "prcb": truth_hex(self.prcbs[number]),
                    "thread": truth_hex(self.threads[*thread]),
                    "tid": self.tid(*thread),
                    "idle": self.population.threads[*thread].pid == 0,
                })
            })
            .collect()
    }

    fn true_edge(&self, edge: &Edge) -> Value {
        json!({
            "waiter": self.tid(edge.waiter),
            "object": truth_hex(edge.object),
            "kind": edge.kind,
            "owner": edge.owner.map(|owner| self.tid(owner)),
            "grade": edge.grade.name(),
        })
    }

    fn edges(&self) -> BTreeMap<usize, Vec<&Edge>> {
        let mut by_waiter: BTreeMap<usize, Vec<&Edge>> = BTreeMap::new();
        for edge in self.real.iter().flat_map(|r| &r.facts.edges) {
            by_waiter.entry(edge.waiter).or_default().push(edge);
        }
        by_waiter
    }

    /// From a waiter over owners, as far as each has one owner: the threads, and whether it closed.
    fn follow(edges: &BTreeMap<usize, Vec<&Edge>>, from: usize) -> (Vec<usize>, Option<usize>) {
        let mut path = vec![from];
        loop {
            let last = path[path.len() - 1];
            let owner = match edges.get(&last).map(Vec::as_slice) {
                Some([edge]) => edge.owner,
                _ => None,
            };
            let Some(owner) = owner else { return (path, None) };
            if let Some(at) = path.iter().position(|thread| *thread == owner) {
                return (path, Some(at));
            }
            path.push(owner);
        }
    }

    /// Each cycle once, from its lowest thread id on.
    fn true_cycles(&self) -> Vec<Vec<u32>> {
        let edges = self.edges();
        let mut cycles: Vec<Vec<u32>> = Vec::new();
        for waiter in edges.keys() {
            if let (path, Some(0)) = Self::follow(&edges, *waiter) {
                let mut tids: Vec<u32> = path.iter().map(|t| self.tid(*t)).collect();
                let least = tids.iter().enumerate().min_by_key(|(_, tid)| **tid);
                let turn = least.map_or(0, |(at, _)| at);
                tids.rotate_left(turn);
                if !cycles.contains(&tids) {
                    cycles.push(tids);
                }
            }
        }
        cycles.sort();
        cycles
    }

    /// Waiters that nobody waits for, and where their waiting leads.
    fn true_chains(&self) -> Vec<Value> {
        let edges = self.edges();
        let owners: Vec<usize> =
            self.real.iter().flat_map(|r| &r.facts.edges).filter_map(|e| e.owner).collect();
        let ends = edges.keys().filter(|waiter| !owners.contains(waiter));
        ends.map(|waiter| {
            let (path, closed) = Self::follow(&edges, *waiter);
            let tids: Vec<u32> = path.iter().map(|t| self.tid(*t)).collect();
            let root = closed.map_or(tids.last().copied(), |_| None);
            json!({ "threads": tids, "root": root, "leads_into_cycle": closed.is_some() })
        })
        .collect()
    }
}
