//! A whole walk: steps, other ways where a step fails, bounds, ends.

use memory::VirtualAddress;

use crate::unwinder::Step;
use crate::{
    End, Found, Frame, Note, Registers, Resume, Stack, StackKind, Trust, Unwinder, Walk, arm64,
};

/// Where a walk is.
struct Cursor {
    segment: usize,
    /// Segments that were left, and are not entered again.
    left: Vec<usize>,
    exact: bool,
    trust: Trust,
    sp_known: bool,
    floor: VirtualAddress,
}

/// A step that fits the stack, and the segment it leads to.
struct Accepted {
    step: Step,
    segment: usize,
}

impl Unwinder<'_> {
    /// Walks from these registers up the stack.
    ///
    /// `exact` says that the program counter is that of an instruction about
    /// to run (a crash, an interrupt), not a return address (a waiting
    /// thread's switch frame).
    pub fn walk(&self, start: &Registers, exact: bool, stack: &Stack<'_>) -> Walk {
        let sp = start.sp();
        let Some(segment) = stack.find(sp) else {
            let frame = first(start, exact, StackKind::Unknown, sp);
            return Walk { frames: vec![frame], end: End::OutsideStack { stack_pointer: sp } };
        };
        let mut cursor = Cursor {
            segment,
            left: Vec::new(),
            exact,
            trust: Trust::Certain,
            sp_known: start.sp_is_known(),
            floor: sp,
        };
        let kind = stack.segment(segment).map_or(StackKind::Unknown, |segment| segment.kind);
        let mut walk = Walk { frames: vec![first(start, exact, kind, sp)], end: End::EndOfStack };
        walk.end = loop {
            if walk.frames.len() >= self.options.frames {
                break End::Limit { frames: walk.frames.len() };
            }
            let Some(frame) = walk.frames.last_mut() else { break End::EndOfStack };
            let registers = frame.registers.clone();
            match self.next(&cursor, &registers, stack, &mut frame.notes) {
                Ok(accepted) => walk.frames.push(cursor.take(accepted, stack)),
                Err(end) => break end,
            }
        };
        walk
    }

    /// The next frame, by the best way that there is.
    fn next(
        &self,
        cursor: &Cursor,
        from: &Registers,
        stack: &Stack<'_>,
        notes: &mut Vec<Note>,
    ) -> Result<Accepted, End> {
        let stepped = match stack.segment(cursor.segment) {
            // Nothing of a caller can lie behind the base.
            Some(segment) if cursor.floor >= segment.base => Err(End::EndOfStack),
            _ => self.step(from, cursor.exact),
        };
        let accepted = stepped.and_then(|step| self.accept(cursor, step, stack));
        let end = match accepted {
            Ok(mut accepted) => {
                notes.append(&mut accepted.step.notes);
                return Ok(accepted);
            }
            Err(end) => end,
        };
        // A guessed frame's zero is no more than a guess.
        let doubtful = end == End::ZeroReturn && cursor.trust <= Trust::Guessed;
        let lost = end.is_failure() || doubtful;
        let other = if lost { self.other_way(cursor, from, stack) } else { None };
        let end = match other {
            Some(Ok(accepted)) => {
                notes.push(Note::NotUnwound(end));
                return Ok(accepted);
            }
            // The chain's end is the stack's, whatever unwinding lacked.
            Some(Err(chain)) => {
                notes.push(Note::NotUnwound(end));
                chain
            }
            None => end,
        };
        self.resume(cursor, stack, &end).ok_or(end)
    }

    /// By frame pointers (ARM64), then by scanning.
    fn other_way(
        &self,
        cursor: &Cursor,
        from: &Registers,
        stack: &Stack<'_>,
    ) -> Option<Result<Accepted, End>> {
        if let Registers::Arm64(registers) = from {
            match self.follow_frame_pointer(cursor, registers, stack) {
                Ok(accepted) => return Some(Ok(accepted)),
                Err(end) if !end.is_failure() => return Some(Err(end)),
                Err(_) => {}
            }
        }
        let segment = stack.segment(cursor.segment)?;
        let found = self.scan(cursor.floor, segment, from)?;
        self.accept(cursor, found, stack).ok().map(Ok)
    }

    fn follow_frame_pointer(
        &self,
        cursor: &Cursor,
        from: &arm64::Arm64Registers,
        stack: &Stack<'_>,
    ) -> Result<Accepted, End> {
        let lowest = if cursor.sp_known { from.sp } else { cursor.floor.0 };
        let bits = self.options.address_bits;
        let step = arm64::follow_frame_pointer(self.memory, from, lowest, bits)?;
        let address = step.registers.pc();
        let accepted = self.accept(cursor, step, stack)?;
        match self.code.image_at(VirtualAddress(address.0.wrapping_sub(4))) {
            Some(_) => Ok(accepted),
            None => Err(End::NoModule { address }),
        }
    }

    /// Holds a step against the stack.
    fn accept(&self, cursor: &Cursor, step: Step, stack: &Stack<'_>) -> Result<Accepted, End> {
        let (pc, sp) = (step.registers.pc(), step.registers.sp());
        if pc.0 == 0 {
            return Err(End::ZeroReturn);
        }
        let lower_half = self.options.kernel && !pc.is_kernel();
        if step.user || (lower_half && step.found == Found::MachineFrame) {
            return Err(End::UserMode { address: pc, stack_pointer: sp });
        }
        // Only what an interrupt or a system service left leads to user mode.
        if lower_half {
            return Err(End::NoModule { address: pc });
        }
        if sp.0 % step.registers.alignment() != 0 && step.sp_known {
            return Err(End::BadAlignment { stack_pointer: sp });
        }
        let current = stack.segment(cursor.segment).ok_or(End::EndOfStack)?;
        if current.holds(sp) && current.holds(step.floor) {
            return accept_within(cursor, step);
        }
        let outside = End::OutsideStack { stack_pointer: sp };
        let segment = stack.find(sp).ok_or(outside.clone())?;
        if cursor.left.contains(&segment) {
            return Err(End::Loop { stack_pointer: sp });
        }
        let allowed = stack.allows(cursor.segment, segment) && segment != cursor.segment;
        if allowed { Ok(Accepted { step, segment }) } else { Err(outside) }
    }

    /// What the caller says lies behind the end of a segment.
    fn resume(&self, cursor: &Cursor, stack: &Stack<'_>, end: &End) -> Option<Accepted> {
        let Resume { registers, exact, found, trust, sp_known } =
            stack.resume(cursor.segment, cursor.floor, end)?;
        let step = Step {
            floor: registers.sp(),
            registers,
            raw_address: None,
            found,
            trust,
            exact,
            user: false,
            sp_known,
            notes: Vec::new(),
        };
        self.accept(cursor, step, stack).ok()
    }
}

