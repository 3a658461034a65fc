//! The kernel stacks of all threads, each laid when it is asked for.

use std::collections::{HashMap, HashSet};

use crate::nt::Fixture;
use crate::nt::chains::{self, Activity};
use crate::nt::frames::{Layer, Outside, Step};
use crate::nt::table::Operation;
use crate::random::Random;

/// Only the two top pages of a stack were ever touched.
pub(crate) const USED: usize = 0x2000;
/// Below a stack's base: KSTACK_CONTROL, and alignment.
pub(crate) const RESERVE: u64 = 0x50;

/// Everything that stacks follow from.
#[derive(Debug)]
pub(crate) struct RealStacks {
    pub(crate) fixture: &'static Fixture,
    /// Where the fixture's images lie.
    pub(crate) bases: Vec<u64>,
    pub(crate) activities: Vec<Activity>,
    /// What functions of a thread's stack keep, by the function's name.
    pub(crate) keeps: HashMap<u32, Vec<(&'static str, u64)>>,
    /// Base of the other stack of threads whose stack is expanded.
    pub(crate) expanded: HashMap<u32, u64>,
    /// Those of them whose other stack is of a callback into user mode.
    pub(crate) callbacks: HashSet<u32>,
    /// Threads that have work on a processor's own stack: its base, and the functions there.
    pub(crate) processors: HashMap<u32, (u64, &'static [&'static str])>,
    /// Processors' own stacks by a thread that does not use it.
    pub(crate) processors_own: HashMap<u32, u64>,
    /// Threads that were interrupted: they run in the processor's hands.
    pub(crate) interrupted: HashSet<u32>,
    pub(crate) seed: u64,
    pub(crate) arm: bool,
}

/// One thread, as its stack needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread {
    pub(crate) number: u32,
    pub(crate) base: u64,
    pub(crate) user: bool,
}

impl RealStacks {
    /// The thread's whole way into the kernel.
    pub(crate) fn lay(&self, thread: Thread) -> Layer {
        let activity = self.activities.get(thread.number as usize).copied().unwrap_or_default();
        let mut names = activity.names(thread.user);
        if self.callbacks.contains(&thread.number) {
            names = chains::called_back(&names);
        } else if self.expanded.contains_key(&thread.number) {
            names = chains::expanded(&names);
        }
        if let Some((_, above)) = self.processors.get(&thread.number) {
            let mut all = above.to_vec();
            if self.interrupted.contains(&thread.number) {
                all.extend(chains::INTERRUPTED);
                // Interrupted in the loop itself.
                names = vec!["KiIdleWait"].into_iter().chain(names).collect();
            }
            names = all.into_iter().chain(names).collect();
        }
        self.lay_names(thread, &names)
    }

    /// A waiting thread that a triage dump's capture has woken.
    pub(crate) fn lay_in_capture(&self, thread: Thread) -> Layer {
        let activity = self.activities.get(thread.number as usize).copied().unwrap_or_default();
        let waiting = activity.names(thread.user);
        let left = waiting.iter().skip(2);
        let names: Vec<&str> = chains::SNAP[1..].iter().chain(left).copied().collect();
        self.lay_names(thread, &names)
    }

    fn lay_names(&self, thread: Thread, names: &[&'static str]) -> Layer {
        let mut steps = chains::steps(self.fixture, &self.bases, names);
        let keeps = self.keeps.get(&thread.number);
        for (name, value) in keeps.into_iter().flatten() {
            if let Some(step) = steps.iter_mut().find(|s| s.function.name == *name) {
                step.keeps = Some(*value);
            }
        }
        let random = Random::new(self.seed, 0x7000_0000 + u64::from(thread.number));
        let mut layer = Layer::new(self.arm, thread.base, USED, RESERVE, random);
        if thread.user {
            layer.came_from(user_mode(self.seed, thread.number));
        }
        let mut outer: Option<&Step> = None;
        for step in steps.iter().rev() {
            self.enter(&mut layer, step, outer, thread);
            outer = Some(step);
        }
        // Its frame is on the stack, but no address in it.
        layer.frames.retain(|frame| frame.name != chains::CALLS_USER_MODE);
        control(&mut layer, thread);
        if let Some(trap) = layer.trap_frame.filter(|_| thread.user && !self.arm) {
            layer.write(trap + 0x28, 0x1F80_0000_0001);
        }
        layer
    }

    fn enter(&self, layer: &mut Layer, step: &Step, outer: Option<&Step>, thread: Thread) {
        let from = outer.map(|outer| layer.here(outer.at));
        let called_back = outer.is_some_and(|outer| outer.function.name == chains::CALLS_USER_MODE);
        match (step.function.operations.first(), from) {
            (Some(Operation::Machine { .. }), _) if called_back => {
                let base = self.expanded.get(&thread.number).copied().unwrap_or(thread.base);
                layer.switch(base, USED, RESERVE, user_mode(!self.seed, thread.number));
            }
            (Some(Operation::Machine { code: false }), Some(from)) => {
                let expanded = self.expanded.get(&thread.number).copied();
                let own = self.processors.get(&thread.number).map(|(base, _)| *base);
                let base = expanded.or(own).unwrap_or(thread.base);
                layer.switch(base, USED, RESERVE, from);
            }
            (Some(Operation::Machine { code: true }), Some(from)) => layer.came_from(from),
            _ => {}
        }
        layer.enter(step, outer.map(|outer| outer.at));
    }
}

/// Where a system call came from.
fn user_mode(seed: u64, thread: u32) -> Outside {
    let mut random = Random::new(seed, 0x6000_0000 + u64::from(thread));
    Outside {
        pc: 0x7ffb_4000_0000 + (random.below(0x20_0000) & !0xF) + 4,
        sp: 0x00d0_0000_0000 + (random.below(0x1000_0000) & !0xF) + 8,
        user: true,
    }
}

/// KSTACK_CONTROL above the first frame of each stack: bounds, and those of the stack before.
fn control(layer: &mut Layer, thread: Thread) {
    let base = thread.base;
    layer.write(base - CONTROL, base);
    layer.write(base - CONTROL + 8, base - SIZE);
    if layer.stacks.len() < 2 {
        return;
    }
    let (other, old) = (layer.stacks[1].top, layer.left_at);
    let values = [other, other - SIZE, base, base - SIZE, old, base - CONTROL];
    for (number, value) in values.into_iter().enumerate() {
        layer.write(other - CONTROL + number as u64 * 8, value);
    }
}

/// KSTACK_CONTROL lies there, and InitialStack points to it.
pub(crate) const CONTROL: u64 = 0x30;
/// Of every kernel stack.
const SIZE: u64 = crate::image::STACK_PAGES as u64 * 4096;
