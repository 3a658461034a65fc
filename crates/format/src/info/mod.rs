//! What a debugger shows on opening a dump, as plain data.

mod kernel;
mod processor;

use map::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Attributes, Blob, Blobs, Dump, DumpType, Error, Header, Origin, Runs, Triage, Width};

/// One page about a dump. Any field may be absent. Addresses are 16 hex
/// digits; codes and masks are hex numbers with `0x`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Info {
    /// "kernel bitmap dump", "triage dump", ...
    pub kind: String,
    /// DumpType as it is in the file.
    pub dump_type: u32,
    /// 32 or 64.
    pub width: u32,
    /// "x64", "ARM64", ...
    pub machine: String,
    /// Made by the simulated machine, not by a real Windows.
    pub simulated: bool,
    /// A live dump: nothing crashed.
    pub live: bool,
    /// Reported to be a partial live dump.
    pub partial: bool,
    /// Reported to be a selective dump (kernel stacks only).
    pub selective: bool,
    /// Encrypted below its header.
    pub encrypted: bool,
    /// MinorVersion: often an older build of the same family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// The true build, from the secondary data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub true_build: Option<u32>,
    /// "free", or "checked" for a build with its assertions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_type: Option<String>,
    /// NtBuildLab: the build with its branch and date, where the dump has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_lab: Option<String>,
    /// The processor's clock in MHz, from the secondary data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor_megahertz: Option<u32>,
    /// The code as it is in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// The code with its name: `0x161 (LIVE_SYSTEM_DUMP)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_text: Option<String>,
    /// What the code means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_meaning: Option<String>,
    /// The four parameters, 16 hex digits each; an absent one is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// What each parameter is and says, as far as known; empty where it is not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameter_meanings: Vec<String>,
    /// Code of the EXCEPTION_RECORD, an NTSTATUS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_code: Option<u32>,
    /// Address of the EXCEPTION_RECORD, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_address: Option<String>,
    /// Instruction pointer of ContextRecord, 16 hex digits. Of a live dump it is that of the
    /// processor that took it, and nothing went wrong there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_pointer: Option<String>,
    /// Stack pointer of ContextRecord, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_pointer: Option<String>,
    /// FILETIME as it is in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_time: Option<u64>,
    /// The same, ISO 8601, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Seconds since boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<f64>,
    /// Logical processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<u32>,
    /// Physical pages that the file says it stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<u64>,
    /// Bytes of memory in the file: pages, or blocks of a triage dump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_stored: Option<u64>,
    /// Which memory a dump of this kind holds: "all", "kernel", "kernel and user".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Of the stored memory, how much is of each class, as far as the file tells. Each address
    /// counts once, so the sum can differ from `bytes_stored`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub memory_classes: Vec<MemoryClass>,
    /// What a file of this kind does not tell of the classes of its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_not_told: Option<String>,
    /// Bytes of memory that the machine had, where the header tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_bytes: Option<u64>,
    /// Who wrote the file, as far as it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_by: Option<String>,
    /// Blocks of virtual memory (triage).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<u64>,
    /// Loaded drivers listed (triage).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drivers: Option<u32>,
    /// Unloaded drivers listed (triage).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unloaded_drivers: Option<u32>,
    /// The comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Attributes by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// Attribute bits without a known name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes_unknown: Option<u32>,
    /// NTSTATUS that the writer left; 0 is success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer_status: Option<u32>,
    /// NTSTATUS of the secondary data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_data_state: Option<u32>,
    /// "workstation", "domain controller", "server".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Suites, by the names of winnt.h.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<String>,
    /// Counts boots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<u32>,
    /// DirectoryTableBase, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory_table_base: Option<String>,
    /// Where the kernel's image begins, where the dump tells; 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_base: Option<String>,
    /// KdDebuggerDataBlock, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kd_debugger_data_block: Option<String>,
    /// PsLoadedModuleList, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ps_loaded_module_list: Option<String>,
    /// PsActiveProcessHead, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ps_active_process_head: Option<String>,
    /// Secondary data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<BlobInfo>,
    /// Bytes in the file.
    pub file_length: u64,
    /// Bytes that the writer wanted: may be more than the file has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_dump_space: Option<u64>,
    /// What could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// Stored memory of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemoryClass {
    /// "kernel" or "user": which half of the address space it lies in.
    pub class: String,
    /// Bytes.
    pub bytes: u64,
}

