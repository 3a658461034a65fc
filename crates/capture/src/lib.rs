//! The capture workflow, over any [`machine::Machine`]: plan, preflight, run, watch, verify, finish.
//!
//! [`kernel`] takes a live dump, [`triage`] the kernel stacks of one process;
//! both answer with a [`Report`] whatever happened, and tell an [`Observer`]
//! what goes on. [`doctor`], [`estimate`] and the listings change nothing.
//! Nothing here prints, and nothing here knows which machine it is.
#![forbid(unsafe_code)]

mod batch;
mod call;
mod class;
mod coverage;
mod doctor;
mod estimate;
mod event;
mod failure;
mod finish;
mod kernel;
mod name;
pub mod new_file;
mod options;
mod pick;
mod place;
mod preflight;
mod process;
mod progress;
mod report;
mod session;
mod set;
mod status;
mod threads;
mod time;
mod triage;
mod verdict;
mod waiting;

pub use class::Class;
pub use doctor::{Doctor, Readiness, doctor};
pub use estimate::{Enough, Estimate, EstimateItem, EstimateReport, estimate};
pub use failure::Failure;
pub use kernel::kernel;
pub use options::{Common, KernelOptions, Pick, ProcessTarget, ThreadCount, TriageOptions};
pub use preflight::{Finding, Level};
pub use process::{ProcessEntry, ProcessList, processes};
pub use progress::{Event, Observer, Phase, Progress};
pub use report::{
    Attempt, FileReport, MachineSummary, Note, PhaseTimes, Report, StatusReport, ThreadReport,
    ThreadState, TriageReport,
};
pub use set::{SetFile, TriageSet};
pub use threads::{ThreadEntry, ThreadList, threads};
pub use triage::triage;
pub use verdict::failed_checks;
pub use waiting::WaitUnit;

use std::sync::Arc;

/// What a command runs on: the machine to dump and the computer we are on.
#[derive(Clone)]
pub struct World {
    /// The machine that is asked and dumped.
    pub machine: Arc<dyn machine::Machine>,
    /// The computer that files, interrupts and the event log belong to.
    pub host: Arc<dyn machine::Host>,
}
