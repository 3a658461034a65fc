//! Processes, threads and processors.
//!
//! Source: dump-formats specification, sections 10.3 to 10.5.

use crate::bytes::{put, put16, put32, put64};
use crate::image::context::{Registers, context, real_context};
use crate::image::entries::Access;
use crate::image::functions::{CAPTURING, CORRALLED, address_in};
use crate::image::physical::{Content, PAGE};
use crate::image::stack::{Purpose, STACK_PAGES, StackSeed};
use crate::image::{Image, place};
use crate::layout::fixed;
use crate::nt::chains::Activity;
use crate::nt::plan::TERMINATED;
use crate::population::{ProcessModel, RUNNING, ThreadModel};

/// A pool header before each object, and alignment.
const OBJECT_GAP: u64 = 0x80;
/// A guard page below each stack.
const STACK_STRIDE: u64 = (STACK_PAGES as u64 + 1) * PAGE as u64;

impl Image {
    pub(crate) fn build_objects(&mut self) {
        self.place_objects();
        self.choose_current();
        self.build_stacks();
        self.prepare_stacks();
        for number in 0..self.threads.len() {
            self.build_thread(number);
        }
        for number in 0..self.processes.len() {
            self.build_process(number);
        }
        self.link_processes();
    }

    fn place_objects(&mut self) {
        let mut address = self.at.objects;
        let mut take = |size: u16| {
            address += OBJECT_GAP;
            let at = address;
            address = (address + u64::from(size)).next_multiple_of(0x40);
            at
        };
        self.processes =
            self.population.processes.iter().map(|_| take(self.layout.eprocess)).collect();
        self.threads = self.population.threads.iter().map(|_| take(self.layout.ethread)).collect();
        let pages = (address - self.at.objects).div_ceil(PAGE as u64) as usize;
        self.space.area(self.at.objects, pages, Content::Zero, true, Access::Data);
    }

    /// The capturing thread on processor 0, threads that spin on the next, else the idle threads.
    fn choose_current(&mut self) {
        let idle = |n: usize| n.min(self.population.processes[0].threads.len().saturating_sub(1));
        self.current = (0..self.processors as usize).map(idle).collect();
        let capture = self.population.processes.iter().find(|p| p.name == "livedump.exe");
        if let Some(thread) = capture.and_then(|p| p.threads.clone().nth(1)) {
            self.current[0] = thread;
            let model = &mut self.population.threads[thread];
            model.state = RUNNING;
            model.wait_reason = 0;
            if let Some(real) = &mut self.space.physical.stacks.real {
                real.activities[thread] = Activity::Capture;
            }
        }
        let stuck =
            self.population.threads.iter().enumerate().filter(|(_, t)| t.stuck).map(|(n, _)| n);
        for (processor, thread) in self.current.iter_mut().skip(1).zip(stuck) {
            *processor = thread;
        }
    }

    fn purpose(&self, number: usize) -> Purpose {
        let thread = &self.population.threads[number];
        match thread {
            _ if self.current.first() == Some(&number) && thread.pid != 0 => Purpose::Capture,
            t if t.stuck => Purpose::Stuck,
            t if t.pid == 0 => Purpose::Idle,
            t if t.pid == 4 => Purpose::System,
            _ => Purpose::User,
        }
    }

    fn build_stacks(&mut self) {
        for number in 0..self.threads.len() {
            let start = self.at.stacks + number as u64 * STACK_STRIDE + PAGE as u64;
            let base = start + (STACK_PAGES * PAGE) as u64;
            let thread = number as u32;
            let wait_reason = self.population.threads[number].wait_reason;
            let seed = StackSeed { thread, wait_reason, purpose: self.purpose(number), base };
            let stacks = &mut self.space.physical.stacks;
            stacks.seeds.push(seed);
            // Only the two top pages were ever touched.
            let contents = (0..STACK_PAGES).rev().map(|page| match page {
                0 | 1 => Content::Stack { thread, page: page as u8 },
                _ => Content::Zero,
            });
            self.space.area_of(start, contents, true, Access::Data);
        }
    }

    fn build_thread(&mut self, number: usize) {
        let model = self.population.threads[number].clone();
        let (layout, stacks) = (self.layout, &self.space.physical.stacks);
        let base = stacks.seeds[number].base;
        let owner = self.owner(&model);
        let address = self.threads[number];
        let mut bytes = vec![0; layout.ethread.into()];
        bytes[0] = 6;
        put64(&mut bytes, self.layout.fixed.initial_stack, base);
        put64(&mut bytes, self.layout.fixed.stack_limit, base - (STACK_PAGES * PAGE) as u64);
        put64(&mut bytes, self.layout.fixed.stack_base, base);
        put64(&mut bytes, self.layout.fixed.kernel_stack, stacks.kernel_stack(number));
        if stacks.has_trap_frame(number) {
            put64(&mut bytes, self.layout.fixed.trap_frame, stacks.trap_frame(number));
            put64(
                &mut bytes,
                self.layout.fixed.teb,
                0x00d0_0000_0000 + u64::from(model.tid) * 0x1000,
            );
        }
        self_linked(&mut bytes, address, self.layout.fixed.apc_state);
        self_linked(&mut bytes, address, self.layout.fixed.apc_state + 0x10);
        put64(&mut bytes, self.layout.fixed.apc_process, owner);
        bytes[self.layout.fixed.state] = model.state;
        bytes[self.layout.fixed.wait_reason] = model.wait_reason;
        put32(
            &mut bytes,
            self.layout.fixed.wait_time,
            crate::population::START_TICKS - model.waited,
        );
        put64(&mut bytes, self.layout.fixed.thread_process, owner);
        put64(&mut bytes, layout.cid.into(), model.pid.into());
        put64(&mut bytes, usize::from(layout.cid) + 8, model.tid.into());
        put64(&mut bytes, layout.win32_start.into(), model.win32_start);
        self.space.write(address, &bytes);
    }