/// One blob of secondary data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BlobInfo {
    /// Its tag.
    pub tag: String,
    /// What the tag is known to mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// File offset of its data.
    pub offset: u64,
    /// Bytes.
    pub size: u32,
}

impl From<&Blob> for BlobInfo {
    fn from(blob: &Blob) -> Self {
        let meaning = blob.meaning().map(str::to_owned);
        Self { tag: blob.tag.to_string(), meaning, offset: blob.offset, size: blob.size }
    }
}

/// Reads what there is to know. Fails only when there is no header; parts
/// below it that cannot be read are named in [`Info::unread`].
pub fn info(bytes: &dyn Bytes) -> Result<Info, Error> {
    let dump = Dump::open(bytes)?;
    let mut info = of_header(dump.header());
    info.file_length = dump.file_length();
    if info.encrypted {
        // What a file of its kind would hold is not known of this one.
        (info.memory, info.memory_not_told) = (None, None);
        info.note(Err(Error::Encrypted));
        return Ok(info);
    }
    if dump.kind() != DumpType::Triage {
        let installed = Runs::installed(dump.source(), dump.header().width);
        info.installed_bytes =
            installed.and_then(|(pages, _)| pages.checked_mul(memory::PAGE_SIZE));
    }
    info.set_processor(&dump);
    let below = below_header(&mut info, &dump);
    info.note(below);
    info.set_kernel(&dump);
    Ok(info)
}

/// Fills in what lies below the header, until something cannot be read.
fn below_header(info: &mut Info, dump: &Dump<'_>) -> Result<(), Error> {
    let end = match dump.kind() {
        DumpType::HeaderOnly => dump.header().width.header_size(),
        DumpType::Triage => info.set_triage(&dump.triage()?)?,
        kind if kind == DumpType::Full || kind.is_ranges() => {
            let runs = dump.runs()?;
            info.set_pages(runs.total());
            runs.end
        }
        kind if kind.is_bitmap() || kind == DumpType::Summary => {
            let bitmap = dump.bitmap()?;
            let pages = bitmap.count()?;
            info.set_pages(pages);
            bitmap.pages_end(pages).unwrap_or(u64::MAX)
        }
        kind => return Err(Error::NotUnderstood { width: dump.header().width, kind }),
    };
    if let Some(blobs) = Blobs::read(dump.source(), end)? {
        info.blobs = blobs.list.iter().map(BlobInfo::from).collect();
        if let Some(build) = dump.build(&blobs)? {
            info.true_build = Some(build.build());
            info.processor_megahertz = Some(build.megahertz).filter(|clock| *clock != 0);
        }
    }
    Ok(())
}

impl Info {
    fn note(&mut self, result: Result<(), Error>) {
        self.unread.extend(result.err().map(|error| error.to_string()));
    }

    fn set_triage(&mut self, triage: &Triage<'_>) -> Result<u64, Error> {
        self.written_by = self.written_by.take().or_else(|| match triage.origin() {
            Origin::Kernel => Some("the kernel".to_owned()),
            Origin::LaterMade => {
                Some("a debugger or error reporting, from a larger dump".to_owned())
            }
            Origin::Unknown(_) => None,
        });
        self.blocks = Some(triage.blocks().len() as u64);
        self.bytes_stored = Some(triage.stored());
        self.set_classes(triage);
        self.drivers = Some(triage.driver_count());
        self.unloaded_drivers = triage.unloaded_count()?;
        Ok(triage.size_of_dump())
    }

