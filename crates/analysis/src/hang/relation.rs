//! Who waits for what, and who has it.

use memory::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Hex, ThreadRef};

/// How sure a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The dump does not tell.
    NotProvable,
    /// The dump fits the claim, and could fit another.
    Consistent,
    /// Structures of the dump agree with each other on it.
    Proved,
}

/// An address that speaks for a claim, and what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// Where.
    pub address: Hex,
    /// What is there.
    pub what: String,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Object {
    /// Where it lies.
    pub address: Hex,
    /// What it is: `resource`, `mutant`, `irp`, `alpc-message`, `thread`, ...
    pub kind: String,
}

/// Who has what is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Holder {
    /// A thread.
    Thread(ThreadRef),
    /// A thread that is in no list: it ended.
    GoneThread {
        /// The thread, as far as its memory still tells.
        #[serde(flatten)]
        thread: ThreadRef,
        /// Whether its memory still says so: its state is Terminated.
        terminated: bool,
    },
    /// A process, of which no single thread is named.
    Process {
        /// Its id.
        pid: Option<u64>,
        /// Its image name.
        process: Option<String>,
        /// Where it lies.
        address: Hex,
    },
    /// A device that has the request, and its driver.
    Device {
        /// The device.
        device: Hex,
        /// The driver's name.
        driver: Option<String>,
        /// The module that the driver's code is in.
        module: Option<String>,
    },
}

/// A thread waits for something, and somebody has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Relation {
    /// Who waits.
    pub waiter: ThreadRef,
    /// For what.
    pub object: Object,
    /// Who has it, when that is known.
    pub holder: Option<Holder>,
    /// How sure that is.
    pub grade: Grade,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
    /// Numbers of the two threads in the census.
    #[serde(skip)]
    pub(crate) ends: (usize, Option<usize>),
}

impl Evidence {
    pub(crate) fn new(address: VirtualAddress, what: impl Into<String>) -> Self {
        Self { address: Hex(address.0), what: what.into() }
    }
}

impl Object {
    pub(crate) fn new(address: VirtualAddress, kind: impl Into<String>) -> Self {
        Self { address: Hex(address.0), kind: kind.into() }
    }
}
