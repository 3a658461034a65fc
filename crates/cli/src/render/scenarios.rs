//! The simulated machine's scenarios.

use schemars::JsonSchema;
use serde::Serialize;

use super::Table;

/// What `--simulate=list --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Scenarios {
    /// "livedump.scenarios/1".
    pub(crate) schema: String,
    /// All of them, healthy first.
    pub(crate) scenarios: Vec<Entry>,
}

/// One scenario.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Entry {
    /// What stands after `--simulate=`.
    pub(crate) name: String,
    /// The exit code of `livedump kernel`.
    pub(crate) kernel_exit: i32,
    /// Options that `kernel` needs to meet it.
    pub(crate) flags: String,
    /// One line.
    pub(crate) description: String,
}

const SETTINGS: &str = "
Several names may be joined with commas, and settings after them:
memory=1g  pool=256m  processes=300  threads=6000  processors=8  build=26100  arch=arm64  seed=N
as in --simulate=busy-then-ok,memory=1g,arch=arm64
";

/// `--simulate=list`.
pub(crate) fn text(scenarios: &Scenarios) -> String {
    let mut table = Table::new(&["SCENARIO", "KERNEL EXITS", "WITH", "DESCRIPTION"]);
    for one in &scenarios.scenarios {
        let flags = if one.flags.is_empty() { "-" } else { one.flags.as_str() };
        table.row([
            one.name.clone(),
            one.kernel_exit.to_string(),
            flags.to_owned(),
            one.description.clone(),
        ]);
    }
    table.into_text() + SETTINGS
}