/// Within a segment the stack pointer grows.
fn accept_within(cursor: &Cursor, step: Step) -> Result<Accepted, End> {
    let sp = step.registers.sp();
    // ARM64 code that has not touched the stack yet returns by register.
    let may_stay = cursor.exact && matches!(step.registers, Registers::Arm64(_));
    let grew = step.floor > cursor.floor || (may_stay && step.floor == cursor.floor);
    if !grew || sp < cursor.floor {
        return Err(End::Loop { stack_pointer: sp });
    }
    Ok(Accepted { step, segment: cursor.segment })
}

impl Cursor {
    /// Goes there; answers the frame.
    fn take(&mut self, accepted: Accepted, stack: &Stack<'_>) -> Frame {
        let Accepted { step, segment } = accepted;
        let crossed = segment != self.segment;
        if crossed {
            self.left.push(self.segment);
        }
        self.segment = segment;
        self.exact = step.exact;
        self.trust = self.trust.min(step.trust);
        self.sp_known = step.sp_known;
        self.floor = step.floor;
        Frame {
            address: step.registers.pc(),
            raw_address: step.raw_address,
            stack_pointer: step.registers.sp(),
            frame_pointer: step.registers.fp(),
            found: step.found,
            trust: self.trust,
            exact: step.exact,
            stack: stack.segment(segment).map_or(StackKind::Unknown, |segment| segment.kind),
            boundary: crossed || matches!(step.found, Found::Context | Found::Callback),
            notes: if step.sp_known { Vec::new() } else { vec![Note::StackPointerLowest] },
            registers: step.registers,
        }
    }
}

fn first(registers: &Registers, exact: bool, stack: StackKind, sp: VirtualAddress) -> Frame {
    Frame {
        address: registers.pc(),
        raw_address: None,
        stack_pointer: sp,
        frame_pointer: registers.fp(),
        found: Found::Context,
        trust: Trust::Certain,
        exact,
        stack,
        boundary: false,
        notes: if registers.sp_is_known() { Vec::new() } else { vec![Note::StackPointerLowest] },
        registers: registers.clone(),
    }
}
