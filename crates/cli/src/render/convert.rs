//! What a conversion came to.

use format::Verification;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Record, exact_size};

/// The result of `livedump convert`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ConvertReport {
    /// "livedump.convert/1".
    pub(crate) schema: String,
    /// The exit code.
    pub(crate) exit_code: u8,
    /// The dump that was read, as given.
    pub(crate) source: String,
    /// Its kind, in words.
    pub(crate) source_kind: String,
    /// The dump that was written.
    pub(crate) path: String,
    /// Its kind, in words.
    pub(crate) kind: String,
    /// DumpType of its header.
    pub(crate) dump_type: u32,
    /// Made from a dump of the simulated machine.
    pub(crate) simulated: bool,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Bytes of it that are zeros and take no room on the disk, where the file system can do that.
    pub(crate) holes: u64,
    /// Pages that are stored.
    pub(crate) pages: u64,
    /// Runs of pages that follow each other.
    pub(crate) runs: u64,
    /// Bytes of secondary data, carried over unchanged.
    pub(crate) secondary_bytes: u64,
    /// Who may read it, where that was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) readers: Option<String>,
    /// What should be known about it.
    pub(crate) notes: Vec<String>,
    /// Seconds spent on writing, flushing included.
    pub(crate) writing_seconds: f64,
    /// Seconds spent on verifying.
    pub(crate) verifying_seconds: f64,
    /// What verification found.
    pub(crate) verification: Verification,
}

/// `livedump convert`.
pub(crate) fn text(report: &ConvertReport) -> String {
    let mut record = Record::default();
    record.line("file", &report.path);
    record.line("verdict", &report.verification.summary);
    if report.simulated {
        record.line("simulated", "the source was made by the simulated machine");
    }
    record.line("kind", format!("{} (type {})", report.kind, report.dump_type));
    record.line("from", format!("{} ({})", report.source, report.source_kind));
    record.line("size", exact_size(report.size));
    record.maybe("holes", Some(report.holes).filter(|holes| *holes > 0).map(exact_size));
    let runs = if report.runs == 1 { "run" } else { "runs" };
    record.line("pages", format!("{} in {} {runs}", report.pages, report.runs));
    let secondary = Some(report.secondary_bytes).filter(|bytes| *bytes > 0);
    record.maybe("secondary", secondary.map(exact_size));
    record.maybe("readers", report.readers.as_deref());
    let (writing, verifying) = (report.writing_seconds, report.verifying_seconds);
    record.line("seconds", format!("{writing:.1} writing, {verifying:.1} verifying"));
    report.notes.iter().for_each(|note| record.line("note", note));
    record.into_text()
}