    /// The addresses of a triage dump tell; in 32 bits the halves need not be equal (/3GB).
    fn set_classes(&mut self, triage: &Triage<'_>) {
        if self.width == 64 {
            let half = 1 << 63;
            let halves = [("kernel", half), ("user", 0)];
            let class = |(class, start): (&str, u64)| MemoryClass {
                class: class.to_owned(),
                bytes: triage.covered(memory::VirtualAddress(start), half),
            };
            self.memory_classes = halves.map(class).into();
        }
    }

    fn set_pages(&mut self, pages: u64) {
        self.pages = Some(pages);
        self.bytes_stored = pages.checked_mul(memory::PAGE_SIZE);
    }
}

fn of_header(header: &Header) -> Info {
    let attributes = header.attributes.unwrap_or(Attributes::empty());
    let reading = reading(header);
    let has = |attribute| header.has(attribute);
    let address = |value: Option<memory::VirtualAddress>| value.map(|value| value.to_string());
    Info {
        kind: kind(header),
        dump_type: header.dump_type.value(),
        width: if header.width == Width::Bits64 { 64 } else { 32 },
        machine: header.machine_image_type.to_string(),
        simulated: header.is_simulated(),
        live: has(Attributes::LIVE_DUMP_GENERATED_DUMP),
        partial: has(Attributes::PARTIAL),
        selective: has(Attributes::SELECTIVE),
        encrypted: has(Attributes::ENCRYPTED_DUMP_DATA),
        memory: memory_class(header.dump_type).map(str::to_owned),
        memory_not_told: not_told(header).map(str::to_owned),
        written_by: written_by(header).map(str::to_owned),
        build: header.minor_version,
        build_type: header.major_version.and_then(build_type).map(str::to_owned),
        suites: header.suite_mask.map(suites).unwrap_or_default(),
        code: header.bug_check_code,
        code_text: header.bug_check_code.map(|code| code_text(code, reading.as_ref())),
        code_meaning: reading.as_ref().and_then(|reading| reading.meaning).map(str::to_owned),
        parameter_meanings: reading.as_ref().map(parameter_meanings).unwrap_or_default(),
        parameters: parameters(header),
        system_time: header.system_time.map(|time| time.0),
        time: header.system_time.and_then(|time| time.iso8601()),
        uptime_seconds: header.system_up_time.map(|units| crate::time::span(units).as_secs_f64()),
        processors: header.number_processors,
        comment: header.comment.clone(),
        attributes: attributes.names().into_iter().map(str::to_owned).collect(),
        attributes_unknown: Some(attributes.unknown()).filter(|bits| *bits != 0),
        writer_status: header.writer_status,
        secondary_data_state: header.secondary_data_state,
        product: header
            .product_type
            .map(|value| nt::protection::ProductType::from(value).to_string()),
        boot_id: header.boot_id,
        directory_table_base: header.directory_table_base.map(|value| format!("{value:016x}")),
        kd_debugger_data_block: address(header.kd_debugger_data_block),
        ps_loaded_module_list: address(header.ps_loaded_module_list),
        ps_active_process_head: address(header.ps_active_process_head),
        required_dump_space: header.required_dump_space,
        ..Info::default()
    }
}

/// MajorVersion. (H)
fn build_type(major: u32) -> Option<&'static str> {
    match major {
        0xF => Some("free"),
        0xC => Some("checked"),
        _ => None,
    }
}

fn suites(mask: u32) -> Vec<String> {
    nt::protection::suite_names(mask).map(str::to_owned).collect()
}

