//! The dump header that is to be written.

use zerocopy::{FromZeros, IntoBytes};

use super::{Error, Kind};
use crate::filler::{FILLER, Filled};
use crate::raw::{DumpHeader32, DumpHeader64};
use crate::{Attributes, Machine, Width, header};

/// A dump header. Whoever makes one sets the fields that it knows; those that
/// are not set stay filler, which readers take for absent. The kind, the list
/// of runs and `RequiredDumpSpace` are set by the [`super::Plan`].
#[derive(Clone)]
pub enum Head {
    /// Of a 64-bit Windows.
    Bits64(Box<DumpHeader64>),
    /// Of a 32-bit Windows.
    Bits32(Box<DumpHeader32>),
}

/// STATUS_PARTIAL_COPY: what the writer could not read is missing.
pub const PARTIAL_COPY: u32 = 0x8000_000D;

/// Where an x64 context has `MxCsr`, and where its FXSAVE area has it again.
const MXCSR: usize = 0x34;
const FXSAVE_MXCSR: usize = 0x118;

impl Head {
    /// Filler, the signatures, the machine, a free build; no context and no
    /// exception (zeros), no debugger block (0: readers that know no filler
    /// would take it for an address), statuses of success, no attributes.
    pub fn new(machine: Machine) -> Result<Self, Error> {
        // Pages of IA64 have 8192 bytes.
        let width = machine.width().filter(|_| machine != Machine::Ia64);
        let width = width.ok_or(Error::Machine(machine))?;
        let mut head = match width {
            Width::Bits64 => Self::Bits64(Box::new(DumpHeader64::new_zeroed())),
            Width::Bits32 => Self::Bits32(Box::new(DumpHeader32::new_zeroed())),
        };
        head.fill(FILLER);
        match &mut head {
            Self::Bits64(raw) => clear64(raw, machine),
            Self::Bits32(raw) => clear32(raw, machine),
        }
        Ok(head)
    }

    /// The header of another dump as it is, known and unknown fields, with
    /// what the conversion makes true: `DumpIsGeneratedOffline` is set, and
    /// `LiveDumpGeneratedDump` and all other attributes are kept as they were.
    pub fn of(bytes: &dyn map::Bytes, width: Width) -> Result<Self, Error> {
        let source = crate::source::Source::new(bytes);
        let mut head = match width {
            Width::Bits64 => Self::Bits64(Box::new(source.read("the 64-bit dump header", 0)?)),
            Width::Bits32 => Self::Bits32(Box::new(source.read("the 32-bit dump header", 0)?)),
        };
        head.set_attributes(head.attributes() | Attributes::DUMP_IS_GENERATED_OFFLINE);
        head.check_context();
        Ok(head)
    }

    /// Of which Windows it is.
    pub fn width(&self) -> Width {
        match self {
            Self::Bits64(_) => Width::Bits64,
            Self::Bits32(_) => Width::Bits32,
        }
    }

    /// MachineImageType.
    pub fn machine(&self) -> Machine {
        match self {
            Self::Bits64(raw) => raw.machine_image_type.get().into(),
            Self::Bits32(raw) => raw.machine_image_type.get().into(),
        }
    }

    /// The attributes; none where they were never filled.
    pub fn attributes(&self) -> Attributes {
        let bits = match self {
            Self::Bits64(raw) => raw.attributes.filled(),
            Self::Bits32(raw) => raw.attributes.filled(),
        };
        Attributes::from_bits_retain(bits.unwrap_or_default())
    }

    /// Sets the attributes.
    pub fn set_attributes(&mut self, attributes: Attributes) {
        match self {
            Self::Bits64(raw) => raw.attributes = attributes.bits().into(),
            Self::Bits32(raw) => raw.attributes = attributes.bits().into(),
        }
    }

    /// WriterStatus: an NTSTATUS, 0 for a dump that is whole; `None` where it
    /// was never filled.
    pub fn writer_status(&self) -> Option<u32> {
        match self {
            Self::Bits64(raw) => raw.writer_status.filled(),
            Self::Bits32(raw) => raw.writer_status.filled(),
        }
    }

