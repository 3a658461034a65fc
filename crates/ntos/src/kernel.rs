//! The kernel of a dump: what everything else is asked of.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use format::{Dump, KernelMemory, Machine, Width};
use memory::VirtualAddress;
use nt::kdbg;

use crate::debugger_block::{DebuggerBlock, NoBlock};
use crate::encoded::Known;
use crate::layout::{Layout, Member, Source, Types};
use crate::module::{self, Modules};
use crate::probe;
use crate::reader::{Reader, at};
use crate::shared::{self, Clock};
use crate::wait::Waiters;

/// A kernel, found in a dump.
pub struct Kernel<'a> {
    dump: &'a Dump<'a>,
    memory: KernelMemory<'a>,
    block: Result<DebuggerBlock, NoBlock>,
    modules: Modules,
    layout: Layout,
    clock: Option<Clock>,
    thread_list: Option<(u64, u64)>,
    work: AtomicU64,
    pub(crate) waiters: Waiters,
    /// The layout with what all threads together prove.
    pub(crate) objects: OnceLock<Layout>,
}

/// Steps along links and tables for all questions together: a machine with
/// 100,000 threads takes some millions.
const WORK: u64 = 100_000_000;
/// Waiting threads by which the layout of wait blocks is probed.
const SAMPLE: usize = 256;

/// Finds the types that belong to a dump's kernel.
pub trait FindTypes {
    /// The types, if they are known to be this kernel's.
    fn types(
        &self,
        dump: &Dump<'_>,
        reader: &Reader<'_>,
        modules: &Modules,
    ) -> Option<Box<dyn Types>>;
}

impl<'a> Kernel<'a> {
    /// Finds the kernel in a dump: its modules, its debugger block (decoded if
    /// it must be), and where its structures keep their members. `types` is
    /// asked once, with the modules, for the types that belong to the kernel.
    pub fn open(dump: &'a Dump<'a>, types: &dyn FindTypes) -> Result<Self, format::Error> {
        Self::open_within(WORK, dump, types)
    }

    /// The same, for who has little time: no more than so many steps along
    /// links and tables are taken, whatever is asked.
    pub fn open_within(
        work: u64,
        dump: &'a Dump<'a>,
        types: &dyn FindTypes,
    ) -> Result<Self, format::Error> {
        let memory = dump.kernel_memory()?;
        let reader = Reader::new(&memory, dump.header().width);
        let mut modules = module::list(dump, &memory, &reader);
        let header = dump.header();
        let known = Known {
            kernel_base: modules.kernel().map(|kernel| kernel.base.0),
            ps_loaded_module_list: header.ps_loaded_module_list.map(|head| head.0),
            ps_active_process_head: header.ps_active_process_head.map(|head| head.0),
        };
        let block = DebuggerBlock::find(&memory, header.kd_debugger_data_block, &known);
        if let Ok(block) = &block
            && modules.modules.is_empty()
        {
            module::from_base(&mut modules, &reader, block.address_of(kdbg::KERN_BASE));
        }
        let types = types.types(dump, &reader, &modules);
        let layout = match &types {
            Some(types) => Layout::of(types.as_ref()),
            None => Layout::default(),
        };
        let mut kernel = Self {
            clock: shared::clock(&reader, header.width),
            dump,
            memory,
            block,
            modules,
            layout,
            thread_list: None,
            work: AtomicU64::new(work),
            waiters: Waiters::default(),
            objects: OnceLock::new(),
        };
        kernel.layout = kernel.proved(kernel.layout);
        kernel.complete();
        Ok(kernel)
    }

    /// The dump.
    pub fn dump(&self) -> &'a Dump<'a> {
        self.dump
    }

