//! What a conversion came to.

use capture::Class;
use format::Verification;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Record, exact_size};

/// The result of `livedump convert`. Any field may be absent.
#[derive(Default, Serialize, JsonSchema)]
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
    /// Pages of the source that lie behind its end: not stored.
    pub(crate) pages_behind_the_end: u64,
    /// Pages of the source that the system could not read: not stored.
    pub(crate) pages_unreadable: u64,
    /// Bytes of secondary data, carried over unchanged.
    pub(crate) secondary_bytes: u64,
    /// Bytes behind the source's last page and its last whole blob: not carried over.
    pub(crate) left_out_bytes: u64,
    /// Who may read it, where that was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) readers: Option<String>,
    /// What should be known about it.
    pub(crate) notes: Vec<String>,
    /// How long the phases took.
    pub(crate) times: Times,
    /// What verification found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verification: Option<Verification>,
}

/// Seconds that the phases of a conversion took.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct Times {
    /// Checking the source, and every size and offset of the result.
    pub(crate) sizing: f64,
    /// Creating the file.
    pub(crate) placing: f64,
    /// Writing, flushing included.
    pub(crate) writing: f64,
    /// Verifying.
    pub(crate) verifying: f64,
}

impl ConvertReport {
    /// What is known of the result, not of its source.
    pub(crate) fn new(
        path: String,
        class: Class,
        readers: Option<String>,
        notes: Vec<String>,
        times: Times,
    ) -> Self {
        let (schema, exit_code) = ("livedump.convert/1".into(), class.exit_code());
        Self { schema, exit_code, path, readers, notes, times, ..Self::default() }
    }
}

/// `livedump convert`.
pub(crate) fn text(report: &ConvertReport) -> String {
    let mut record = Record::default();
    record.line("file", &report.path);
    record.maybe("verdict", report.verification.as_ref().map(|found| &found.summary));
    if report.simulated {
        record.line("simulated", "the source was made by the simulated machine");
    }
    record.line("kind", format!("{} (type {})", report.kind, report.dump_type));
    record.line("from", format!("{} ({})", report.source, report.source_kind));
    record.line("size", exact_size(report.size));
    record.maybe("holes", Some(report.holes).filter(|holes| *holes > 0).map(exact_size));
    let runs = if report.runs == 1 { "run" } else { "runs" };
    record.line("pages", format!("{} in {} {runs}", report.pages, report.runs));
    let lost = report.pages_behind_the_end.saturating_add(report.pages_unreadable);
    record.maybe("lost", Some(lost).filter(|lost| *lost > 0).map(|lost| format!("{lost} pages")));
    let secondary = Some(report.secondary_bytes).filter(|bytes| *bytes > 0);
    record.maybe("secondary", secondary.map(exact_size));
    record.maybe("readers", report.readers.as_deref());
    let Times { sizing, placing, writing, verifying } = report.times;
    record.line(
        "seconds",
        format!(
            "{sizing:.1} sizing, {placing:.1} placing, {writing:.1} writing, {verifying:.1} verifying"
        ),
    );
    report.notes.iter().for_each(|note| record.line("note", note));
    record.into_text()
}