/// What a dump of this kind is for. A bitmap dump of kernel memory can have
/// user pages too, which only its page tables tell.
fn memory_class(kind: DumpType) -> Option<&'static str> {
    match kind {
        DumpType::Full | DumpType::BitmapFull | DumpType::CompleteRanges => Some("all"),
        DumpType::Summary
        | DumpType::BitmapKernel
        | DumpType::Automatic
        | DumpType::KernelRanges => Some("kernel"),
        DumpType::KernelAndUserRanges => Some("kernel and user"),
        DumpType::Triage => Some("blocks around what the processor and the stack point to"),
        DumpType::HeaderOnly | DumpType::Unknown(_) => None,
    }
}

/// What the pages of a dump are used for is not in the file's own structures:
/// only the kernel's page tables and PFN database tell.
fn not_told(header: &Header) -> Option<&'static str> {
    match header.dump_type {
        DumpType::HeaderOnly | DumpType::Unknown(_) => None,
        DumpType::Triage if header.width == Width::Bits64 => None,
        DumpType::Triage => Some("how much of it is kernel memory and how much user memory"),
        DumpType::Full
        | DumpType::BitmapFull
        | DumpType::CompleteRanges
        | DumpType::KernelAndUserRanges => {
            Some("how many of the pages are the kernel's and how many are of processes")
        }
        DumpType::KernelRanges => Some("how many of the pages are mapped for processes too"),
        DumpType::Summary | DumpType::BitmapKernel | DumpType::Automatic => {
            Some("whether, and how many, pages of processes or of the hypervisor are among them")
        }
    }
}

/// By the attributes, and by what only one program writes.
fn written_by(header: &Header) -> Option<&'static str> {
    match header.dump_type {
        _ if header.is_simulated() => Some("livedump's simulated machine"),
        DumpType::KernelRanges => Some("WinDbg (.dump /k)"),
        DumpType::KernelAndUserRanges => Some("WinDbg (.dump /ka)"),
        DumpType::CompleteRanges => Some("WinDbg (.dump /f)"),
        _ if header.has(Attributes::DUMP_IS_GENERATED_OFFLINE) => {
            Some("a tool, not the machine itself")
        }
        _ if header.has(Attributes::LIVE_DUMP_GENERATED_DUMP) => Some("the kernel, as a live dump"),
        _ => None,
    }
}

/// The kind, with the width where it is not the usual one.
pub(crate) fn kind(header: &Header) -> String {
    match header.width {
        Width::Bits64 => header.dump_type.to_string(),
        Width::Bits32 => format!("32-bit {}", header.dump_type),
    }
}

/// How the code is read, unless only a status has that number.
pub(crate) fn reading(header: &Header) -> Option<nt::code::Reading> {
    let parameters = header.bug_check_parameters.map(Option::unwrap_or_default);
    let readings = nt::code::explain_with(header.bug_check_code?, parameters).readings;
    readings.into_iter().find(|reading| reading.kind != nt::code::Kind::NtStatus)
}

pub(crate) fn code_text(code: u32, reading: Option<&nt::code::Reading>) -> String {
    match reading {
        Some(reading) => format!("0x{code:X} ({})", reading.name),
        None => format!("0x{code:X}"),
    }
}

/// What each parameter is, and what its value says.
pub(crate) fn parameter_meanings(reading: &nt::code::Reading) -> Vec<String> {
    let text = |parameter: &nt::code::Parameter| match (parameter.description, &parameter.decoded) {
        (Some(what), Some(value)) => format!("{what}: {value}"),
        (Some(what), None) => what.to_owned(),
        (None, decoded) => decoded.clone().unwrap_or_default(),
    };
    let texts: Vec<_> = reading.parameters.iter().map(text).collect();
    if texts.iter().all(String::is_empty) { Vec::new() } else { texts }
}

pub(crate) fn parameters(header: &Header) -> Vec<String> {
    if header.bug_check_code.is_none() {
        return Vec::new();
    }
    let text =
        |value: &Option<u64>| value.map_or_else(String::new, |value| format!("{value:016x}"));
    header.bug_check_parameters.iter().map(text).collect()
}
