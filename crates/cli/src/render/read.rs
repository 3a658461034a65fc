//! Memory of a dump.

use format::Missing;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Record, exact_size};

/// The result of `livedump read`, and of `livedump blobs` with a blob. Any field may be absent.
/// Addresses are 16 hex digits.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct ReadReport {
    /// "livedump.read/1", or "livedump.blob/1" of a blob.
    pub(crate) schema: String,
    /// The exit code.
    pub(crate) exit_code: u8,
    /// As given.
    pub(crate) path: String,
    /// Made by the simulated machine.
    pub(crate) simulated: bool,
    /// The file of a set that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// "virtual", "physical", or "blob" with addresses that count from the blob's start.
    pub(crate) space: String,
    /// Where reading began.
    pub(crate) address: String,
    /// Bytes asked for.
    pub(crate) length: u64,
    /// Bytes that were there.
    pub(crate) bytes_read: u64,
    /// The bytes, where they did not go elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<PartReport>,
    /// What is missing of it, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) gaps: Vec<GapReport>,
    /// Reading ended before the range did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<EndReport>,
    /// The file that the bytes were written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
    /// What should be known about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// Bytes without a gap.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PartReport {
    /// Where they begin.
    pub(crate) address: String,
    /// File offset of the first; those of other pages may be anywhere.
    pub(crate) file_offset: u64,
    /// The bytes, two hex digits each.
    pub(crate) hex: String,
}

/// Bytes that are not there.
#[derive(Serialize, JsonSchema)]
pub(crate) struct GapReport {
    /// Where they begin.
    pub(crate) address: String,
    /// How many.
    pub(crate) length: u64,
    /// Why; of several stretches that are alike, the first.
    pub(crate) reason: String,
    /// How many stretches like that it has.
    pub(crate) alike: u64,
    /// The level of the page tables that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<String>,
    /// The entry that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entry: Option<String>,
    /// The physical page that is not in the dump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame: Option<String>,
}

/// Why reading ended early.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EndReport {
    /// Where to read on.
    pub(crate) address: String,
    /// Why.
    pub(crate) reason: String,
}

impl GapReport {
    pub(crate) fn new(address: u64, length: u64, reason: &Missing, alike: u64) -> Self {
        Self {
            address: format!("{address:016x}"),
            length,
            reason: reason.to_string(),
            alike,
            level: reason.level().map(|level| level.to_string()),
            entry: reason.entry().map(|entry| format!("{entry:016x}")),
            frame: reason.frame().map(|frame| frame.to_string()),
        }
    }

    /// `missing 4096 bytes: ...`
    pub(crate) fn words(&self) -> String {
        let like = match self.alike {
            1 => String::new(),
            count => format!(" (and {} more like it)", count - 1),
        };
        format!("missing {}: {}{like}", exact_size(self.length), self.reason)
    }
}

/// What follows the bytes, or stands in their place when they went elsewhere.
pub(crate) fn text(report: &ReadReport) -> String {
    let mut record = Record::default();
    if let Some(output) = &report.output {
        record.line("file", output);
    }
    record.maybe("from", report.file.as_deref());
    if report.simulated {
        record.line("simulated", "nothing of this is from a real Windows");
    }
    let whole = report.bytes_read == report.length;
    if !whole || report.output.is_some() {
        record.line("read", summary(report));
    }
    if let Some(ended) = &report.ended {
        record.line("ended", format!("at {}: {}", ended.address, ended.reason));
    }
    report.notes.iter().for_each(|note| record.line("note", note));
    record.into_text()
}

/// `4096 of 8192 bytes, 1 gap`
fn summary(report: &ReadReport) -> String {
    let gaps = match report.gaps.len() {
        0 => String::new(),
        1 => ", 1 gap".to_owned(),
        count => format!(", {count} gaps"),
    };
    match report.bytes_read {
        0 => format!("nothing of {} bytes{gaps}", report.length),
        read => format!("{read} of {} bytes{gaps}", report.length),
    }
}
