//! Secondary data.

use schemars::JsonSchema;
use serde::Serialize;

use super::read::ReadReport;
use super::{Record, Table};

/// The result of `livedump blobs` without a blob. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BlobsReport {
    /// "livedump.blobs/1".
    pub(crate) schema: String,
    /// As given.
    pub(crate) path: String,
    /// Made by the simulated machine.
    pub(crate) simulated: bool,
    /// File offset of the secondary data; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<u64>,
    /// How many blobs there are: more than are listed, if anybody made such a file.
    pub(crate) count: u64,
    /// Where and how the list ended, unless at the end of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<String>,
    /// The blobs, in the order of the file.
    pub(crate) blobs: Vec<ListedBlob>,
}

/// What the command prints: the list, or one blob.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)] // the published schema is made from it, values are not
pub(crate) enum BlobsOutput {
    List(BlobsReport),
    Blob(ReadReport),
}

/// One blob.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ListedBlob {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// Its tag.
    pub(crate) tag: String,
    /// What the tag is known to mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meaning: Option<String>,
    /// File offset of its data.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) size: u32,
    /// Its first bytes, in hexadecimal.
    pub(crate) begins: String,
}

/// Blobs that are listed for people; real dumps have under 50.
pub(super) const LISTED: usize = 1000;

/// What is said of blobs that are not listed.
pub(super) fn more(count: usize) -> Option<String> {
    let more = count.checked_sub(LISTED).filter(|more| *more > 0)?;
    Some(format!("{more} blobs are not listed here: --json lists them"))
}

/// `livedump blobs`.
pub(crate) fn text(report: &BlobsReport) -> String {
    let mut record = Record::default();
    record.line("file", &report.path);
    if report.simulated {
        record.line("simulated", "nothing of this is from a real Windows");
    }
    record.line("blobs", report.count.to_string());
    record.maybe("list ended", report.end.as_deref());
    if !report.blobs.is_empty() {
        let heading = ["NUMBER", "TAG", "OFFSET", "SIZE", "BEGINS", "MEANING"];
        let mut table = Table::new(&heading).right(&[0, 3]);
        for blob in report.blobs.iter().take(LISTED) {
            table.row([
                blob.number.to_string(),
                blob.tag.clone(),
                format!("{:#x}", blob.offset),
                blob.size.to_string(),
                blob.begins.clone(),
                blob.meaning.clone().unwrap_or_else(|| "-".to_owned()),
            ]);
        }
        record.text(&table.into_text());
        record.maybe("more", more(report.blobs.len()));
    }
    record.into_text()
}
