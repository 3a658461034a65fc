//! One step: from a frame to its caller.

use memory::{VirtualAddress, VirtualMemory};

use super::execute::{Machine, Return};
use super::table::Data;
use super::{
    Arm64Registers, FunctionEntry, FunctionRecord, PackedFunction, UnwindCode, find_function, strip,
};
use crate::unwinder::Step;
use crate::{Code, End, Exceptions, Found, Image, Missing, Registers, Trust};

/// From the registers of a frame to those of its caller.
pub(crate) fn step(
    code: &dyn Code,
    memory: &dyn VirtualMemory,
    registers: &Arm64Registers,
    exact: bool,
    address_bits: u32,
) -> Result<Step, End> {
    let address = VirtualAddress(registers.pc);
    // A call can be the last instruction: what it returns to is the next function.
    let back = if exact { 0 } else { 4 };
    let inside = VirtualAddress(registers.pc.wrapping_sub(back));
    let image = code.image_at(inside).ok_or(End::NoModule { address })?;
    let rva = image.rva(inside).ok_or(End::NoModule { address })?;
    let mut machine = Machine { memory, registers: registers.clone(), address };
    if !exact {
        // The link register led here; where it led before is on the stack.
        machine.registers.forget_volatile();
    }
    let missing = |_: Missing| End::MissingUnwindData { address };
    let entry = find_function(code, &image, rva).map_err(missing)?;
    let data = match entry {
        Some(entry) => covering(code, &image, &entry, rva).map_err(missing)?,
        None => None,
    };
    let Some((entry, data)) = entry.zip(data) else {
        leaf(code, &image, rva, exact, address)?;
        return finish(machine, Return::Link, address_bits, code.is_executable(&image, rva));
    };
    let offset = rva.wrapping_sub(entry.begin).wrapping_add(back as u32);
    let codes = match &data {
        Data::Packed(packed) => of_packed(packed, offset, exact, address)?,
        Data::Full(record) => of_record(code, &image, record, offset, exact, address)?,
    };
    let way = machine.undo(&codes)?;
    finish(machine, way, address_bits, Some(true))
}

/// The first byte behind the function that begins at an address.
pub(crate) fn end_of_function(code: &dyn Code, image: &Image, begin: u32) -> Option<u32> {
    let entry = find_function(code, image, begin).ok()??;
    let length = match covering(code, image, &entry, begin).ok()?? {
        Data::Packed(packed) => packed.length,
        Data::Full(record) => record.length,
    };
    (entry.begin == begin).then(|| begin.checked_add(length))?
}

/// The entry's data, when the function is as long as to hold the address.
fn covering(
    code: &dyn Code,
    image: &Image,
    entry: &FunctionEntry,
    rva: u32,
) -> Result<Option<Data>, Missing> {
    let (data, length) = match PackedFunction::decode(entry.data) {
        Some(packed) => (Data::Packed(packed), packed.length),
        None => {
            let record = FunctionRecord::read(code, image, entry.data)?;
            let length = record.length;
            (Data::Full(record), length)
        }
    };
    Ok((rva.wrapping_sub(entry.begin) < length).then_some(data))
}

/// A function without an entry changes no register that a call preserves, and
/// calls nothing: it is only ever the innermost.
fn leaf(
    code: &dyn Code,
    image: &Image,
    rva: u32,
    exact: bool,
    address: VirtualAddress,
) -> Result<(), End> {
    let executable = code.is_executable(image, rva) != Some(false);
    if exact && executable && image.exceptions != Exceptions::Unknown {
        return Ok(());
    }
    Err(End::NoUnwindData { address })
}

