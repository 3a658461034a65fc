//! Where a virtual address leads.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Record, Table, size};

/// The result of `livedump translate`. Any field may be absent. Addresses and entries are 16 hex digits.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct TranslateReport {
    /// "livedump.translate/1".
    pub(crate) schema: String,
    /// As given.
    pub(crate) path: String,
    /// Made by the simulated machine.
    pub(crate) simulated: bool,
    /// The address, without an extended sign.
    pub(crate) address: String,
    /// How the page tables are built: "x64, 4 levels", ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paging: Option<String>,
    /// Where the first table lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) root: Option<String>,
    /// The entries that were read, from the root down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) levels: Vec<LevelReport>,
    /// The physical address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) physical: Option<String>,
    /// Bytes of the page that maps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page_size: Option<u64>,
    /// How the last entry vouches for the page: "valid", "transition", "prototype", ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trust: Option<String>,
    /// The page may be another: see `trust`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) guessed: bool,
    /// What is allowed there: "read", "write", "execute", "user".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) access: Vec<String>,
    /// File offset of the byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_offset: Option<u64>,
    /// Why there is no byte in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<MissingReport>,
    /// The parts of a triage dump, or of a set of them, that have the address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) places: Vec<PlaceReport>,
    /// What should be known about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// One entry of the page tables.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LevelReport {
    /// "PML5E", "PXE", "PPE", "PDE", "PTE", "prototype PTE".
    pub(crate) level: String,
    /// Physical address of its table; of a prototype PTE, of the page it lies in.
    pub(crate) table: String,
    /// Its number in the table.
    pub(crate) index: u32,
    /// Physical address of the entry.
    pub(crate) entry_address: String,
    /// The entry.
    pub(crate) entry: String,
    /// Its flags that are set; of an entry that is not valid, none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) flags: Vec<String>,
    /// What it says, in words.
    pub(crate) meaning: String,
}

/// Why there is no byte.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MissingReport {
    /// In words.
    pub(crate) reason: String,
    /// The level that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<String>,
    /// The entry that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entry: Option<String>,
    /// The physical page that is not in the dump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame: Option<String>,
}

/// A part of a triage dump.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PlaceReport {
    /// The file of a set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// "block 12", "call stack", "KPRCB", ...
    pub(crate) part: String,
    /// Where the part begins.
    pub(crate) start: String,
    /// Bytes of the part.
    pub(crate) size: u32,
    /// File offset of the byte.
    pub(crate) offset: u64,
    /// Whether reading takes it from here.
    pub(crate) is_read: bool,
}

/// `livedump translate`.
pub(crate) fn text(report: &TranslateReport) -> String {
    let mut record = Record::default();
    record.line("address", &report.address);
    record.line("file", &report.path);
    if report.simulated {
        record.line("simulated", "nothing of this is from a real Windows");
    }
    record.maybe("paging", report.paging.as_deref());
    record.maybe("root", report.root.as_deref());
    if !report.levels.is_empty() {
        record.text(&levels(&report.levels));
    }
    record.maybe("physical", report.physical.as_deref());
    record.maybe("page", report.page_size.map(size));
    record.maybe(
        "trust",
        report.trust.as_ref().map(|trust| match report.guessed {
            true => format!("{trust}; guessed: the kernel may have masked the entry"),
            false => trust.clone(),
        }),
    );
    if !report.access.is_empty() {
        record.line("access", report.access.join(" "));
    }
    record.maybe("file offset", report.file_offset.map(|offset| format!("{offset:#x}")));
    record.maybe("missing", report.missing.as_ref().map(|missing| missing.reason.as_str()));
    if !report.places.is_empty() {
        record.text(&places(&report.places));
    }
    report.notes.iter().for_each(|note| record.line("note", note));
    record.into_text()
}

fn levels(levels: &[LevelReport]) -> String {
    let heading = ["LEVEL", "TABLE", "INDEX", "AT", "ENTRY", "MEANING", "FLAGS"];
    let mut table = Table::new(&heading).right(&[2]);
    for level in levels {
        table.row([
            level.level.clone(),
            level.table.clone(),
            level.index.to_string(),
            level.entry_address.clone(),
            level.entry.clone(),
            level.meaning.clone(),
            if level.flags.is_empty() { "-".to_owned() } else { level.flags.join(" ") },
        ]);
    }
    table.into_text()
}

fn places(places: &[PlaceReport]) -> String {
    let set = places.iter().any(|place| place.file.is_some());
    let mut table = Table::new(&[
        "PART",
        "START",
        "SIZE",
        "FILE OFFSET",
        "READ",
        if set { "FILE" } else { "" },
    ]);
    for place in places {
        table.row([
            place.part.clone(),
            place.start.clone(),
            format!("{:#x}", place.size),
            format!("{:#x}", place.offset),
            if place.is_read { "yes" } else { "no: another part comes first" }.to_owned(),
            place.file.clone().unwrap_or_default(),
        ]);
    }
    table.into_text()
}
