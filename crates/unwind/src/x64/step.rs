//! One step: from a frame to its caller.

use memory::{VirtualAddress, VirtualMemory};

use super::epilogue::{self, Looked};
use super::execute::{Machine, Undone};
use super::info::Unread;
use super::{RuntimeFunction, UnwindInfo, X64Registers, find_function};
use crate::unwinder::Step;
use crate::{Code, End, Exceptions, Found, Image, Note, Registers, Trust};

/// As many chained and indirect entries as Windows' own unwinder follows.
const CHAIN: usize = 32;

/// The function, or the part of one, that holds an address.
pub(super) struct Function<'a> {
    pub(super) code: &'a dyn Code,
    pub(super) image: &'a Image,
    pub(super) entry: RuntimeFunction,
    pub(super) info: UnwindInfo,
}

/// From the registers of a frame to those of its caller.
pub(crate) fn step(
    code: &dyn Code,
    memory: &dyn VirtualMemory,
    registers: &X64Registers,
    exact: bool,
) -> Result<Step, End> {
    let address = VirtualAddress(registers.rip);
    // A call can be the last instruction: what it returns to is the next function.
    let inside = VirtualAddress(registers.rip.wrapping_sub(u64::from(!exact)));
    let image = code.image_at(inside).ok_or(End::NoModule { address })?;
    let rva = image.rva(inside).ok_or(End::NoModule { address })?;
    let mut machine = Machine { memory, registers: registers.clone() };
    let missing = End::MissingUnwindData { address };
    match find_function(code, &image, rva).map_err(|_| missing)? {
        None => leaf(code, &image, rva, exact, machine),
        Some(entry) => {
            let failed = |unread| failed(address, unread);
            let entry = direct(code, &image, entry).map_err(failed)?;
            let info = UnwindInfo::parse(code, &image, entry.unwind).map_err(failed)?;
            let function = Function { code, image: &image, entry, info };
            // What had run is told by the instruction that comes next, also
            // when a prologue calls (for its stack to be probed).
            let next = rva.wrapping_add(u32::from(!exact));
            function.unwind(&mut machine, next, exact)
        }
    }
}

/// The first byte behind the function that begins at an address, and its frame
/// register with what its prologue adds to the stack pointer for it.
pub(crate) fn end_of_function(
    code: &dyn Code,
    image: &Image,
    begin: u32,
) -> Option<(u32, Option<(u8, u64)>)> {
    let entry = find_function(code, image, begin).ok()??;
    let info = UnwindInfo::read(code, image, entry.unwind)?;
    let frame = (info.frame_register, u64::from(info.frame_offset));
    (entry.begin == begin).then_some((entry.end, (frame.0 != 0).then_some(frame)))
}

fn failed(address: VirtualAddress, unread: Unread) -> End {
    match unread {
        Unread::Missing => End::MissingUnwindData { address },
        Unread::Version(version) => End::VersionNotUnderstood { version },
        Unread::Bad(what) => End::BadUnwindData { address, what },
    }
}

/// A function without an entry changes no register and not the stack pointer,
/// and calls nothing: it is only ever the innermost.
fn leaf(
    code: &dyn Code,
    image: &Image,
    rva: u32,
    exact: bool,
    mut machine: Machine<'_>,
) -> Result<Step, End> {
    let address = VirtualAddress(machine.registers.rip);
    let executable = code.is_executable(image, rva);
    if !exact || executable == Some(false) || image.exceptions == Exceptions::Unknown {
        return Err(End::NoUnwindData { address });
    }
    machine.leave()?;
    let trust = if executable.is_some() { Trust::Certain } else { Trust::Probable };
    Ok(stepped(machine, Found::Unwind, trust, Vec::new()))
}

fn stepped(machine: Machine<'_>, found: Found, trust: Trust, notes: Vec<Note>) -> Step {
    let exact = found == Found::MachineFrame;
    let floor = VirtualAddress(machine.registers.rsp());
    Step {
        registers: Registers::X64(machine.registers),
        raw_address: None,
        found,
        trust,
        exact,
        user: false,
        sp_known: true,
        floor,
        notes,
    }
}

