//! Processors that do not come back to their threads.

use schemars::JsonSchema;
use serde::Serialize;

use super::relation::{Evidence, Grade};
use crate::listing::ProcessorReport;
use crate::{Hex, ThreadRef};

/// A deferred call that runs so long, in milliseconds, is told of. (Windows'
/// own watchdog allows a single one 20 s.)
const LONG: u64 = 100;

/// A processor in a deferred procedure call that does not end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BusyProcessor {
    /// Its number.
    pub processor: u64,
    /// The thread that it took the processor from.
    pub thread: Option<ThreadRef>,
    /// The routine, by its name where there is one.
    pub routine: Option<String>,
    /// Its module.
    pub module: Option<String>,
    /// For how long, in milliseconds; where provable.
    pub milliseconds: Option<u64>,
    /// How many more wait in the processor's queue.
    pub queued: Option<u64>,
    /// How sure that is.
    pub grade: Grade,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
}

/// Processors in a deferred call, those apart that the capture held in one.
pub(crate) fn busy(
    processors: &[ProcessorReport],
    milliseconds: impl Fn(u64) -> Option<u64>,
) -> Vec<BusyProcessor> {
    let running = processors.iter().filter(|one| one.dpc_active == Some(true) && !one.corralled);
    running
        .filter_map(|one| {
            let time = one.dpc_ticks.filter(|ticks| *ticks > 0).and_then(&milliseconds);
            let queued = one.dpc_queue_depth.filter(|depth| *depth > 0);
            if time.is_none_or(|time| time < LONG) && queued.is_none() {
                return None;
            }
            let mut evidence = vec![Evidence {
                address: one.address,
                what: "the processor's control block: a DPC is active".into(),
            }];
            if let Some(dpc) = one.dpc {
                evidence.push(Evidence { address: dpc, what: "the DPC".into() });
            }
            let frame = one.frames.iter().find(|frame| frame.module.as_deref() != Some("nt"));
            if let Some(Hex(address)) = frame.map(|frame| frame.address) {
                let what = "where the processor was, on its stack for DPCs".to_owned();
                evidence.push(Evidence { address: Hex(address), what });
            }
            Some(BusyProcessor {
                processor: one.number,
                thread: one.current_thread.clone(),
                module: frame.and_then(|frame| frame.module.clone()),
                routine: one.dpc_routine.clone(),
                milliseconds: time,
                queued,
                grade: if one.dpc.is_some() { Grade::Proved } else { Grade::Consistent },
                evidence,
            })
        })
        .collect()
}
