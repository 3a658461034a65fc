//! Who waits for whom: edges, cycles, chains, requests, queues and processors.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Case, differ, each, text};

type Edge = (u64, String, Option<u64>);

impl Case {
    /// Everything that `hang` says of waiting.
    pub(crate) fn compare_hang(&self, hang: &Value) -> Vec<String> {
        let mut faults = self.compare_edges(hang);
        faults.extend(self.compare_cycles(hang));
        faults.extend(self.compare_chains(hang));
        faults.extend(self.compare_requests(hang));
        faults.extend(self.compare_storm(hang));
        faults.extend(self.compare_queues(hang));
        faults
    }

    fn must_find_all(&self) -> bool {
        self.typed && self.whole
    }

    /// Relations between threads are the planted edges, with their grades.
    fn compare_edges(&self, hang: &Value) -> Vec<String> {
        let provable = |edge: &&Value| text(&edge["grade"]) != "not provable from this dump";
        let truth: BTreeSet<Edge> = each(&self.truth["edges"])
            .filter(provable)
            .map(|edge| {
                let waiter = edge["waiter"].as_u64().unwrap();
                (waiter, text(&edge["object"]).to_owned(), edge["owner"].as_u64())
            })
            .collect();
        let mut found = BTreeSet::new();
        let mut faults = Vec::new();
        for relation in each(&hang["relations"]) {
            let Some(waiter) = self.tid_at(&relation["waiter"]["address"]) else {
                faults.push(format!("a waiter that is no thread: {relation}"));
                continue;
            };
            if relation["waiter"]["tid"].as_u64().is_some_and(|tid| tid != waiter) {
                faults.push(format!("a thread with another tid: {relation}"));
            }
            let object = text(&relation["object"]["address"]).to_owned();
            let holder = &relation["holder"];
            match text(&holder["kind"]) {
                "thread" | "gone-thread" => {
                    found.insert((waiter, object, self.tid_at(&holder["address"])));
                }
                "" if text(&relation["grade"]) != "not-provable" => {
                    faults.push(format!("of no holder nothing is proved: {relation}"));
                }
                _ => {}
            }
            faults.extend(self.too_sure(waiter, relation));
        }
        faults.extend(differ("edge", &truth, &found, self.must_find_all()));
        faults
    }

    /// A claim surer than the truth is that it can be.
    fn too_sure(&self, waiter: u64, relation: &Value) -> Option<String> {
        let owner = self.tid_at(&relation["holder"]["address"])?;
        let truth = each(&self.truth["edges"]).find(|edge| {
            edge["waiter"] == waiter
                && edge["object"] == relation["object"]["address"]
                && edge["owner"] == owner
        })?;
        let (said, true_grade) = (text(&relation["grade"]), text(&truth["grade"]));
        let surer = said == "proved" && true_grade != "proved";
        let shy = said != true_grade && self.must_find_all();
        (surer || shy).then(|| format!("{said}, and it is {true_grade}: {relation}"))
    }

    fn compare_cycles(&self, hang: &Value) -> Vec<String> {
        let rotated = |mut tids: Vec<u64>| {
            let least = (0..tids.len()).min_by_key(|at| tids[*at]).unwrap_or(0);
            tids.rotate_left(least);
            tids
        };
        let truth: BTreeSet<Vec<u64>> = each(&self.truth["cycles"])
            .map(|cycle| rotated(each(cycle).filter_map(Value::as_u64).collect()))
            .collect();
        let found: BTreeSet<Vec<u64>> = each(&hang["cycles"])
            .map(|cycle| {
                rotated(
                    each(&cycle["threads"])
                        .filter_map(|one| self.tid_at(&one["address"]))
                        .collect(),
                )
            })
            .collect();
        differ("cycle", &truth, &found, self.must_find_all())
    }

    /// The root of each chain and everybody behind it, as the edges have it.
    fn compare_chains(&self, hang: &Value) -> Vec<String> {
        let edges: Vec<(u64, u64)> = each(&self.truth["edges"])
            .filter_map(|edge| Some((edge["waiter"].as_u64()?, edge["owner"].as_u64()?)))
            .collect();
        let waits = |tid: u64| edges.iter().any(|(waiter, _)| *waiter == tid);
        let asked = |tid: u64| each(&self.truth["requests"]).any(|one| one["tid"] == tid);
        let truth: BTreeSet<(u64, Vec<u64>)> = edges
            .iter()
            .map(|(_, owner)| *owner)
            .filter(|owner| !waits(*owner) && !asked(*owner))
            .map(|root| (root, behind(&edges, root)))
            .collect();
        let mut found = BTreeSet::new();
        let mut faults = Vec::new();
        for chain in each(&hang["chains"]) {
            let blocked: Vec<u64> =
                each(&chain["blocked"]).filter_map(|one| self.tid_at(&one["address"])).collect();
            let blocked: BTreeSet<u64> = blocked.into_iter().collect();
            let root = self.tid_at(&chain["root"]["address"]);
            match (root, self.must_find_all()) {
                (Some(root), true) => {
                    found.insert((root, blocked.into_iter().collect()));
                }
                (Some(root), false) => {
                    let all: BTreeSet<u64> = behind(&edges, root).into_iter().collect();
                    if !blocked.is_subset(&all) {
                        faults.push(format!("not behind {root}: {blocked:?} of {all:?}"));
                    }
                }
                // Behind a request: whoever sent it, and everybody behind that one.
                (None, _) if chain["root"]["kind"] == "device" => {
                    let all: BTreeSet<u64> = each(&self.truth["requests"])
                        .filter_map(|one| one["tid"].as_u64())
                        .flat_map(|tid| behind(&edges, tid).into_iter().chain([tid]))
                        .collect();
                    let right =
                        if self.must_find_all() { blocked == all } else { blocked.is_subset(&all) };
                    if !right {
                        faults.push(format!("behind the device {blocked:?}, and not {all:?}"));
                    }
                }
                (None, _) if chain["root"]["kind"] == "process" => {}
                (None, _) => faults.push(format!("a root that is nobody: {}", chain["root"])),
            }
        }
        if self.must_find_all() {
            faults.extend(differ("chain", &truth, &found, true));
        }
        faults
    }

