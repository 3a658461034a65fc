//! Who waits for what: decided before anything has an address.

use std::collections::HashSet;

use crate::nt::chains::Activity;
use crate::population::{Population, RUNNING, ThreadModel, WAITING};
use crate::random::Random;
use crate::scenario::{Fault, Scenario};

/// KWAIT_REASON.
pub(crate) mod reason {
    pub(crate) const EXECUTIVE: u8 = 0;
    pub(crate) const DELAY: u8 = 4;
    pub(crate) const USER_REQUEST: u8 = 6;
    pub(crate) const WR_EXECUTIVE: u8 = 7;
    pub(crate) const WR_USER_REQUEST: u8 = 13;
    pub(crate) const WR_QUEUE: u8 = 15;
    pub(crate) const WR_LPC_RECEIVE: u8 = 16;
    pub(crate) const WR_LPC_REPLY: u8 = 17;
    pub(crate) const WR_RESOURCE: u8 = 27;
    pub(crate) const WR_PUSH_LOCK: u8 = 28;
    pub(crate) const WR_FAST_MUTEX: u8 = 34;
    pub(crate) const WR_ALERT: u8 = 37;
}

pub(crate) const TERMINATED: u8 = 4;

/// How an owner stands in an ERESOURCE: its address, or that with both low bits set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) thread: usize,
    pub(crate) marked: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Resource {
    pub(crate) owners: Vec<Owner>,
    pub(crate) shared: bool,
    pub(crate) exclusive_waiters: Vec<usize>,
    pub(crate) shared_waiters: Vec<usize>,
}

/// What leads from a thread to the request that it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// The thread's list.
    List,
    /// Words of its stack alone.
    Stack,
    /// Words of its stack, and the event that it waits for is the request's own.
    UserEvent,
    /// Words of its stack, and the routine that ends the request is given the
    /// event. A driver made it: no thread asked for it.
    Context,
    /// A word beside the event, which is the request's own.
    Beside,
}

const UNLISTED: [Reached; 4] =
    [Reached::Stack, Reached::UserEvent, Reached::Context, Reached::Beside];

/// A request at the bottom of the device stack, and who waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) thread: usize,
    pub(crate) reached: Reached,
    /// A thread with the request in its stack that does not wait for it, and
    /// with one of its own that is done.
    pub(crate) witness: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub(crate) owner: usize,
    pub(crate) waiters: Vec<usize>,
}

/// A message whose sender waits for the reply.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) client: usize,
    /// Whose thread works on it, or nobody's yet.
    pub(crate) server: Option<usize>,
    /// The server's process, by number.
    pub(crate) server_process: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct PushLock {
    pub(crate) owner: usize,
    pub(crate) waiter: usize,
}

/// All that is planted, by numbers of threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) activities: Vec<Activity>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) requests: Vec<Request>,
    pub(crate) mutants: Vec<Mutant>,
    pub(crate) messages: Vec<Message>,
    pub(crate) push_locks: Vec<PushLock>,
    /// Waiters of a fast mutex, and its owner.
    pub(crate) fast_mutexes: Vec<PushLock>,
    /// The processor whose deferred call does not end.
    pub(crate) storm: Option<u32>,
    /// Worker threads that all wait, and the number of items behind them.
    pub(crate) full_queue: Option<(Vec<usize>, u32)>,
    /// Threads whose stacks are not resident.
    pub(crate) swapped: HashSet<usize>,
    /// Threads on an expanded stack.
    pub(crate) expanded: HashSet<usize>,
    /// Threads that were called back in user mode, and are in the kernel again.
    pub(crate) callbacks: Vec<usize>,
}

struct Planner<'a> {
    population: &'a mut Population,
    random: Random,
    taken: HashSet<usize>,
    plan: Plan,
}

const LONG_AGO: u32 = 40 * 60 * 64;

/// Settles what every thread does, and plants what the scenario asks for.
pub(crate) fn plan(scenario: &Scenario, population: &mut Population) -> Plan {
    let random = Random::new(scenario.seed, 7);
    let mut planner = Planner { population, random, taken: HashSet::new(), plan: Plan::default() };
    planner.settle();
    if scenario.has(Fault::WorkQueueFull) {
        planner.no_idle_workers();
    }
    planner.quiet_resources();
    if scenario.has(Fault::Deadlock) {
        planner.deadlock();
    }
    if scenario.has(Fault::UnlistedIrp) {
        planner.unlisted_irp();
    } else if scenario.has(Fault::StuckIrp) {
        planner.stuck_irp(Reached::List, None);
    }
    if scenario.has(Fault::MutantOwnerDead) {
        planner.mutant_owner_dead();
    }
    if scenario.has(Fault::AlpcChain) {
        planner.alpc_chain();
    }
    if scenario.has(Fault::WorkQueueFull) {
        planner.work_queue_full();
    }
    if scenario.has(Fault::DpcStorm) {
        planner.plan.storm = Some(scenario.processors.saturating_sub(1).min(2));
    }
    if scenario.has(Fault::SwappedStacks) {
        planner.swap_stacks();
    }
    if scenario.has(Fault::StackSegments) {
        planner.expand_stacks();
    }
    if scenario.has(Fault::UserCallbacks) {
        planner.call_back();
    }
    planner.plan
}

