//! What is in a dump file.

use format::Info;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Record, Table, exact_size};

/// The result of `livedump info`. Any field may be absent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct InfoReport {
    /// "livedump.info/1".
    pub(crate) schema: String,
    /// As given.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) info: Info,
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
    record.line("machine", &info.machine);
    record.maybe("build", build(info));
    record.maybe("product", info.product.as_deref());
    record.maybe("processors", info.processors.map(|count| count.to_string()));
    record.maybe("time", info.time.as_deref());
    record.maybe("uptime", info.uptime_seconds.map(|seconds| format!("{seconds:.0} s")));
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
    record.maybe("comment", info.comment.as_deref());
    contents(&mut record, info);
    kernel(&mut record, info);
    if !info.blobs.is_empty() {
        record.text(&blobs(info));
    }
    info.unread.iter().for_each(|why| record.line("not read", why));
    record.into_text()
}

/// `live, partial`
fn traits(info: &Info) -> Option<String> {
    let traits = [
        (info.live, "live (nothing crashed)"),
        (info.partial, "partial"),
        (info.selective, "selective (kernel stacks only)"),
        (info.encrypted, "encrypted"),
    ];
    let mut words: Vec<String> =
        traits.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect();
    words
        .extend(info.attributes_unknown.map(|bits| format!("unknown attribute bits {bits:#010x}")));
    (!words.is_empty()).then(|| words.join(", "))
}

fn build(info: &Info) -> Option<String> {
    match (info.build, info.true_build) {
        (Some(header), Some(true_build)) if header != true_build => {
            Some(format!("{true_build} (the header says {header})"))
        }
        (_, Some(build)) | (Some(build), None) => Some(build.to_string()),
        (None, None) => None,
    }
}

fn contents(record: &mut Record, info: &Info) {
    record.maybe("pages", info.pages.map(|pages| pages.to_string()));
    record.maybe("memory", info.bytes_stored.map(exact_size));
    record.maybe("blocks", info.blocks.map(|blocks| blocks.to_string()));
    record.maybe("drivers", info.drivers.map(|drivers| drivers.to_string()));
    record.maybe("unloaded", info.unloaded_drivers.map(|drivers| drivers.to_string()));
    let wanted = info.required_dump_space.filter(|wanted| *wanted != info.file_length);
    record.maybe("wanted", wanted.map(exact_size));
    record.maybe("writer", info.writer_status.map(|status| nt::NtStatus(status).to_string()));
}

fn kernel(record: &mut Record, info: &Info) {
    record.maybe("DirectoryTableBase", info.directory_table_base.as_deref());
    record.maybe("KdDebuggerDataBlock", info.kd_debugger_data_block.as_deref());
    record.maybe("PsLoadedModuleList", info.ps_loaded_module_list.as_deref());
    record.maybe("PsActiveProcessHead", info.ps_active_process_head.as_deref());
}

fn blobs(info: &Info) -> String {
    let mut table = Table::new(&["BLOB", "OFFSET", "SIZE", "MEANING"]);
    for blob in &info.blobs {
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
