//! One file per question asked of a dump. Results are plain data with a
//! published schema, any field of which may be absent; nothing here prints.
#![forbid(unsafe_code)]

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

pub mod census;
pub mod completeness;
pub mod contents;
pub mod crash;
pub mod hang;
pub mod listing;
pub mod stack_wait;
pub mod stacks;
pub mod summary;

pub use census::{Census, ListReport, ThreadRef};
pub use completeness::{Completeness, completeness};
pub use contents::{Contents, Counted, contents};
pub use crash::{Crash, CrashParameter, crash};
pub use hang::{Hang, hang};
pub use stack_wait::{StackWait, StackWaits};
pub use stacks::{FrameReport, StackReport, UniqueStack};
pub use summary::{Summary, summary};

/// An address: 16 lower-case hex digits, in text and in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex(pub u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Hex {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9a-f]{16}$",
            "description": "an address: 16 lower-case hex digits"
        })
    }
}

/// The stable name of a value, as its own serialisation has it.
pub(crate) fn kebab<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
