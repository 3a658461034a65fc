//! `UNWIND_INFO`, decoded.

use super::RuntimeFunction;
use crate::image::bytes;
use crate::{Code, Image, Missing};

const CHAINED: u8 = 4;

/// What one or more slots of the code array say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnwindCode {
    /// `UWOP_PUSH_NONVOL`.
    Push {
        /// The register's number.
        register: u8,
    },
    /// `UWOP_ALLOC_SMALL` or `UWOP_ALLOC_LARGE`.
    Alloc {
        /// Bytes.
        size: u32,
    },
    /// `UWOP_SET_FPREG`.
    SetFrameRegister,
    /// `UWOP_SAVE_NONVOL` or its far form.
    Save {
        /// The register's number.
        register: u8,
        /// Bytes from the frame's start.
        offset: u32,
    },
    /// `UWOP_SAVE_XMM128` or its far form.
    SaveXmm {
        /// The register's number.
        register: u8,
        /// Bytes from the frame's start.
        offset: u32,
    },
    /// A slot that changes nothing: `UWOP_EPILOG` or `UWOP_SPARE_CODE`.
    Nothing,
    /// `UWOP_PUSH_MACHFRAME`.
    MachineFrame {
        /// Whether an error code lies below it.
        error_code: bool,
    },
    /// None of these.
    Unknown(u8),
}

/// A code and its place in the prologue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedCode {
    /// The offset of the instruction behind the one that does this.
    pub offset: u8,
    /// What it does.
    pub code: UnwindCode,
}

/// Where version 2 says the epilogues are, all of one size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Epilogues {
    /// The size of each in bytes: its pops and the instruction that leaves.
    pub size: u8,
    /// How far before the function's end each begins.
    pub before_end: Vec<u16>,
}

impl Epilogues {
    /// How far into an epilogue an address lies.
    pub(crate) fn position(&self, function: &RuntimeFunction, rva: u32) -> Option<u32> {
        let starts = self.before_end.iter();
        let mut starts =
            starts.filter_map(|distance| function.end.checked_sub(u32::from(*distance)));
        let size = u32::from(self.size);
        starts.find_map(|start| rva.checked_sub(start).filter(|into| *into < size))
    }
}

/// The unwind data of a function or of a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnwindInfo {
    /// 1 or 2.
    pub version: u8,
    /// 1 exception handler, 2 termination handler, 4 chained.
    pub flags: u8,
    /// The prologue's size in bytes.
    pub prologue: u8,
    /// The frame register's number, 0 for none.
    pub frame_register: u8,
    /// What was added to RSP to make it, in bytes.
    pub frame_offset: u8,
    /// The codes, the last of the prologue first.
    pub codes: Vec<PlacedCode>,
    /// Version 2's epilogues; `None` where it names none.
    pub epilogues: Option<Epilogues>,
    /// The entry that the function goes on with.
    pub chained: Option<RuntimeFunction>,
}

/// Why there is no unwind data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    Missing,
    Version(u8),
    Bad(&'static str),
}

impl From<Missing> for Unread {
    fn from(_: Missing) -> Self {
        Self::Missing
    }
}

impl UnwindInfo {
    /// Reads the unwind data at an address; `None` when it is not at hand, or
    /// of another version than 1 and 2, or cut short.
    pub fn read(code: &dyn Code, image: &Image, rva: u32) -> Option<Self> {
        Self::parse(code, image, rva).ok()
    }

