//! How large a dump will be, between two bounds, from what the system says of its memory.

use std::path::Path;

use machine::{Facts, MemoryFacts, Pages, VolumeFacts};
use schemars::JsonSchema;
use serde::Serialize;

use crate::World;

/// Bytes of kernel stack a thread usually has on 64-bit Windows.
const STACK: u64 = 24 * 1024;
/// Bytes of page-frame database for each physical page.
const PFN_ENTRY: u64 = 48;
/// Page tables are about this fraction of what they map.
const PAGE_TABLE_FRACTION: u64 = 512;
/// Thread object, processor state and lists beside a stack in a stacks-only dump, per thread, at most.
const STACKS_ONLY_EXTRA: u64 = 16 * 1024;
/// Header, kernel image headers and processor blocks of any dump.
const FIXED: u64 = 1024 * 1024;

/// The two bounds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// A dump is not smaller.
    pub lower: u64,
    /// A dump is not larger.
    pub upper: u64,
}

/// One part of the lower bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EstimateItem {
    /// What: "nonpaged pool".
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// How it was found: "measured", or the rule it was computed by.
    pub how: String,
}

/// The result of `livedump estimate`. Any field may be absent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EstimateReport {
    /// "livedump.estimate/1".
    pub schema: String,
    /// The scenario, when the machine is a simulated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// What would be captured.
    pub content: String,
    /// The parts of the lower bound.
    pub items: Vec<EstimateItem>,
    /// Lower bound, bytes; absent when the system told nothing of its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<u64>,
    /// Upper bound, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper: Option<u64>,
    /// Free bytes at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_disk: Option<u64>,
    /// The target's volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Memory that is available for the copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_memory: Option<u64>,
    /// Enough disk for the lower and the upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_is_enough: Option<Enough>,
    /// Enough memory for the copy; if not, the dump is expected to be partial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_is_enough: Option<Enough>,
}

/// Whether something is enough for an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Enough {
    /// For the upper bound.
    Yes,
    /// For the lower bound, not for the upper.
    Maybe,
    /// Not even for the lower bound.
    No,
}

impl Enough {
    pub(crate) fn of(have: u64, need: Estimate) -> Self {
        match have {
            h if h >= need.upper => Self::Yes,
            h if h >= need.lower => Self::Maybe,
            _ => Self::No,
        }
    }
}

/// Estimates a live dump of this machine; changes nothing.
pub fn estimate(world: &World, pages: &Pages, folder: Option<&Path>) -> EstimateReport {
    let facts = world.machine.facts();
    let volume = crate::place::volume_of(world, folder);
    report(world, &facts, pages, volume.as_ref())
}

/// The report, from facts that are already there.
pub(crate) fn report(
    world: &World,
    facts: &Facts,
    pages: &Pages,
    volume: Option<&VolumeFacts>,
) -> EstimateReport {
    let items = items(&facts.memory, pages);
    let bounds = bounds(&facts.memory, pages);
    let free = volume.and_then(|v| v.free);
    EstimateReport {
        schema: "livedump.estimate/1".into(),
        simulated: crate::session::simulated(world),
        content: content(pages),
        items,
        lower: bounds.map(|b| b.lower),
        upper: bounds.map(|b| b.upper),
        free_disk: free,
        volume: volume.map(|v| v.name.clone()),
        available_memory: facts.memory.available,
        disk_is_enough: bounds.zip(free).map(|(b, f)| Enough::of(f, b)),
        memory_is_enough: bounds.zip(facts.memory.available).map(|(b, a)| Enough::of(a, b)),
    }
}

/// "kernel memory, user pages", "kernel stacks of all threads".
pub(crate) fn content(pages: &Pages) -> String {
    if pages.kernel_stacks_only {
        return "kernel stacks of all threads".into();
    }
    let mut parts = vec!["kernel memory"];
    if pages.include_user_space {
        parts.push("user pages");
    }
    if pages.hypervisor || pages.nonessential_hypervisor {
        parts.push("hypervisor pages");
    }
    if pages.nonessential_hypervisor {
        parts.push("nonessential hypervisor pages");
    }
    parts.join(", ")
}

