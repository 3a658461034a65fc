//! The dump header, decoded.

use memory::{PhysicalAddress, VirtualAddress};

use crate::filler::{FILLER, Filled};
use crate::raw::{DumpHeader32, DumpHeader64};
use crate::source::Source;
use crate::{Attributes, DumpType, Error, FileTime, Identity, Machine, Width};

pub use crate::comment::{COMMENT_OFFSET, COMMENT_SIZE, comment_field, set_comment};

/// The dump header. A field that was never filled is `None`. The comment of a
/// field gives its offset in a 64-bit / in a 32-bit header.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Header {
    /// By the signature at 0x0: `PAGEDU64` or `PAGEDUMP`.
    pub width: Width,
    /// 0x8 / 0x8: 0xF free build, 0xC checked build.
    pub major_version: Option<u32>,
    /// 0xC / 0xC: the build, often an older one of the same family: see [`crate::Build`].
    pub minor_version: Option<u32>,
    /// 0x10 / 0x10, as it is in the file: the low 12 bits are flags.
    pub directory_table_base: Option<u64>,
    /// 0x18 / 0x14: where nt!MmPfnDatabase is.
    pub pfn_data_base: Option<VirtualAddress>,
    /// 0x20 / 0x18: list head of the loaded modules.
    pub ps_loaded_module_list: Option<VirtualAddress>,
    /// 0x28 / 0x1C: list head of the processes.
    pub ps_active_process_head: Option<VirtualAddress>,
    /// 0x30 / 0x20.
    pub machine_image_type: Machine,
    /// 0x34 / 0x24: logical processors; not to be believed unchecked.
    pub number_processors: Option<u32>,
    /// 0x38 / 0x28: bugcheck or live-dump code as it is in the file; see [`Header::code`].
    pub bug_check_code: Option<u32>,
    /// 0x40 / 0x2C.
    pub bug_check_parameters: [Option<u64>; 4],
    /// - / 0x5C: 32-bit only: three-level paging.
    pub pae_enabled: Option<bool>,
    /// 0x80 / 0x60: where KDDEBUGGER_DATA64 is.
    pub kd_debugger_data_block: Option<VirtualAddress>,
    /// 0xF98 / 0xF88.
    pub dump_type: DumpType,
    /// 0xFA0 / 0xFA0: bytes wanted, never the file's size.
    pub required_dump_space: Option<u64>,
    /// 0xFA8 / 0xFC0.
    pub system_time: Option<FileTime>,
    /// 0xFB0 / 0x820: printable ASCII of the comment; other bytes become `?`.
    pub comment: Option<String>,
    /// 0x1030 / 0xFB8, in units of 100 ns.
    pub system_up_time: Option<u64>,
    /// 0x1038 / 0xF8C: what a triage dump has.
    pub mini_dump_fields: Option<u32>,
    /// 0x103C / 0xF90: NTSTATUS.
    pub secondary_data_state: Option<u32>,
    /// 0x1040 / 0xF94: 1 workstation, 2 domain controller, 3 server.
    pub product_type: Option<u32>,
    /// 0x1044 / 0xF98.
    pub suite_mask: Option<u32>,
    /// 0x1048 / 0xF9C: NTSTATUS.
    pub writer_status: Option<u32>,
    /// 0x104D / 0x5D: one byte; 0x41 is the filler's.
    pub kd_secondary_version: Option<u8>,
    /// 0x1050 / 0x8A0.
    pub attributes: Option<Attributes>,
    /// 0x1054 / 0x8A4.
    pub boot_id: Option<u32>,
}

/// A flag that some codes carry besides their number. (S)
const CODE_FLAGS: u32 = 0xF000_0000;

impl Header {
    /// Reads the header. An error names what the file is when it is no kernel dump.
    pub(crate) fn read(source: &Source<'_>, identity: Identity) -> Result<Self, Error> {
        match identity {
            Identity::KernelDump(Width::Bits64) => {
                Ok(Self::from_64(&source.read("the 64-bit dump header", 0)?))
            }
            Identity::KernelDump(Width::Bits32) => {
                Ok(Self::from_32(&source.read("the 32-bit dump header", 0)?))
            }
            other => Err(Error::NotADump(other)),
        }
    }

    /// The code without its flags: what its name is looked up by. A code that
    /// is known with its high bits (0xC000021A) keeps them.
    pub fn code(&self) -> Option<u32> {
        let code = self.bug_check_code?;
        let known = nt::code::explain(code).readings.into_iter();
        let known = known.map(|reading| reading.code).next();
        Some(known.unwrap_or(code & !CODE_FLAGS))
    }

    /// Whether an attribute is set. A header without attributes has none.
    pub fn has(&self, attribute: Attributes) -> bool {
        self.attributes.is_some_and(|all| all.contains(attribute))
    }

    /// Whether nothing crashed: the attribute says so, or (what the call for a
    /// triage dump of a process leaves) there is no code at all.
    pub fn is_live(&self) -> bool {
        let live = self.has(Attributes::LIVE_DUMP_GENERATED_DUMP);
        live || self.bug_check_code.is_none_or(|code| code == 0 || code == 0x161)
    }

