//! What is in a dump file.

use analysis::Contents;
use format::Info;
use schemars::JsonSchema;
use serde::Serialize;

use super::blobs::{LISTED, more};
use super::{Record, Table, exact_size};

/// The result of `livedump info`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct InfoReport {
    /// "livedump.info/1".
    pub(crate) schema: String,
    /// As given.
    pub(crate) path: String,
    /// What is in it; of a set, what its first file says of the machine, and the sums of all.
    pub(crate) info: Info,
    /// How many modules, processes, threads and processors are in it, as far as it tells without symbols.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inside: Option<Contents>,
    /// Of a set of triage dumps, its files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<SetFile>,
}

/// One file of a set.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SetFile {
    /// Its name.
    pub(crate) file: String,
    /// When it was taken: ISO 8601, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) taken: Option<String>,
    /// Threads that were asked for in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tids: Vec<u32>,
    /// Bytes in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// Blocks of virtual memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocks: Option<u64>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

/// `livedump info`.
pub(crate) fn text(report: &InfoReport) -> String {
    let info = &report.info;
    let mut record = Record::default();
    record.line("file", &report.path);
    record.line("size", exact_size(info.file_length));
    if info.simulated {
        record.line(
            "simulated",
            "made by the simulated machine: nothing in it is from a real Windows",
        );
    }
    record.line("kind", format!("{} (type {})", info.kind, info.dump_type));
    record.maybe("traits", traits(info));
    record.maybe("attributes", attributes(info));
    record.maybe("written by", info.written_by.as_deref());
    record.maybe("comment", info.comment.as_deref());
    machine(&mut record, info);
    event(&mut record, info);
    contents(&mut record, info);
    kernel(&mut record, info);
    if let Some(inside) = &report.inside {
        contents_inside(&mut record, inside);
    }
    if !report.files.is_empty() {
        record.text(&files(&report.files));
    }
    if !info.blobs.is_empty() {
        record.text(&blobs(info));
        record.maybe("more", more(info.blobs.len()));
    }
    info.unread.iter().for_each(|why| record.line("not read", why));
    record.into_text()
}

fn machine(record: &mut Record, info: &Info) {
    record.line("machine", &info.machine);
    record.maybe("build", build(info));
    record.maybe("built as", info.build_lab.as_deref());
    let suites = if info.suites.is_empty() {
        String::new()
    } else {
        format!(" ({})", info.suites.join(", "))
    };
    record.maybe("product", info.product.as_ref().map(|product| format!("{product}{suites}")));
    let clock =
        info.processor_megahertz.map(|clock| format!(" of {clock} MHz")).unwrap_or_default();
    record.maybe("processors", info.processors.map(|count| format!("{count}{clock}")));
    record.maybe("time", info.time.as_deref());
    record.maybe("uptime", info.uptime_seconds.map(span));
    record.maybe("boot", info.boot_id.map(|boot| boot.to_string()));
}

/// What happened.
fn event(record: &mut Record, info: &Info) {
    record.maybe("code", info.code_text.as_deref());
    record.maybe("meaning", info.code_meaning.as_deref());
    for (index, parameter) in
        info.parameters.iter().enumerate().filter(|(_, parameter)| !parameter.is_empty())
    {
        let meaning = info.parameter_meanings.get(index).filter(|meaning| !meaning.is_empty());
        let text =
            meaning.map_or_else(|| parameter.clone(), |meaning| format!("{parameter}  {meaning}"));
        record.line(&format!("parameter {}", index + 1), text);
    }
    let address = info.exception_address.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    let code = info.exception_code.map(|code| nt::NtStatus(code).to_string());
    record.maybe("exception", code.map(|code| format!("{code}{address}")));
    let names = match info.machine.as_str() {
        "ARM64" => ["PC", "SP"],
        "x86" => ["EIP", "ESP"],
        _ => ["RIP", "RSP"],
    };
    let registers = [&info.instruction_pointer, &info.stack_pointer].into_iter().zip(names);
    let words: Vec<String> =
        registers.filter_map(|(value, name)| Some(format!("{name} {}", value.as_ref()?))).collect();
    if !words.is_empty() {
        let whose = if info.live { " (of the processor that took the dump: no fault)" } else { "" };
        record.line("context", format!("{}{whose}", words.join("  ")));
    }
}