impl Planner<'_> {
    /// An ordinary wait for each thread.
    fn settle(&mut self) {
        let protected: HashSet<u32> = self
            .population
            .processes
            .iter()
            .filter(|p| (p.pid > 4 && p.protection & 7 != 0) || p.name == "livedump.exe")
            .map(|p| p.pid)
            .collect();
        for (number, thread) in self.population.threads.iter_mut().enumerate() {
            let (reason, activity) = ordinary(thread, &mut self.random);
            thread.wait_reason = reason;
            self.plan.activities.push(activity);
            if thread.stuck || thread.state != WAITING || protected.contains(&thread.pid) {
                self.taken.insert(number);
            }
        }
    }

    /// A full queue has no worker that waits for work.
    fn no_idle_workers(&mut self) {
        let threads = self.population.threads.iter_mut();
        for (thread, activity) in threads.zip(&mut self.plan.activities) {
            if *activity == Activity::Worker {
                *activity = Activity::DriverThread;
                thread.wait_reason = reason::WR_EXECUTIVE;
            }
        }
    }

    fn take(&mut self, wanted: impl Fn(&ThreadModel) -> bool) -> Option<usize> {
        let free: Vec<usize> = (0..self.population.threads.len())
            .filter(|n| !self.taken.contains(n) && wanted(&self.population.threads[*n]))
            .collect();
        if free.is_empty() {
            return None;
        }
        let number = self.random.pick(&free);
        self.taken.insert(number);
        Some(number)
    }

    fn user(&mut self) -> usize {
        self.take(|t| t.pid > 4).unwrap_or(0)
    }

    fn system(&mut self) -> usize {
        self.take(|t| t.pid == 4).unwrap_or(0)
    }

    /// The thread has waited for long, in this way.
    fn waits(&mut self, number: usize, activity: Activity, wait_reason: u8) {
        let thread = &mut self.population.threads[number];
        thread.state = WAITING;
        thread.wait_reason = wait_reason;
        thread.waited = LONG_AGO + self.random.below(u64::from(LONG_AGO)) as u32;
        self.plan.activities[number] = activity;
    }

    fn waits_for_resource(&mut self, number: usize, resource: usize, shared: bool) {
        let system = self.population.threads[number].pid == 4;
        let activity = match (system, shared, self.random.below(2)) {
            (true, ..) => Activity::ThreadResource,
            (_, true, _) => Activity::ReadResourceShared,
            (.., 0) => Activity::WriteResource,
            _ => Activity::ReadResource,
        };
        self.waits(number, activity, reason::WR_RESOURCE);
        let of = &mut self.plan.resources[resource];
        if shared && !system {
            of.shared_waiters.push(number);
        } else {
            of.exclusive_waiters.push(number);
        }
    }

    fn resource(&mut self, owners: &[usize], shared: bool) -> usize {
        let marked = |at: usize| at % 2 == 1;
        let first = self.plan.resources.len();
        let owners = owners
            .iter()
            .enumerate()
            .map(|(at, thread)| Owner { thread: *thread, marked: marked(at + first) })
            .collect();
        self.plan.resources.push(Resource { owners, shared, ..Resource::default() });
        first
    }

    /// Resources that nobody waits for: one free, one owned, one shared.
    fn quiet_resources(&mut self) {
        self.resource(&[], false);
        let owner = self.user();
        self.resource(&[owner], false);
        let shared = [self.user(), self.user()];
        self.resource(&shared, true);
    }

    fn deadlock(&mut self) {
        let two = [self.user(), self.system()];
        let three = [self.user(), self.user(), self.system()];
        for ring in [&two[..], &three] {
            let first = self.plan.resources.len();
            for thread in ring {
                self.resource(&[*thread], false);
            }
            for (at, thread) in ring.iter().enumerate() {
                self.waits_for_resource(*thread, first + (at + 1) % ring.len(), false);
            }
        }
        let first = self.plan.resources.len() - 5;
        for shared in [false, true, true] {
            let waiter = self.user();
            self.waits_for_resource(waiter, first, shared);
        }
        // Apart from the rings: shared owners that go on, and one that waits for them.
        let owners = [self.user(), self.user(), self.user()];
        let shared = self.resource(&owners, true);
        let waiter = self.user();
        self.waits_for_resource(waiter, shared, false);
    }

    fn unlisted_irp(&mut self) {
        let reached = UNLISTED[self.random.below(UNLISTED.len() as u64) as usize];
        let witness = self.system();
        self.waits(witness, Activity::DriverThread, reason::WR_EXECUTIVE);
        self.stuck_irp(reached, Some(witness));
    }

    fn stuck_irp(&mut self, reached: Reached, witness: Option<usize>) {
        let thread = self.user();
        self.waits(thread, Activity::ReadRequest, reason::EXECUTIVE);
        self.plan.requests.push(Request { thread, reached, witness });
        let resource = self.resource(&[thread], false);
        for shared in [false, false, true] {
            let waiter = self.user();
            self.waits_for_resource(waiter, resource, shared);
        }
    }

    fn mutant_owner_dead(&mut self) {
        let owner = self.user();
        let thread = &mut self.population.threads[owner];
        thread.state = TERMINATED;
        thread.wait_reason = 0;
        let waiters = [self.user(), self.user(), self.user()];
        for waiter in waiters {
            self.waits(waiter, Activity::WaitForObject, reason::USER_REQUEST);
        }
        self.plan.mutants.push(Mutant { owner, waiters: waiters.to_vec() });
        // One whose owner is alive, and waits for an event.
        let (owner, waiter) = (self.user(), self.user());
        self.waits(waiter, Activity::WaitForObject, reason::USER_REQUEST);
        self.plan.mutants.push(Mutant { owner, waiters: vec![waiter] });
    }

    fn alpc_chain(&mut self) {
        let first = self.user();
        let mut client = first;
        for _ in 0..2 {
            let pid = self.population.threads[client].pid;
            let server = self.take(|t| t.pid > 4 && t.pid != pid).unwrap_or(0);
            self.message(client, Some(server));
            client = server;
        }
        // The last server waits for a push lock that another thread's lock entry names.
        let owner = self.user();
        self.waits(client, Activity::PushLock, reason::WR_PUSH_LOCK);
        self.waits(owner, Activity::Delay, reason::DELAY);
        self.plan.push_locks.push(PushLock { owner, waiter: client });
        let (owner, waiter) = (self.system(), self.system());
        self.waits(owner, Activity::DriverThread, reason::WR_EXECUTIVE);
        self.waits(waiter, Activity::FastMutex, reason::WR_FAST_MUTEX);
        self.plan.fast_mutexes.push(PushLock { owner, waiter });
        // A message that no server has taken.
        let waiting = self.user();
        self.message(waiting, None);
    }

    fn message(&mut self, client: usize, server: Option<usize>) {
        let process = |of: &Self, thread: usize| {
            of.population.process_number(of.population.threads[thread].pid).unwrap_or(0)
        };
        let other = server.unwrap_or_else(|| self.user());
        let server_process = process(self, other);
        self.waits(client, Activity::AlpcRequest, reason::WR_LPC_REPLY);
        self.plan.messages.push(Message { client, server, server_process });
    }

    fn work_queue_full(&mut self) {
        let workers: Vec<usize> = (0..8).map(|_| self.system()).collect();
        for worker in &workers {
            self.waits(*worker, Activity::WorkItem, reason::EXECUTIVE);
        }
        let items = 200 + self.random.below(100) as u32;
        self.plan.full_queue = Some((workers, items));
    }

    fn swap_stacks(&mut self) {
        let count = self.population.threads.len();
        for number in 0..count {
            let thread = &self.population.threads[number];
            if thread.state == WAITING && thread.pid > 4 && self.random.below(5) == 0 {
                self.plan.swapped.insert(number);
            }
        }
    }

    fn expand_stacks(&mut self) {
        let of = |n: &usize| self.plan.activities[*n] == Activity::WriteResource;
        let mut expanded: HashSet<usize> = (0..self.plan.activities.len()).filter(of).collect();
        if expanded.is_empty() {
            let (owner, waiter) = (self.user(), self.user());
            let resource = self.resource(&[owner], false);
            self.waits_for_resource(waiter, resource, false);
            self.plan.activities[waiter] = Activity::WriteResource;
            expanded.insert(waiter);
        }
        self.plan.swapped.retain(|n| !expanded.contains(n));
        self.plan.expanded = expanded;
    }

    fn call_back(&mut self) {
        for _ in 0..3 {
            let thread = self.user();
            self.waits(thread, Activity::WaitForObject, reason::USER_REQUEST);
            self.plan.swapped.remove(&thread);
            self.plan.callbacks.push(thread);
        }
    }
}

fn ordinary(thread: &ThreadModel, random: &mut Random) -> (u8, Activity) {
    let chosen = random.below(8);
    match thread.pid {
        _ if thread.state == RUNNING => (0, Activity::Idle),
        4 if chosen < 5 => (reason::WR_QUEUE, Activity::Worker),
        4 => (reason::WR_EXECUTIVE, Activity::DriverThread),
        _ => match chosen {
            0 => (reason::DELAY, Activity::Delay),
            1 | 2 => (reason::WR_QUEUE, Activity::WorkerFactory),
            3 => (reason::WR_QUEUE, Activity::Completion),
            4 => (reason::WR_ALERT, Activity::AlertByThreadId),
            5 => (reason::WR_USER_REQUEST, Activity::WaitForObjects),
            6 => (reason::WR_LPC_RECEIVE, Activity::AlpcReceive),
            _ => (reason::USER_REQUEST, Activity::WaitForObject),
        },
    }
}