    /// Sets WriterStatus. With [`PARTIAL_COPY`] every reader that looks is
    /// told that pages are missing which the dump should have.
    pub fn set_writer_status(&mut self, status: u32) {
        match self {
            Self::Bits64(raw) => raw.writer_status = status.into(),
            Self::Bits32(raw) => raw.writer_status = status.into(),
        }
    }

    /// Sets the comment: up to 127 printable ASCII characters. False, and
    /// nothing changes, for any other text.
    pub fn set_comment(&mut self, text: &str) -> bool {
        let Some(field) = header::set_comment(text) else { return false };
        match self {
            Self::Bits64(raw) => raw.comment = field,
            Self::Bits32(raw) => raw.comment = field,
        }
        true
    }

    /// Sets ContextRecord: the registers that a debugger shows first. The
    /// layout is the machine's own CONTEXT, an XSAVE area may follow it.
    pub fn set_context(&mut self, record: &[u8]) -> Result<(), Error> {
        let field = self.context_mut();
        let (length, room) = (record.len(), field.len());
        let place = field.get_mut(..length).ok_or(Error::ContextTooLarge { length, room })?;
        place.copy_from_slice(record);
        self.check_context();
        Ok(())
    }

    fn fill(&mut self, dword: u32) {
        let bytes = match self {
            Self::Bits64(raw) => raw.as_mut_bytes(),
            Self::Bits32(raw) => raw.as_mut_bytes(),
        };
        for place in bytes.chunks_exact_mut(4) {
            place.copy_from_slice(&dword.to_le_bytes());
        }
    }

    fn context_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Bits64(raw) => &mut raw.context_record,
            Self::Bits32(raw) => &mut raw.context_record,
        }
    }

    fn check_context(&mut self) {
        if self.machine() == Machine::X64 {
            equal_mxcsr(self.context_mut());
        }
    }

    /// Sets what follows from the file that this becomes the header of.
    pub(super) fn seal(&mut self, kind: Kind, file_length: u64) {
        let dump_type = kind.dump_type().value();
        match self {
            Self::Bits64(raw) => {
                raw.dump_type = dump_type.into();
                raw.required_dump_space = file_length.into();
            }
            Self::Bits32(raw) => {
                raw.dump_type = dump_type.into();
                raw.required_dump_space = file_length.into();
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bits64(raw) => raw.as_bytes(),
            Self::Bits32(raw) => raw.as_bytes(),
        }
    }
}

const FREE_BUILD: u32 = 0xF;

fn image_type(machine: Machine) -> u32 {
    match machine {
        Machine::X86 => 0x14C,
        Machine::X64 => 0x8664,
        Machine::Arm32 => 0x1C4,
        Machine::Arm64 => 0xAA64,
        Machine::Ia64 => 0x200,
        Machine::Unknown(value) => value,
    }
}

fn clear64(raw: &mut DumpHeader64, machine: Machine) {
    raw.signature = *b"PAGE";
    raw.valid_dump = *b"DU64";
    raw.major_version = FREE_BUILD.into();
    raw.machine_image_type = image_type(machine).into();
    raw.context_record.fill(0);
    raw.exception.fill(0);
    raw.kd_debugger_data_block = 0.into();
    raw.secondary_data_state = 0.into();
    raw.writer_status = 0.into();
    raw.attributes = 0.into();
}

fn clear32(raw: &mut DumpHeader32, machine: Machine) {
    raw.signature = *b"PAGE";
    raw.valid_dump = *b"DUMP";
    raw.major_version = FREE_BUILD.into();
    raw.machine_image_type = image_type(machine).into();
    raw.context_record.fill(0);
    raw.exception.fill(0);
    raw.kd_debugger_data_block = 0.into();
    raw.secondary_data_state = 0.into();
    raw.writer_status = 0.into();
    raw.attributes = 0.into();
}

/// Readers check a context by its two `Mxcsr` (R kdmp-parser). The one outside
/// of the FXSAVE area counts, unless it was never set.
pub(super) fn equal_mxcsr(context: &mut [u8]) {
    let word = |at: usize| context.get(at..at + 4).map(<[u8]>::to_vec);
    let (Some(first), Some(second)) = (word(MXCSR), word(FXSAVE_MXCSR)) else { return };
    let (from, to) = if first == [0; 4] { (second, MXCSR) } else { (first, FXSAVE_MXCSR) };
    context[to..to + 4].copy_from_slice(&from);
}