fn of_packed(
    packed: &PackedFunction,
    offset: u32,
    exact: bool,
    address: VirtualAddress,
) -> Result<Vec<UnwindCode>, End> {
    let bad = End::BadUnwindData { address, what: "no frame can be packed so" };
    let prologue = packed.prologue().ok_or(bad)?;
    // A part without prologue: its parent's had run.
    if packed.flag != 1 {
        return Ok(prologue);
    }
    if let Some(rest) = within_prologue(&prologue, offset) {
        return Ok(rest);
    }
    let epilogue = PackedFunction::epilogue(&prologue);
    let start = packed.length.checked_sub(epilogue_size(&epilogue));
    match start.and_then(|start| offset.checked_sub(start)) {
        Some(into) if exact => Ok(skip(&epilogue, into / 4)),
        _ => Ok(prologue),
    }
}

fn of_record(
    code: &dyn Code,
    image: &Image,
    record: &FunctionRecord,
    offset: u32,
    exact: bool,
    address: VirtualAddress,
) -> Result<Vec<UnwindCode>, End> {
    if record.version != 0 {
        return Err(End::VersionNotUnderstood { version: record.version });
    }
    let prologue = record.codes_from(0);
    if let Some(rest) = within_prologue(&prologue, offset) {
        return Ok(rest);
    }
    if !exact {
        return Ok(prologue);
    }
    let (start, index) = match record.single_epilogue {
        Some(index) => {
            let size = epilogue_size(&record.codes_from(index));
            (record.length.checked_sub(size), index)
        }
        None => {
            let found = record.epilogue_before(code, image, offset);
            match found.map_err(|_| End::MissingUnwindData { address })? {
                Some(epilogue) => (Some(epilogue.start), epilogue.index),
                None => return Ok(prologue),
            }
        }
    };
    let epilogue = record.codes_from(index);
    match start.and_then(|start| offset.checked_sub(start)) {
        Some(into) if into < epilogue_size(&epilogue) => Ok(skip(&epilogue, into / 4)),
        _ => Ok(prologue),
    }
}

/// How many instructions a sequence of its own stands for.
fn instructions(codes: &[UnwindCode]) -> u32 {
    let own = codes.iter().take_while(|code| !code.is_end());
    own.filter(|code| code.is_instruction()).count() as u32
}

/// Bytes of an epilogue, with the instruction that leaves.
fn epilogue_size(codes: &[UnwindCode]) -> u32 {
    4 * (instructions(codes) + 1)
}

/// What had run of a prologue; `None` behind it.
fn within_prologue(prologue: &[UnwindCode], offset: u32) -> Option<Vec<UnwindCode>> {
    let left = instructions(prologue).checked_sub(offset / 4).filter(|left| *left > 0)?;
    Some(skip(prologue, left))
}

/// The codes behind so many instructions.
fn skip(codes: &[UnwindCode], mut instructions: u32) -> Vec<UnwindCode> {
    let mut rest = codes;
    while let Some((code, behind)) = rest.split_first() {
        if instructions == 0 || code.is_end() {
            break;
        }
        instructions -= u32::from(code.is_instruction());
        rest = behind;
    }
    rest.to_vec()
}

/// Takes the program counter and makes the step of it.
fn finish(
    mut machine: Machine<'_>,
    way: Return,
    address_bits: u32,
    executable: Option<bool>,
) -> Result<Step, End> {
    let (found, exact) = match way {
        Return::Link => {
            machine.registers.pc = machine.registers.need(Arm64Registers::LR)?;
            machine.registers.forget_volatile();
            (Found::Unwind, false)
        }
        Return::Interrupted { exact } => (Found::MachineFrame, exact),
    };
    let raw = machine.registers.pc;
    machine.registers.pc = strip(raw, address_bits);
    let sp = machine.registers.need_sp()?;
    Ok(Step {
        raw_address: (raw != machine.registers.pc).then_some(VirtualAddress(raw)),
        registers: Registers::Arm64(machine.registers),
        found,
        trust: if executable.is_some() { Trust::Certain } else { Trust::Probable },
        exact,
        user: false,
        sp_known: true,
        floor: VirtualAddress(sp),
        notes: Vec::new(),
    })
}
