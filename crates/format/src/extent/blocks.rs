//! Ranges of virtual memory in the blocks of a triage dump.

use memory::VirtualAddress;

use super::{Extent, Missing, Teller};
use crate::Triage;

/// A part of a triage dump that holds memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A block of the table, by its number from 0.
    Block(u32),
    /// The call stack.
    CallStack,
    /// The copy of the debugger block.
    DebuggerBlock,
    /// The copy of the ETHREAD.
    Thread,
    /// The copy of the EPROCESS.
    Process,
    /// The data page.
    DataPage,
    /// The copy of the KPRCB.
    Prcb,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Block(number) => return write!(f, "block {number}"),
            Self::CallStack => "call stack",
            Self::DebuggerBlock => "debugger block",
            Self::Thread => "ETHREAD",
            Self::Process => "EPROCESS",
            Self::DataPage => "data page",
            Self::Prcb => "KPRCB",
        })
    }
}

/// Where an address is in a triage dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// In which part.
    pub part: Part,
    /// Where the part begins in memory.
    pub start: VirtualAddress,
    /// Bytes of the part.
    pub size: u32,
    /// File offset of the byte.
    pub offset: u64,
    /// Whether reading takes it from here: where parts overlap, the first does.
    pub is_read: bool,
}

impl Triage<'_> {
    /// Tells what of `length` bytes from `start` on the dump holds, until
    /// `see` answers false. A sign-extended 32-bit address is taken too.
    pub fn extents(
        &self,
        start: VirtualAddress,
        length: u64,
        mut see: impl FnMut(Extent) -> bool,
    ) -> Option<u64> {
        let mut teller = Teller::new(&mut see);
        let (mut at, mut left) = (self.header().width.address(start.0).0, length);
        for (range, offset) in self.segments(at) {
            if !teller.goes_on() || left == 0 {
                break;
            }
            let before = range.start.saturating_sub(at).min(left);
            teller.gap(at, before, Missing::NoBlock);
            (at, left) = (at.wrapping_add(before), left - before);
            let held = (range.end - range.start.max(at)).min(left);
            if held > 0 {
                teller.held(at, held, offset + (at - range.start));
                (at, left) = (at.wrapping_add(held), left - held);
            }
        }
        if teller.goes_on() {
            teller.gap(at, left, Missing::NoBlock);
            (at, left) = (at.wrapping_add(left), 0);
        }
        teller.finish(at, left)
    }

    /// Every part that has an address, the one that is read first; at most
    /// [`LISTED_PLACES`].
    pub fn places(&self, address: VirtualAddress) -> Vec<Place> {
        let address = self.header().width.address(address.0);
        let read = self.parts_at(address).filter(|place| place.is_read);
        let others = self.parts_at(address).filter(|place| !place.is_read);
        read.chain(others).take(LISTED_PLACES).collect()
    }
}

/// Parts that are listed for one address: no real dump has more than a few.
pub const LISTED_PLACES: usize = 1024;