    /// Its memory.
    pub fn memory(&self) -> &KernelMemory<'a> {
        &self.memory
    }

    /// Typed reads of its memory.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(&self.memory, self.width()).with_work(&self.work)
    }

    /// Whether all steps were taken: what is told from then on is cut short.
    pub fn is_exhausted(&self) -> bool {
        self.work.load(Ordering::Relaxed) == 0
    }

    /// Whether pointers have 32 or 64 bits.
    pub fn width(&self) -> Width {
        self.dump.header().width
    }

    /// The debugger block, when there is one that is proved.
    pub fn block(&self) -> Option<&DebuggerBlock> {
        self.block.as_ref().ok()
    }

    /// Why there is no debugger block.
    pub fn no_block(&self) -> Option<&NoBlock> {
        self.block.as_ref().err()
    }

    /// The loaded modules.
    pub fn modules(&self) -> &Modules {
        &self.modules
    }

    /// Where structures keep their members.
    pub fn layout(&self) -> &Layout {
        self.objects.get().unwrap_or(&self.layout)
    }

    /// Bytes of a thread.
    pub(crate) fn thread_size(&self) -> Option<u64> {
        let told = || self.block()?.offset(kdbg::SIZE_ETHREAD).map(u64::from);
        self.layout().thread.size.or_else(told)
    }

    /// What the clock said, when the page that has it is in the dump.
    pub fn clock(&self) -> Option<Clock> {
        self.clock
    }

    /// Where a process keeps the head of its threads' list, and a thread its entry.
    pub(crate) fn thread_list(&self) -> Option<(u64, u64)> {
        self.thread_list
    }

    /// PsActiveProcessHead: the header's, else the debugger block's.
    pub fn process_list_head(&self) -> Option<VirtualAddress> {
        let block = || self.block()?.address_of(kdbg::PS_ACTIVEPROCESS_HEAD);
        self.dump.header().ps_active_process_head.filter(|head| head.0 != 0).or_else(block)
    }

    /// Whether this is a triage dump of running threads. The capture woke each
    /// of them to photograph it: their state, wait blocks and innermost frames
    /// are its own, and say nothing of what the thread waited for.
    pub fn is_of_threads_in_capture(&self) -> bool {
        matches!(self.memory, KernelMemory::Triage(_)) && self.dump.header().is_live()
    }

    /// The thread whose context the header has: a triage dump's own copy, else
    /// the one of the processor whose registers those are.
    pub fn header_thread(&self) -> Option<VirtualAddress> {
        if let KernelMemory::Triage(triage) = &self.memory
            && let Some(thread) = triage.thread()
        {
            return thread.address;
        }
        let sp = self.header_stack_pointer()?;
        let processors = self.processors()?.processors;
        processors.into_iter().filter_map(|one| one.current_thread).find(|thread| {
            let thread = self.thread(*thread);
            let bounds = thread.stack_limit.zip(thread.stack_base);
            bounds.is_some_and(|(limit, base)| (limit..=base).contains(&sp))
        })
    }

    fn header_stack_pointer(&self) -> Option<VirtualAddress> {
        use unwind::arm64::Arm64Registers;
        use unwind::x64::X64Registers;
        let context = self.dump.context().ok()??;
        Some(match self.dump.header().machine_image_type {
            Machine::X64 => {
                VirtualAddress(X64Registers::from_context(&context)?.get(X64Registers::RSP)?)
            }
            Machine::Arm64 => VirtualAddress(Arm64Registers::from_context(&context)?.sp),
            _ => return None,
        })
    }

    /// The value of a member of the structure at an address. `None` when the
    /// member is not known, or is not in the dump.
    pub fn member(&self, structure: VirtualAddress, member: Option<Member>) -> Option<u64> {
        let member = member?;
        let value =
            self.reader().integer(at(structure, member.offset), member.size as usize).ok()?;
        Some(match member.bits {
            Some((first, count)) if count < 64 => (value >> first) & ((1 << count) - 1),
            _ => value,
        })
    }

    /// A pointer into the kernel's half, in a member.
    pub fn pointer(
        &self,
        structure: VirtualAddress,
        member: Option<Member>,
    ) -> Option<VirtualAddress> {
        self.reader().kernel_pointer(at(structure, member?.offset)).ok().flatten()
    }

    /// Types that do not fit the dump are not used: with them, the first
    /// process must be the one with PID 4.
    fn proved(&self, layout: Layout) -> Layout {
        let (Some(links), Some(id)) = (layout.process.links, layout.process.id) else {
            return layout;
        };
        let first = self.process_list_head().and_then(|head| self.reader().pointer(head).ok());
        let Some(first) = first else { return layout };
        let process = VirtualAddress(first.0.wrapping_sub(links.offset));
        match self.member(process, Some(id)) {
            Some(4) | None => layout,
            Some(_) => Layout::default(),
        }
    }

    /// What no types told: from the debugger block, then from the dump itself.
    fn complete(&mut self) {
        if let Some(block) = self.block.as_ref().ok().cloned() {
            self.layout.complete_from(&block, self.reader().pointer_size());
        }
        let owned = self.running_threads();
        self.complete_processes(&owned);
        self.complete_threads(&owned);
        self.complete_waits();
    }

    /// The threads that processors name, with the process they point to.
    fn running_threads(&self) -> Vec<(VirtualAddress, VirtualAddress)> {
        let processors = self.processors().map(|all| all.processors).unwrap_or_default();
        let owner = self.owner_member();
        let mut owned: Vec<_> = processors
            .iter()
            .flat_map(|processor| [processor.current_thread, processor.idle_thread])
            .flatten()
            .filter_map(|thread| Some((thread, self.pointer(thread, owner)?)))
            .collect();
        owned.sort();
        owned.dedup();
        owned
    }

    /// The member of a thread that points to the process it belongs to.
    pub(crate) fn owner_member(&self) -> Option<Member> {
        let thread = &self.layout.kernel_thread;
        thread.process.or(thread.apc_process)
    }

    fn complete_processes(&mut self, owned: &[(VirtualAddress, VirtualAddress)]) {
        if self.layout.process.links.is_some() && self.layout.process.id.is_some() {
            return;
        }
        let size = self.block().and_then(|block| block.offset(kdbg::SIZE_EPROCESS));
        let (Some(size), Some(head)) = (size, self.process_list_head()) else { return };
        let links = crate::list::walk(&self.reader(), head, 1 << 16).entries;
        let owners: Vec<_> = owned.iter().map(|(_, process)| *process).collect();
        let evidence =
            probe::process::Evidence { links: &links, owners: &owners, size: size.into() };
        let found = probe::process::find(&self.reader(), &evidence);
        let process = &mut self.layout.process;
        process.size = process.size.or(found.size);
        process.links = process.links.or(found.links);
        process.id = process.id.or(found.id);
        process.name = process.name.or(found.name);
    }

    fn complete_threads(&mut self, owned: &[(VirtualAddress, VirtualAddress)]) {
        let layout = &self.layout;
        let told = [
            (layout.kernel_process.thread_list_head, layout.kernel_thread.list_entry),
            (layout.process.thread_list_head, layout.thread.list_entry),
        ];
        self.thread_list = told
            .into_iter()
            .find_map(|(head, entry)| Some((head?.offset, entry?.offset)))
            .or_else(|| self.probe_thread_list(owned));
        if self.layout.thread.id.is_some() {
            return;
        }
        let size = self.block().and_then(|block| block.offset(kdbg::SIZE_ETHREAD));
        let (Some(size), Some(processes)) = (size, self.processes()) else { return };
        let mut sample = Vec::new();
        for process in &processes.processes {
            let threads = self.threads(process).map(|list| list.addresses).unwrap_or_default();
            let pid = process.pid.unwrap_or_default();
            sample.extend(threads.iter().take(8).map(|thread| (*thread, pid)));
        }
        if let Some((process, own)) = probe::thread::client_id(&self.reader(), &sample, size.into())
        {
            self.layout.thread.process_id = Some(process);
            self.layout.thread.id = Some(own);
        }
    }

    fn probe_thread_list(&self, owned: &[(VirtualAddress, VirtualAddress)]) -> Option<(u64, u64)> {
        let block = self.block()?;
        let sizes =
            (block.offset(kdbg::SIZE_EPROCESS)?.into(), block.offset(kdbg::SIZE_ETHREAD)?.into());
        let owner = self.owner_member();
        let owned = owned.get(..owned.len().min(8))?;
        let list = probe::process::thread_list(&self.reader(), owned, sizes, |thread| {
            self.pointer(thread, owner)
        })?;
        Some((list.head, list.entry))
    }

    fn complete_waits(&mut self) {
        if self.layout.kernel_thread.wait_block_list.is_some() || self.thread_list.is_none() {
            return;
        }
        let size = self.block().and_then(|block| block.offset(kdbg::SIZE_ETHREAD));
        let (Some(size), Some(processes)) = (size, self.processes()) else { return };
        let mut waiting = Vec::new();
        for process in &processes.processes {
            let threads = self.threads(process).map(|list| list.addresses).unwrap_or_default();
            let waits = |thread: &VirtualAddress| self.thread(*thread).waits() == Some(true);
            waiting.extend(threads.into_iter().filter(waits).take(SAMPLE - waiting.len()));
            if waiting.len() == SAMPLE {
                break;
            }
        }
        if let Some(found) = probe::wait::find(&self.reader(), &waiting, size.into()) {
            self.layout.kernel_thread.wait_block_list = Some(found.list);
            self.layout.wait_block = found.block;
            self.layout.dispatcher.wait_list_head = found.header.wait_list_head;
        }
    }

    /// Who told where the members lie, with how many each told.
    pub fn sources(&self) -> Vec<(Source, usize)> {
        self.layout().sources()
    }
}
