//! What threads wait for, where no types tell of it: members that are probed
//! once all threads are known.

use std::collections::{BTreeSet, HashSet};

use memory::VirtualAddress;
use nt::thread::WaitReason;

use crate::kernel::Kernel;
use crate::layout::{Layout, Member, Source};
use crate::probe;
use crate::process::Process;
use crate::thread::Thread;
use crate::wait::ObjectKind;

/// What the finders are shown.
pub(crate) struct Evidence {
    /// Processes of the list.
    pub processes: HashSet<VirtualAddress>,
    /// Threads of the lists.
    pub threads: HashSet<VirtualAddress>,
    /// Threads that wait.
    pub waiting: Vec<Waiting>,
    /// What they wait for.
    pub objects: BTreeSet<VirtualAddress>,
}

/// A thread that waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    /// The thread.
    pub thread: VirtualAddress,
    /// Why, as it says.
    pub reason: Option<WaitReason>,
    /// Its client id: its process's id and its own.
    pub client: Option<(u64, u64)>,
    /// The first object that it waits for, where its wait block is known.
    pub object: Option<VirtualAddress>,
}

impl Kernel<'_> {
    /// Looks for members that nobody told, with all threads as evidence. What
    /// is found is in [`Kernel::layout`] from then on; asked again, it does nothing.
    pub fn probe_objects(&self, processes: &[Process], threads: &[Thread]) {
        // The capture woke these: what they wait for now is its own.
        if !self.is_of_threads_in_capture() {
            self.objects.get_or_init(|| self.probed(processes, threads));
        }
    }

    fn probed(&self, processes: &[Process], threads: &[Thread]) -> Layout {
        let mut layout = *self.layout();
        let told = |member: Member| member.source < Source::DebuggerBlock;
        if layout.wait_block.thread.is_some_and(told) {
            // What the types do not have, this kernel does not have.
            return layout;
        }
        let reader = self.reader();
        let evidence = Evidence::of(self, processes, threads);
        let header = &mut layout.dispatcher;
        header.kind = header.kind.or_else(|| probe::object::kind(&reader, header, &evidence));
        header.signal_state =
            header.signal_state.or_else(|| probe::object::signal_state(&reader, header, &evidence));
        let queue = &mut layout.kernel_thread.queue;
        *queue = queue.or_else(|| {
            probe::object::queue(&reader, &layout.dispatcher, &evidence, self.thread_size()?)
        });
        if let (None, Some(size)) = (layout.mutant.owner, self.thread_size()) {
            let kind = |object| self.kind_in(&layout, object);
            let is_mutant = |object: &VirtualAddress| kind(*object) == Some(ObjectKind::Mutant);
            let mutants: Vec<_> = evidence.objects.iter().copied().filter(is_mutant).collect();
            // One whose owner has ended names a thread that is in no list.
            let is_thread = |address| {
                let owner = || self.owner_of(address).and_then(kind);
                evidence.threads.contains(&address)
                    || kind(address) == Some(ObjectKind::Thread)
                        && owner() == Some(ObjectKind::Process)
            };
            let found =
                probe::object::mutant(&reader, &mutants, &layout.dispatcher, size, is_thread);
            layout.mutant = found.unwrap_or(layout.mutant);
        }
        if let (None, Some(links)) = (layout.resource.owner_entry, self.resource_links()) {
            (layout.resource, layout.owner) =
                probe::resource::find(&reader, &links.entries, &evidence);
        }
        if let (None, Some(size)) = (layout.thread.alpc_message, self.thread_size())
            && let Some(found) =
                probe::alpc::find(&reader, &evidence, size, |thread| self.owner_of(thread))
        {
            layout.thread.alpc_message = Some(found.thread);
            layout.alpc_message = found.message;
            layout.alpc_port = found.port;
        }
        layout
    }
}

impl Evidence {
    fn of(kernel: &Kernel<'_>, processes: &[Process], threads: &[Thread]) -> Self {
        let waiting: Vec<Waiting> = threads
            .iter()
            .filter(|thread| thread.waits() == Some(true))
            .map(|thread| Waiting {
                thread: thread.address,
                reason: thread.wait_reason,
                client: thread.pid.zip(thread.tid),
                object: kernel.first_object(thread.address),
            })
            .collect();
        Self {
            processes: processes.iter().map(|process| process.address).collect(),
            threads: threads.iter().map(|thread| thread.address).collect(),
            objects: waiting.iter().filter_map(|thread| thread.object).collect(),
            waiting,
        }
    }
}
