//! Who lives on the machine: processes and threads, before they have addresses.

use std::collections::{HashMap, HashSet};

use crate::names;
use crate::nt::plan::Plan;
use crate::random::Random;
use crate::scenario::{Fault, Scenario};

/// A thread of a real process around which a machine is to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealProcess {
    /// Process id.
    pub pid: u32,
    /// Image name.
    pub name: String,
    /// Its thread ids.
    pub threads: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct ProcessModel {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) name: String,
    pub(crate) session: u32,
    pub(crate) protection: u8,
    /// Indices into [`Population::threads`].
    pub(crate) threads: std::ops::Range<usize>,
    /// FILETIME.
    pub(crate) created: u64,
    /// Resident pages of its own.
    pub(crate) user_pages: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct ThreadModel {
    pub(crate) tid: u32,
    pub(crate) pid: u32,
    pub(crate) state: u8,
    pub(crate) wait_reason: u8,
    /// Ticks it has waited when the machine starts.
    pub(crate) waited: u32,
    pub(crate) kernel_time: u64,
    pub(crate) user_time: u64,
    pub(crate) created: u64,
    pub(crate) start_address: u64,
    pub(crate) win32_start: u64,
    pub(crate) name: Option<&'static str>,
    pub(crate) priority: i32,
    pub(crate) switches: u32,
    /// Runs at raised IRQL: takes no APC.
    pub(crate) stuck: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Population {
    pub(crate) processes: Vec<ProcessModel>,
    pub(crate) threads: Vec<ThreadModel>,
    /// Numbers by process id and by thread id; the idle threads have none.
    by_pid: HashMap<u32, usize>,
    by_tid: HashMap<u32, usize>,
    /// What the threads of a kernel of real code do.
    pub(crate) plan: Option<Plan>,
}

pub(crate) const RUNNING: u8 = 2;
pub(crate) const WAITING: u8 = 5;

/// The moment the machine was started: 2026-03-02 08:00 UTC as FILETIME.
pub(crate) const BOOT_TIME: u64 = 134_169_120_000_000_000;
/// Ticks since the start when it is first asked: some 26 hours.
pub(crate) const START_TICKS: u32 = 6_000_000;
/// One tick in 100 ns units.
pub(crate) const TICK: u32 = 156_250;

/// WrPushLock.
const WAIT_FOR_PUSH_LOCK: u8 = 28;
/// A thread is started within ten minutes of its process.
const THREAD_AGE: u64 = 6_000_000_000;
const HOURS_OF_HANG: u32 = 9;
const FIRST_PIDS: u32 = 420;
/// RtlUserThreadStart.
const USER_THREAD_START: u64 = 0x7ffb_4000_a2b0;

/// Reported wait reasons and how often each is met.
const REASONS: &[u8] = &[15, 15, 15, 15, 15, 15, 6, 6, 6, 0, 0, 13, 16, 16, 4, 28, 5, 37, 17];

impl Population {
    pub(crate) fn new(scenario: &Scenario, real: &[RealProcess]) -> Self {
        let mut maker = Maker {
            scenario,
            random: Random::new(scenario.seed, 1),
            next: FIRST_PIDS,
            taken: real.iter().flat_map(|p| p.threads.iter().copied().chain([p.pid])).collect(),
            system_start: crate::image::system_thread_start(scenario),
            out: Self::default(),
        };
        maker.system_processes();
        maker.more_processes();
        for process in real {
            maker.real_process(process);
        }
        maker.more_threads();
        let mut out = maker.out;
        out.order();
        if scenario.real().is_some() {
            out.plan = Some(crate::nt::plan::plan(scenario, &mut out));
            return out;
        }
        out.hang("stuck.exe");
        if scenario.has(Fault::StuckThread) {
            let pid = real.last().map(|p| p.pid);
            out.stick(|p| pid.map_or(p.name == "stuck.exe", |pid| p.pid == pid));
        }
        out
    }

    pub(crate) fn process_number(&self, pid: u32) -> Option<usize> {
        self.by_pid.get(&pid).copied()
    }

    pub(crate) fn process(&self, pid: u32) -> Option<&ProcessModel> {
        self.process_number(pid).map(|number| &self.processes[number])
    }

    pub(crate) fn thread(&self, tid: u32) -> Option<(usize, &ThreadModel)> {
        self.by_tid.get(&tid).map(|number| (*number, &self.threads[*number]))
    }

    /// Threads belong together by process; the ranges say where.
    fn order(&mut self) {
        self.by_pid = self.processes.iter().enumerate().map(|(at, p)| (p.pid, at)).collect();
        self.threads.sort_by_key(|t| self.by_pid.get(&t.pid).copied());
        let numbered = self.threads.iter().enumerate().filter(|(_, t)| t.pid != 0);
        self.by_tid = numbered.map(|(at, t)| (t.tid, at)).collect();
        let mut at = 0;
        for process in &mut self.processes {
            let start = at;
            while self.threads.get(at).is_some_and(|t| t.pid == process.pid) {
                at += 1;
            }
            process.threads = start..at;
        }
    }

    /// The main thread of a process has waited for a lock since long ago.
    fn hang(&mut self, name: &str) {
        let process = self.processes.iter().find(|p| p.name == name);
        if let Some(thread) = process.and_then(|p| self.threads.get_mut(p.threads.start)) {
            thread.wait_reason = WAIT_FOR_PUSH_LOCK;
            thread.waited = HOURS_OF_HANG * 3600 * 64;
        }
    }

    /// The second thread of a process runs at raised IRQL.
    fn stick(&mut self, wanted: impl Fn(&ProcessModel) -> bool) {
        let Some(range) = self.processes.iter().find(|p| wanted(p)).map(|p| p.threads.clone())
        else {
            return;
        };
        if let Some(thread) = self.threads[range].get_mut(1) {
            thread.stuck = true;
            thread.state = RUNNING;
            thread.wait_reason = 0;
        }
    }
}

struct Maker<'a> {
    scenario: &'a Scenario,
    random: Random,
    next: u32,
    taken: HashSet<u32>,
    /// PspSystemThreadStartup's caller, where system threads begin.
    system_start: u64,
    out: Population,
}