/// The entry that really describes the code.
fn direct(
    code: &dyn Code,
    image: &Image,
    mut entry: RuntimeFunction,
) -> Result<RuntimeFunction, Unread> {
    for _ in 0..CHAIN {
        let Some(rva) = entry.indirect() else { return Ok(entry) };
        entry = RuntimeFunction::read(code, image, rva)?;
    }
    Err(Unread::Bad("indirect entries without end"))
}

impl Function<'_> {
    fn unwind(&self, machine: &mut Machine<'_>, rva: u32, exact: bool) -> Result<Step, End> {
        let mut trust = Trust::Certain;
        let mut notes = Vec::new();
        let offset = rva.wrapping_sub(self.entry.begin);
        if exact && offset >= u32::from(self.info.prologue) {
            let epilogue = match epilogue::look(self, rva) {
                Looked::Epilogue(epilogue) => Some(epilogue),
                Looked::Other => None,
                Looked::Missing => {
                    notes.push(Note::MissingCode);
                    trust = Trust::Probable;
                    epilogue::from_codes(self, rva)
                }
            };
            if let Some(epilogue) = epilogue {
                epilogue.run(machine)?;
                return Ok(stepped(take(machine), Found::Unwind, trust, notes));
            }
        }
        match self.undo_all(machine, offset)? {
            Undone::All => {
                machine.leave()?;
                Ok(stepped(take(machine), Found::Unwind, trust, notes))
            }
            Undone::MachineFrame { user } => {
                let step = stepped(take(machine), Found::MachineFrame, trust, notes);
                Ok(Step { user, ..step })
            }
        }
    }

    /// Undoes this part's prologue and those it is chained to.
    fn undo_all(&self, machine: &mut Machine<'_>, offset: u32) -> Result<Undone, End> {
        let at = machine.registers.rip;
        let mut undone = machine.undo(&self.info, offset, at)?;
        if undone == Undone::All && self.info.chained.is_some() {
            let parents = self.parents().map_err(|unread| failed(VirtualAddress(at), unread))?;
            for info in &parents {
                // The code it is chained to had run its whole prologue.
                undone = machine.undo(info, u32::MAX, at)?;
                if undone != Undone::All {
                    break;
                }
            }
        }
        Ok(undone)
    }

    /// The unwind data of all that this part is chained to, the nearest first.
    pub(super) fn parents(&self) -> Result<Vec<UnwindInfo>, Unread> {
        let mut parents = Vec::new();
        let mut chained = self.info.chained;
        while let Some(entry) = chained {
            if parents.len() == CHAIN {
                return Err(Unread::Bad("chained entries without end"));
            }
            let entry = direct(self.code, self.image, entry)?;
            let info = UnwindInfo::parse(self.code, self.image, entry.unwind)?;
            chained = info.chained;
            parents.push(info);
        }
        Ok(parents)
    }

    /// Whether a jump to an address leaves the function with all its parts.
    pub(super) fn is_left_for(&self, target: u32) -> bool {
        if self.entry.holds(target) {
            // To its own beginning is to call itself.
            return target == self.entry.begin && self.info.chained.is_none();
        }
        let Ok(Some(other)) = find_function(self.code, self.image, target) else { return true };
        let (Some(here), Some(there)) = (self.root(self.entry), self.root(other)) else {
            return false;
        };
        here.begin != there.begin || target == here.begin
    }

    /// The part that a function begins with.
    fn root(&self, mut entry: RuntimeFunction) -> Option<RuntimeFunction> {
        for _ in 0..CHAIN {
            entry = direct(self.code, self.image, entry).ok()?;
            match UnwindInfo::parse(self.code, self.image, entry.unwind).ok()?.chained {
                Some(next) => entry = next,
                None => return Some(entry),
            }
        }
        None
    }
}

fn take<'a>(machine: &Machine<'a>) -> Machine<'a> {
    Machine { memory: machine.memory, registers: machine.registers.clone() }
}