    fn owner(&self, thread: &ThreadModel) -> u64 {
        self.population.process_number(thread.pid).map_or(0, |number| self.processes[number])
    }

    fn build_process(&mut self, number: usize) {
        let model = self.population.processes[number].clone();
        let layout = self.layout;
        let address = self.processes[number];
        let mut bytes = vec![0; layout.eprocess.into()];
        bytes[0] = 3;
        put64(&mut bytes, layout.pid.into(), model.pid.into());
        put64(&mut bytes, layout.parent.into(), model.parent.into());
        if model.pid > 4 {
            put64(&mut bytes, layout.peb.into(), place::USER);
        }
        let name: Vec<u8> = model.name.bytes().take(14).collect();
        put(&mut bytes, layout.name.into(), &name);
        self.space.write(address, &bytes);
        self.link_threads(
            &model,
            address,
            self.layout.fixed.process_threads,
            self.layout.fixed.thread_entry,
        );
        self.link_threads(&model, address, layout.thread_list.into(), layout.thread_entry.into());
    }

    fn link_threads(&mut self, model: &ProcessModel, process: u64, head: usize, entry: usize) {
        let ended = |number: &usize| self.population.threads[*number].state == TERMINATED;
        let entries: Vec<u64> = (model.threads.clone())
            .filter(|number| !ended(number))
            .map(|number| self.threads[number] + entry as u64)
            .collect();
        self.link(process + head as u64, &entries);
    }

    fn link_processes(&mut self) {
        // The idle process is in no list.
        let entries: Vec<u64> =
            self.processes.iter().skip(1).map(|p| p + u64::from(self.layout.links)).collect();
        self.link(self.at.process_head, &entries);
    }

    /// A doubly linked list of LIST_ENTRYs.
    pub(crate) fn link(&mut self, head: u64, entries: &[u64]) {
        let mut previous = head;
        for entry in entries.iter().chain([&head]) {
            self.space.write64(previous, *entry);
            self.space.write64(entry + 8, previous);
            previous = *entry;
        }
    }

    pub(crate) fn set_directory_base(&mut self, process: usize, base: u64) {
        self.space
            .write64(self.processes[process] + self.layout.fixed.directory_table_base as u64, base);
    }

    pub(crate) fn build_processors(&mut self) {
        let size = fixed::PRCB_IN_PCR + usize::from(self.layout.prcb);
        let pages = size.div_ceil(PAGE);
        for number in 0..self.processors as usize {
            let pcr = self.at.processors + (number * (pages + 1) * PAGE) as u64;
            self.space.area(pcr, pages, Content::Zero, true, Access::Data);
            let prcb = pcr + fixed::PRCB_IN_PCR as u64;
            self.space.write64(pcr + 0x18, pcr);
            self.space.write64(pcr + 0x20, prcb);
            let bytes = self.processor(number, prcb);
            self.space.write(prcb, &bytes);
            self.space.write64(self.at.processor_block + number as u64 * 8, prcb);
            self.prcbs.push(prcb);
        }
    }

    fn processor(&self, number: usize, prcb: u64) -> Vec<u8> {
        let layout = &self.layout;
        let mut bytes = vec![0; layout.prcb.into()];
        put32(&mut bytes, 0, 0x1F80);
        put16(&mut bytes, 4, number as u16);
        put64(&mut bytes, self.layout.fixed.current_thread, self.threads[self.current[number]]);
        let idle = &self.population.processes[0].threads;
        put64(
            &mut bytes,
            self.layout.fixed.idle_thread,
            self.threads[idle.start + number.min(idle.len() - 1)],
        );
        put32(&mut bytes, self.layout.fixed.number, number as u32);
        put32(&mut bytes, self.layout.fixed.mhz, 2995);
        let state: usize = layout.processor_state.into();
        if !self.is_arm() {
            const LA57: u64 = 1 << 12;
            let cr4 = 0x35_0EF8 | if self.space.has_five_levels() { LA57 } else { 0 };
            for (at, value) in [(0, 0x8005_0033), (0x10, self.directory_base()), (0x18, cr4)] {
                put64(&mut bytes, state + at, value);
            }
        }
        let frame = state + fixed::SPECIAL_REGISTERS;
        put(&mut bytes, frame, &self.processor_context(number));
        put64(&mut bytes, layout.context_pointer.into(), prcb + frame as u64);
        bytes
    }

    /// Registers of a processor while the capture holds it.
    pub(crate) fn processor_context(&self, number: usize) -> Vec<u8> {
        let thread = self.current[number];
        if let Some(layer) = self.space.physical.stacks.lay(thread) {
            let pc = layer.frames.last().map_or(0, |frame| frame.pc);
            return real_context(self.is_arm(), pc, layer.sp, layer.registers());
        }
        let function = if number == 0 { CAPTURING } else { CORRALLED };
        let stack = self.space.physical.stacks.kernel_stack(thread);
        let registers = Registers {
            pc: address_in(self.at.kernel, &function),
            sp: stack + 0x40,
            frame: stack + 0x50,
        };
        context(self.is_arm(), &registers)
    }
}

/// An empty LIST_ENTRY.
fn self_linked(bytes: &mut [u8], address: u64, at: usize) {
    put64(bytes, at, address + at as u64);
    put64(bytes, at + 8, address + at as u64);
}