/// `live, partial`
fn traits(info: &Info) -> Option<String> {
    let traits = [
        (info.live, "live (nothing crashed)"),
        (info.partial, "partial"),
        (info.selective, "selective (kernel stacks only)"),
        (info.encrypted, "encrypted"),
    ];
    let words: Vec<&str> = traits.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// By their names; those without one as numbers.
fn attributes(info: &Info) -> Option<String> {
    let unknown =
        info.attributes_unknown.map(|bits| format!("unknown attribute bits {bits:#010x}"));
    let words: Vec<String> = info.attributes.iter().cloned().chain(unknown).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// `0.4 s`, `13 min 16 s`, `12 d 3 h 4 min`
fn span(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a conversion saturates
    let whole = seconds as u64;
    let (minutes, hours, days) = (whole / 60 % 60, whole / 3600 % 24, whole / 86_400);
    match (days, hours) {
        (0, 0) => format!("{minutes} min {} s", whole % 60),
        (0, _) => format!("{hours} h {minutes} min {} s", whole % 60),
        _ => format!("{days} d {hours} h {minutes} min"),
    }
}

fn build(info: &Info) -> Option<String> {
    let number = match (info.build, info.true_build) {
        (Some(header), Some(true_build)) if header != true_build => {
            format!("{true_build} (the header says {header})")
        }
        (_, Some(build)) | (Some(build), None) => build.to_string(),
        (None, None) => return None,
    };
    let kind = info.build_type.as_ref().filter(|kind| *kind != "free");
    Some(kind.map_or_else(|| number.clone(), |kind| format!("{number}, {kind}")))
}

fn contents(record: &mut Record, info: &Info) {
    record.maybe("pages", info.pages.map(|pages| pages.to_string()));
    record.maybe("memory", info.bytes_stored.map(exact_size));
    record.maybe("holds", info.memory.as_deref());
    for class in &info.memory_classes {
        record.line(&class.class, exact_size(class.bytes));
    }
    let not_told = info.memory_not_told.as_ref();
    record.maybe("not told", not_told.map(|what| format!("by a file of this kind: {what}")));
    record.maybe("installed", info.installed_bytes.map(exact_size));
    record.maybe("blocks", info.blocks.map(|blocks| blocks.to_string()));
    record.maybe("drivers", info.drivers.map(|drivers| drivers.to_string()));
    record.maybe("unloaded", info.unloaded_drivers.map(|drivers| drivers.to_string()));
    let wanted = info.required_dump_space.filter(|wanted| *wanted != info.file_length);
    record.maybe("wanted", wanted.map(exact_size));
    let status = |status: Option<u32>| status.map(|status| nt::NtStatus(status).to_string());
    record.maybe("writer", status(info.writer_status));
    record.maybe("secondary", status(info.secondary_data_state));
}

fn kernel(record: &mut Record, info: &Info) {
    record.maybe("DirectoryTableBase", info.directory_table_base.as_deref());
    record.maybe("KernBase", info.kernel_base.as_deref());
    record.maybe("KdDebuggerDataBlock", info.kd_debugger_data_block.as_deref());
    record.maybe("PsLoadedModuleList", info.ps_loaded_module_list.as_deref());
    record.maybe("PsActiveProcessHead", info.ps_active_process_head.as_deref());
}

/// The short form of what other commands list.
fn contents_inside(record: &mut Record, inside: &Contents) {
    let block = match inside.debugger_block.as_str() {
        "clear" => String::new(),
        "decoded" => "; the debugger block was decoded".to_owned(),
        why => format!("; {why}"),
    };
    let told = super::inside::told(&inside.layout);
    let told = if told.is_empty() { "not known".to_owned() } else { told };
    record.line("layout", format!("{told}; no symbols were looked for{block}"));
    if inside.threads_in_capture {
        record.line("capture", super::inside::IN_CAPTURE);
    }
    let mut table = Table::new(&["INSIDE", "COUNT", "HOW FAR"]).right(&[1]);
    for one in &inside.counts {
        let count = one.count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        table.row([one.what.clone(), count, one.how.clone()]);
    }
    record.text(&table.into_text());
}

fn files(files: &[SetFile]) -> String {
    let mut table = Table::new(&["FILE", "TAKEN", "SIZE", "BLOCKS", "THREADS"]).right(&[3]);
    for file in files {
        let dash = || "-".to_owned();
        let tids: Vec<String> = file.tids.iter().map(u32::to_string).collect();
        table.row([
            file.file.clone(),
            file.taken.clone().unwrap_or_else(dash),
            file.size.map_or_else(|| "not read".to_owned(), exact_size),
            file.blocks.map_or_else(dash, |blocks| blocks.to_string()),
            if tids.is_empty() { dash() } else { tids.join(" ") },
        ]);
    }
    table.into_text()
}

fn blobs(info: &Info) -> String {
    let mut table = Table::new(&["BLOB", "OFFSET", "SIZE", "MEANING"]);
    for blob in info.blobs.iter().take(LISTED) {
        let meaning = blob.meaning.clone().unwrap_or_else(|| "-".to_owned());
        table.row([
            blob.tag.clone(),
            format!("{:#x}", blob.offset),
            format!("{} bytes", blob.size),
            meaning,
        ]);
    }
    table.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_the_units_that_fit_it() {
        for (seconds, text) in [
            (3.747, "3.7 s"),
            (796.7, "13 min 16 s"),
            (7265.0, "2 h 1 min 5 s"),
            (90_000.0, "1 d 1 h 0 min"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