impl Maker<'_> {
    fn id(&mut self) -> u32 {
        loop {
            self.next += 4 * self.random.between(1, 9) as u32;
            if self.taken.insert(self.next) {
                return self.next;
            }
        }
    }

    fn system_processes(&mut self) {
        self.process(0, 0, "Idle", 0, 0, self.scenario.processors);
        self.process(4, 0, "System", 0, 0x72, 24);
        for row in names::PROCESSES {
            let wanted = match row.fault {
                Some(fault) => self.scenario.has(fault),
                None => true,
            };
            if !wanted {
                continue;
            }
            let parent = self.pid_of(row.parent);
            let pid = self.id();
            let protection = match row.name {
                "lsass.exe" if self.scenario.has(Fault::ProtectedProcess) => 0x41,
                _ => row.protection,
            };
            let threads = match row.fault {
                Some(Fault::ManyThreads) => self.scenario.threads.unwrap_or(0).max(row.threads),
                _ => row.threads,
            };
            self.process(pid, parent, row.name, row.session, protection, threads);
        }
    }

    fn more_processes(&mut self) {
        let wanted = self.scenario.processes.unwrap_or(0) as usize;
        let (services, explorer) = (self.pid_of("services.exe"), self.pid_of("explorer.exe"));
        while self.out.processes.len() < wanted {
            let name = self.random.pick(names::MORE_PROCESSES);
            let service = name == "svchost.exe";
            let (parent, session) = if service { (services, 0) } else { (explorer, 1) };
            let (pid, threads) = (self.id(), self.random.between(2, 8) as u32);
            self.process(pid, parent, name, session, 0, threads);
        }
    }

    fn more_threads(&mut self) {
        let wanted = self.scenario.threads.unwrap_or(0) as usize;
        let owners: Vec<u32> =
            self.out.processes.iter().map(|p| p.pid).filter(|pid| *pid != 0).collect();
        while self.out.threads.len() < wanted {
            // Half go to few processes, as on real machines.
            let few = owners.len().min(6) as u64;
            let end = if self.random.below(2) == 0 { few } else { owners.len() as u64 };
            let pid = owners[self.random.below(end) as usize];
            let tid = self.id();
            self.thread(pid, tid);
        }
    }

    fn pid_of(&self, name: &str) -> u32 {
        self.out.processes.iter().find(|p| p.name == name).map_or(4, |p| p.pid)
    }

    fn real_process(&mut self, real: &RealProcess) {
        let parent = self.pid_of("explorer.exe");
        self.process(real.pid, parent, &real.name, 1, 0, 0);
        for tid in &real.threads {
            self.thread(real.pid, *tid);
        }
    }

    fn process(
        &mut self,
        pid: u32,
        parent: u32,
        name: &str,
        session: u32,
        protection: u8,
        threads: u32,
    ) {
        // Early enough for the longest wait.
        let age = self.random.between(1, u64::from(START_TICKS) / 3) * u64::from(TICK);
        let sharers = u64::from(self.scenario.processes.unwrap_or(0).max(32));
        let share = self.scenario.memory / 4096 / 8 / sharers;
        let least = 16;
        let user_pages = match (pid, protection) {
            (0, _) => 0,
            (4, _) => 8,
            (_, 0) => least.max(self.random.between(share / 2, share)),
            _ => least,
        };
        self.out.processes.push(ProcessModel {
            pid,
            parent,
            name: name.to_owned(),
            session,
            protection,
            threads: 0..0,
            created: if pid == 0 { 0 } else { BOOT_TIME + age },
            user_pages,
        });
        for _ in 0..threads {
            let tid = if pid == 0 { 0 } else { self.id() };
            self.thread(pid, tid);
        }
    }

    fn thread(&mut self, pid: u32, tid: u32) {
        let born = self.out.processes.iter().rev().find(|p| p.pid == pid).map_or(0, |p| p.created);
        let random = &mut self.random;
        let idle = pid == 0;
        let reason = if pid == 4 { random.pick(&[0, 0, 7, 15]) } else { random.pick(REASONS) };
        let longest = u64::from(START_TICKS) / 3;
        let kernel = pid == 4 || idle;
        self.out.threads.push(ThreadModel {
            tid,
            pid,
            state: if idle { RUNNING } else { WAITING },
            wait_reason: if idle { 0 } else { reason },
            waited: random.below(longest).min(random.below(longest)) as u32,
            kernel_time: random.below(600_000_000),
            user_time: if kernel { 0 } else { random.below(900_000_000) },
            created: born + random.below(THREAD_AGE),
            start_address: if kernel { self.system_start } else { USER_THREAD_START },
            win32_start: if kernel { 0 } else { 0x7ff6_0000_0000 + (random.below(1 << 22) << 4) },
            name: (!kernel && random.below(4) == 0).then(|| random.pick(names::THREADS)),
            priority: if idle { 0 } else { random.between(8, 15) as i32 },
            switches: random.below(200_000) as u32,
            stuck: false,
        });
    }
}
