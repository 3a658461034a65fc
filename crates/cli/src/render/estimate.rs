//! How large a dump will be.

use capture::{Enough, EstimateReport};

use super::{Record, Table, exact_size, size};

/// `livedump estimate`.
pub(crate) fn text(estimate: &EstimateReport) -> String {
    let mut record = Record::default();
    record.simulated(estimate.simulated.as_deref());
    record.line("content", &estimate.content);
    if !estimate.items.is_empty() {
        let mut items = Table::new(&["PART", "SIZE", "HOW FOUND"]);
        for item in &estimate.items {
            items.row([item.name.clone(), exact_size(item.bytes), item.how.clone()]);
        }
        record.text(&items.into_text());
    }
    record.line("at least", or_unknown(estimate.lower));
    record.line("at most", or_unknown(estimate.upper));
    let volume = estimate.volume.as_deref().unwrap_or("the target");
    let disk = estimate
        .free_disk
        .map(|free| format!("{} free at {volume}: {}", size(free), disk(estimate.disk_is_enough)));
    record.maybe("disk", disk);
    let memory = estimate
        .available_memory
        .map(|free| format!("{} available: {}", size(free), memory(estimate.memory_is_enough)));
    record.maybe("memory", memory);
    record.into_text()
}

fn or_unknown(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), exact_size)
}

fn disk(enough: Option<Enough>) -> &'static str {
    match enough {
        Some(Enough::Yes) => "enough",
        Some(Enough::Maybe) => "enough for the lower bound, not for the upper",
        Some(Enough::No) => "not enough, a capture would be refused",
        None => "whether that is enough is not known",
    }
}

fn memory(enough: Option<Enough>) -> &'static str {
    match enough {
        Some(Enough::Yes) => "enough for the copy, the dump should be complete",
        Some(Enough::Maybe) => "perhaps too little for the copy, the dump may be partial",
        Some(Enough::No) => "too little for the copy, expect a partial dump",
        None => "whether that is enough is not known",
    }
}
