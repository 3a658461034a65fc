//! A simulated Windows machine.
//!
//! It stands in for Windows wherever Windows is needed: it tells of itself,
//! lists processes and threads, and answers the two debug-control calls as
//! the interface specification says the kernel does, faults included. Its
//! dumps are made from the memory of a small NT.
//!
//! It serialises everything by itself, by offsets written down from the
//! specifications: nothing is shared with the product, so that one wrong
//! layout cannot be right twice. Every file it makes says "simulated" in the
//! header comment.
#![forbid(unsafe_code)]

mod bytes;
mod clock;
mod dump;
mod facts;
pub mod files;
mod handles;
mod image;
mod kernel;
mod layout;
mod machine;
mod names;
mod nt;
mod population;
mod random;
mod scenario;
mod status;

pub use crate::clock::SimulatedClock;
pub use crate::kernel::{Answer, EventObject, FileObject, Kernel, Objects, RawCall, ThreadObject};
pub use crate::machine::SimulatedMachine;
pub use crate::population::RealProcess;
pub use crate::scenario::{Scenario, ScenarioError, ScenarioInfo, list};
