//! Page tables of user mode, stacks on other stacks, and pages that are not there.

use crate::bytes::get64;
use crate::image::Image;
use crate::image::entries::Access;
use crate::image::physical::{Content, PAGE};
use crate::image::stack::STACK_PAGES;
use crate::nt::plan::Plan;
use crate::nt::stacks::{CONTROL, USED};
use crate::random::Random;
use crate::scenario::Scenario;

/// Flags in the low bits of the two directory bases under KVA shadow: documented by what
/// public dumps show, 2 for the kernel's and 1 for user mode's.
const KERNEL_PCID: u64 = 2;
const USER_PCID: u64 = 1;
const STRIDE: u64 = (STACK_PAGES as u64 + 1) * PAGE as u64;
/// A software entry of a page in a page file: number 0, offset in the upper half.
const PAGED_OUT: u64 = 0x0000_1234_0000_0080;

impl Image {
    pub(crate) fn shadow(&mut self, number: usize, base: u64) {
        if self.real.is_none() || self.is_arm() {
            return;
        }
        let process = self.processes[number];
        let slot = self.space.slot_of(base);
        let root = self.space.shadow_root(slot);
        let user = self.space.directory_base(root) | USER_PCID;
        self.set_directory_base(number, base | KERNEL_PCID);
        self.set(process, "_KPROCESS", "UserDirectoryTableBase", user);
        self.set(process, "_KPROCESS", "AddressPolicy", 1);
    }

    /// A stack that is no thread's own: its base.
    pub(super) fn other_stack(&mut self, number: u64) -> u64 {
        let start = self.at.more_stacks + number * STRIDE + PAGE as u64;
        self.space.area(start, STACK_PAGES, Content::Zero, true, Access::Data);
        start + (STACK_PAGES * PAGE) as u64
    }

    pub(super) fn plant_expanded_stacks(&mut self) {
        let stacks = self.space.physical.stacks.real.as_ref();
        let mut expanded: Vec<(u32, u64)> =
            stacks.map_or_else(Vec::new, |r| r.expanded.iter().map(|(t, b)| (*t, *b)).collect());
        expanded.sort_unstable();
        let callbacks = stacks.map_or_else(Default::default, |r| r.callbacks.clone());
        for (thread, base) in expanded {
            let Some(layer) = self.space.physical.stacks.lay(thread as usize) else { continue };
            if let Some(stack) = layer.stacks.get(1) {
                self.space.write(base - USED as u64, stack.from(base - USED as u64));
            }
            let address = self.threads[thread as usize];
            for (field, value) in [
                ("StackBase", base),
                ("StackLimit", base - (STACK_PAGES * PAGE) as u64),
                ("InitialStack", base - CONTROL),
                ("KernelStack", layer.sp),
                ("CalloutActive", u64::from(!callbacks.contains(&thread))),
            ] {
                self.set(address, "_KTHREAD", field, value);
            }
        }
    }

    /// The stacks of threads that the plan chose are in the page file.
    pub(super) fn swap_out(&mut self, plan: &Plan) {
        for thread in &plan.swapped {
            let base = self.space.physical.stacks.seeds[*thread].base;
            for page in 1..=STACK_PAGES as u64 {
                let frame = self.space.unmap(base - page * PAGE as u64, PAGED_OUT);
                self.missing.extend(frame);
            }
        }
    }

    /// Pages removed at random: any that a dump has and that holds a structure.
    pub(super) fn lose_pages(&mut self, scenario: &Scenario) {
        let mut random = Random::new(scenario.seed, 9);
        let (first, count) =
            (self.physical().frame_of_slot(0), self.physical().slots().len() as u64);
        for _ in 0..u64::from(scenario.missing_pages).min(count / 2) {
            loop {
                if self.missing.insert(first + random.below(count)) {
                    break;
                }
            }
        }
    }

    /// DirectoryTableBase of a process as its object has it.
    pub(super) fn directory_of(&self, process: usize) -> u64 {
        let at = self.processes[process] + self.layout.fixed.directory_table_base as u64;
        get64(&self.space.read(at, 8), 0)
    }
}