    /// Where the page tables are: DirectoryTableBase without the flags in its
    /// low bits. (S: a sample has 0x6d4002.) Three-level paging of x86 has a
    /// table of 32 bytes that begins anywhere aligned to its size.
    pub fn page_table_root(&self) -> Option<PhysicalAddress> {
        let mask = match self.pae_enabled {
            Some(true) => 0x1F,
            _ => 0xFFF,
        };
        let root = PhysicalAddress(self.directory_table_base? & !mask);
        Some(root).filter(|root| root.0 != 0)
    }

    /// Where ContextRecord is in the file, and how much of its room the
    /// machine's CONTEXT takes; `None` for a machine whose context is not known.
    pub fn context_place(&self) -> Option<(u64, u64)> {
        match self.machine_image_type {
            Machine::X64 => Some((0x348, 0x4D0)),
            Machine::Arm64 => Some((0x348, 0x390)),
            Machine::X86 => Some((0x320, 0x2CC)),
            _ => None,
        }
    }

    /// Where the EXCEPTION_RECORD is in the file, and its length.
    pub fn exception_place(&self) -> (u64, u64) {
        match self.width {
            Width::Bits64 => (0xF00, 0x98),
            Width::Bits32 => (0x7D0, 0x50),
        }
    }

    /// Whether the simulated machine made it: its comment begins so.
    pub fn is_simulated(&self) -> bool {
        self.comment.as_deref().is_some_and(|comment| comment.starts_with("simulated"))
    }

    fn from_64(raw: &DumpHeader64) -> Self {
        Self {
            width: Width::Bits64,
            major_version: raw.major_version.filled(),
            minor_version: raw.minor_version.filled(),
            directory_table_base: raw.directory_table_base.filled(),
            pfn_data_base: raw.pfn_data_base.filled().map(VirtualAddress),
            ps_loaded_module_list: raw.ps_loaded_module_list.filled().map(VirtualAddress),
            ps_active_process_head: raw.ps_active_process_head.filled().map(VirtualAddress),
            machine_image_type: raw.machine_image_type.get().into(),
            number_processors: raw.number_processors.filled(),
            bug_check_code: raw.bug_check_code.filled(),
            bug_check_parameters: raw.bug_check_parameters.map(Filled::filled),
            pae_enabled: None,
            kd_debugger_data_block: raw.kd_debugger_data_block.filled().map(VirtualAddress),
            dump_type: raw.dump_type.get().into(),
            required_dump_space: raw.required_dump_space.filled(),
            system_time: raw.system_time.filled().map(FileTime),
            comment: comment_field(&raw.comment),
            system_up_time: raw.system_up_time.filled(),
            mini_dump_fields: raw.mini_dump_fields.filled(),
            secondary_data_state: raw.secondary_data_state.filled(),
            product_type: raw.product_type.filled(),
            suite_mask: raw.suite_mask.filled(),
            writer_status: raw.writer_status.filled(),
            kd_secondary_version: secondary_version(raw.kd_secondary_version),
            attributes: raw.attributes.filled().map(Attributes::from_bits_retain),
            boot_id: raw.boot_id.filled(),
        }
    }

    fn from_32(raw: &DumpHeader32) -> Self {
        let address =
            |field: zerocopy::little_endian::U32| field.filled().map(|v| VirtualAddress(v.into()));
        Self {
            width: Width::Bits32,
            major_version: raw.major_version.filled(),
            minor_version: raw.minor_version.filled(),
            directory_table_base: raw.directory_table_base.filled().map(u64::from),
            pfn_data_base: address(raw.pfn_data_base),
            ps_loaded_module_list: address(raw.ps_loaded_module_list),
            ps_active_process_head: address(raw.ps_active_process_head),
            machine_image_type: raw.machine_image_type.get().into(),
            number_processors: raw.number_processors.filled(),
            bug_check_code: raw.bug_check_code.filled(),
            bug_check_parameters: raw.bug_check_parameters.map(|p| p.filled().map(u64::from)),
            pae_enabled: (raw.pae_enabled <= 1).then_some(raw.pae_enabled == 1),
            kd_debugger_data_block: address(raw.kd_debugger_data_block),
            dump_type: raw.dump_type.get().into(),
            required_dump_space: raw.required_dump_space.filled(),
            system_time: raw.system_time.filled().map(FileTime),
            comment: comment_field(&raw.comment),
            system_up_time: raw.system_up_time.filled(),
            mini_dump_fields: raw.mini_dump_fields.filled(),
            secondary_data_state: raw.secondary_data_state.filled(),
            product_type: raw.product_type.filled(),
            suite_mask: raw.suite_mask.filled(),
            writer_status: raw.writer_status.filled(),
            kd_secondary_version: secondary_version(raw.kd_secondary_version),
            attributes: raw.attributes.filled().map(Attributes::from_bits_retain),
            boot_id: raw.boot_id.filled(),
        }
    }
}

fn secondary_version(byte: u8) -> Option<u8> {
    Some(byte).filter(|byte| *byte != FILLER.to_le_bytes()[1])
}
