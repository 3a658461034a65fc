//! Processors: the pointers in `KiProcessorBlock`.

use memory::VirtualAddress;
use nt::kdbg;
use serde::Serialize;

use crate::kernel::Kernel;
use crate::reader::at;

/// Processors that Windows supports.
const MOST: u64 = 2048;

/// A processor, as far as its members are known and in the dump.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Processor {
    /// Number.
    pub number: u64,
    /// Its KPRCB.
    #[serde(serialize_with = "crate::hex")]
    pub address: VirtualAddress,
    /// CurrentThread.
    #[serde(serialize_with = "crate::hex_option")]
    pub current_thread: Option<VirtualAddress>,
    /// NextThread: about to run on it.
    #[serde(serialize_with = "crate::hex_option")]
    pub next_thread: Option<VirtualAddress>,
    /// IdleThread.
    #[serde(serialize_with = "crate::hex_option")]
    pub idle_thread: Option<VirtualAddress>,
    /// Where its saved CONTEXT lies, in a dump that has one.
    #[serde(serialize_with = "crate::hex_option")]
    pub context: Option<VirtualAddress>,
    /// The interrupt level, from CR8 as it was saved; x64 only.
    pub irql: Option<u64>,
    /// Whether a DPC was running.
    pub dpc_active: Option<bool>,
    /// The DPC that runs.
    #[serde(serialize_with = "crate::hex_option")]
    pub dpc: Option<VirtualAddress>,
    /// The routine of that DPC.
    #[serde(serialize_with = "crate::hex_option")]
    pub dpc_routine: Option<VirtualAddress>,
    /// For how many ticks it has run.
    pub dpc_ticks: Option<u64>,
    /// How many wait in its queue.
    pub dpc_queue_depth: Option<u64>,
    /// Where the stack for DPCs ends, above.
    #[serde(serialize_with = "crate::hex_option")]
    pub dpc_stack: Option<VirtualAddress>,
    /// Where the stack for interrupts ends, above.
    #[serde(serialize_with = "crate::hex_option")]
    pub isr_stack: Option<VirtualAddress>,
}

/// The processors of a dump.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Processors {
    /// Those whose control block's address was found.
    pub processors: Vec<Processor>,
    /// How many the header says there are.
    pub expected: Option<u32>,
}

impl Kernel<'_> {
    /// The processors. `None` when the dump does not tell where they are.
    pub fn processors(&self) -> Option<Processors> {
        let array = self.block()?.address_of(kdbg::KI_PROCESSOR_BLOCK)?;
        let expected = self.dump().header().number_processors;
        let count = expected.map_or(MOST, u64::from).min(MOST);
        let pointer = self.reader().pointer_size();
        let blocks = (0..count)
            .map_while(|n| self.reader().kernel_pointer(at(array, n * pointer)).ok().flatten());
        let processors =
            blocks.zip(0..).map(|(address, number)| self.processor(address, number)).collect();
        Some(Processors { processors, expected })
    }

    fn processor(&self, address: VirtualAddress, number: u64) -> Processor {
        let layout = &self.layout().processor;
        let value = |member| self.member(address, member);
        let place = |member| {
            value(member).map(VirtualAddress).filter(|place| self.reader().is_kernel(*place))
        };
        let active = layout
            .dpc_data
            .and_then(|data| self.pointer(at(address, data.offset), self.layout().dpc_data.active));
        Processor {
            number: value(layout.number).filter(|n| *n < MOST).unwrap_or(number),
            address,
            current_thread: place(layout.current_thread),
            next_thread: place(layout.next_thread),
            idle_thread: place(layout.idle_thread),
            context: place(layout.context)
                .or_else(|| Some(at(address, layout.context_frame?.offset))),
            irql: value(layout.cr8).filter(|irql| *irql < 16),
            dpc_active: value(layout.dpc_active).map(|active| active != 0),
            dpc: active,
            dpc_routine: place(layout.dpc_routine)
                .or_else(|| self.pointer(active?, self.layout().dpc.routine)),
            dpc_ticks: value(layout.dpc_time_count),
            dpc_queue_depth: layout.dpc_data.and_then(|data| {
                let depth = self.layout().dpc_data.queue_depth?;
                self.member(at(address, data.offset), Some(depth))
            }),
            dpc_stack: place(layout.dpc_stack),
            isr_stack: place(layout.isr_stack),
        }
    }
}