fn items(memory: &MemoryFacts, pages: &Pages) -> Vec<EstimateItem> {
    let item = |name: &str, bytes: Option<u64>, how: &str| {
        bytes.map(|bytes| EstimateItem { name: name.into(), bytes, how: how.into() })
    };
    let threads = memory.threads.map(u64::from);
    let stacks = item("kernel stacks", threads.map(|n| n.saturating_mul(STACK)), "24 KiB a thread");
    if pages.kernel_stacks_only {
        return stacks.into_iter().collect();
    }
    let page = u64::from(memory.page_size.max(1));
    [
        item("nonpaged pool", memory.nonpaged_pool, "measured"),
        item("resident paged pool", memory.resident_paged_pool, "measured"),
        item("resident kernel code", memory.resident_kernel_code, "measured"),
        item("resident driver code", memory.resident_driver_code, "measured"),
        stacks,
        item(
            "page tables",
            memory.working_sets.map(|w| w / PAGE_TABLE_FRACTION),
            "1/512 of the working sets",
        ),
        item(
            "page-frame database",
            memory.total.map(|t| (t / page).saturating_mul(PFN_ENTRY)),
            "48 bytes a page",
        ),
        pages
            .include_user_space
            .then(|| item("user pages", memory.working_sets, "the working sets"))
            .flatten(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The two bounds; `None` when not even one part is known.
pub(crate) fn bounds(memory: &MemoryFacts, pages: &Pages) -> Option<Estimate> {
    let items = items(memory, pages);
    if items.is_empty() {
        return None;
    }
    let lower = items.iter().fold(0u64, |sum, i| sum.saturating_add(i.bytes));
    if pages.kernel_stacks_only {
        let threads = u64::from(memory.threads.unwrap_or(0));
        // Stacks are committed page by page: a thread may use as little as one.
        let least = threads.saturating_mul(u64::from(memory.page_size)) / 2;
        let upper = lower
            .saturating_add(threads.saturating_mul(STACKS_ONLY_EXTRA))
            .saturating_add(64 * FIXED);
        return Some(Estimate { lower: least, upper });
    }
    let in_use = memory.total.zip(memory.available).map(|(t, a)| t.saturating_sub(a));
    let private =
        if pages.include_user_space { 0 } else { memory.private_working_sets.unwrap_or(0) };
    let upper = in_use
        .map(|u| u.saturating_sub(private))
        .unwrap_or(u64::MAX)
        .max(lower)
        .saturating_add(FIXED);
    Some(Estimate { lower, upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> MemoryFacts {
        MemoryFacts {
            total: Some(16 << 30),
            available: Some(6 << 30),
            nonpaged_pool: Some(700 << 20),
            resident_paged_pool: Some(600 << 20),
            resident_kernel_code: Some(20 << 20),
            resident_driver_code: Some(60 << 20),
            working_sets: Some(8 << 30),
            private_working_sets: Some(4 << 30),
            threads: Some(4000),
            page_size: 4096,
            ..MemoryFacts::default()
        }
    }

    #[test]
    fn the_lower_bound_is_the_sum_of_its_parts() {
        let b = bounds(&memory(), &Pages::default()).unwrap();
        let parts = (700 << 20)
            + (600 << 20)
            + (20 << 20)
            + (60 << 20)
            + 4000 * STACK
            + (16 << 20)
            + (4 << 20) * 48;
        assert_eq!(b.lower, parts);
        assert_eq!(b.upper, (6 << 30) + FIXED);
    }

    #[test]
    fn user_pages_add_the_working_sets() {
        let with =
            bounds(&memory(), &Pages { include_user_space: true, ..Pages::default() }).unwrap();
        let without = bounds(&memory(), &Pages::default()).unwrap();
        assert_eq!(with.lower - without.lower, 8 << 30);
        assert!(with.upper >= 10 << 30);
    }

    #[test]
    fn stacks_only_is_estimated_from_the_thread_count_alone() {
        let b = bounds(&memory(), &Pages { kernel_stacks_only: true, ..Pages::default() }).unwrap();
        assert!(b.lower < 4000 * STACK && b.upper > 4000 * STACK && b.upper < 400 << 20);
    }

    #[test]
    fn a_machine_that_tells_nothing_has_no_estimate() {
        assert_eq!(bounds(&MemoryFacts::default(), &Pages::default()), None);
    }
}
