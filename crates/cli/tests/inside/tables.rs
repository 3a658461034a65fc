//! Processes, threads, modules and processors.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Case, differ, each, text};

/// `KWAIT_REASON`, as far as threads are planted with them.
const REASONS: [(u8, &str); 12] = [
    (0, "Executive"),
    (4, "DelayExecution"),
    (6, "UserRequest"),
    (7, "WrExecutive"),
    (13, "WrUserRequest"),
    (15, "WrQueue"),
    (16, "WrLpcReceive"),
    (17, "WrLpcReply"),
    (27, "WrResource"),
    (28, "WrPushLock"),
    (34, "WrFastMutex"),
    (37, "WrAlertByThreadId"),
];

impl Case {
    /// `ps`, `threads`, `modules` and `processors`.
    pub(crate) fn compare_tables(&self) -> Vec<String> {
        let mut faults = self.compare_processes(&self.ask("ps"));
        faults.extend(self.compare_threads(&self.ask("threads")));
        faults.extend(self.compare_modules(&self.ask("modules")));
        faults.extend(self.compare_processors(&self.ask("processors")));
        faults
    }

    pub(crate) fn compare_processes(&self, ps: &Value) -> Vec<String> {
        let row = |one: &Value| (text(&one["address"]).to_owned(), one["pid"].as_u64());
        let truth =
            each(&self.truth["processes"]).filter(|one| one["listed"] == true).map(row).collect();
        let told = |one: &&Value| self.whole || one["pid"].is_u64();
        let found = each(&ps["processes"]).filter(told).map(row).collect();
        let mut faults = differ("process", &truth, &found, self.whole);
        for one in each(&ps["processes"]) {
            let truth = each(&self.truth["processes"]).find(|of| of["address"] == one["address"]);
            let Some(truth) = truth else { continue };
            let name: String = text(&truth["name"]).chars().take(14).collect();
            let right = one["name"].as_str().is_none_or(|said| said == name)
                && one["parent_pid"].as_u64().is_none_or(|pid| truth["parent"] == pid);
            let base = one["directory_table_base"].as_str();
            let base = base.and_then(|base| u64::from_str_radix(base, 16).ok());
            let true_base = u64::from_str_radix(text(&truth["directory_table_base"]), 16).unwrap();
            // The lowest bits are flags.
            if !right || base.is_some_and(|base| base & !0xFFF != true_base & !0xFFF) {
                faults.push(format!("{one} is {truth}"));
            }
        }
        faults
    }

    pub(crate) fn compare_threads(&self, threads: &Value) -> Vec<String> {
        let listed = self.threads();
        let truth: BTreeSet<&str> = listed.keys().copied().collect();
        let found = each(&threads["threads"]).map(|one| text(&one["address"])).collect();
        let mut faults = differ("thread", &truth, &found, self.whole);
        for one in each(&threads["threads"]) {
            let Some(truth) = listed.get(text(&one["address"])) else { continue };
            faults.extend(self.compare_thread(one, truth));
        }
        faults
    }

    fn compare_thread(&self, one: &Value, truth: &Value) -> Option<String> {
        let same = |name: &str| one[name].is_null() || one[name] == truth[name];
        let known = |name: &str| !self.whole || one[name].is_u64();
        let state = match truth["state"].as_u64().unwrap() {
            2 => "Running",
            4 => "Terminated",
            5 => "Waiting",
            other => panic!("a state that nothing was planted with: {other}"),
        };
        let states = one["state"].as_str().is_none_or(|said| said == state);
        let reason = REASONS.iter().find(|(number, _)| truth["wait_reason"] == *number);
        let reasons =
            one["wait_reason"].as_str().is_none_or(|said| Some(said) == reason.map(|one| one.1));
        let waits: BTreeSet<&str> = each(&one["waits"]).map(|wait| text(&wait["object"])).collect();
        let true_waits: BTreeSet<&str> = each(&truth["waits_for"]).map(text).collect();
        let waiting = match self.typed && self.whole {
            true => waits == true_waits,
            false => waits.is_subset(&true_waits),
        };
        let right = same("tid")
            && same("pid")
            && known("tid")
            && known("pid")
            && states
            && reasons
            && waiting;
        let ticks = one["wait_milliseconds"]
            .as_u64()
            .is_none_or(|ms| ms == truth["wait_ticks"].as_u64().unwrap() * 1000 / 64);
        (!right || !ticks).then(|| {
            let mut truth = truth.clone();
            truth.as_object_mut().unwrap().remove("stack");
            format!("{one} is {truth}")
        })
    }

    fn compare_modules(&self, modules: &Value) -> Vec<String> {
        let row = |one: &Value| {
            let name = text(&one["name"]).to_owned();
            (
                text(&one["base"]).to_owned(),
                name,
                one["size"].as_u64(),
                one["time_date_stamp"].as_u64(),
            )
        };
        let truth = each(&self.truth["modules"]).map(row).collect();
        let whole = |one: &&Value| self.whole || (one["name"].is_string() && one["size"].is_u64());
        let found = each(&modules["modules"]).filter(whole).map(row).collect();
        differ("module", &truth, &found, self.whole)
    }

    fn compare_processors(&self, processors: &Value) -> Vec<String> {
        let truth: BTreeSet<_> = each(&self.truth["processors"])
            .map(|one| {
                (
                    one["number"].as_u64(),
                    text(&one["prcb"]),
                    text(&one["thread"]),
                    one["idle"].as_bool(),
                )
            })
            .collect();
        let found: BTreeSet<_> = each(&processors["processors"])
            .filter(|one| self.whole || one["idle"].is_boolean())
            .map(|one| {
                let thread = text(&one["current_thread"]["address"]);
                (one["number"].as_u64(), text(&one["address"]), thread, one["idle"].as_bool())
            })
            .collect();
        let mut faults = differ("processor", &truth, &found, self.whole);
        for one in each(&processors["processors"]).filter(|_| self.whole) {
            let thread = self.thread_at(&one["current_thread"]["address"]).unwrap();
            let place = |of: &Value, pc: &str, sp: &str| {
                (text(&of[pc]).to_owned(), text(&of[sp]).to_owned())
            };
            let planted: Vec<_> = each(&thread["stack"]).map(|of| place(of, "pc", "sp")).collect();
            let frames: Vec<_> =
                each(&one["frames"]).map(|of| place(of, "address", "stack_pointer")).collect();
            if frames != planted {
                faults
                    .push(format!("processor {}: {frames:?}, and not {planted:?}", one["number"]));
            }
        }
        faults
    }
}