    /// Requests with the device that has them and its driver; messages that no
    /// thread took with the server's process.
    fn compare_requests(&self, hang: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        for relation in each(&hang["relations"]) {
            let holder = &relation["holder"];
            match text(&holder["kind"]) {
                "device" => {
                    let truth = each(&self.truth["requests"])
                        .find(|one| one["irp"] == relation["object"]["address"]);
                    let right = truth.is_some_and(|one| {
                        let last = each(&one["device_stack"]).last().unwrap();
                        one["tid"] == self.tid_at(&relation["waiter"]["address"]).unwrap()
                            && last["device"] == holder["device"]
                            && [&one["held_by"], &Value::Null].contains(&&holder["module"])
                    });
                    if !right {
                        faults.push(format!("not the request {truth:?}: {relation}"));
                    }
                    let (said, true_grade) =
                        (text(&relation["grade"]), truth.map_or("", |one| text(&one["grade"])));
                    let surer = said == "proved" && true_grade != "proved";
                    if surer || (said != true_grade && self.must_find_all()) {
                        faults.push(format!("{said}, and it is {true_grade}: {relation}"));
                    }
                }
                "process" => {
                    let truth = each(&self.truth["objects"])
                        .find(|one| one["address"] == relation["object"]["address"]);
                    let server = |pid: &Value| {
                        let named = |one: &&Value| one["pid"] == *pid;
                        each(&self.truth["processes"]).find(named).map(|one| &one["address"])
                    };
                    let same = |one: &Value| {
                        server(&one["server_pid"]) == Some(&holder["address"])
                            && [&one["server_pid"], &Value::Null].contains(&&holder["pid"])
                    };
                    if !truth.is_some_and(same) {
                        faults.push(format!("not the server of {truth:?}: {relation}"));
                    }
                }
                _ => {}
            }
        }
        let told = |irp: &Value| {
            each(&hang["relations"])
                .any(|one| one["object"]["address"] == *irp && one["object"]["kind"] == "irp")
        };
        let missed =
            each(&self.truth["requests"]).filter(|one| self.must_find_all() && !told(&one["irp"]));
        faults.extend(missed.map(|one| format!("request missed: {one}")));
        faults
    }

    fn compare_storm(&self, hang: &Value) -> Vec<String> {
        let truth = &self.truth["dpc"];
        let found: Vec<&Value> = each(&hang["busy_processors"]).collect();
        match (truth.is_null(), found[..].first()) {
            (true, None) => Vec::new(),
            (true, Some(one)) => vec![format!("a busy processor that is none: {one}")],
            (false, None) if self.must_find_all() => vec!["the storm was missed".to_owned()],
            (false, None) => Vec::new(),
            (false, Some(one)) => {
                let mut faults = Vec::new();
                if found.len() > 1 || one["processor"] != truth["processor"] {
                    faults.push(format!("other processors than {truth}: {found:?}"));
                }
                let milliseconds = truth["ticks"].as_u64().unwrap() * 1000 / 64;
                let queued = [&truth["queued"], &Value::Null].contains(&&one["queued"]);
                let time = one["milliseconds"].as_u64().is_none_or(|ms| ms == milliseconds);
                let complete = !self.must_find_all()
                    || (one["milliseconds"].is_u64()
                        && text(&one["routine"]) == "diskbus!DiskBusDpcRoutine"
                        && text(&one["module"]) == "diskbus");
                if !queued || !time || !complete {
                    faults.push(format!("not the storm {truth}: {one}"));
                }
                faults
            }
        }
    }

    fn compare_queues(&self, hang: &Value) -> Vec<String> {
        let truth: Vec<&Value> =
            each(&self.truth["objects"]).filter(|one| one["kind"] == "work-queue").collect();
        let mut faults = Vec::new();
        for queue in each(&hang["stuck_queues"]) {
            let Some(one) = truth.iter().find(|one| one["address"] == queue["queue"]) else {
                faults.push(format!("a stuck queue that is none: {queue}"));
                continue;
            };
            let blocked: BTreeSet<Option<u64>> =
                each(&queue["blocked"]).map(|thread| thread["tid"].as_u64()).collect();
            let workers = each(&one["blocked_workers"]).map(Value::as_u64).collect();
            faults.extend(differ("blocked worker", &workers, &blocked, self.must_find_all()));
            let routine = queue["routines"][0].clone();
            let same = text(&routine["routine"]).starts_with(text(&one["routine"]))
                && routine["count"] == one["pending"];
            if queue["pending"] != one["pending"] || (self.must_find_all() && !same) {
                faults.push(format!("not the queue {one}: {queue}"));
            }
        }
        if self.must_find_all() && each(&hang["stuck_queues"]).count() != truth.len() {
            faults.push(format!("stuck queues missed: {truth:?}"));
        }
        faults
    }
}

/// Everybody who waits for a thread, near or far.
fn behind(edges: &[(u64, u64)], root: u64) -> Vec<u64> {
    let mut found = BTreeSet::new();
    let mut next = vec![root];
    while let Some(thread) = next.pop() {
        for (waiter, _) in edges.iter().filter(|(_, owner)| *owner == thread) {
            if found.insert(*waiter) {
                next.push(*waiter);
            }
        }
    }
    found.into_iter().collect()
}