    pub(crate) fn parse(code: &dyn Code, image: &Image, rva: u32) -> Result<Self, Unread> {
        let [first, prologue, count, frame]: [u8; 4] = bytes(code, image, rva)?;
        let (version, flags) = (first & 7, first >> 3);
        if !matches!(version, 1 | 2) {
            return Err(Unread::Version(version));
        }
        let mut array = vec![0; 2 * usize::from(count)];
        let start = rva.checked_add(4).ok_or(Unread::Bad("address past the end"))?;
        if u64::from(start) + array.len() as u64 > u64::from(image.size) {
            return Err(Unread::Missing);
        }
        code.read(image, start, &mut array)?;
        let slots: Vec<Slot> = array.chunks_exact(2).map(Slot::new).collect();
        let behind = start + 2 * ((u32::from(count) + 1) & !1);
        let chained = match flags & CHAINED {
            0 => None,
            _ => Some(RuntimeFunction::read(code, image, behind)?),
        };
        let (codes, epilogues) = decode(version, &slots)?;
        let (frame_register, frame_offset) = (frame & 15, frame >> 4 << 4);
        Ok(Self {
            version,
            flags,
            prologue,
            frame_register,
            frame_offset,
            codes,
            epilogues,
            chained,
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    offset: u8,
    operation: u8,
    info: u8,
    whole: u16,
}

impl Slot {
    fn new(bytes: &[u8]) -> Self {
        let whole = bytes.try_into().map_or(0, u16::from_le_bytes);
        let [offset, rest] = whole.to_le_bytes();
        Self { offset, operation: rest & 15, info: rest >> 4, whole }
    }

    /// Version 2's form: twelve bits.
    fn distance(self) -> u16 {
        u16::from(self.offset) | u16::from(self.info) << 8
    }
}

const CUT: Unread = Unread::Bad("a code's slots lie behind the array");

fn decode(version: u8, slots: &[Slot]) -> Result<(Vec<PlacedCode>, Option<Epilogues>), Unread> {
    let mut codes = Vec::new();
    let mut epilogues: Option<Epilogues> = None;
    let mut rest = slots;
    while let Some((slot, behind)) = rest.split_first() {
        let (code, used) = decode_one(version, *slot, behind)?;
        if version == 2 && slot.operation == 6 {
            let pair = rest.get(..used).unwrap_or(rest);
            note_epilogues(&mut epilogues, pair);
        }
        codes.push(PlacedCode { offset: slot.offset, code });
        rest = behind.get(used - 1..).ok_or(CUT)?;
    }
    Ok((codes, epilogues))
}

/// The first slot of all tells the size, and whether one ends the function;
/// each of the others names one, and zero is padding.
fn note_epilogues(known: &mut Option<Epilogues>, mut slots: &[Slot]) {
    if known.is_none() {
        let Some((first, behind)) = slots.split_first() else { return };
        let size = first.offset;
        let before_end = if first.info & 1 == 1 { vec![u16::from(size)] } else { Vec::new() };
        *known = Some(Epilogues { size, before_end });
        slots = behind;
    }
    let named = slots.iter().map(|slot| slot.distance()).filter(|distance| *distance != 0);
    if let Some(known) = known {
        known.before_end.extend(named);
    }
}

/// A code, and how many slots it takes with its own.
fn decode_one(version: u8, slot: Slot, behind: &[Slot]) -> Result<(UnwindCode, usize), Unread> {
    let word = |at: usize| behind.get(at).map(|slot| u32::from(slot.whole)).ok_or(CUT);
    let far = || Ok::<u32, Unread>(word(0)? | word(1)? << 16);
    let register = slot.info;
    Ok(match (slot.operation, slot.info) {
        (0, _) => (UnwindCode::Push { register }, 1),
        (1, 0) => (UnwindCode::Alloc { size: word(0)? * 8 }, 2),
        (1, 1) => (UnwindCode::Alloc { size: far()? }, 3),
        (2, info) => (UnwindCode::Alloc { size: u32::from(info) * 8 + 8 }, 1),
        (3, _) => (UnwindCode::SetFrameRegister, 1),
        (4, _) => (UnwindCode::Save { register, offset: word(0)? * 8 }, 2),
        (5, _) => (UnwindCode::Save { register, offset: far()? }, 3),
        // Version 2's epilogues come in pairs of slots. In version 1 the
        // number stood for saving half of an XMM register.
        (6, _) if version == 2 => (UnwindCode::Nothing, 2.min(1 + behind.len())),
        (6, _) => (UnwindCode::Nothing, word(0).map(|_| 2)?),
        (7, _) => (UnwindCode::Nothing, far().map(|_| 3)?),
        (8, _) => (UnwindCode::SaveXmm { register, offset: word(0)? * 16 }, 2),
        (9, _) => (UnwindCode::SaveXmm { register, offset: far()? }, 3),
        (10, info @ 0..=1) => (UnwindCode::MachineFrame { error_code: info == 1 }, 1),
        (operation, _) => (UnwindCode::Unknown(operation), 1),
    })
}
